"""Stations as they are written: which stay, which go, and about which times something has changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database
from daemon.store.stations import write_devices_of_stations, write_stations


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Three ends of one site: two addresses of one MAC, and one of another."""
    with closing(open_database(tmp_path / "h.db")) as connection:
        connection.execute("INSERT INTO site (id, name) VALUES (1, 'home'), (2, 'cottage')")
        connection.executemany(
            "INSERT INTO endpoint (id, site_id, mac, version, address, scope, first_us, last_us)"
            " VALUES (?, 1, ?, 4, ?, 1, ?, ?)",
            [(1, 10, "192.168.1.10", 100, 200), (2, 10, "192.168.1.11", 300, 400), (3, 20, "192.168.1.20", 500, 600)],
        )
        yield connection


OWNERS = [(1, 10, ""), (2, 10, ""), (3, 20, "")]


def macs(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT mac FROM station ORDER BY mac")]


def test_first_judgement_is_a_change_of_all_times(db: sqlite3.Connection) -> None:
    assert write_stations(db, 1, [1, 2, 3], OWNERS) == [(100, 200), (300, 400), (500, 600)]
    assert macs(db) == [10, 20]
    assert write_stations(db, 1, [1, 2, 3], OWNERS) == []


def test_only_what_changed_is_told(db: sqlite3.Connection) -> None:
    write_stations(db, 1, [1, 2, 3], OWNERS)
    assert write_stations(db, 1, [1, 2], OWNERS) == [(500, 600)]
    assert write_stations(db, 1, [1, 2], OWNERS[:2]) == [(500, 600)]
    assert macs(db) == [10]


def test_station_that_sums_remember_stays(db: sqlite3.Connection) -> None:
    write_stations(db, 1, [1, 2, 3], OWNERS)
    (number,) = db.execute("SELECT id FROM station WHERE mac = 20").fetchone()
    db.execute("INSERT INTO day_total VALUES (1, 1, ?, 1, 1, 0, 0, 0, 0)", (number,))
    write_stations(db, 1, [1, 2], OWNERS[:2])
    assert macs(db) == [10, 20]


def test_whose_a_station_is(db: sqlite3.Connection) -> None:
    write_stations(db, 1, [1, 2, 3], OWNERS)
    first, second = (row[0] for row in db.execute("SELECT id FROM station ORDER BY mac"))
    assert sorted(write_devices_of_stations(db, 1, [(first, first), (second, second)]).spans) == [
        (100, 200),
        (300, 400),
        (500, 600),
    ]
    assert write_devices_of_stations(db, 1, [(first, first), (second, first)]) == ([(500, 600)], {first, second})
    assert {row[0] for row in db.execute("SELECT device_id FROM endpoint")} == {first}
    assert write_devices_of_stations(db, 1, [(first, first), (second, first)]) == ([], set())


def test_other_sites_are_not_touched(db: sqlite3.Connection) -> None:
    write_stations(db, 1, [1, 2, 3], OWNERS)
    assert write_stations(db, 2, [], []) == []
    assert macs(db) == [10, 20]
