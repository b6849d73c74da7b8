"""Which verdict held in a month, for thousands of devices and destinations at once, by number. Reading only."""

from __future__ import annotations

import json
import sqlite3

import numpy as np

from daemon.store.columns import Ints, distinct, read_columns

_BITS = 32
_JUDGED = (f"(device_id << {_BITS}) + iif(name_id, name_id, -remote_id)", "verdict_id")
_OF_MONTH = "judgement WHERE month = :month AND site_id = :site"
_OF_DEVICE = " AND device_id = :device"
_OF_THESE = " AND iif(name_id, name_id, -remote_id) IN (SELECT value FROM json_each(:named))"
_FEW = 2_000  # destinations, up to which it pays to sift


def verdicts_of(
    db: sqlite3.Connection, month: int, site: int, device: Ints, named: Ints, *, only: int | None = None
) -> Ints:
    """The verdicts of pairs in a month, 0 where there is none; `only`: all are of this device.

    `named` is the number of a name; below 0 that of an address.
    """
    these = distinct(named)
    few = len(these) <= _FEW
    of = (_OF_DEVICE if only is not None else "") + (_OF_THESE if few else "")
    asked = {"month": month, "site": site, "device": only, "named": json.dumps(these.tolist()) if few else None}
    keys, verdict = read_columns(db, _JUDGED, _OF_MONTH + of, asked)
    if not len(keys):
        return np.zeros(len(device), np.int64)
    order = np.argsort(keys, kind="stable")  # but for addresses they are in order
    wanted = (device << _BITS) + named
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(order) - 1)]
    return np.where(keys[at] == wanted, verdict[at], 0)
