"""Days that are kept as one say what they say one by one, and are apart again as soon as one of them changes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import whose_days
from daemon.store.columns import unpack
from daemon.store.database import open_database, transaction
from daemon.store.day_runs import follow
from daemon.store.destination_columns import read_parts, read_ways
from daemon.store.gathered import gather
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.daemon.store.test_whose_days import scope
from tests.support.importing import imported
from tests.support.packets import START_US

RUN = 5  # days of the first month, all in a row
DAYS = (*range(RUN), 40, 41)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, files = tmp_path_factory.mktemp("home"), []
    for day in DAYS:
        frames = []
        for number in range(4):
            at, far = START_US + day * DAY + number * SECOND, f"203.0.113.{number + 1 + day % 2}"
            frames += talk(at, f"host{(number + day) % 5}.example", server=far, port=40000 + 10 * day + number)
            frames += talk(at + 9 * SECOND, client=TABLET, mac=TABLET_MAC, server=far, port=50000 + day)
        files.append(write(folder / f"{day}.pcap", frames))
    return imported(folder / "h.db", *files)


@pytest.fixture
def database(home: Path, tmp_path: Path) -> Path:
    return shutil.copyfile(home, tmp_path / "h.db")


def made(db: sqlite3.Connection, most: int = 10) -> int:
    with transaction(db):
        return follow(db, most)


def runs(db: sqlite3.Connection) -> list[tuple[int, ...]]:
    """First and last day of each, counted from the first that there is."""
    (first,) = db.execute("SELECT min(day) FROM destination_day").fetchone()
    rows = db.execute("SELECT first, last FROM destination_run_column ORDER BY month").fetchall()
    return [(begin - first, end - first) for begin, end in rows]


def told(db: sqlite3.Connection) -> list[list[list[int]]]:
    """What is gathered of the whole run, more than it, and less, of all and of one device."""
    spans = ((0, 60), (0, RUN - 0.5), (1, RUN), (0, 2), (1, 2), (39, 60))
    windows = [scope(db, *span).window for span in spans] + [scope(db, 0, 60).of(1).window]
    return [[column.tolist() for column in gather(db, window)] for window in windows]


def test_the_same_as_of_single_days(database: Path) -> None:
    with closing(open_database(database)) as db:
        by_days = told(db)
        assert made(db) == 1, "the other month has too few days"
        assert runs(db) == [(0, RUN - 1)]
        assert told(db) == by_days
        assert made(db) == 0


def test_it_is_read_in_the_place_of_its_days(database: Path) -> None:
    with closing(open_database(database)) as db:
        made(db)
        ways, whole = read_ways(db), scope(db, 0, RUN).window
        (run,) = read_parts(db, whole, ways, runs=True)
        parts = list(read_parts(db, whole, ways))
        assert len(parts) == RUN
        assert int(run.columns.bytes_up.sum()) == sum(int(part.columns.bytes_up.sum()) for part in parts)
        assert len(run.columns.named) < sum(len(part.columns.named) for part in parts)
        assert len(list(read_parts(db, scope(db, 1, RUN).window, ways, runs=True))) == RUN - 1, "a day is not asked for"


def test_it_goes_with_a_day_that_changes(database: Path) -> None:
    with closing(open_database(database)) as db:
        made(db)
        (day,) = db.execute("SELECT min(day) + 2 FROM destination_day").fetchone()
        with transaction(db):
            db.execute("UPDATE destination_day SET bytes_up = bytes_up + 7 WHERE day = ?", (day,))
        assert runs(db) == []
        assert made(db) == 0, "the labels have not followed yet"
        changed = told(db)
        with transaction(db):
            whose_days.follow(db)
        assert made(db) == 1
        assert told(db) == changed


def test_an_import_into_one_of_its_days_makes_it_anew(database: Path, tmp_path: Path) -> None:
    with closing(open_database(database)) as db:
        made(db)
    imported(database, write(tmp_path / "more.pcap", talk(START_US + 300 * SECOND, "host1.example", port=41111)))
    with closing(open_database(database)) as db:
        by_days = told(db)
        assert runs(db) == []
        made(db)
        assert runs(db) == [(0, RUN - 1)]
        assert told(db) == by_days


def test_a_day_more_is_added_to_what_is_there(database: Path, tmp_path: Path) -> None:
    with closing(open_database(database)) as db:
        made(db)
    imported(database, write(tmp_path / "next.pcap", talk(START_US + RUN * DAY, "host9.example", port=41112)))
    with closing(open_database(database)) as db:
        assert runs(db) == [(0, RUN - 1)]
        assert made(db) == 1
        assert runs(db) == [(0, RUN)]
        added = db.execute("SELECT packed FROM destination_run_column").fetchone()[0]
        with transaction(db):
            db.execute("DELETE FROM destination_run_column")
        made(db)
        anew = db.execute("SELECT packed FROM destination_run_column").fetchone()[0]
        assert [column.tolist() for column in unpack(added)] == [column.tolist() for column in unpack(anew)]


def test_no_more_at_once_than_is_asked_for(database: Path) -> None:
    with closing(open_database(database)) as db:
        assert made(db, 0) == 0
        assert runs(db) == []
