"""Rows of findings: replaced as a whole, only where they differ, and dropped where something before their end changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database
from daemon.store.finding_rows import (
    FindingRow,
    Looked,
    drop_findings,
    keep_findings,
    read_findings,
    read_look,
    words_of_night,
)

LOOK = Looked(100, 200, 3, 0, words_of_night((22, 6)))


def row(place: str, last_us: int = 150) -> FindingRow:
    return FindingRow(
        "beaconing", 2, 1, place, "", "connects", "Because.", "Look.", "[]", "{}", "[]", 110, last_us, 5, 9
    )


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "h.db")) as db:
        yield db


def test_a_look_takes_the_place_of_the_last(db: sqlite3.Connection) -> None:
    keep_findings(db, 1, LOOK, [row("b"), row("a")])
    keep_findings(db, 2, LOOK, [row("c")])
    assert [each.place for each in read_findings(db, 1)] == ["b", "a"]  # in the order in which they were given
    keep_findings(db, 1, LOOK._replace(until_us=300), [row("a")])
    assert [each.place for each in read_findings(db, 1)] == ["a"]
    assert read_look(db, 1) == LOOK._replace(until_us=300)
    assert read_findings(db, 2) == [row("c")]


def test_what_is_the_same_is_not_written_again(db: sqlite3.Connection) -> None:
    keep_findings(db, 1, LOOK, [row("a")])
    before = db.total_changes
    keep_findings(db, 1, LOOK._replace(until_us=300), [row("a")])
    assert db.total_changes - before == 1  # of the look alone


def test_those_that_went_on_since(db: sqlite3.Connection) -> None:
    keep_findings(db, 1, LOOK, [row("a", 120), row("b", 180)])
    assert [each.place for each in read_findings(db, 1, 150)] == ["b"]


def test_only_a_change_before_their_end_makes_them_wrong(db: sqlite3.Connection) -> None:
    keep_findings(db, 1, LOOK, [row("a")])
    keep_findings(db, 2, LOOK, [row("c")])
    drop_findings(db, 1, 200)
    assert read_look(db, 1) == LOOK
    drop_findings(db, 1, 199)
    assert read_look(db, 1) is None
    assert read_findings(db, 1) == []
    assert read_look(db, 2) == LOOK
