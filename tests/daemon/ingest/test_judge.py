"""Each destination of each device is judged once a month, by what the store has of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict
from daemon.ingest import judge
from daemon.ingest.judge import judge_months
from daemon.store.database import open_database
from tests.daemon.ingest.scenes import DAY, SECOND, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US

NOVEMBER, DECEMBER = 2023 * 12 + 10, 2023 * 12 + 11


class Judge:
    """Stands for knowledge and classifier; remembers what it was asked."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.judged: list[Destination] = []

    @property
    def classifier(self) -> Any:  # noqa: ANN401  itself
        return self

    def about(self, device: DeviceProfile) -> DeviceProfile:
        return device

    def asked(self, destination: Destination) -> Destination:
        return destination

    def judge_all(self, _device: DeviceProfile, destinations: Collection[Destination]) -> list[Verdict]:
        self.judged += destinations
        return [Verdict(self.party, None, None, "rule", f"because of {each.domain}") for each in destinations]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = write(
        tmp_path / "day.pcap",
        talk(START_US, "a.example", port=40000),
        talk(START_US + SECOND, "a.example", port=40001),
        talk(START_US + 2 * SECOND, server="203.0.113.9", port=40002),
        talk(START_US + 30 * DAY, "a.example", port=40003),
    )
    with closing(open_database(imported(tmp_path / "h.db", path))) as connection:
        yield connection


def test_what_is_asked(db: sqlite3.Connection) -> None:
    asked_of = Judge("first")
    judge_months(db, 1, [DECEMBER, NOVEMBER], asked_of)  # type: ignore[arg-type]  # knows as much as is needed
    asked = {(each.month, each.domain, each.address, each.name_source, each.service) for each in asked_of.judged}
    assert asked == {
        ("2023-11", "a.example", "203.0.113.5", "tls", "https"),
        ("2023-11", None, "203.0.113.9", None, "https"),
        ("2023-12", "a.example", "203.0.113.5", "tls", "https"),
    }
    assert len(asked_of.judged) == 3


def test_what_changed_is_told_with_what_it_was(db: sqlite3.Connection) -> None:
    judge_months(db, 1, [NOVEMBER], Judge("first"))  # type: ignore[arg-type]
    changes = judge_months(db, 1, [NOVEMBER], Judge("third"))  # type: ignore[arg-type]
    assert {
        (each.month, each.destination, each.before.party if each.before else None, each.after.party) for each in changes
    } == {
        ("2023-11", "a.example", "first", "third"),
        ("2023-11", "203.0.113.9", "first", "third"),
    }
    assert judge_months(db, 1, [NOVEMBER], Judge("third")) == []  # type: ignore[arg-type]
    parties = db.execute("SELECT month, party FROM destinations WHERE domain = 'a.example' ORDER BY month").fetchall()
    assert parties[0] == ("2023-11", "third")
    assert parties[1] != ("2023-12", "third")  # a month that nobody asked for stays as it was


def test_verdicts_that_no_longer_hold_are_not_kept(db: sqlite3.Connection) -> None:
    for party in ("first", "third"):
        judge_months(db, 1, [NOVEMBER, DECEMBER], Judge(party))  # type: ignore[arg-type]
    assert {row[0] for row in db.execute("SELECT party FROM verdict")} == {"third"}


def test_many_are_judged_as_few(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "SELECT month, device_id, domain, address, party, reason FROM destinations ORDER BY 1, 2, 3, 4"
    told = []
    for party, most in (("first", 2_000), ("third", 1), ("first", 1)):
        monkeypatch.setattr(judge, "_AT_ONCE", most)
        asked = Judge(party)
        changes = judge_months(db, 1, [NOVEMBER, DECEMBER], asked)  # type: ignore[arg-type]
        told.append((db.execute(rows).fetchall(), len(asked.judged), len(changes)))
    assert told[0][:2] == told[2][:2]
    assert told[1][1:] == told[2][1:] == (3, 3)


def test_month_without_anything(db: sqlite3.Connection) -> None:
    assert judge_months(db, 1, [NOVEMBER - 1], Judge("first")) == []  # type: ignore[arg-type]
