"""Many rows into a table with few statements.

Rule 1: a statement takes PIECE rows, what is left goes one by one: to begin and end a statement takes as long as to
        write a row.
Rule 2: a row with many a NULL says them by OR_NULL: for each None Python's driver looks for an adapter, which takes longer
        than all else about it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

OR_NULL = "nullif(?, 0)"  # a value other than the number 0, which stands for none; a text of the digit is another value
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
