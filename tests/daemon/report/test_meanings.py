"""Every column of every report either has a text or a heading that says it, and no text is left without a column."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.report import families, meanings
from daemon.report.meanings import is_told, meaning
from daemon.report.registry import KINDS
from tests.support.asking import asked
from tests.support.newweek import SPAN, UNTIL, home


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """The columns of every report."""
    database: Path = home(tmp_path_factory.mktemp("meanings"))[0]
    with asked(database, SPAN, UNTIL) as scope:
        return {kind.name: kind.make(scope).keys for kind in KINDS}


def test_no_column_is_forgotten(keys: dict[str, tuple[str, ...]]) -> None:
    assert [(report, key) for report, known in keys.items() for key in known if not is_told(report, key)] == []


def test_no_text_is_left_over(keys: dict[str, tuple[str, ...]]) -> None:
    every = {key for known in keys.values() for key in known} | {column.key for column in families._HOUSE}
    assert set(meanings._MEANINGS) - every == set()
    assert [(report, key) for report, key in meanings._IN if key not in keys[report]] == []
    assert set(meanings._MEANINGS).isdisjoint(meanings._PLAIN)


def test_a_report_may_mean_its_own() -> None:
    assert meaning("names-by-device", "share") != meaning("companies", "share")
    assert meaning("devices", "device") is None
