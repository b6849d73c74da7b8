"""The hours in which devices did something of their own accord, and those in which they did it with the internet.

Reading only. Rule: SQLite looks once at an hour of a station, in the order of the key, and gives all of them as one text:
30,000 hours of a house are a row then, and not 30,000.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.store.columns import Ints, distinct
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_SLOT_BITS = 33  # of a slot and, in the last of them, whether it was with the internet
_SLOT = (1 << (_SLOT_BITS - 1)) - 1
_HOURS = f"""
    SELECT group_concat((station_id << {_SLOT_BITS}) | (slot << 1) | EXISTS (
        SELECT 1 FROM hour_total x WHERE x.station_id = h.station_id AND x.slot = h.slot
            AND x.way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')
    )) FROM (
        SELECT DISTINCT station_id, slot FROM hour_total WHERE slot >= :first AND slot < :last AND station_id IN (
            SELECT id FROM station WHERE site_id = :site AND device_id IS NOT NULL
                AND (:device IS NULL OR device_id = :device)
        )
    ) h
"""


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
    hours = np.fromstring(db.execute(_HOURS, asked).fetchone()[0] or "", np.int64, sep=",")
    device, slot = read_device_column(db)[hours >> _SLOT_BITS], (hours >> 1) & _SLOT
    outside = hours & 1 == 1
    return {
        number: Heard(distinct(slot[mine]), distinct(slot[mine & outside]))
        for number, mine in ((number, device == number) for number in distinct(device).tolist())
    }
