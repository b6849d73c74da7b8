"""Shares by number say what the sums by words say, also where a month is told less some of its days."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from daemon.store.database import open_database, transaction
from daemon.store.stations_seen import devices_of_stations
from daemon.store.whose_columns import BITS
from daemon.store.whose_days import follow, met_in_days, met_in_months, read_owned, read_share_columns, read_whose
from daemon.store.window import Window
from tests.daemon.ingest.scenes import DAY, talk, write
from tests.support.asking import asked
from tests.support.importing import imported
from tests.support.newweek import SPAN, UNTIL, home
from tests.support.packets import START_US

Home = tuple[Path, Path]
NOVEMBER = 2023 * 12 + 10


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("shares"))


def _day(of_november: int) -> int:
    return (date(2023, 11, of_november) - date(1970, 1, 1)).days


def _shares(db: sqlite3.Connection, window: Window) -> list[tuple[int, int, int]]:
    pairs, up, down = read_share_columns(db, window)
    return list(zip(pairs.tolist(), up.tolist(), down.tolist(), strict=True))


@pytest.mark.parametrize(
    ("first", "last"), [(15, 24), (1, 30), (1, 19), (17, 30), (2, 23), (16, 16), (23, 24), (24, 30), (1, 14)]
)
def test_shares_are_sums(week: Home, first: int, last: int) -> None:
    window = Window(1, 0, 0, (_day(first), _day(last)), (NOVEMBER, NOVEMBER))
    with asked(week[0], SPAN, UNTIL) as scope:
        owned, devices = read_owned(scope.db), devices_of_stations(scope.db, 1)
        ours = Counter[tuple[object, ...]]()
        for pair, up, down in _shares(scope.db, window):
            whose = owned[pair & ((1 << BITS) - 1)]
            ours[devices.get(pair >> BITS, 0), whose.party, whose.organisation, whose.country] += up + down
        words = read_whose(scope.db, window, ("device", "party", "organisation", "country", "day"))
    theirs = Counter[tuple[object, ...]]()
    for *key, _day_of, _flows, _packets_up, _packets_down, up, down in words:
        theirs[tuple(key)] += up + down
    assert ours == theirs
    assert bool(ours) == (last >= 15)


def test_what_was_met_before(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        everything = met_in_months(scope.db, 1, NOVEMBER, NOVEMBER)
        assert not len(met_in_months(scope.db, 1, NOVEMBER - 3, NOVEMBER - 1))
        early = met_in_days(scope.db, 1, NOVEMBER, range(_day(15), _day(23)), everything)
        late = met_in_days(scope.db, 1, NOVEMBER, range(_day(23), _day(25)), everything)
    assert set(early.tolist()) < set(late.tolist()) == set(everything.tolist())


def test_a_year_is_the_same_with_and_without_columns(tmp_path: Path) -> None:
    """Months that are over come in columns, the newest as rows; what changes one takes its columns away."""
    frames = [frame for month in range(5) for frame in talk(START_US + month * 31 * DAY, f"www{month}.example.com")]
    database = imported(tmp_path / "h.db", write(tmp_path / "a.pcap", frames))
    first = 2023 * 12 + 10
    days = (START_US // DAY, START_US // DAY + 150)
    window = Window(1, 0, 0, days, (first, first + 4))
    with closing(open_database(database)) as db:
        with_columns = _shares(db, window)
        assert db.execute("SELECT month FROM whose_column ORDER BY 1").fetchall() == [
            (first + each,) for each in range(4)
        ]
        db.execute("DELETE FROM whose_column")
        assert _shares(db, window) == with_columns
        assert len(with_columns) >= 1
        db.execute("INSERT INTO whose_stale VALUES (?, -1, (SELECT min(id) FROM station))", (first + 1,))
        with transaction(db):
            follow(db)
        assert _shares(db, window) == with_columns
        assert db.execute("SELECT count(*) FROM whose_column").fetchone() == (4,)
