"""Days of a month as one piece of columns: what a page about a year reads of them is a tenth of what they take one by one.

Rule 1: a run says what its days say (`destination_columns`), and is gone as soon as one of them changes: a trigger.
Rule 2: runs are made with the look for findings, which an import does not wait for. A day more is added to what is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from daemon.decode.later import np
from daemon.store.columns import pack
from daemon.store.destination_columns import (
    Columns,
    Piece,
    Run,
    Ways,
    days_with_columns,
    read_piece,
    read_runs,
    read_ways,
    together,
)

_LEAST = 3  # days that are worth it
_AT_ONCE = 5  # days that are added up at a time: all of a month would be tens of megabytes
_EVER = 1 << 30
_CHANGED = "SELECT EXISTS (SELECT 1 FROM whose_stale WHERE month = ? AND day BETWEEN ? AND ?)"


def follow(db: sqlite3.Connection, most: int) -> int:
    """Make the runs of months that have none of all their days, at most so many; how many. Within a transaction."""
    runs, ways, made = read_runs(db, 0, _EVER), read_ways(db), 0
    for month, days in sorted(days_with_columns(db).items(), reverse=True):
        run, ends = runs.get(month), (min(days), max(days))
        if len(days) < _LEAST or (run is not None and (run.first, run.last) == ends):
            continue
        if made < most and not db.execute(_CHANGED, (month, *ends)).fetchone()[0]:
            packed = pack(_joined(db, ways, _pieces(run, days)), compress=False)
            db.execute("INSERT OR REPLACE INTO destination_run_column VALUES (?, ?, ?, ?)", (month, *ends, packed))
            made += 1
    return made


def _pieces(run: Run | None, days: Mapping[int, Piece]) -> list[Piece]:
    """What the days are made of: those of the run that there is, if it begins with them, are there as one."""
    if run is None or run.first != min(days):
        return list(days.values())
    return [run.piece, *(piece for day, piece in days.items() if day > run.last)]


def _joined(db: sqlite3.Connection, ways: Ways, pieces: Sequence[Piece]) -> Columns:
    parts: list[Columns] = []
    for begin in range(0, len(pieces), _AT_ONCE):
        parts += [read_piece(db, piece) for piece in pieces[begin : begin + _AT_ONCE]]
        parts = [together([np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)], ways)]
    return parts[0]
