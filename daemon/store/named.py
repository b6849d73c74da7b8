"""What went under which name, step by step. Named queries, reading only.

Rule: quarters of an hour and days know names as long as they are kept, months for good; of a person's device the names
of its months are forgotten, and only what is left of them is counted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.store.calendar import month_days
from daemon.store.columns import Ints
from daemon.store.destination_columns import read_parts, read_ways
from daemon.store.station_devices import read_device_of_station
from daemon.store.window import Window

QUARTER, DAY, MONTH = "slot", "day", "month"  # steps

_OF_DEVICE = "(:device IS NULL OR station_id IN (SELECT id FROM station WHERE device_id = :device))"
_OURS = "way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')"
# Step, station and name in one number: SQLite sorts that in half the time.
_SELECT = """
    SELECT {time} AS at, station_id, name_id, sum(packets_up + packets_down) AS packets,
        sum(bytes_up + bytes_down) AS bytes
    FROM {table} WHERE {span} AND name_id IN (SELECT value FROM json_each(:names)) AND {ours} AND {of_device}
    GROUP BY ({time} << 40) + (station_id << 24) + name_id
"""
_TABLES = {
    QUARTER: ("slot", "slot_total", "slot >= :first AND slot < :last"),
    DAY: (
        "day",
        "destination_day",
        "month BETWEEN :first_month AND :last_month AND day BETWEEN :first_day AND :last_day",
    ),
    MONTH: ("month", "destination_part", "month BETWEEN :first_month AND :last_month"),
}
_NAME_BITS = 28
_WORDS = ("station", "named", "packets_up", "packets_down", "bytes_up", "bytes_down", "way")  # of columns
_OLDEST_DAY = "SELECT min(day) FROM destination_day WHERE month = (SELECT min(month) FROM destination_day)"
_FORGOTTEN = "SELECT 1 FROM destination_month WHERE month BETWEEN ? AND ? AND verdict_id AND NOT name_id LIMIT 1"


class Named(NamedTuple):
    """What one device moved under one name in one step."""

    at: int  # quarter of an hour or day since the epoch, or month
    device_id: int  # 0: of nobody who lives here
    name_id: int
    packets: int
    bytes: int


def read_named(db: sqlite3.Connection, window: Window, step: str, names: Iterable[int]) -> list[Named]:
    """Traffic with the internet under some names, in no order; `step` as above. Raises KeyError for another."""
    if step in (DAY, MONTH) and window.device_id is None:
        return _from_columns(db, window, step, set(names))
    time, table, span = _TABLES[step]
    query = _SELECT.format(time=time, table=table, span=span, ours=_OURS, of_device=_OF_DEVICE)
    asked = {
        "site": window.site_id, "device": window.device_id, "first": window.since_us // SLOT_US,
        "last": -(-window.until_us // SLOT_US), "first_day": window.days[0], "last_day": window.days[1],
        "first_month": window.months[0], "last_month": window.months[1], "names": json.dumps(list(names)),
    }  # fmt: skip
    devices = read_device_of_station(db)
    return [
        Named(at, devices.get(station, 0), name_id, packets, octets)
        for at, station, name_id, packets, octets in db.execute(query, asked)
    ]


def _from_columns(db: sqlite3.Connection, window: Window, step: str, names: Collection[int]) -> list[Named]:
    """Days, or whole months whatever part of a month the window has, of a whole house: their columns."""
    ways, wanted = read_ways(db), np.array(sorted(names), np.int64)
    if step == MONTH:
        window = window._replace(days=(month_days(window.months[0])[0], month_days(window.months[1])[1]))
    sums: dict[int, list[tuple[Ints, Ints, Ints]]] = {}
    for part in read_parts(db, window, ways, _WORDS):
        if step == DAY and not part.day:
            continue
        named, way = part.columns.named, part.columns.way
        ours = np.flatnonzero(np.isin(named, wanted) & (ways.site[way] == window.site_id))
        met = [getattr(part.columns, word)[ours].astype(np.int64) for word in _WORDS[:-1]]
        sums.setdefault(part.month if step == MONTH else part.day, []).append(
            (met[0] << _NAME_BITS | met[1], met[2] + met[3], met[4] + met[5])
        )
    devices = read_device_of_station(db)
    out = []
    for place, of in sorted(sums.items()):
        keys, packets, octets = (np.concatenate(columns) for columns in zip(*of, strict=True))
        found, which = np.unique(keys, return_inverse=True)
        added = (np.bincount(which, column, len(found)).astype(np.int64).tolist() for column in (packets, octets))
        for key, moved, much in zip(found.tolist(), *added, strict=True):
            out.append(Named(place, devices.get(key >> _NAME_BITS, 0), key & ((1 << _NAME_BITS) - 1), moved, much))
    return out


def names_below(db: sqlite3.Connection, domains: Iterable[str]) -> dict[int, str]:
    """Names by number that are one of these domains, or end like one: candidates, whose label boundaries nobody checked."""
    ends = tuple(domains)
    return {number: text for number, text in db.execute("SELECT id, text FROM name") if text.endswith(ends)}


def oldest_day(db: sqlite3.Connection) -> int | None:
    """The first day, since the epoch, of which destinations are known by day."""
    row = db.execute(_OLDEST_DAY).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def names_forgotten(db: sqlite3.Connection, window: Window) -> bool:
    """Whether of some device's months only companies are left."""
    return db.execute(_FORGOTTEN, window.months).fetchone() is not None
