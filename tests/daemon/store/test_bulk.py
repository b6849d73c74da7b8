"""Rows come into their table in whatever number, and what is in the way is heeded."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from daemon.store import bulk


@pytest.mark.parametrize("many", [0, 1, bulk.PIECE - 1, bulk.PIECE, 3 * bulk.PIECE + 7])
def test_every_row_is_written_once(many: int) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a, b, c)")
        bulk.insert(db, "INSERT INTO t", "(?, ?, 5)", 2, [each for row in range(many) for each in (row, f"n{row}")])
        assert db.execute("SELECT * FROM t").fetchall() == [(row, f"n{row}", 5) for row in range(many)]


def test_what_is_there_is_told_again() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        db.execute("INSERT INTO t VALUES (3, 'before')")
        values = [each for row in range(30) for each in (row, "after")]
        bulk.insert(db, "INSERT INTO t", "(?, ?)", 2, values, "ON CONFLICT DO UPDATE SET b = excluded.b")
        assert db.execute("SELECT a, b FROM t").fetchall() == [(row, "after") for row in range(30)]
