"""`homeport classify --db`: the past judged anew after tables changed, with and without its detail, and what changed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport
from tests.daemon.ingest.houses import rows
from tests.daemon.ingest.scenes import DAY, SECOND, dhcp_request, talk, write
from tests.support.forgetting import folded
from tests.support.importing import imported
from tests.support.packets import START_US

TABLE = """
[[organisation]]
name = "Widget Works"
country = "NL"
[organisation.domains]
{kind} = ["widget.example"]
"""
VERDICT = "SELECT party, organisation, rule_id FROM destinations WHERE domain = 'api.widget.example'"


@pytest.fixture(params=["with detail", "folded"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = write(
        tmp_path / "day.pcap",
        [dhcp_request(START_US, "=cmd|calc")],
        talk(START_US + SECOND, "api.widget.example"),
        talk(START_US + 2 * SECOND, "other.example", server="203.0.113.9", port=41000),
    )
    database = imported(tmp_path / "h.db", path)
    if request.param == "folded":  # only the month's sums are left
        folded(database, START_US + 40 * DAY)
    return database


def test_past_follows_a_table_that_grew_and_then_changed(homeport: Homeport, database: Path, tmp_path: Path) -> None:
    mine, out = tmp_path / "mine.toml", tmp_path / "changes.csv"
    words = ("classify", "--db", database, "--organisations", mine)
    before = rows(database, VERDICT)
    assert before[0][1] != "Widget Works"
    mine.write_text(TABLE.format(kind="analytics"))
    ran = homeport(*words, "--output", out)
    assert ran.code == 0
    assert "1 judgement changed, in 1 month:" in ran.out.splitlines()
    assert rows(database, VERDICT) == [("third", "Widget Works", "analytics")]
    mine.write_text(TABLE.format(kind="cloud"))
    ran = homeport(*words, "--output", out)
    assert ran.out.splitlines()[:2] == ["1 judgement changed, in 1 month:", "         1  third -> support"]
    assert rows(database, VERDICT) == [("support", "Widget Works", "cloud")]
    with out.open(newline="") as file:
        (change,) = csv.DictReader(file)
    assert (change["month"], change["destination"]) == ("2023-11", "api.widget.example")
    assert (change["party_before"], change["party"], change["rule_id"]) == ("third", "support", "cloud")
    assert not change["device"].startswith("=")
    assert homeport(*words).out == "Everything was judged anew; no judgement changed.\n"


def test_rows_without_a_table_of_the_owner_are_as_before(homeport: Homeport, database: Path) -> None:
    before = rows(database, "SELECT * FROM destinations")
    assert homeport("classify", "--db", database).code == 0
    assert rows(database, "SELECT * FROM destinations") == before


def test_home_that_is_not_there(homeport: Homeport, database: Path) -> None:
    ran = homeport("classify", "--db", database, "--site", "cottage")
    assert ran.code == 3
    assert "there is no home 'cottage' here; --site names one of: home" in ran.err
