"""Captures by content: which of them a file is, and how far it was read.

A capture is known by its site, the digest of its header and first record, and at every commit the digest of all bytes
up to there. The same bytes again add nothing, a longer copy goes on, a file that differs is another capture. A file that
ends between two commits is compared with the capture's own file, where that is still there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from daemon.store.blocks import drop_blocks


class Known(NamedTuple):
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
    clock_offset_us: int = 0
    whole: int = (
        0  # the file that asks is the one of which the capture's own was thinned; so many bytes are known of it
    )

    @property
    def closed(self) -> bool:
        """Its detail is gone, and with it what decoding needs to go on behind the cursor."""
        return self.cursor > 0 and self.state is None


class Arrival(NamedTuple):
    """A file that asks which capture it is."""

    site_id: int
    head: str
    path: str
    series: str
    folder_device: str | None
    size: int  # on disk


def site_number(db: sqlite3.Connection, site: str) -> int:
    """The id of a site, made where it is new."""
    db.execute("INSERT INTO site (name) VALUES (?) ON CONFLICT DO NOTHING", (site,))
    return int(db.execute("SELECT id FROM site WHERE name = ?", (site,)).fetchone()[0])


def find_capture(
    db: sqlite3.Connection,
    arrival: Arrival,
    digests: Callable[[Sequence[int]], dict[int, str]],
    begins: Callable[[str], bool | None],
) -> Known | None:
    """The capture whose bytes this file has, as far as both go; None if it is a new one.

    `digests(offsets)` gives, for ascending offsets, the digests of the file's bytes up to each that it reaches;
    `begins(path)` whether the file there begins with all of this one's bytes, None where that cannot be told. Of several
    candidates one of which this file has every byte wins, then the one read furthest. A capture whose file was thinned
    (`daemon.store.kept`) is known by its old bytes, too; the file that it has now can say nothing about those.
    """
    rows = db.execute(
        "SELECT c.id, c.path, c.cursor, d.cursor, d.digest FROM capture c JOIN capture_digest d ON d.capture_id = c.id"
        " WHERE c.site_id = ? AND c.head = ? ORDER BY c.cursor DESC, c.id, d.cursor DESC",
        (arrival.site_id, arrival.head),
    ).fetchall()
    if not rows:
        return None
    reached = digests(sorted({row[3] for row in rows}))
    # The furthest place that the file reaches decides: nearer ones agree with any fork.
    agrees: dict[int, bool] = {}
    thinned = {row[0] for row in rows if row[3] > row[2]}
    for number, _, whole, cursor, digest in rows:
        if cursor in reached and number not in agrees:
            agrees[number] = reached[cursor] == digest
            if agrees[number] and cursor >= whole:
                return _known(db, number)._replace(whole=cursor if cursor > whole else 0)
    for number, path in dict.fromkeys((row[0], row[1]) for row in rows):
        told = None if number in thinned else begins(path)
        if agrees.get(number, True) and _vouched(told, agrees=number in agrees):
            return _known(db, number)._replace(whole=int(number in thinned))
    return None


def _vouched(begins: bool | None, *, agrees: bool) -> bool:
    """Whether a file is a capture's beginning: as its file says, else if a commit's digest agrees."""
    return agrees if begins is None else begins


def _known(db: sqlite3.Connection, number: int) -> Known:
    row = db.execute(
        "SELECT id, site_id, path, cursor, status, packets, bytes, undecoded_packets, state, clock_offset_us"
        " FROM capture WHERE id = ?",
        (number,),
    ).fetchone()
    return Known(*row)


def read_capture(db: sqlite3.Connection, number: int, path: str) -> Known | None:
    """The capture of that number, if it still is the one whose file lies at `path`."""
    row = db.execute("SELECT 1 FROM capture WHERE id = ? AND path = ?", (number, path)).fetchone()
    return None if row is None else _known(db, number)


class Placed(NamedTuple):
    """A capture as it is known by the place of its file."""

    capture_id: int
    head: str
    size: int  # on disk, when it was read last
    cursor: int
    status: str


def find_placed(db: sqlite3.Connection, site: str, path: str) -> Placed | None:
    """The capture of a site whose file lies at `path`, the latest if there were several."""
    row = db.execute(
        "SELECT k.id, k.head, k.size, k.cursor, k.status FROM capture k JOIN site s ON s.id = k.site_id"
        " WHERE s.name = ? AND k.path = ? AND k.cursor > 0 ORDER BY k.id DESC LIMIT 1",
        (site, path),
    ).fetchone()
    return None if row is None else Placed(*row)


def let_wait(db: sqlite3.Connection, known: Known, why: str) -> None:
    """Nothing is read of a new capture until its clock is known."""
    db.execute(
        "UPDATE capture SET status = 'unsynced', error = ? WHERE id = ? AND cursor = 0 AND state IS NULL",
        (why, known.capture_id),
    )


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
        " bytes, undecoded_packets, undecoded_bytes, status) VALUES (?, ?, ?, ?, ?, '', '', ?, 0, 0, 0, 0, 0, 'live')",
        (*row, arrival.size),
    )
    return Known(int(made.lastrowid or 0), arrival.site_id, arrival.path, 0, "live", 0, 0, 0, None)


def place_capture(db: sqlite3.Connection, number: int, arrival: Arrival) -> None:
    """The capture's file lies here. Of copies the one that reaches furthest counts, then the first by name."""
    # Flows of the series that it leaves may have been continued from it, so that series is settled anew as well.
    db.execute(
        "UPDATE capture SET settled = -1 WHERE site_id = ?1 AND series ="
        " (SELECT series FROM capture WHERE id = ?2 AND series <> ?3)",
        (arrival.site_id, number, arrival.series),
    )
    db.execute(
        "UPDATE capture SET path = ?1, series = ?2, folder_device = ?3, size = ?4,"
        " settled = iif((series, folder_device) IS (?2, ?3), settled, -1) WHERE id = ?5",
        (arrival.path, arrival.series, arrival.folder_device, arrival.size, number),
    )


def claim_anew(db: sqlite3.Connection, number: int, head: str) -> Known:
    """The capture as one of which nothing is read yet, with another beginning than before."""
    db.execute(
        "UPDATE capture SET head = ?, digest = '', link_types = '', cursor = 0, packets = 0, bytes = 0,"
        " undecoded_packets = 0, undecoded_bytes = 0, first_us = NULL, last_us = NULL, status = 'live', error = NULL,"
        " state = NULL, settled = -1 WHERE id = ?",
        (head, number),
    )
    for table in ("capture_digest", "undecoded"):
        db.execute(f"DELETE FROM {table} WHERE capture_id = ?", (number,))
    drop_blocks(db, number)
    return _known(db, number)


def live_captures(db: sqlite3.Connection, site: str, before_us: int) -> list[int]:
    """Captures of a site that were begun before a time and are still being written, or not read to their end."""
    rows = db.execute(
        "SELECT k.id FROM capture k JOIN site s ON s.id = k.site_id"
        " WHERE s.name = ? AND k.status = 'live' AND k.first_us <= ? ORDER BY k.id",
        (site, before_us),
    )
    return [row[0] for row in rows]
