"""Columns come back as they were packed, whatever numbers they have."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.columns import distinct, pack, read_columns, told, unpack

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


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("only", [None, [0], [2, 1], []])
def test_they_come_back_from_a_database(only: list[int] | None, compress: bool) -> None:
    columns = [np.arange(3000), np.arange(3000) % 7 << 40, np.random.default_rng(1).integers(-(1 << 62), 1 << 62, 3000)]
    packed = pack(columns, compress=compress)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (packed BLOB)")
        db.execute("INSERT INTO t VALUES (?)", (packed,))
        with db.blobopen("t", "packed", 1, readonly=True) as blob:
            found = unpack(blob, only)
    wanted = range(3) if only is None else only
    assert [column.tolist() for column in found] == [
        column.tolist() if place in wanted else [] for place, column in enumerate(columns)
    ]


@pytest.mark.parametrize("only", [None, [1], [0, 2]])
def test_what_was_compressed_as_one_comes_back(only: list[int] | None) -> None:
    columns = [[1, -2, 3], [300, 70_000, -5], [1 << 40, 0, -1]]
    widths = (1, 4, 8)
    planes = b"".join(
        bytes(number.to_bytes(width, "little", signed=True)[weight] for number in column)
        for column, width in zip(columns, widths, strict=True)
        for weight in range(width)
    )
    packed = b"\x01\x03\x03\x00\x00\x00" + bytes(widths) + zlib.compress(planes)
    wanted = range(3) if only is None else only
    assert [column.tolist() for column in unpack(packed, only)] == [
        column if place in wanted else [] for place, column in enumerate(columns)
    ]


@given(st.lists(st.integers(-50, 50)))
def test_each_number_once_in_order(numbers: list[int]) -> None:
    assert distinct(np.array(numbers, np.int64)).tolist() == sorted(set(numbers))
    assert distinct(np.array(numbers, np.int8)).tolist() == sorted(set(numbers))


def test_what_is_no_whole_number_is_refused() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.executemany("INSERT INTO t VALUES (?)", [(1,), (None,)])
        with pytest.raises(ValueError, match="whole number"):
            read_columns(db, ("a",), "t")


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
    random = np.random.default_rng(1).integers(-(1 << 62), 1 << 62, 1000)
    assert len(pack([random], compress=True)) < 8100


@pytest.mark.parametrize(
    "packed",
    [
        b"\x00\x01\x05\x00\x00\x00\x08",
        b"\x07\x01\x01\x00\x00\x00\x01x",
        b"\x01\x01\x09\x00\x00\x00\x01not compressed",
        b"\x02\x01\x09\x00\x00\x00\x01\x04\x00\x00\x00xxxx",
        b"\x02\x01\x09\x00\x00\x00\x01\x05\x00\x00\x00xxxx",
    ],
)
def test_what_is_none_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no columns"):
        unpack(packed)
