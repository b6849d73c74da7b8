"""Named queries over destinations month by month. Reading only; a month is its number (`daemon.store.calendar`)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from daemon.store.naming_sums import ENCRYPTED_DNS, months_there, read_naming_sums

# By months, which is what the keys of all tables begin with. `{of}` is empty or tells stations: asking of every row whether
# it matters takes as long as reading it.
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_OF_STATIONS = "AND station_id IN (SELECT value FROM json_each(:stations))"
_PARTS = """
    SELECT month, station_id, name_id, remote_id, way_id, 0 AS verdict_id, flows, bytes
    FROM destination_sum WHERE month IN (SELECT value FROM json_each(:months)) {of}
    UNION ALL
    SELECT month, station_id, name_id, remote_id, way_id, verdict_id, flows, bytes_up + bytes_down
    FROM destination_month WHERE month IN (SELECT value FROM json_each(:months)) {of}
"""
_NAMING = f"""
    WITH part AS MATERIALIZED (
        SELECT p.month, w.site_id, coalesce(t.device_id, 0) AS device, w.name_source, w.service, p.name_id, p.remote_id,
            p.flows, p.bytes
        FROM ({_PARTS}) p JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
        WHERE :site IS NULL OR w.site_id = :site
    ), hiding AS MATERIALIZED (
        SELECT DISTINCT month, site_id, device FROM part WHERE device AND service IN ({ENCRYPTED_DNS})
    )
    SELECT p.month, p.site_id, p.device, p.name_source, h.device IS NOT NULL,
        count(DISTINCT iif(p.name_id, p.name_id, -p.remote_id)), sum(p.flows), sum(p.bytes)
    FROM part p LEFT JOIN hiding h ON h.month = p.month AND h.site_id = p.site_id AND h.device = p.device
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4
"""
_ADDRESSES = """
    SELECT named, count(*) FROM (
        SELECT max(met & 1) AS named FROM (
            SELECT DISTINCT (remote_id << 1) | (name_id <> 0) AS met FROM slot_total
            WHERE slot >= :begin AND slot < :end AND remote_id {of}
                AND way_id IN (SELECT id FROM way WHERE scope = 'internet' AND (:site IS NULL OR site_id = :site))
        ) GROUP BY met >> 1
    ) GROUP BY named
"""
# From one month to the next by the key: `DISTINCT` would read every row of years.
_EACH_MONTH = """
    {table}_at (month) AS (
        SELECT min(month) FROM {table}
        UNION ALL
        SELECT (SELECT min(d.month) FROM {table} d WHERE d.month > a.month) FROM {table}_at a WHERE a.month IS NOT NULL
    )
"""
_OF_SITE = """
    SELECT month FROM {table}_at a WHERE EXISTS (
        SELECT 1 FROM {table} d JOIN way w ON w.id = d.way_id
        WHERE d.month = a.month AND (:site IS NULL OR w.site_id = :site)
    )
"""
_TIERS = ("destination_day", "destination_month")
_ALL_MONTHS = (
    f"WITH RECURSIVE {', '.join(_EACH_MONTH.format(table=table) for table in _TIERS)}"
    f" {' UNION '.join(_OF_SITE.format(table=table) for table in _TIERS)} ORDER BY month"
)


class Naming(NamedTuple):
    """How the destinations of one device in one month got their names, or why they have none."""

    month: int
    site_id: int
    device_id: int
    name_source: str  # as in the tiers: the source, or `-` and a reason
    hides: bool  # the device asked an encrypted resolver in that month
    destinations: int
    flows: int
    bytes: int


class Known(NamedTuple):
    """A device as reports call it."""

    device_id: int
    site_id: int
    name: str | None
    vendor: str | None
    mac: int


def read_naming(
    db: sqlite3.Connection, since: int, until: int, site: int | None = None, device: int | None = None
) -> list[Naming]:
    """How names came about in these months."""
    summed = [] if site is None else months_there(db, since, until, site)
    found, stations = list[Naming](), set[int]()
    if site is not None and summed:
        told, stations = read_naming_sums(db, summed, site, device)
        found += [Naming._make((month, site, *rest)) for month, *rest in told]
    single = sorted(set(range(since, until + 1)) - set(summed))
    found += _naming_of(db, single, site, "" if device is None else _OF_DEVICE, device=device)
    if stations:
        found += _naming_of(db, summed, site, _OF_STATIONS, stations=json.dumps(sorted(stations)))
    return sorted(found, key=lambda each: each[:4])


def _naming_of(
    db: sqlite3.Connection, months: Sequence[int], site: int | None, of: str, **asked: str | int | None
) -> list[Naming]:
    """The same from single destinations."""
    values = {"months": json.dumps(months), "site": site, **asked}
    return [Naming(*row) for row in db.execute(_NAMING.format(of=of), values)]


def count_addresses(
    db: sqlite3.Connection, begin: int, end: int, site: int | None = None, device: int | None = None
) -> tuple[int, int]:
    """(named, unnamed) addresses on the internet in a range of slots, as far back as traffic is kept by slot."""
    query = _ADDRESSES.format(of="" if device is None else _OF_DEVICE)
    rows: Sequence[tuple[int, int]] = db.execute(
        query, {"begin": begin, "end": end, "site": site, "device": device}
    ).fetchall()
    counts = dict(rows)
    return counts.get(1, 0), counts.get(0, 0)


def known_devices(db: sqlite3.Connection) -> dict[int, Known]:
    """All devices by number."""
    rows = db.execute("SELECT id, site_id, name, vendor, mac FROM device")
    return {row[0]: Known(*row) for row in rows}


def last_months(db: sqlite3.Connection, site: int | None = None) -> list[int]:
    """Every month in which something went to the internet, in order."""
    return [row[0] for row in db.execute(_ALL_MONTHS, {"site": site})]


def sites(db: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    """Name -> (number, time zone)."""
    return {name: (number, zone) for number, name, zone in db.execute("SELECT id, name, zone FROM site")}
