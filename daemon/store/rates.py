"""How often devices ask and connect, minute by minute. Named queries over single connections and questions; reading only.

Rule 1: like short connections are one row with a count: they are spread evenly over the time that the row spans.
Rule 2: both are kept for weeks, and a minute is told for a day or two at a time: whoever asks passes a short window.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from daemon.store.window import Window

MINUTE_US = 60_000_000

_QUERIES = """
    SELECT coalesce(k.device_id, c.device_id, 0), m.minute, sum(m.number) FROM (
        SELECT client_id, capture_id, seen_us / 60000000 AS minute, count(*) AS number FROM dns_message
        WHERE seen_us >= :since AND seen_us < :until AND NOT response AND transport IN ('udp', 'tcp')
        GROUP BY (client_id << 32) + minute, capture_id
    ) m JOIN capture k ON k.id = m.capture_id JOIN endpoint c ON c.id = m.client_id
    WHERE c.site_id = :site AND (:device IS NULL OR coalesce(k.device_id, c.device_id) = :device) GROUP BY 1, 2
"""
_FLOWS = """
    SELECT coalesce(k.device_id, e.device_id, 0), x.first_minute, x.last_minute, sum(x.number) FROM (
        SELECT f.id >> 40 AS capture_id, iif(f.turned, f.server_id, f.client_id) AS end_id,
            f.first_us / 60000000 AS first_minute, iif(f.count > 1, f.last_us, f.first_us) / 60000000 AS last_minute,
            sum(f.count) AS number
        FROM capture k CROSS JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)
        JOIN flow_kind w ON w.id = f.kind_id AND NOT w.chatter
        WHERE k.site_id = :site AND k.first_us < :until AND k.last_us >= :since
            AND f.first_us >= :since AND f.first_us < :until AND f.head_id IS NULL
        GROUP BY 1, 2, 3, 4
    ) x JOIN capture k ON k.id = x.capture_id JOIN endpoint e ON e.id = x.end_id
    WHERE :device IS NULL OR coalesce(k.device_id, e.device_id) = :device GROUP BY 1, 2, 3
"""


class Minute(NamedTuple):
    """Something that a device did in the minutes from `first` to `last`, counted since the epoch."""

    device_id: int  # 0: nobody who lives here
    first: int
    last: int
    number: int


def read_questions(db: sqlite3.Connection, window: Window) -> list[Minute]:
    """Questions to name servers."""
    return [Minute(device, minute, minute, number) for device, minute, number in db.execute(_QUERIES, _asked(window))]


def read_connections(db: sqlite3.Connection, window: Window) -> list[Minute]:
    """Connections and other exchanges that were begun, without discovery and control; of who began them."""
    return [Minute(*row) for row in db.execute(_FLOWS, _asked(window))]


def detail_since(db: sqlite3.Connection) -> int | None:
    """From when on single questions are known, microseconds UTC."""
    row = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()
    return None if row[0] is None else int(row[0])


def _asked(window: Window) -> dict[str, int | None]:
    return {
        "site": window.site_id, "device": window.device_id, "since": window.since_us, "until": window.until_us
    }  # fmt: skip
