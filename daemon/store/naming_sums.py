"""How names came about in months that are over, added up once: reports about years read these.

Rule: a month that has none is read from its rows (`daemon.store.months`); one that has days still has none.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection

ENCRYPTED_DNS = "'doh', 'dot', 'doq'"
# From one month to the next by the key; the one of the newest packets still changes.
_MISSING = """
    WITH RECURSIVE there (month) AS (
        SELECT min(month) FROM destination_month
        UNION ALL
        SELECT (SELECT min(d.month) FROM destination_month d WHERE d.month > t.month) FROM there t WHERE t.month IS NOT NULL
    )
    SELECT s.id, t.month FROM there t CROSS JOIN site s WHERE t.month IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM destination_sum d WHERE d.month = t.month)
        AND NOT EXISTS (SELECT 1 FROM naming_month n WHERE n.month = t.month AND n.site_id = s.id)
"""
_MAKE = f"""
    INSERT INTO naming_month
    SELECT p.month, w.site_id, p.station_id, w.name_source, max(w.service IN ({ENCRYPTED_DNS})),
        count(DISTINCT iif(p.name_id, p.name_id, -p.remote_id)), sum(p.flows), sum(p.bytes_up + p.bytes_down)
    FROM destination_month p JOIN way w ON w.id = p.way_id AND w.site_id = :site
    WHERE p.month = :month GROUP BY p.station_id, w.name_source
"""
_THERE = """
    SELECT DISTINCT n.month FROM naming_month n WHERE n.site_id = :site AND n.month BETWEEN :since AND :until
        AND NOT EXISTS (SELECT 1 FROM destination_sum d WHERE d.month = n.month)
"""
# Of what has several stations destinations cannot be added up: it comes from its rows.
_ROWS = """
    SELECT n.month, coalesce(t.device_id, 0) AS device, n.name_source, n.destinations, n.flows, n.bytes,
        max(n.hides) OVER (PARTITION BY n.month, coalesce(t.device_id, 0)), n.station_id
    FROM naming_month n LEFT JOIN station t ON t.id = n.station_id
    WHERE n.site_id = :site AND n.month IN (SELECT value FROM json_each(:months))
        AND (:device IS NULL OR t.device_id = :device)
"""
Row = tuple[int, int, str, bool, int, int, int]


def follow(db: sqlite3.Connection) -> None:
    """Make the sums of all months that are over and have none. Within the caller's transaction."""
    for site_id, month in db.execute(_MISSING).fetchall():
        db.execute(_MAKE, {"site": site_id, "month": month})


def months_there(db: sqlite3.Connection, since: int, until: int, site: int) -> list[int]:
    """Those of these months that have sums."""
    return [month for (month,) in db.execute(_THERE, {"site": site, "since": since, "until": until})]


def read_naming_sums(
    db: sqlite3.Connection, months: Collection[int], site: int, device: int | None
) -> tuple[list[Row], set[int]]:
    """(month, device, source of names, whether it asks an encrypted resolver, destinations, flows, bytes) of each, and the
    stations of devices (0: none) that have several of them, of which nothing is told.
    """
    asked = {"site": site, "months": json.dumps(sorted(months)), "device": device}
    rows = db.execute(_ROWS, asked).fetchall()
    stations: dict[int, set[int]] = defaultdict(set)
    for _, who, *_, station in rows:
        stations[who].add(station)
    several = {who for who, has in stations.items() if len(has) > 1}
    told = [
        (month, who, source, bool(who and hides), destinations, flows, octets)
        for month, who, source, destinations, flows, octets, hides, _ in rows
        if who not in several
    ]
    return told, {station for who in several for station in stations[who]}
