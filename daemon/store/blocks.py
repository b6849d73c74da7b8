"""Where packets lie in the files of captures: written with the facts, asked when packets are wanted.

Rule 1: the blocks of a capture follow each other without a gap, up to its cursor. A capture may have none (its file was
        rewritten), or none at its beginning (it was begun by an earlier version): that part has to be read.
Rule 2: a block that is small is continued by the next, so that a capture that is followed live gets no more rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from daemon.decode.sketch import BLOCK, Block, joined

_COLUMNS = "begin, end, packets, first_us, last_us, sketch, scanner"


def write_blocks(db: sqlite3.Connection, capture_id: int, blocks: Iterable[Block]) -> None:
    """Add what was read of a capture, in the order of the file; in the caller's transaction."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM block WHERE capture_id = ? ORDER BY begin DESC LIMIT 1", (capture_id,)
    ).fetchone()
    last = None if row is None else Block(*row)
    wanted: list[Block] = []
    for block in blocks:
        if last is not None and last.end == block.begin and block.end - last.begin <= BLOCK:
            last = _together(last, block)
            wanted[-1:] = [last]
        else:
            last = block
            wanted.append(block)
    db.executemany(
        f"INSERT OR REPLACE INTO block (capture_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(capture_id, b.begin, b.end, b.packets, b.first_us, b.last_us, b.sketch, b.scanner) for b in wanted],
    )


def _together(one: Block, other: Block) -> Block:
    times = [each for each in (one, other) if each.packets]
    return Block(
        one.begin,
        other.end,
        one.packets + other.packets,
        min((each.first_us for each in times), default=0),
        max((each.last_us for each in times), default=0),
        joined(one.sketch, other.sketch),
        one.scanner,
    )


def drop_blocks(db: sqlite3.Connection, capture_id: int) -> None:
    """The capture's file is another one now; until its blocks are written anew it is read from its beginning."""
    db.execute("DELETE FROM block WHERE capture_id = ?", (capture_id,))


def read_blocks(db: sqlite3.Connection, capture_id: int) -> list[Block]:
    """The blocks of a capture, in the order of the file."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM block WHERE capture_id = ? ORDER BY begin", (capture_id,))
    return [Block(*row) for row in rows]
