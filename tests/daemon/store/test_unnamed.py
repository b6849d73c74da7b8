"""Of flows without a name only those leave SQLite to which something is to say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database, transaction
from daemon.store.unnamed import ask, forget_local_names, read_told, unnamed, write_names
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US

ANSWERED, SILENT, LABELLED = "203.0.113.1", "203.0.113.2", "203.0.113.3"
EVER_US = 1 << 60


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    frames = [
        *lookup(START_US, "a.example", ANSWERED),
        *talk(START_US + SECOND, server=ANSWERED, port=40000),
        *talk(START_US + 2 * SECOND, server=SILENT, port=40001),
        *talk(START_US + 3 * SECOND, server=LABELLED, port=40002),
        *talk(START_US + DAY, server=ANSWERED, port=40003),
    ]
    with closing(open_database(imported(tmp_path / "h.db", write(tmp_path / "day.pcap", frames)))) as connection:
        yield connection


def told(db: sqlite3.Connection, answered: list[str], since_us: int = 0) -> list[list[str]]:
    with transaction(db), unnamed(db, 1, 0, EVER_US, DAY) as periods:
        found = []
        for period in periods:
            ask(db, period, since_us)
            found.append([row[3] for row in read_told(db, period, answered)])
    return found


def flow_at(db: sqlite3.Connection, address: str) -> int:
    query = "SELECT f.id FROM flow f JOIN endpoint s ON s.id = f.server_id WHERE s.address = ?"
    return int(db.execute(query, (address,)).fetchone()[0])


def test_what_was_answered_and_what_has_a_label(db: sqlite3.Connection) -> None:
    assert told(db, []) == [[ANSWERED], []]  # it has the name that the import gave it
    assert told(db, [ANSWERED]) == [[ANSWERED], [ANSWERED]]
    write_names(db, [(1, "dns", flow_at(db, LABELLED))])
    assert told(db, [ANSWERED, "192.0.2.99"]) == [[ANSWERED, LABELLED], [ANSWERED]]


def test_who_is_asked_about(db: sqlite3.Connection) -> None:
    with transaction(db), unnamed(db, 1, 0, EVER_US, DAY) as periods:
        first, last = periods
        assert sorted(ask(db, first, 0)) == [
            (ANSWERED, START_US + SECOND, START_US + SECOND),
            (SILENT, START_US + 2 * SECOND, START_US + 2 * SECOND),
            (LABELLED, START_US + 3 * SECOND, START_US + 3 * SECOND),
        ]
        assert [row[0] for row in ask(db, first, START_US + 3 * SECOND)] == [LABELLED]
        assert [row[0] for row in ask(db, last, 0)] == [ANSWERED]
    with transaction(db), unnamed(db, 1, 0, EVER_US, DAY, of=[0]) as periods:
        assert periods == []


def forgotten(db: sqlite3.Connection) -> list[int]:
    with transaction(db), unnamed(db, 1, 0, EVER_US, DAY):
        return [row[0] for row in forget_local_names(db)]


def test_names_of_what_is_local_by_now_are_forgotten(db: sqlite3.Connection) -> None:
    assert forgotten(db) == []
    db.execute("UPDATE endpoint SET local = 1 WHERE address = ?", (ANSWERED,))
    flow = flow_at(db, ANSWERED)
    db.execute("INSERT INTO kept_label (flow_id, turned) VALUES (?, 0)", (flow,))
    assert forgotten(db) == []
    db.execute("DELETE FROM kept_label")
    assert forgotten(db) == [flow]
    assert told(db, [ANSWERED]) == [[]]
    assert forgotten(db) == []
