"""Sums of sums, for pages about a whole house and a long time: days by scope alone, and whose it was without by whom.

Rule: they say what `day_total`, `whose_day` and `whose_month` say. Marks name the days that changed; whoever writes those
calls `follow_days` and `follow_whose` before the end of the transaction (`whose_days.follow` does).
"""

from __future__ import annotations

import sqlite3

from daemon.store import house_hours
from daemon.store.calendar import month_days, month_of

_SUMS = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_WHOLE = -1  # in the place of a day: the month
_DAYS = f"""
    INSERT INTO scope_total
    SELECT d.day, d.station_id, d.peer_id, s.way_id, {_SUMS}
    FROM day_stale x CROSS JOIN day_total d ON d.day = x.day JOIN way w ON w.id = d.way_id
    JOIN (SELECT site_id, scope, min(id) AS way_id FROM way GROUP BY 1, 2) s ON s.site_id = w.site_id AND s.scope = w.scope
    GROUP BY 1, 2, 3, 4
"""
_MONTH = f"""
    INSERT INTO scope_total SELECT ?, station_id, peer_id, way_id, {_SUMS} FROM scope_total WHERE day BETWEEN ? AND ?
    GROUP BY 2, 3, 4
"""
_DUE = "(SELECT DISTINCT month, day FROM temp.whose_due) u"
_TAKEN = f"""
    INSERT INTO whose_house
    SELECT h.month, {_WHOLE}, site_id, whose_id, {{0}} * flows, {{0}} * packets_up, {{0}} * packets_down, {{0}} * bytes_up,
        {{0}} * bytes_down
    FROM {_DUE} CROSS JOIN whose_house h ON h.month = u.month AND h.day = u.day WHERE true
    ON CONFLICT DO UPDATE SET flows = flows + excluded.flows, packets_up = packets_up + excluded.packets_up,
        packets_down = packets_down + excluded.packets_down, bytes_up = bytes_up + excluded.bytes_up,
        bytes_down = bytes_down + excluded.bytes_down
"""
_WHOSE = f"""
    INSERT INTO whose_house
    SELECT d.month, d.day, d.site_id, d.whose_id, sum(flows), {_SUMS}
    FROM {_DUE} CROSS JOIN whose_day d ON d.month = u.month AND d.day = u.day
    GROUP BY 1, 2, 3, 4
"""
_GONE = f"""
    DELETE FROM whose_house WHERE day <> {_WHOLE} AND (month, day) IN (SELECT month, day FROM temp.whose_due)
"""


def follow_days(db: sqlite3.Connection) -> None:
    """Make the days by scope anew that changed. Within the caller's transaction."""
    if db.execute("SELECT 1 FROM day_stale LIMIT 1").fetchone() is not None:
        stale = [day for (day,) in db.execute("SELECT day FROM day_stale")]
        db.execute("DELETE FROM scope_total WHERE day IN (SELECT day FROM day_stale)")
        db.execute(_DAYS)
        for month in sorted({month_of(day) for day in stale}):
            db.execute("DELETE FROM scope_total WHERE day = ?", (-month,))
            db.execute(_MONTH, (-month, *month_days(month)))
        house_hours.follow(db, stale)
        db.execute("DELETE FROM day_stale")


def days_or_months(days: tuple[int, int]) -> list[int]:
    """What `scope_total.day` has of the days from one to another: days, and in their place whole months as `-month`."""
    out, day = [], max(days[0], 0)
    while day <= days[1]:
        month = month_of(day)
        first, last = month_days(month)
        whole = day == first and last <= days[1]
        out.append(-month if whole else day)
        day = last + 1 if whole else day + 1
    return out


def follow_whose(db: sqlite3.Connection) -> None:
    """Make anew whose the days in `temp.whose_due` (month, day, ...) were, after `whose_day` was."""
    db.execute(_TAKEN.format(-1))
    db.execute(_GONE)
    db.execute(_WHOSE)
    db.execute(_TAKEN.format(1))
    db.execute(
        f"DELETE FROM whose_house WHERE day = {_WHOLE} AND flows = 0 AND packets_up + packets_down = 0"
        " AND month IN (SELECT DISTINCT month FROM temp.whose_due)"
    )
