"""What is kept of the nights of days that are over says what the rows say, and goes as soon as these change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.decode.slots import SLOT_US
from daemon.store import night_sums
from daemon.store.calendar import Calendar
from daemon.store.database import open_database, read_database, transaction
from daemon.store.night_sums import follow, read_slot_sums
from daemon.store.retain import hide_names
from daemon.store.window import Window
from tests.daemon.ingest.scenes import DAY, talk, write
from tests.daemon.store.test_gathered import as_imported, forget, join_both, retain, traffic
from tests.daemon.store.test_whose_days import scope
from tests.support.importing import imported
from tests.support.packets import START_US

DAYS = 40  # that are over, without the first, which was not recorded as a whole; nothing came on most of them
NEWEST = START_US + 41 * DAY + 3600 * 1_000_000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """With the sums of all days but the newest."""
    path = traffic(tmp_path)
    with closing(open_database(path)) as db, transaction(db):
        assert follow(db, 1, nights(db), NEWEST, 2) == 2, "the newest first, and not all at once"
        assert follow(db, 1, nights(db), NEWEST, DAYS) == DAYS - 2
        assert follow(db, 1, nights(db), NEWEST, DAYS) == 0
    return path


def nights(db: sqlite3.Connection) -> list[int]:
    """The slots of all nights, as they are if the owner says nothing: a look after a change asks for the same."""
    zone = db.execute("SELECT zone FROM site").fetchone()[0]
    calendar, first = Calendar(zone), START_US // SLOT_US
    slots = range(calendar.span(first)[1], calendar.span(NEWEST // SLOT_US)[2])
    return [slot for slot in slots if not 6 * 4 <= slot % 96 < 22 * 4]


def kept(db: sqlite3.Connection) -> list[int]:
    return [day for (day,) in db.execute("SELECT day FROM slot_sum_column WHERE day >= 0 ORDER BY day")]


def joined(db: sqlite3.Connection) -> list[str]:
    """The months of which days are kept as one, each with its slots."""
    return [text for (text,) in db.execute("SELECT slots FROM slot_sum_column WHERE day < 0 ORDER BY day DESC")]


def pieces(db: sqlite3.Connection, window: Window) -> int:
    """How many are read."""
    read: list[str] = []
    db.set_trace_callback(read.append)
    told(db, window)
    db.set_trace_callback(None)
    return len([each for each in read if each.startswith("SELECT packed FROM slot_sum_column")])


def told(db: sqlite3.Connection, window: Window) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in read_slot_sums(db, window, nights(db))), strict=True))


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_the_same_as_the_rows_say(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(open_database(database)) as db:
        window = scope(db, 0, 60).window
        as_kept = told(db, window)
        assert as_kept
        with transaction(db):
            db.execute("DELETE FROM slot_sum_column")
        assert told(db, window) == as_kept
        for (number,) in db.execute("SELECT id FROM device").fetchall():
            of_one = told(db, scope(db, 0, 60).of(number).window)
            assert of_one == [row for row in as_kept if row[0] == number]


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_months_as_one_say_what_their_days_say(database: Path, change: Callable[[Path], None]) -> None:
    with closing(open_database(database)) as db:
        assert pieces(db, scope(db, 0, 60).window) == len(joined(db)) == 2
    change(database)
    with closing(open_database(database)) as db:
        windows = [scope(db, 0, 60).window, *(scope(db, 0, 60).of(number).window for number in (1, 2))]
        as_one = [told(db, window) for window in windows]
        with transaction(db):
            db.execute("DELETE FROM slot_sum_column WHERE day < 0")
        assert pieces(db, windows[0]) == len(kept(db)) > 2
        assert [told(db, window) for window in windows] == as_one
        with transaction(db):
            assert follow(db, 1, nights(db), NEWEST, 0) == 0
        assert [told(db, window) for window in windows] == as_one


def test_days_as_one_are_not_read_once_one_of_them_changed_nor_kept_once_it_is_made_anew(
    database: Path, tmp_path: Path
) -> None:
    late = talk(START_US + 20 * DAY, "late.example", server="203.0.113.77", port=41000)
    with closing(open_database(database)) as db:
        first, second = joined(db)
    imported(database, write(tmp_path / "late.pcap", late))
    with closing(open_database(database)) as db:
        window = scope(db, 0, 60).window
        found = told(db, window)
        assert pieces(db, window) > 2, "the days of that month one by one"
        with transaction(db):
            assert follow(db, 1, nights(db), NEWEST, DAYS) == 1
        assert joined(db) == [first, second], "the same slots"
        assert pieces(db, window) == 2
        assert told(db, window) == found
        with transaction(db):
            db.execute("DELETE FROM slot_sum_column")
        assert told(db, window) == found


def test_the_same_where_numbers_lie_too_far_apart_to_have_a_place_each(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_database(database)) as db:
        window = scope(db, 0, 60).window
        dense = told(db, window)
        monkeypatch.setattr(night_sums, "_MOST_CELLS", 1)
        assert told(db, window) == dense


def test_days_that_change_have_none_at_once(database: Path, tmp_path: Path) -> None:
    with closing(read_database(database)) as db:
        before = kept(db)
        assert len(before) == DAYS
    late = talk(START_US + DAY + 1800 * 1_000_000, "late.example", server="203.0.113.77", port=41000)
    imported(database, write(tmp_path / "late.pcap", late))
    with closing(open_database(database)) as db:
        assert kept(db) == before[1:]
        with transaction(db):
            db.execute(
                "INSERT INTO whose_stale SELECT DISTINCT month, day, 0 FROM destination_day WHERE day = ?", (before[0],)
            )
            assert follow(db, 1, nights(db), NEWEST, DAYS) == 0, "it may change again before anybody hears of it"
            db.execute("DELETE FROM whose_stale")
            assert follow(db, 1, nights(db), NEWEST, DAYS) == 1


def test_no_name_stays_that_its_rows_forgot(database: Path) -> None:
    with closing(open_database(database)) as db, transaction(db):
        db.execute("UPDATE slot_total SET frozen = 1")
        device, station = db.execute("SELECT device_id, id FROM station WHERE device_id").fetchone()
        db.execute("DELETE FROM destination_month WHERE station_id = ?", (station,))  # nothing there that tells of it
        before = kept(db)
        hide_names(db, [device])
        window = scope(db, 0, 60).of(device).window
        assert {row[1] for row in told(db, window)} == {0}
        assert len(kept(db)) < len(before)
        assert {row[1] for row in told(db, scope(db, 0, 60).window) if row[0] == device} == {0}


def test_other_hours_are_other_sums(database: Path) -> None:
    with closing(open_database(database)) as db:
        window, early = scope(db, 0, 60).window, [slot for slot in nights(db) if slot % 8]
        some = read_slot_sums(db, window, early)
        assert set(some.last_slot.tolist()) <= set(early)
        with transaction(db):
            assert follow(db, 1, early, NEWEST, 1) == 1
            assert len(kept(db)) == 1, "those of other nights go"
            assert follow(db, 1, early, NEWEST, DAYS) == DAYS - 1
        again = read_slot_sums(db, window, early)
        assert [column.tolist() for column in again] == [column.tolist() for column in some]
