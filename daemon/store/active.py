"""Who was active, and how much went to and came from the internet: what the first page asks, of years as of a day.

Rule: whole months and days are read from the sums by scope, parts of days from the tier that knows them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from daemon.decode.slots import SLOT_US
from daemon.store.house_sums import days_or_months
from daemon.store.totals import DAYS, HOURS
from daemon.store.window import Window

_HOUR_US = 3_600_000_000
_INTERNET = "x.way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')"
_BY_DAYS = f"""
    SELECT x.station_id, sum(x.bytes_up + x.bytes_down) FROM json_each(:days) d
    CROSS JOIN scope_total x ON x.day = d.value AND {_INTERNET} GROUP BY x.station_id
"""
_BY_SLOTS = f"""
    SELECT x.station_id, sum(x.bytes_up + x.bytes_down) FROM {{tier}} x
    WHERE {{seek}} x.slot >= :first AND x.slot < :last AND {_INTERNET} GROUP BY x.station_id
"""
_SEEK = "x.station_id IN (SELECT id FROM station UNION ALL SELECT 0) AND"  # as the key of hours begins
_LINES = f"""
    SELECT coalesce(t.device_id, 0), x.day, x.octets FROM (
        SELECT x.day, x.station_id, sum(x.bytes_up + x.bytes_down) AS octets FROM scope_total x
        WHERE x.day >= :first AND x.day < :last AND {_INTERNET} AND x.station_id IN (
            SELECT id FROM station WHERE device_id IN (SELECT value FROM json_each(:devices))) GROUP BY x.day, x.station_id
    ) x JOIN station t ON t.id = x.station_id
"""
_SEEN = """
    SELECT DISTINCT coalesce(t.device_id, 0) FROM station t WHERE t.site_id = :site AND EXISTS (
        SELECT 1 FROM hour_total h WHERE h.station_id = t.id AND h.slot >= :first AND h.slot < :last)
"""


def read_moved(db: sqlite3.Connection, window: Window, tier: str) -> dict[int, int]:
    """Station (0: none) -> bytes with the internet, both ways; `tier` as `daemon.report.sums.pieces` gives it."""
    if tier == DAYS:
        days = json.dumps(days_or_months(window.days))
        return dict(db.execute(_BY_DAYS, {"site": window.site_id, "days": days}).fetchall())
    query = _BY_SLOTS.format(tier=tier, seek=_SEEK if tier == HOURS else "")
    asked = {
        "site": window.site_id, "first": window.since_us // SLOT_US, "last": -(-window.until_us // SLOT_US),
    }  # fmt: skip
    return dict(db.execute(query, asked).fetchall())


def read_day_lines(db: sqlite3.Connection, window: Window, devices: Iterable[int]) -> dict[tuple[int, int], int]:
    """(device, day) -> bytes with the internet, both ways, of a few devices."""
    asked = {
        "site": window.site_id, "first": window.days[0], "last": window.days[1] + 1, "devices": json.dumps(list(devices)),
    }  # fmt: skip
    lines: dict[tuple[int, int], int] = {}
    for device, day, octets in db.execute(_LINES, asked):
        lines[device, day] = lines.get((device, day), 0) + octets
    return lines


def devices_seen(db: sqlite3.Connection, window: Window) -> set[int]:
    """Devices that sent something in the hours that the window touches."""
    asked = {
        "site": window.site_id, "first": window.since_us // _HOUR_US * (_HOUR_US // SLOT_US),
        "last": -(-window.until_us // SLOT_US),
    }  # fmt: skip
    return {row[0] for row in db.execute(_SEEN, asked)} - {0}
