"""Which verdict held in a month, for thousands of devices and destinations at once, by number. Reading only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from daemon.store.columns import Ints, Narrow, distinct, read_columns

_BITS = 32
_JUDGED = (f"(device_id << {_BITS}) + iif(name_id, name_id, -remote_id)", "verdict_id")
_OF_MONTH = "judgement WHERE month = :month AND site_id = :site"
_OF_DEVICE = " AND device_id = :device"
_OF_THESE = " AND iif(name_id, name_id, -remote_id) IN (SELECT value FROM json_each(:named))"
_SO_JUDGED = " AND verdict_id IN (SELECT value FROM json_each(:verdicts))"
# A pair is (device << 32) + 2 ** 31 + destination, so that what is below is that of an address.
_MIDDLE = 1 << (_BITS - 1)
_NAMED = f"((p.value & {(1 << _BITS) - 1}) - {_MIDDLE})"
_OF_PAIRS = f"""
    SELECT p.key, j.verdict_id FROM json_each(:pairs) p CROSS JOIN judgement j ON j.month = :month
        AND j.device_id = p.value >> {_BITS} AND j.site_id = :site AND j.name_id = max({_NAMED}, 0)
        AND j.remote_id = max(-{_NAMED}, 0)
"""
_FEW = 2_000  # destinations, up to which it pays to sift
_FEW_PAIRS = 1_000  # of device and destination, up to which it pays to look for each


class Judged(NamedTuple):
    """Verdicts of a month, in order of their devices and destinations."""

    keys: Ints
    verdicts: Ints

    def of(self, device: Ints, named: Narrow) -> Ints:
        """The verdicts of pairs, 0 where there is none."""
        if not len(self.keys):
            return np.zeros(len(device), np.int64)
        wanted = (device << _BITS) + named
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.verdicts[at], 0)


def read_judged(db: sqlite3.Connection, month: int, site: int, verdicts: Collection[int]) -> Judged:
    """What had one of these verdicts in a month."""
    return _read(db, _SO_JUDGED, {"month": month, "site": site, "verdicts": json.dumps(list(verdicts))})


def _read(db: sqlite3.Connection, which: str, asked: Mapping[str, object]) -> Judged:
    keys, verdicts = read_columns(db, _JUDGED, _OF_MONTH + which, asked)
    order = np.argsort(keys, kind="stable")  # but for addresses they are in order
    return Judged(keys[order], verdicts[order])


def verdicts_of(
    db: sqlite3.Connection, month: int, site: int, device: Ints, named: Ints, *, only: int | None = None
) -> Ints:
    """The verdicts of pairs in a month, 0 where there is none; `only`: all are of this device.

    `named` is the number of a name; below 0 that of an address.
    """
    if len(named) <= _FEW_PAIRS:
        return _found(db, month, site, (device << _BITS) + named + _MIDDLE)
    these = distinct(named)
    few = len(these) <= _FEW
    of = (_OF_DEVICE if only is not None else "") + (_OF_THESE if few else "")
    asked = {"month": month, "site": site, "device": only, "named": json.dumps(these.tolist()) if few else None}
    return _read(db, of, asked).of(device, named)


def _found(db: sqlite3.Connection, month: int, site: int, pairs: Ints) -> Ints:
    out = np.zeros(len(pairs), np.int64)
    for place, verdict in db.execute(_OF_PAIRS, {"month": month, "site": site, "pairs": json.dumps(pairs.tolist())}):
        out[place] = verdict
    return out
