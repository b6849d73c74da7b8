"""What captures of a stretch of time hold and lack. Named queries, reading only."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from daemon.store.window import Window

_THERE = "site_id = :site AND ((first_us < :until AND last_us >= :since) OR (first_us IS NULL AND :until > :since))"
_CAPTURES = f"""
    SELECT count(*), coalesce(sum(packets), 0), coalesce(sum(bytes), 0), coalesce(sum(undecoded_packets), 0),
        coalesce(sum(undecoded_bytes), 0), coalesce(sum(kernel_drops), 0), coalesce(sum(interface_drops), 0),
        coalesce(sum(kernel_drops IS NOT NULL), 0), coalesce(sum(status = 'torn'), 0), coalesce(sum(status = 'corrupt'), 0),
        coalesce(sum(status = 'unsynced'), 0), coalesce(sum(status = 'unsupported'), 0), min(first_us), max(last_us)
    FROM capture WHERE {_THERE}
"""
_UNDECODED = f"""
    SELECT u.reason, sum(u.packets), sum(u.bytes) FROM undecoded u
    WHERE u.capture_id IN (SELECT id FROM capture WHERE {_THERE}) GROUP BY 1 ORDER BY 2 DESC, 1
"""
_GAPS = """
    SELECT series, from_us, to_us, reason FROM capture_gap
    WHERE site_id = :site AND from_us < :until AND to_us > :since ORDER BY from_us DESC, series LIMIT :most
"""
_LIMITS = """
    SELECT count(*), coalesce(sum(min(to_us, :until) - max(from_us, :since)), 0) FROM capture_gap
    WHERE site_id = :site AND from_us < :until AND to_us > :since
"""
_ERRORS = f"""
    SELECT path, status, error FROM capture
    WHERE {_THERE} AND status IN ('torn', 'corrupt', 'unsupported', 'unsynced') ORDER BY last_us DESC, id DESC LIMIT :most
"""


class Held(NamedTuple):
    """Sums over captures that touch a span: they count whole."""

    captures: int
    packets: int
    bytes: int
    undecoded_packets: int
    undecoded_bytes: int
    kernel_drops: int
    interface_drops: int
    watched: int  # captures of which it is known how much was dropped
    torn: int
    corrupt: int
    unsynced: int
    unsupported: int
    first_us: int | None
    last_us: int | None


class Gap(NamedTuple):
    """Time of which packets are missing, some or all."""

    series: str
    from_us: int
    to_us: int
    reason: str


class Undecoded(NamedTuple):
    """Packets that were counted and not understood."""

    reason: str
    packets: int
    bytes: int


class Broken(NamedTuple):
    """A capture that was not read to its end."""

    path: str
    status: str
    error: str | None


def read_held(db: sqlite3.Connection, window: Window) -> Held:
    """What the captures hold."""
    return Held(*db.execute(_CAPTURES, _asked(window, 0)).fetchone())


def read_gaps(db: sqlite3.Connection, window: Window, most: int) -> list[Gap]:
    """The latest gaps that touch the window."""
    return [Gap(*row) for row in db.execute(_GAPS, _asked(window, most))]


def count_gaps(db: sqlite3.Connection, window: Window) -> tuple[int, int]:
    """(how many, microseconds of them within the window)."""
    row = db.execute(_LIMITS, _asked(window, 0)).fetchone()
    return int(row[0]), int(row[1])


def read_undecoded(db: sqlite3.Connection, window: Window) -> list[Undecoded]:
    """Why packets were not understood, the most first."""
    return [Undecoded(*row) for row in db.execute(_UNDECODED, _asked(window, 0))]


def read_broken(db: sqlite3.Connection, window: Window, most: int) -> list[Broken]:
    """The latest captures that are not whole."""
    return [Broken(*row) for row in db.execute(_ERRORS, _asked(window, most))]


def _asked(window: Window, most: int) -> dict[str, int]:
    return {"site": window.site_id, "since": window.since_us, "until": window.until_us, "most": most}
