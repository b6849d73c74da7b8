"""What the database knows of the files of captures: read to their end, thinned, gone. SQL only.

A capture whose file was thinned is known by both files' bytes: its cursor and digest are those of the thin one, and digests
behind the cursor those of the whole one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from daemon.decode.sketch import Block
from daemon.store.blocks import drop_blocks

LET_GO = "deleted"  # the status

_THIN = "EXISTS (SELECT 1 FROM capture_digest d WHERE d.capture_id = k.id AND d.cursor > k.cursor)"


class Standing(NamedTuple):
    """How far a capture is; `size` is its file's, bytes on disk, when it was read last."""

    capture_id: int
    site_id: int
    status: str
    size: int
    cursor: int
    digest: str
    last_us: int | None
    thin: bool


def read_standings(db: sqlite3.Connection, paths: Sequence[str]) -> dict[str, Standing]:
    """The captures whose files lie at these paths, the latest of each."""
    rows = db.execute(
        f"SELECT k.path, k.id, k.site_id, k.status, k.size, k.cursor, k.digest, k.last_us, {_THIN} FROM capture k"
        " WHERE k.path IN (SELECT value FROM json_each(?)) ORDER BY k.id",
        (json.dumps(paths),),
    )
    return {row[0]: Standing._make((*row[1:8], bool(row[8]))) for row in rows}


def let_go(db: sqlite3.Connection, capture_id: int) -> None:
    """The capture's file is given up; what is known of it stays. In the caller's transaction."""
    db.execute("UPDATE capture SET status = 'deleted', state = NULL WHERE id = ?", (capture_id,))
    drop_blocks(db, capture_id)


def take_back(db: sqlite3.Connection, path: str, size: int) -> None:
    """The file that was given up is there after all, as long as it was. In the caller's transaction."""
    db.execute("UPDATE capture SET status = 'done' WHERE path = ? AND size = ? AND status = 'deleted'", (path, size))


def spans_let_go(db: sqlite3.Connection, site: str) -> list[tuple[str, int, int]]:
    """(series, first, last packet) of the captures of a site whose files were given up. Microseconds."""
    return db.execute(
        "SELECT k.series, k.first_us, k.last_us FROM capture k JOIN site s ON s.id = k.site_id"
        " WHERE s.name = ? AND k.status = 'deleted' AND k.first_us IS NOT NULL",
        (site,),
    ).fetchall()


class Thinned(NamedTuple):
    """The file that takes the place of a capture's whole one."""

    digest: str
    cursor: int  # bytes
    size: int  # bytes on disk
    blocks: tuple[Block, ...]


def thinned(db: sqlite3.Connection, capture_id: int, to: Thinned) -> None:
    """A thinner file lies there from now on; facts stay, and nothing is added to them. In the caller's transaction."""
    db.execute("INSERT OR REPLACE INTO capture_digest VALUES (?, ?, ?)", (capture_id, to.cursor, to.digest))
    db.execute(
        "UPDATE capture SET settled = iif(settled = cursor, ?1, settled), cursor = ?1, digest = ?2, size = ?3, state = NULL"
        " WHERE id = ?4",
        (to.cursor, to.digest, to.size, capture_id),
    )
    drop_blocks(db, capture_id)
    db.executemany(
        "INSERT INTO block (capture_id, begin, end, packets, first_us, last_us, sketch, scanner)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(capture_id, b.begin, b.end, b.packets, b.first_us, b.last_us, b.sketch, b.scanner) for b in to.blocks],
    )


def thin_captures(db: sqlite3.Connection) -> set[int]:
    """The captures whose files were thinned."""
    return {row[0] for row in db.execute(f"SELECT k.id FROM capture k WHERE {_THIN}")}


def restored(db: sqlite3.Connection, capture_id: int, cursor: int, size: int) -> None:
    """The whole file lies there again, in place of the thinned one. In the caller's transaction."""
    digest = "(SELECT digest FROM capture_digest WHERE capture_id = ?1 AND cursor = ?2)"
    db.execute(
        "DELETE FROM capture_digest WHERE capture_id = ?1 AND cursor = (SELECT cursor FROM capture WHERE id = ?1)",
        (capture_id,),
    )
    db.execute(
        f"UPDATE capture SET settled = iif(settled = cursor, ?2, settled), cursor = ?2, digest = {digest}, size = ?3"
        " WHERE id = ?1",
        (capture_id, cursor, size),
    )
    drop_blocks(db, capture_id)
