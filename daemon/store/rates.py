"""How often devices ask and connect, minute by minute. Named queries over single connections and questions; reading only.

Rule 1: like short connections are one row with a count: they are spread evenly over the time that the row spans.
Rule 2: both are kept for weeks, and a minute is told for a day or two at a time: whoever asks passes a short window (45
        days is the most that a key has room for).
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import numpy as np

from daemon.store.columns import Ints, read_columns
from daemon.store.window import Window

MINUTE_US = 60_000_000

# Which end of which capture did something, and in which minute of the window: in one number, as there are tens of thousands.
_END_BITS, _MINUTE_BITS = 28, 16
_KEY = f"({{}} << {_END_BITS + _MINUTE_BITS}) + ({{}} << {_MINUTE_BITS}) + {{}} / {MINUTE_US} - :first"
_QUESTIONS = """
    dns_message WHERE seen_us >= :since AND seen_us < :until AND NOT response AND transport IN ('udp', 'tcp')
"""
_FLOWS = """
    capture k CROSS JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)
    WHERE k.site_id = :site AND k.first_us < :until AND k.last_us >= :since
        AND f.first_us >= :since AND f.first_us < :until AND f.head_id IS NULL
        AND f.kind_id IN (SELECT id FROM flow_kind WHERE NOT chatter AND service IS NOT 'dns')
"""
_LENGTH = f"iif(f.count > 1, f.last_us / {MINUTE_US} - f.first_us / {MINUTE_US}, 0)"
# Nobody's ends are many and are not asked for: what is none of these is device 0.
_ENDS = "SELECT id, device_id FROM endpoint WHERE station_id IS NOT NULL AND site_id = :site AND device_id IS NOT NULL"


class Minutes(NamedTuple):
    """Things that devices did, a row each: so many times, evenly from one minute to another. Minutes since the epoch."""

    device: Ints  # 0: nobody who lives here
    first: Ints
    last: Ints
    number: Ints


def read_questions(db: sqlite3.Connection, window: Window) -> Minutes:
    """Questions to name servers."""
    (keys,) = read_columns(db, (_KEY.format("capture_id", "client_id", "seen_us"),), _QUESTIONS, _asked(window))
    found, numbers = np.unique(keys, return_counts=True)
    return _of_devices(db, window, found, np.zeros(len(found), np.int64), numbers)


def read_connections(db: sqlite3.Connection, window: Window) -> Minutes:
    """Connections and other exchanges that were begun, without discovery and questions for names; of who began them."""
    end = "iif(f.turned, f.server_id, f.client_id)"
    columns = (_KEY.format("k.id", end, "f.first_us"), _LENGTH, "f.count")
    return _of_devices(db, window, *read_columns(db, columns, _FLOWS, _asked(window)))


def detail_since(db: sqlite3.Connection) -> int | None:
    """From when on single questions are known, microseconds UTC."""
    row = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()
    return None if row[0] is None else int(row[0])


def _of_devices(db: sqlite3.Connection, window: Window, keys: Ints, length: Ints, number: Ints) -> Minutes:
    """What the ends in `keys` did is what devices did; of the window's home, and of its device."""
    asked = _asked(window)
    captures = dict(db.execute("SELECT id, device_id FROM capture WHERE site_id = :site", asked).fetchall())
    ends = dict(db.execute(_ENDS, asked).fetchall())
    who, of = np.unique(keys >> _MINUTE_BITS, return_inverse=True)
    devices = np.array(
        [
            (captures[capture] or ends.get(end, 0)) if capture in captures else -1
            for capture, end in ((key >> _END_BITS, key & ((1 << _END_BITS) - 1)) for key in who.tolist())
        ],
        np.int64,
    )[of]
    ours = devices >= 0 if window.device_id is None else devices == window.device_id
    first = (keys & ((1 << _MINUTE_BITS) - 1))[ours] + asked["first"]
    return Minutes(devices[ours], first, first + length[ours], number[ours])


def _asked(window: Window) -> dict[str, int]:
    return {
        "site": window.site_id, "since": window.since_us, "until": window.until_us, "first": window.since_us // MINUTE_US,
    }  # fmt: skip
