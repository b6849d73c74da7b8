"""Captures by content: which of them a file is, and how far it was read.

A capture is known by its site, the digest of its header and first record, and at every commit the digest of all bytes
up to there. The same bytes again add nothing, a longer copy goes on, a file that differs is another capture.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A capture as the database has it."""

    capture_id: int
    site_id: int
    path: str
    cursor: int
    status: str
    packets: int
    size: int  # bytes on the wire
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
        "SELECT id, site_id, path, cursor, status, packets, bytes, undecoded_packets, state FROM capture WHERE id = ?",
        (number,),
    ).fetchone()
    return Known(*row)


def add_capture(db: sqlite3.Connection, arrival: Arrival) -> Known:
    """A capture of which nothing is read yet: a new one, or one that another run had begun and not committed to.

    Two runs may begin the same capture; the first to commit owns it, the other is refused by its cursor.
    """
    begun = db.execute(
        "SELECT id FROM capture WHERE site_id = ? AND head = ? AND cursor = 0 AND state IS NULL",
        (arrival.site_id, arrival.head),
    ).fetchone()
    if begun is not None:
        number = int(begun[0])
        place_capture(db, number, arrival)
        return _known(db, number)
    row = (arrival.site_id, arrival.series, arrival.path, arrival.folder_device, arrival.head)
    made = db.execute(
        "INSERT INTO capture (site_id, series, path, folder_device, head, digest, link_types, size, cursor, packets,"
        " bytes, undecoded_packets, undecoded_bytes, status) VALUES (?, ?, ?, ?, ?, '', '', 0, 0, 0, 0, 0, 0, 'live')",
        row,
    )
    return Known(int(made.lastrowid or 0), arrival.site_id, arrival.path, 0, "live", 0, 0, 0, None)


def place_capture(db: sqlite3.Connection, number: int, arrival: Arrival) -> None:
    """The capture's file lies here. Of copies the one that reaches furthest counts, then the first by name."""
    db.execute(
        "UPDATE capture SET path = ?, series = ?, folder_device = ?, settled = -1 WHERE id = ?",
        (arrival.path, arrival.series, arrival.folder_device, number),
    )
