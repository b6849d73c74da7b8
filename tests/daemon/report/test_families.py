"""Companies and their families, of a small home: of those that were met, and of any that is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.classify.families import Families, Owner
from daemon.classify.organisation_files import load_organisations
from daemon.report.families import report, since_words
from tests.daemon.ingest.houses import CDN, SPEAKER, home
from tests.daemon.ingest.scenes import HOUR, SECOND, dhcp_request, lookup, talk
from tests.support.asking import asked
from tests.support.packets import START_US

FAMILIES = Families(load_organisations())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home(
        tmp_path_factory.mktemp("families"),
        [dhcp_request(START_US, SPEAKER)],
        lookup(START_US + SECOND, "api.ring.com", CDN),
        talk(START_US + 2 * SECOND, "api.ring.com", server=CDN),
        talk(START_US + 3 * SECOND, "nobody.example", server="203.0.113.50", port=40001),
    )


def test_companies_that_were_met(database: Path) -> None:
    with asked(database, START_US, START_US + HOUR) as scope:
        found = report(replace(scope, known=FAMILIES.portrait))
    (row,) = (dict(zip(found.keys, row, strict=True)) for row in found.rows)
    assert (row["organisation"], row["country"], row["parent"], row["parent_since"]) == (
        "Ring", "US", "Amazon", "2018-04"
    )  # fmt: skip
    assert "maker" in str(row["kinds"])
    assert isinstance(row["bytes"], int)
    assert row["bytes"] > 3000
    assert found.notes == ("Of Nobody no more is known than the name.",)


def test_one_company_with_all_of_its_house(database: Path) -> None:
    with asked(database, START_US, START_US + HOUR) as scope:
        found = report(replace(scope, known=FAMILIES.portrait, only={"company": "Ring"}))
        unmet = report(replace(scope, known=FAMILIES.portrait, only={"company": "Signify"}))
    (row,) = (dict(zip(found.keys, row, strict=True)) for row in found.rows)
    assert {"Blink", "eero", "Twitch"} <= {*str(row["sisters"]).split(", ")}
    assert found.sentences[0] == "Ring belongs to Amazon (since April 2018)."
    assert found.sentences[1].startswith("Of the same house are ")
    assert [row[0] for row in unmet.rows] == ["Signify"]


def test_company_that_no_table_knows(database: Path) -> None:
    with asked(database, START_US, START_US + HOUR) as scope:
        found = report(replace(scope, known=FAMILIES.portrait, only={"company": "nobody.example"}))
    assert (found.rows, found.notes) == ((), ("Of nobody.example no more is known than the name.",))


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (Owner("A", None), ""),
        (Owner("A", "2018-04"), "since April 2018"),
        (Owner("A", "2015-01", "2019-06"), "from January 2015 to June 2019"),
        (Owner("A", None, "2019-06"), "until June 2019"),
    ],
)
def test_times_of_ownership_in_words(owner: Owner, words: str) -> None:
    assert since_words(owner) == words
