"""Columns come back as they were packed, whatever numbers they have."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.columns import pack, read_columns, told, unpack

NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)


@given(
    st.integers(0, 40).flatmap(
        lambda rows: st.lists(st.lists(NUMBERS, min_size=rows, max_size=rows), min_size=1, max_size=6)
    ),
    st.booleans(),
)
def test_they_come_back(columns: list[list[int]], compress: bool) -> None:
    packed = pack([np.array(column, np.int64) for column in columns], compress=compress)
    assert [column.tolist() for column in unpack(packed)] == columns


@given(
    st.integers(0, 20).flatmap(
        lambda rows: st.lists(st.lists(NUMBERS, min_size=rows, max_size=rows), min_size=3, max_size=3)
    ),
    st.sets(st.integers(0, 2)),
    st.booleans(),
)
def test_only_those_that_are_wanted_come_back(columns: list[list[int]], only: set[int], compress: bool) -> None:
    packed = pack([np.array(column, np.int64) for column in columns], compress=compress)
    wanted = [column if place in only else [] for place, column in enumerate(columns)]
    assert [column.tolist() for column in unpack(packed, only)] == wanted


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_rows_of_a_query_become_columns(rows: list[tuple[int, int]]) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a INTEGER, b INTEGER)")
        db.executemany("INSERT INTO t VALUES (?, ?)", rows)
        first, second = read_columns(db, ("a", "-(b / 2)"), "t WHERE a > ?", (0,))
    left = [row for row in rows if row[0] > 0]
    assert first.tolist() == [a for a, _ in left]
    assert second.tolist() == [-(abs(b) // 2) * (1 if b >= 0 else -1) for _, b in left]


def test_what_is_told_of_keys() -> None:
    assert told(np.array([7, 3, 7, 5]), {3: 30, 7: -1}, 9).tolist() == [-1, 30, -1, 9]
    assert told(np.empty(0, np.int64), {}, 9).tolist() == []


def test_small_numbers_take_little_room() -> None:
    small, large = np.zeros(1000, np.int64), np.full(1000, 1 << 40)
    assert len(pack([small, small], compress=False)) < 2100
    assert len(pack([large], compress=False)) > 8000
    assert len(pack([large], compress=True)) < 200


@pytest.mark.parametrize("packed", [b"\x00\x01\x05\x00\x00\x00\x08", b"\x07\x01\x01\x00\x00\x00\x01x"])
def test_what_is_none_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no columns"):
        unpack(packed)
