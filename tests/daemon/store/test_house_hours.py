"""Hours, days and months that are summed once more say what their tiers say, whatever happens to these."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.calendar import month_days, month_of
from daemon.store.database import read_database
from daemon.store.house_hours import read_days, read_hours, summed_months
from daemon.store.house_sums import days_or_months
from tests.daemon.store.test_gathered import as_imported, forget, join_both, retain, traffic

_COUNTS = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_STEPS = """
    SELECT {at}, {counts}, sum(iif(w.service = 'dns', packets_up, 0)) FROM {tier} JOIN way w ON w.id = way_id
    WHERE w.site_id = ? GROUP BY 1 ORDER BY 1
"""
_WAYS = "SELECT station_id, peer_id, way_id, {counts} FROM {tier} WHERE {when} GROUP BY 1, 2, 3"
_FAR = 1 << 40


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_they_follow_every_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    database = traffic(tmp_path)
    change(database)
    with closing(read_database(database)) as db:
        for (site,) in db.execute("SELECT id FROM site").fetchall():
            days = db.execute(_STEPS.format(at="day", counts=_COUNTS, tier="day_total"), (site,)).fetchall()
            hours = db.execute(_STEPS.format(at="slot", counts=_COUNTS, tier="hour_total"), (site,)).fetchall()
            assert read_days(db, site, (0, 1 << 20)) == days != []
            assert read_hours(db, site, (0, 1 << 20), (0, _FAR)) == hours != []
            assert read_days(db, site, (days[1][0], days[-2][0])) == days[1:-1]
        _months_are_those_of_their_days(db)


def _months_are_those_of_their_days(db: sqlite3.Connection) -> None:
    first, last = db.execute("SELECT min(day), max(day) FROM day_total").fetchone()
    days, months = summed_months(db, days_or_months((month_days(month_of(first))[0], last)))
    assert months, "the first month is over"
    assert set(days) == set(range(month_days(months[-1])[1] + 1, last + 1))
    for month in months:
        summed = db.execute(_WAYS.format(counts=_COUNTS, tier="way_month", when=f"month = {month}")).fetchall()
        when = "day BETWEEN {} AND {}".format(*month_days(month))
        assert summed == db.execute(_WAYS.format(counts=_COUNTS, tier="day_total", when=when)).fetchall() != []


def test_the_day_at_hand_is_not_summed(tmp_path: Path) -> None:
    database = traffic(tmp_path)
    with closing(read_database(database)) as db:
        newest = db.execute("SELECT max(day) FROM day_total").fetchone()[0]
        assert db.execute("SELECT day FROM unsummed ORDER BY day").fetchall() == [(-month_of(newest),), (newest,)]
        assert db.execute("SELECT count(*) FROM house_day WHERE day = ?", (newest,)).fetchone() == (0,)
