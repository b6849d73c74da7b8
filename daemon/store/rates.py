"""How often devices ask and connect, minute by minute. Named queries over single connections and questions; reading only.

Rule 1: like short connections are one row with a count: they are spread evenly over the time that the row spans.
Rule 2: both are kept for weeks, and a minute is told for a day or two at a time: whoever asks passes a short window.
"""

from __future__ import annotations

import sqlite3

from daemon.store.window import Window

MINUTE_US = 60_000_000

_QUERIES = """
    SELECT capture_id, client_id, seen_us / 60000000, seen_us / 60000000, count(*) FROM dns_message
    WHERE seen_us >= :since AND seen_us < :until AND NOT response AND transport IN ('udp', 'tcp')
    GROUP BY (client_id << 32) + seen_us / 60000000, capture_id
"""
_FLOWS = """
    SELECT f.id >> 40, iif(f.turned, f.server_id, f.client_id), f.first_us / 60000000,
        iif(f.count > 1, f.last_us, f.first_us) / 60000000, f.count
    FROM capture k CROSS JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)
    WHERE k.site_id = :site AND k.first_us < :until AND k.last_us >= :since
        AND f.first_us >= :since AND f.first_us < :until AND f.head_id IS NULL
        AND f.kind_id IN (SELECT id FROM flow_kind WHERE NOT chatter AND service IS NOT 'dns')
"""
# Nobody's ends are many and are not asked for: what is none of these is device 0.
_ENDS = "SELECT id, device_id FROM endpoint WHERE station_id IS NOT NULL AND site_id = :site AND device_id IS NOT NULL"


# Something that a device (0: nobody who lives here) did so many times in minutes from one to another, counted since the
# epoch: (device, first, last, number). A plain tuple: a day of a busy house has tens of thousands.
Minute = tuple[int, int, int, int]


def read_questions(db: sqlite3.Connection, window: Window) -> list[Minute]:
    """Questions to name servers."""
    return _of_devices(db, window, _QUERIES)


def read_connections(db: sqlite3.Connection, window: Window) -> list[Minute]:
    """Connections and other exchanges that were begun, without discovery and questions for names; of who began them."""
    return _of_devices(db, window, _FLOWS)


def detail_since(db: sqlite3.Connection) -> int | None:
    """From when on single questions are known, microseconds UTC."""
    row = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()
    return None if row[0] is None else int(row[0])


def _of_devices(db: sqlite3.Connection, window: Window, query: str) -> list[Minute]:
    asked = {"site": window.site_id, "since": window.since_us, "until": window.until_us}
    captures = dict(db.execute("SELECT id, device_id FROM capture WHERE site_id = :site", asked).fetchall())
    ends = dict(db.execute(_ENDS, asked).fetchall())
    wanted = window.device_id
    out = []
    for capture, end, first, last, number in db.execute(query, asked):
        if capture in captures:
            device = captures[capture] or ends.get(end, 0)
            if wanted is None or wanted == device:
                out.append((device, first, last, number))
    return out
