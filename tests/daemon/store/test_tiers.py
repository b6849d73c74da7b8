"""Rows of sums in the place of others: what is written, and what follows from destinations that come and go."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.store.database import open_database
from daemon.store.rollup import Moved, clear, roll
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US

ROOT = Path(__file__).parents[3]
EVER = [(START_US - DAY, START_US + 3 * DAY)]
ADDED_UP = """
    SELECT month, station_id, name_id, remote_id, way_id, count(*), sum(flows), sum(bytes_up + bytes_down)
    FROM destination_day GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
STATIONS_OF_DAYS = "SELECT DISTINCT month, day, station_id FROM destination_day ORDER BY 1, 2, 3"
MARKED = "SELECT * FROM whose_stale ORDER BY 1, 2, 3"
SUMS = "SELECT * FROM destination_sum ORDER BY 1, 2, 3, 4, 5"
MORE = """
    UPDATE flow SET bytes_up = bytes_up + 1000
    WHERE first_us < ? AND client_id IN (SELECT id FROM endpoint WHERE station_id = ?)
"""
CALLED_OTHERWISE = """
    UPDATE flow SET name_id = (SELECT id FROM name WHERE text = 'other.example')
    WHERE client_id IN (SELECT id FROM endpoint WHERE station_id = ?)
"""
TABLES = ("slot_total", "hour_total", "day_total", "destination_day")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two devices that meet the same two names on two days, and an address."""
    folder = tmp_path_factory.mktemp("home")
    tablet = {"client": TABLET, "mac": TABLET_MAC}
    devices: tuple[dict[str, Any], ...] = ({}, tablet)
    frames: list[Any] = [
        talk(START_US + day * DAY + at * SECOND, name, port=40000 + 100 * day + at, **device)
        for day in (0, 1)
        for device in devices
        for at, name in ((0, "www.example.com"), (20, "other.example"))
    ]
    frames.append(talk(START_US + HOUR, server="198.51.100.7", port=50000))
    return imported(folder / "h.db", write(folder / "days.pcap", *frames))


@pytest.fixture
def db(home: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    copy = tmp_path / "copy.db"
    copy.write_bytes(home.read_bytes())
    with closing(open_database(copy)) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE station SET makers = 'looked'")
        yield connection


def tablet_of(db: sqlite3.Connection) -> int:
    return int(
        db.execute("SELECT id FROM station WHERE mac = ?", (int(TABLET_MAC.replace(":", ""), 16),)).fetchone()[0]
    )


def unlooked(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT id FROM station WHERE makers IS NULL ORDER BY id")]


def watched(db: sqlite3.Connection) -> Callable[[], dict[tuple[str, int], int]]:
    """Rows that were inserted since, by table and station."""
    db.execute("CREATE TEMP TABLE written (place TEXT, station INTEGER)")
    for table in TABLES:
        count = f"INSERT INTO written VALUES ('{table}', NEW.station_id)"  # noqa: S608  of TABLES
        db.execute(f"CREATE TEMP TRIGGER {table}_written AFTER INSERT ON main.{table} BEGIN {count}; END")
    return lambda: dict(Counter(db.execute("SELECT * FROM temp.written").fetchall()))


def test_destinations_that_come_are_added_up_and_marked(db: sqlite3.Connection) -> None:
    before = db.execute(ADDED_UP).fetchall()
    clear(db, 1, EVER)
    assert db.execute("SELECT count(*) FROM destination_sum").fetchone() == (0,)
    db.execute("DELETE FROM whose_stale")
    db.execute("UPDATE station SET makers = 'looked'")
    roll(db, 1, EVER)
    assert len(before) == 5  # both names of both devices, and the address
    assert db.execute(ADDED_UP).fetchall() == before
    assert db.execute(SUMS).fetchall() == before
    assert db.execute(MARKED).fetchall() == db.execute(STATIONS_OF_DAYS).fetchall() != []
    assert len(unlooked(db)) == 2


def test_of_days_that_are_there_only_what_changed_is_written(db: sqlite3.Connection) -> None:
    tablet, written = tablet_of(db), watched(db)
    roll(db, 1, EVER)
    assert (written(), db.execute(MARKED).fetchall(), unlooked(db)) == ({}, [], [])
    db.execute(MORE, (START_US + HOUR // 2, tablet))
    moved: Moved = {}
    roll(db, 1, EVER, moved)
    (places,) = moved.values()
    assert {place[0] for place in places} == {tablet}
    assert {(day, station) for _, day, station in db.execute(MARKED)} == {(START_US // DAY, tablet)}
    assert unlooked(db) == [tablet]
    assert written() == {
        ("slot_total", tablet): 2,
        ("hour_total", tablet): 1,
        ("day_total", tablet): 1,
        ("destination_day", tablet): 2,
    }
    assert db.execute(SUMS).fetchall() == db.execute(ADDED_UP).fetchall()


def test_what_goes_from_one_place_and_comes_to_another(db: sqlite3.Connection) -> None:
    tablet = tablet_of(db)
    db.execute(CALLED_OTHERWISE, (tablet,))
    roll(db, 1, EVER)
    added_up = db.execute(ADDED_UP).fetchall()
    assert db.execute(SUMS).fetchall() == added_up
    assert len(added_up) == 4
    assert {station for _, _, station in db.execute(MARKED)} == {tablet}


def test_destinations_come_from_one_place() -> None:
    """For whoever else inserted them no trigger would say what follows."""
    sources = [path for room in ("daemon", "web", "appliance") for path in (ROOT / room).rglob("*.py")]
    inserting = re.compile(r"INTO (main\.)?destination_day\b")
    assert len(sources) > 100
    assert [path.name for path in sources if inserting.search(path.read_text(encoding="utf-8"))] == []
