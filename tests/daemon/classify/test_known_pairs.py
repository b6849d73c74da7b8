"""How well it does: labelled pairs of devices and domains, scored as docs/classification.md publishes it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from daemon.classify.classifier import Classifier
from daemon.classify.organisation_files import load_organisations
from tests.support.pairs import PARTIES, read_pairs, score

PAIRS = Path(__file__).parents[2] / "data" / "pairs"
PAGE = Path(__file__).parents[3] / "docs" / "classification.md"
LOT = re.compile(
    r"^\| (\d+) \| [\d-]+ \| (\d+) \| (\d+) \| [\d. /]+ \| ([\d.]+) / ([\d.]+) / ([\d.]+) \|$", re.MULTILINE
)


@cache
def classifier() -> Classifier:
    return Classifier(load_organisations())


@cache
def published() -> dict[str, tuple[int, int, tuple[float, ...]]]:
    """Of each lot on the page: vendors, distinct pairs, and the least that accuracy, macro-F1 and organisation may be."""
    rows = LOT.findall(PAGE.read_text("utf-8"))
    return {lot: (int(vendors), int(pairs), tuple(map(float, least))) for lot, vendors, pairs, *least in rows}


def test_the_page_tells_of_every_lot() -> None:
    assert sorted(published()) == sorted(path.stem for path in PAIRS.glob("*.csv"))


@pytest.mark.parametrize("path", sorted(PAIRS.glob("*.csv")), ids=lambda path: path.stem)
def test_a_lot_is_judged_as_well_as_the_page_says(path: Path) -> None:
    vendors, pairs, least = published()[path.stem]
    rows = read_pairs(path)
    result = score(rows, classifier().judge)
    print(result)  # noqa: T201  # the confusion, for whoever mends the table: shown by pytest where the test fails, and by -s
    assert {row.party for row in rows} <= set(PARTIES)
    assert (len({row.vendor for row in rows}), result.pairs) == (vendors, pairs)
    assert (result.accuracy, result.macro_f1, result.organisation) >= least
    assert min(result.macro_f1 - least[1], result.organisation - least[2]) >= 0
