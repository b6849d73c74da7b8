"""Many rows into a table with few statements.

Rule: a statement takes PIECE rows, what is left goes one by one: to begin and end a statement takes as long as to write
      a row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

PIECE = 20  # rows: of twice as many a statement is no quicker


def insert(db: sqlite3.Connection, into: str, row: str, width: int, values: Sequence[Any], otherwise: str = "") -> None:
    """Write rows of so many values each, which stand one row behind the other.

    `into`: the statement up to VALUES; `row`: a row with its brackets; `otherwise`: what stands behind the rows.
    """
    if not values:  # even for no rows SQLite would read the statement, and that takes a millisecond
        return
    size = width * PIECE
    rest = len(values) - len(values) % size
    if rest:
        several = (values[at : at + size] for at in range(0, rest, size))
        db.executemany(f"{into} VALUES {', '.join([row] * PIECE)} {otherwise}", several)
    single = (values[at : at + width] for at in range(rest, len(values), width))
    db.executemany(f"{into} VALUES {row} {otherwise}", single)
