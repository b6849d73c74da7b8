"""Which verdict held in a month, for thousands of devices and destinations at once, by number. Reading only."""

from __future__ import annotations

import sqlite3

import numpy as np

from daemon.store.columns import Ints, read_columns

_JUDGED = ("device_id", "iif(name_id, name_id, -remote_id)", "verdict_id")
_OF_MONTH = "judgement WHERE month = :month AND site_id = :site {of}"
_DEVICES = "SELECT id, coalesce(device_id, 0) FROM station"
_BITS = 32


def verdicts_of(
    db: sqlite3.Connection, month: int, site: int, device: Ints, named: Ints, *, only: int | None = None
) -> Ints:
    """The verdicts of pairs in a month, 0 where there is none; `only`: all are of this device.

    `named` is the number of a name; below 0 that of an address.
    """
    of = "" if only is None else "AND device_id = :device"
    asked = {"month": month, "site": site, "device": only}
    who, what, verdict = read_columns(db, _JUDGED, _OF_MONTH.format(of=of), asked)
    if not len(who):
        return np.zeros(len(device), np.int64)
    keys = (who << _BITS) + what
    order = np.argsort(keys)
    wanted = (device << _BITS) + named
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(order) - 1)]
    return np.where(keys[at] == wanted, verdict[at], 0)


def read_device_of(db: sqlite3.Connection) -> Ints:
    """The device of each station by number; 0: it is none."""
    rows = db.execute(_DEVICES).fetchall()
    out = np.zeros(max((station for station, _ in rows), default=0) + 1, np.int64)
    for station, device in rows:
        out[station] = device
    return out
