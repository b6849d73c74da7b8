"""Hours and days of a whole house, and what each station moved in a month by which ways: sums of sums, for long times.

Rule 1: they say what `hour_total` and `day_total` say. Of the day and the month at hand, which change every minute, they
        say nothing, nor of what has changed since they were made: `unsummed` names these, and whoever reads adds them up.
Rule 2: `house_sums.follow_days` calls `follow` with the days that changed, within its transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from daemon.store.calendar import Calendar, date_of, month_days, month_of

_SUMS = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_ASKING = "sum(iif(way_id IN (SELECT id FROM way WHERE service = 'dns'), packets_up, 0))"
_OURS = "way_id IN (SELECT id FROM way WHERE site_id = :site)"
# By station, as hours have it in their key; `scope_total` knows which stations there were.
_HOURS = f"""
    SELECT slot, {_SUMS}, {_ASKING} FROM hour_total
    WHERE station_id IN (SELECT station_id FROM scope_total WHERE day = :day) AND slot >= :first AND slot < :last
        AND {_OURS} GROUP BY slot
"""
_DAY = f"SELECT day, {_SUMS}, {_ASKING} FROM day_total WHERE day = :day AND {_OURS} GROUP BY day"
_MONTH = f"""
    INSERT INTO way_month SELECT ?, station_id, peer_id, way_id, {_SUMS} FROM day_total WHERE day BETWEEN ? AND ?
    GROUP BY 2, 3, 4
"""
_UNSUMMED = "SELECT day FROM unsummed WHERE day BETWEEN ? AND ?"
_COUNTS = "packets_up, packets_down, bytes_up, bytes_down, dns_packets_up"
Step = tuple[int, int, int, int, int, int]  # slot or day, packets up and down, bytes up and down, questions for names


def follow(db: sqlite3.Connection, stale: Iterable[int]) -> None:
    """Take away what no longer holds, and make what is over. Within the caller's transaction."""
    days = set(stale)
    for day in days:
        db.execute("INSERT OR IGNORE INTO unsummed VALUES (?)", (day,))
        for site_id, first, last in _slots(db, day):
            db.execute("DELETE FROM house_hour WHERE site_id = ? AND slot >= ? AND slot < ?", (site_id, first, last))
        db.execute("DELETE FROM house_day WHERE day = ?", (day,))
    for month in {month_of(day) for day in days}:
        db.execute("INSERT OR IGNORE INTO unsummed VALUES (?)", (-month,))
        db.execute("DELETE FROM way_month WHERE month = ?", (month,))
    newest = db.execute("SELECT max(day) FROM scope_total").fetchone()[0]
    if newest is not None:
        _sum(db, [day for (day,) in db.execute(_UNSUMMED, (-month_of(newest) + 1, newest - 1)).fetchall()])


def _sum(db: sqlite3.Connection, over: Iterable[int]) -> None:
    for day in over:
        if day < 0:
            db.execute(_MONTH, (-day, *month_days(-day)))
        else:
            for site_id, first, last in _slots(db, day):
                for table, rows in (
                    ("house_hour", _hours(db, site_id, day, first, last)),
                    ("house_day", _day(db, site_id, day)),
                ):
                    each = [(site_id, *row) for row in rows]
                    db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", each)
        db.execute("DELETE FROM unsummed WHERE day = ?", (day,))


def read_hours(db: sqlite3.Connection, site_id: int, days: tuple[int, int], slots: tuple[int, int]) -> list[Step]:
    """Hours of a home in which something moved, in order, whose first slots lie in the half-open `slots`.

    `days`: the first and the last that they touch.
    """
    query = f"SELECT slot, {_COUNTS} FROM house_hour WHERE site_id = ? AND slot >= ? AND slot < ?"
    found: list[Step] = db.execute(query, (site_id, *slots)).fetchall()
    for (day,) in db.execute(_UNSUMMED, (max(days[0], 0), days[1])).fetchall():
        for _, first, last in _slots(db, day, site_id):
            found += _hours(db, site_id, day, max(first, slots[0]), min(last, slots[1]))
    return sorted(found)


def read_days(db: sqlite3.Connection, site_id: int, days: tuple[int, int]) -> list[Step]:
    """Days of a home in which something moved, in order, from the first to the last."""
    query = f"SELECT day, {_COUNTS} FROM house_day WHERE site_id = ? AND day BETWEEN ? AND ?"
    found: list[Step] = db.execute(query, (site_id, *days)).fetchall()
    for (day,) in db.execute(_UNSUMMED, (max(days[0], 0), days[1])).fetchall():
        found += _day(db, site_id, day)
    return sorted(found)


def summed_months(db: sqlite3.Connection, parts: Iterable[int]) -> tuple[list[int], list[int]]:
    """(days, months) of `house_sums.days_or_months`, where those of months that have no sums take their place."""
    unsummed = {day for (day,) in db.execute("SELECT day FROM unsummed WHERE day < 0")}
    days: list[int] = []
    months: list[int] = []
    for part in parts:
        if part >= 0:
            days.append(part)
        elif part in unsummed:
            first, last = month_days(-part)
            days += range(first, last + 1)
        else:
            months.append(-part)
    return days, months


def _hours(db: sqlite3.Connection, site_id: int, day: int, first: int, last: int) -> list[Step]:
    return db.execute(_HOURS, {"site": site_id, "day": day, "first": first, "last": last}).fetchall()


def _day(db: sqlite3.Connection, site_id: int, day: int) -> list[Step]:
    return db.execute(_DAY, {"site": site_id, "day": day}).fetchall()


def _slots(db: sqlite3.Connection, day: int, site_id: int | None = None) -> list[tuple[int, int, int]]:
    """(site, first slot of the day, first slot of the next) of one home or of all."""
    homes = db.execute("SELECT id, zone FROM site WHERE ?1 IS NULL OR id = ?1", (site_id,)).fetchall()
    calendars = [(number, Calendar(zone)) for number, zone in homes]
    return [(number, each.midnight(date_of(day)), each.midnight(date_of(day + 1))) for number, each in calendars]
