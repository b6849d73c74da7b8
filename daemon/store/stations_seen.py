"""Devices in few words: their stations, what they are, when they were seen first. Reading only."""

from __future__ import annotations

import sqlite3

# `+`: by the ends that are devices', of which there are few.
_FIRST = """
    SELECT device_id, min(first_us) FROM (
        SELECT device_id, first_us FROM endpoint
        WHERE station_id IS NOT NULL AND +site_id = :site AND device_id IS NOT NULL AND first_us IS NOT NULL
        UNION ALL
        SELECT device_id, first_us FROM capture
        WHERE device_id IS NOT NULL AND site_id = :site AND first_us IS NOT NULL
    ) GROUP BY 1
"""


def first_seen(db: sqlite3.Connection, site_id: int) -> dict[int, int]:
    """Device -> its first packet, microseconds UTC."""
    return dict(db.execute(_FIRST, {"site": site_id}).fetchall())


def devices_of_stations(db: sqlite3.Connection, site_id: int) -> dict[int, int]:
    """Station -> device."""
    rows = db.execute("SELECT id, device_id FROM station WHERE site_id = ? AND device_id IS NOT NULL", (site_id,))
    return dict(rows.fetchall())


def kinds_of_devices(db: sqlite3.Connection, site_id: int) -> dict[int, str]:
    """Device -> what it is, of those of which it is known."""
    rows = db.execute("SELECT id, kind FROM device WHERE site_id = ? AND kind IS NOT NULL", (site_id,))
    return dict(rows.fetchall())
