"""Addresses are counted as the rows of every quarter of an hour say, wherever days are kept in one piece."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.decode.slots import SLOT_US
from daemon.store import whose_days
from daemon.store.address_days import count_addresses, follow, read_outside
from daemon.store.calendar import Calendar
from daemon.store.database import open_database, transaction
from daemon.store.labels import write_zone
from tests.daemon.ingest.scenes import DAY, SECOND, talk, write
from tests.daemon.store.test_gathered import as_imported, forget, join_both, retain, traffic
from tests.daemon.store.test_whose_days import scope
from tests.support.importing import imported
from tests.support.packets import START_US

NEWEST = START_US + 41 * DAY + 3600 * SECOND
DAYS = 41  # that are over
NOVEMBER, DECEMBER = 2023 * 12 + 10, 2023 * 12 + 11

# What is met in one month, whether by a name, by its rows alone.
_BY_ROWS = """
    SELECT x.remote_id, max(x.name_id <> 0) FROM slot_total x JOIN way w ON w.id = x.way_id AND w.scope = 'internet'
    LEFT JOIN station t ON t.id = x.station_id
    WHERE x.slot >= ?1 AND x.slot < ?2 AND x.remote_id AND (?3 IS NULL OR t.device_id = ?3) GROUP BY 1
"""

_MOVED = """
    SELECT x.slot, sum(x.bytes_up + x.bytes_down) FROM slot_total x JOIN way w ON w.id = x.way_id AND w.scope = 'internet'
    JOIN station t ON t.id = x.station_id AND t.device_id = ? GROUP BY 1
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the addresses of all days that are over."""
    path = traffic(tmp_path_factory.mktemp("home"))
    with closing(open_database(path)) as db:
        assert made(db, 2) == 2, "not all at once"
        assert made(db) > 0
        assert made(db) == 0
    return path


@pytest.fixture
def database(home: Path, tmp_path: Path) -> Path:
    return shutil.copyfile(home, tmp_path / "h.db")


@pytest.fixture
def db(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(database)) as db:
        yield db


def made(db: sqlite3.Connection, most: int = DAYS) -> int:
    with transaction(db):
        return follow(db, 1, NEWEST, most)


def kept(db: sqlite3.Connection) -> set[int]:
    return {day for (day,) in db.execute("SELECT day FROM address_column")}


def by_rows(db: sqlite3.Connection, begin: int, end: int, device: int | None) -> tuple[int, int]:
    named = [bool(found) for _, found in db.execute(_BY_ROWS, (begin, end, device))]
    return named.count(True), named.count(False)


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_the_same_as_the_rows_say(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(open_database(database)) as db:
        assert kept(db)
        calendar, first = Calendar("UTC"), START_US // SLOT_US
        spans = [calendar.month(NOVEMBER), calendar.month(DECEMBER), (first, first + 1), (first - 7, first + 960)]
        devices = [None, *(number for (number,) in db.execute("SELECT id FROM device"))]
        for span in spans:
            for device in devices:
                wanted = by_rows(db, *span, device)
                assert count_addresses(db, *span, 1, device) == wanted, (span, device)
                assert count_addresses(db, *span, None, device) == wanted, (span, device)
        assert sum(by_rows(db, *spans[0], None)) > 0


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_quarters_of_an_hour_are_those_of_the_rows(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(open_database(database)) as db:
        for (device,) in db.execute("SELECT id FROM device").fetchall():
            moved: dict[int, int] = dict(db.execute(_MOVED, (device,)).fetchall())
            assert moved
            for first, last in ((0, 60), (-2, 1.5), (0.3, 40.7), (0, 0.001)):
                slots, octets = read_outside(db, scope(db, first, last).of(device).window)
                assert octets.tolist() == [moved.get(slot, 0) for slot in slots], (device, first, last)


def test_quarters_of_a_day_that_changed_or_began_to_go_are_read_from_its_rows(
    database: Path, db: sqlite3.Connection, tmp_path: Path
) -> None:
    window = scope(db, 0, 60).of(1).window
    before = read_outside(db, window)[1].sum()
    imported(
        database, write(tmp_path / "more.pcap", talk(START_US + DAY + 90 * SECOND, server="192.0.2.77", port=41111))
    )
    after = read_outside(db, window)[1].sum()
    assert after > before
    assert made(db) == 1
    assert read_outside(db, window)[1].sum() == after
    with transaction(db):
        db.execute("DELETE FROM slot_total WHERE slot <= ?", ((START_US + DAY) // SLOT_US,))
    moved: dict[int, int] = dict(db.execute(_MOVED, (1,)).fetchall())
    assert read_outside(db, window)[1].sum() == sum(moved.values()) < after


def test_named_and_not(db: sqlite3.Connection) -> None:
    assert count_addresses(db, *Calendar("UTC").month(NOVEMBER), 1) == (4, 1)
    assert count_addresses(db, *Calendar("UTC").month(DECEMBER + 1), 1) == (0, 0)


def test_a_day_that_changes_is_read_from_its_rows(database: Path, db: sqlite3.Connection, tmp_path: Path) -> None:
    before, november = kept(db), Calendar("UTC").month(NOVEMBER)
    at = START_US + DAY + 90 * SECOND  # the second day: nobody recorded the first from its beginning
    imported(database, write(tmp_path / "more.pcap", talk(at, server="192.0.2.77", port=41111)))
    gone = before - kept(db)
    assert len(gone) == 1
    assert count_addresses(db, *november, 1) == (4, 2)
    assert made(db) == 1
    assert kept(db) == before
    assert count_addresses(db, *november, 1) == (4, 2)


def test_a_day_of_which_something_is_known_to_have_changed_has_no_piece(db: sqlite3.Connection) -> None:
    day = min(kept(db))
    with transaction(db):
        db.execute(
            "UPDATE destination_day SET bytes_up = bytes_up + 1 WHERE day = (SELECT min(day) FROM destination_day)"
        )
    assert kept(db)
    before = kept(db)
    assert made(db) == 0
    with transaction(db):
        whose_days.follow(db)
    made(db)
    assert kept(db) >= before
    assert day in kept(db)


def test_pieces_go_with_the_rows_they_were_made_of(db: sqlite3.Connection) -> None:
    with transaction(db):
        db.execute("DELETE FROM slot_total WHERE slot < ?", ((START_US + DAY) // SLOT_US,))
    november = Calendar("UTC").month(NOVEMBER)
    assert count_addresses(db, *november, 1) == by_rows(db, *november, None)
    before = kept(db)
    made(db)
    assert kept(db) < before
    assert count_addresses(db, *november, 1) == by_rows(db, *november, None)


def test_another_time_zone_has_other_days_and_so_leaves_no_piece(db: sqlite3.Connection) -> None:
    assert kept(db)
    with transaction(db):
        assert write_zone(db, 1, "Asia/Kolkata")
    assert not kept(db)


def test_a_home_without_traffic_has_none(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "empty.db")) as db:
        assert count_addresses(db, *Calendar("UTC").month(NOVEMBER)) == (0, 0)
