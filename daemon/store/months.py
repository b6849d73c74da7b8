"""Named queries over destinations month by month. Reading only; a month is its number (`daemon.store.calendar`)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from daemon.decode.later import np
from daemon.store.columns import Ints, read_columns
from daemon.store.naming_sums import ENCRYPTED_DNS, months_there, read_naming_sums
from daemon.store.station_devices import read_device_column

# By months, which is what the keys of all tables begin with. `{of}` is empty or tells stations: asking of every row whether
# it matters takes as long as reading it.
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_OF_STATIONS = "AND station_id IN (SELECT value FROM json_each(:stations))"
_PARTS = """
    SELECT month, station_id, name_id, remote_id, way_id, flows, bytes
    FROM destination_sum WHERE month = :month {of}
    UNION ALL
    SELECT month, station_id, name_id, remote_id, way_id, flows, bytes_up + bytes_down
    FROM destination_month WHERE month = :month {of}
"""
_COLUMNS = ("station_id", "iif(name_id, name_id, -remote_id)", "way_id", "flows", "bytes")
_WAYS = f"""
    SELECT id, site_id, name_source, service IN ({ENCRYPTED_DNS}) FROM way WHERE :site IS NULL OR site_id = :site
"""
_BITS = 32  # of the number of a name, or below 0 of an address
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
    """The same from single destinations, of which a month has tens of thousands: SQLite sorts them for thrice as long."""
    ways, device_of = _read_ways(db, site), read_device_column(db)
    found = list[Naming]()
    for month in months:
        station, *columns = read_columns(db, _COLUMNS, f"({_PARTS.format(of=of)})", {"month": month, **asked})
        found += _naming_in(month, ways, device_of[station], *columns)
    return found


class _Ways(NamedTuple):
    """Pairs of site and source of names; by the number of a way the place of its pair (-1: not asked about), and whether
    it is encrypted DNS.
    """

    kinds: Sequence[tuple[int, str]]
    kind: Ints
    encrypted: Ints


def _read_ways(db: sqlite3.Connection, site: int | None) -> _Ways:
    rows = db.execute(_WAYS, {"site": site}).fetchall()
    kinds = sorted({(where, source) for _, where, source, _ in rows})
    size = max((number for number, *_ in rows), default=0) + 2  # the last is for those that are beyond
    kind, encrypted = np.full(size, -1), np.zeros(size, np.int64)
    for number, where, source, hides in rows:
        kind[number], encrypted[number] = kinds.index((where, source)), hides
    return _Ways(kinds, kind, encrypted)


def _naming_in(
    month: int, ways: _Ways, device: Ints, named: Ints, way: Ints, flows: Ints, octets: Ints
) -> list[Naming]:
    """Of the destinations of one month, a row each way to each."""
    kind = ways.kind.take(way, mode="clip")
    rows = np.flatnonzero(kind >= 0)
    device, kind, many = device[rows], kind[rows], max(len(ways.kinds), 1)
    groups, at = np.unique(device * many + kind, return_inverse=True)
    pairs = np.unique((at << _BITS) + named[rows] + (1 << (_BITS - 1)))
    destinations = np.bincount(pairs >> _BITS, minlength=len(groups))
    sums = (
        np.bincount(at, column[rows], len(groups)).astype(np.int64) for column in (flows, octets)
    )  # of a month: exact
    asks = (ways.encrypted.take(way[rows], mode="clip") > 0) & (device > 0)
    hiding = {
        (ways.kinds[place][0], who) for place, who in zip(kind[asks].tolist(), device[asks].tolist(), strict=True)
    }
    out = []
    for group, *counts in zip(groups.tolist(), destinations.tolist(), *(each.tolist() for each in sums), strict=True):
        who, place = divmod(group, many)
        where, source = ways.kinds[place]
        out.append(Naming(month, where, who, source, (where, who) in hiding, *counts))
    return out


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
