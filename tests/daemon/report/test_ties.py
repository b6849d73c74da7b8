"""Rows in order, of which texts are looked up only where all else is equal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.ties import Order, in_order

TEXTS = {1: "pear", 2: "apple", -3: "fig", 4: "plum"}
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(-2, 1), st.sampled_from(list(TEXTS))), max_size=20)


@given(ROWS)
def test_as_sorting_by_everything(rows: list[tuple[int, int, int]]) -> None:
    first, second, number = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    order = in_order((first, -second), number, lambda numbers: {each: TEXTS[each] for each in numbers}).tolist()
    assert order == sorted(range(len(rows)), key=lambda at: (rows[at][0], -rows[at][1], TEXTS[rows[at][2]], at))


def test_only_texts_that_decide_are_asked_for() -> None:
    asked: list[int] = []

    def said(numbers: list[int]) -> dict[int, str]:
        asked.extend(numbers)
        return {each: TEXTS[each] for each in numbers}

    assert in_order((np.array([5, 1, 5]),), np.array([1, 4, 2]), said).tolist() == [1, 2, 0]
    assert asked == [1, 2]


def test_what_nobody_looks_at_is_not_told_apart() -> None:
    asked: list[list[int]] = []

    def said(numbers: list[int]) -> dict[int, str]:
        asked.append(numbers)
        return {each: TEXTS[each] for each in numbers}

    order = Order((np.array([7, 5, 7, 5, 9]),), np.array([1, 4, 2, -3, 1]), said)
    assert order.rows(np.array([4])).tolist() == [4]
    assert asked == []
    assert order.rows(np.array([1, 0])).tolist() == [1, 3]
    assert order.rows(np.arange(5)).tolist() == [3, 1, 2, 0, 4]
    assert asked == [[-3, 4], [1, 2]]
