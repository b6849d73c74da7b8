"""The hours in which devices did something of their own accord, and those in which they did it with the internet.

Reading only. Rule: SQLite gives the hours of a station as one text, in the order of the key: 30,000 hours of a house are two
rows a station then, and not 30,000.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.store.columns import Ints
from daemon.store.station_devices import read_device_of_station
from daemon.store.window import Window

_HOURS = """
    SELECT station_id, group_concat(slot) FROM (
        SELECT DISTINCT station_id, slot FROM hour_total WHERE slot >= :first AND slot < :last AND station_id IN (
            SELECT id FROM station WHERE site_id = :site AND device_id IS NOT NULL
                AND (:device IS NULL OR device_id = :device)
        ) {of}
    ) GROUP BY station_id
"""
_OUTSIDE = "AND way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')"


class Heard(NamedTuple):
    """The hours of a device in order, each by its first slot."""

    every: Ints
    outside: Ints  # of these, those with traffic with the internet


def read_heard(db: sqlite3.Connection, window: Window) -> dict[int, Heard]:
    """Device -> its hours in a window; those that were not heard have none."""
    asked = {
        "site": window.site_id, "device": window.device_id, "first": window.since_us // SLOT_US,
        "last": -(-window.until_us // SLOT_US),
    }  # fmt: skip
    device_of = read_device_of_station(db)
    every, outside = (
        {device: np.unique(np.concatenate(parts)) for device, parts in _by_device(rows, device_of).items()}
        for rows in (db.execute(_HOURS.format(of=of), asked).fetchall() for of in ("", _OUTSIDE))
    )
    none = np.empty(0, np.int64)
    return {device: Heard(hours, outside.get(device, none)) for device, hours in every.items()}


def _by_device(rows: list[tuple[int, str]], device_of: dict[int, int]) -> dict[int, list[Ints]]:
    parts: dict[int, list[Ints]] = {}
    for station, text in rows:
        parts.setdefault(device_of[station], []).append(np.fromstring(text, np.int64, sep=","))
    return parts
