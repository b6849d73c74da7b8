"""Tables of whole numbers: what is written in C against what is written in Python, on whatever may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store import tables
from daemon.store.tables import height, numbers, numbers_in, plain_grouped, plain_picked, rows_of, table_of
from tests.support.leaks import left_behind

needs_c = pytest.mark.skipif(not tables.NATIVE, reason="daemon/store/_tables.c is not built")
NATIVE: Any = (
    import_module("daemon.store._tables") if tables.NATIVE else None
)  # its arguments are wrong on purpose below

LEAST, MOST = -(1 << 63), (1 << 63) - 1
number = st.integers(-3, 3) | st.integers(LEAST, MOST) | st.sampled_from([LEAST, MOST])
small = st.integers(-9, 9)


def table(of: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, ...]]]:
    return st.integers(1, 5).flatmap(lambda width: st.lists(st.tuples(*[of] * width), min_size=1, max_size=40))


def answer(function: Callable[..., bytes], *arguments: object) -> object:
    try:
        return function(*arguments)
    except (ValueError, OverflowError) as error:
        return type(error)


@given(table(number))
def test_rows_come_back(rows: list[tuple[int, ...]]) -> None:
    width = len(rows[0])
    assert rows_of(table_of(rows), width) == rows
    assert height(table_of(rows), width) == len(rows)
    assert numbers(table_of(rows)) == [each for row in rows for each in row]
    assert numbers_in(table_of(rows), width, 0) == sorted({row[0] for row in rows})


def test_nothing_is_a_table_too() -> None:
    assert tables.picked(b"", 2, (1, 0)) == tables.grouped(b"", 2, 1, "+") == b""
    assert not numbers(b"")
    assert not numbers_in(b"", 2, 1)


@needs_c
@given(table(small), st.data())
def test_columns_are_picked_alike(rows: list[tuple[int, ...]], data: st.DataObject) -> None:
    column = st.integers(0, len(rows[0]) - 1)
    mapping = st.dictionaries(small, number)
    pick = column | st.tuples(column, column) | st.tuples(column, mapping)
    picks = data.draw(st.lists(pick, min_size=1, max_size=6).map(tuple))
    asked = table_of(rows), len(rows[0]), picks
    assert NATIVE.picked(*asked) == plain_picked(*asked)


@needs_c
def test_large_mappings_find_every_number() -> None:
    told = {each * 4096: each for each in range(-3000, 3000)}
    asked = (
        table_of((each,) for each in range(-(1 << 12), 1 << 12)),
        1,
        ((0, {each: each for each in range(-2000, 2000)}),),
    )
    assert NATIVE.picked(*asked) == plain_picked(*asked)
    assert rows_of(NATIVE.picked(table_of((each,) for each in told), 1, ((0, told),)), 1) == [
        (e,) for e in told.values()
    ]


@needs_c
@given(table(small) | table(number), st.data())
def test_rows_are_grouped_alike(rows: list[tuple[int, ...]], data: st.DataObject) -> None:
    width = len(rows[0])
    keys = data.draw(st.integers(1, width))
    how = data.draw(st.text("+<>$", min_size=width - keys, max_size=width - keys))
    asked = table_of(rows), width, keys, how
    assert answer(NATIVE.grouped, *asked) == answer(plain_grouped, *asked)


@needs_c
def test_sum_may_pass_what_fits_on_its_way() -> None:
    for last in (-2, -MOST, LEAST):
        rows = table_of([(1, MOST), (1, MOST), (1, last), (1, LEAST)])
        assert NATIVE.grouped(rows, 2, 1, "+") == plain_grouped(rows, 2, 1, "+")


@needs_c
@given(st.lists(st.tuples(st.integers(0, 1 << 20) | number, number, small), min_size=1, max_size=300))
def test_rows_are_put_in_order_whatever_their_numbers(rows: list[tuple[int, ...]]) -> None:
    assert rows_of(NATIVE.grouped(table_of(rows), 3, 3, ""), 3) == sorted({*rows})


@needs_c
def test_sum_that_is_too_large_is_no_other_number() -> None:
    twice = table_of([(1, MOST), (1, 1)])
    for grouped in (NATIVE.grouped, plain_grouped):
        with pytest.raises(OverflowError):
            grouped(twice, 2, 1, "+")
    with pytest.raises(OverflowError):
        NATIVE.picked(twice, 2, ((1, 0),))


@needs_c
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("picked", (b"1234567", 1, (0,))), ("picked", (bytes(24), 2, (0,))), ("picked", (bytes(8), 0, (0,))),
        ("picked", (bytes(8), 1, ())), ("picked", (bytes(8), 1, (1,))), ("picked", (bytes(8), 1, (-1,))),
        ("picked", (bytes(8), 1, ((0, 1),))), ("picked", (bytes(8), 1, ((0, -2),))), ("picked", (bytes(8), 1, ("0",))),
        ("picked", (bytes(8), 1, ((0, {0: "1"}),))), ("picked", (bytes(8), 1, ((0, {0: MOST + 1}),))),
        ("picked", (bytes(8), 1, ((0, {None: 1}),))), ("picked", (bytearray(8), 1, (0,))), ("picked", (bytes(8), 1, [0])),
        ("grouped", (bytes(16), 2, 0, "++")), ("grouped", (bytes(16), 2, 3, "")), ("grouped", (bytes(16), 2, 1, "++")),
        ("grouped", (bytes(16), 2, 1, "-")), ("grouped", (bytes(16), 2, 1, "\0")), ("grouped", (bytes(12), 2, 1, "+")),
        ("grouped", (bytes(16), 65, 1, "+")),
    ],
)  # fmt: skip
def test_anything_else_is_refused(function: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, IndexError, OverflowError)):
        getattr(NATIVE, function)(*arguments)


@needs_c
def test_nothing_is_left_behind() -> None:
    whole, key = table_of((each % 7, each) for each in range(300)), 555
    told = {each + 500: each + 700 for each in range(300)}
    wrong: dict[Any, Any] = {1: 2, key: "x"}

    def run(times: int) -> None:
        for _ in range(times):
            NATIVE.picked(whole, 2, (0, (1, told), (1, 0)))
            NATIVE.grouped(whole, 2, 1, "+")
            for function, arguments in (
                (NATIVE.picked, (whole, 2, ((1, told), (1, wrong)))),
                (NATIVE.grouped, (table_of([(1, MOST), (1, 1)]), 2, 1, "+")),
            ):
                with suppress(TypeError, OverflowError, ValueError):
                    function(*arguments)

    references, grown = left_behind(run, 200, [whole, told, wrong, key])
    assert references == [0] * 4
    assert grown < 20_000
