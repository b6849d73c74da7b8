"""Captures by content: which of them a file is, and how far it was read.

A capture is known by its site, the digest of its header and first record, and at every commit the digest of all bytes
up to there. The same bytes again add nothing, a longer copy goes on, a file that differs is another capture.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.store.errors import explained


@dataclass(frozen=True, slots=True)
class Known:
    """A capture as the database has it."""

    capture_id: int
    site_id: int
    cursor: int
    status: str
    packets: int
    bytes: int
    undecoded_packets: int
    state: bytes | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that asks which capture it is."""

    site_id: int
    head: str
    path: str
    series: str
    folder_device: str | None


def site_number(db: sqlite3.Connection, site: str) -> int:
    """The id of a site, made where it is new."""
    db.execute("INSERT INTO site (name) VALUES (?) ON CONFLICT DO NOTHING", (site,))
    return int(db.execute("SELECT id FROM site WHERE name = ?", (site,)).fetchone()[0])


def find_capture(
    db: sqlite3.Connection, arrival: Arrival, digests: Callable[[Sequence[int]], dict[int, str]]
) -> Known | None:
    """The capture whose bytes this file has, as far as both go; None if it is a new one.

    `digests(offsets)` gives, for ascending offsets, the digests of the file's bytes up to each that it reaches. Of
    several candidates the one read furthest wins.
    """
    rows = db.execute(
        "SELECT c.id, d.cursor, d.digest FROM capture c JOIN capture_digest d ON d.capture_id = c.id"
        " WHERE c.site_id = ? AND c.head = ? ORDER BY d.cursor DESC, c.id",
        (arrival.site_id, arrival.head),
    ).fetchall()
    if not rows:
        return None
    reached = digests(sorted({cursor for _, cursor, _ in rows}))
    settled: set[int] = set()  # the furthest place that the file reaches decides: nearer ones agree with any fork
    for number, cursor, digest in rows:
        if cursor not in reached or number in settled:
            continue
        settled.add(number)
        if reached[cursor] == digest:
            return _known(db, number)
    return None


def _known(db: sqlite3.Connection, number: int) -> Known:
    row = db.execute(
        "SELECT id, site_id, cursor, status, packets, bytes, undecoded_packets, state FROM capture WHERE id = ?", (number,)
    ).fetchone()
    return Known(*row)


def add_capture(db: sqlite3.Connection, path: Path, arrival: Arrival) -> Known:
    """A new capture, nothing read yet. Two processes that meet the same new file make one (the second finds it)."""
    with explained(path):
        row = (arrival.site_id, arrival.series, arrival.path, arrival.folder_device, arrival.head)
        made = db.execute(
            "INSERT INTO capture (site_id, series, path, folder_device, head, digest, link_types, size, cursor, packets,"
            " bytes, undecoded_packets, undecoded_bytes, status) VALUES (?, ?, ?, ?, ?, '', '', 0, 0, 0, 0, 0, 0, 'live')",
            row,
        )
        number = int(made.lastrowid or 0)
    return Known(number, arrival.site_id, 0, "live", 0, 0, 0, None)
