"""Which device each station is, for all of them at once: as a mapping, or as a column in which thousands are looked up."""

from __future__ import annotations

import sqlite3

from daemon.decode.later import np
from daemon.store.columns import Ints

_DEVICES = "SELECT id, device_id FROM station WHERE device_id IS NOT NULL"


def read_device_of_station(db: sqlite3.Connection) -> dict[int, int]:
    """The device of every station that has one."""
    return dict(db.execute(_DEVICES).fetchall())


def read_device_column(db: sqlite3.Connection) -> Ints:
    """The device of each station by number; 0: it is none."""
    (most,) = db.execute("SELECT coalesce(max(id), 0) FROM station").fetchone()
    out = np.zeros(most + 1, np.int64)
    for station, device in db.execute(_DEVICES):
        out[station] = device
    return out
