"""The quick ways say what numpy's own say, also of what is too large for them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.sorting import distinct, fit, packed, sorting, starts

# Two bytes, what fits beside its place, and what does not: each has a way of its own.
LARGEST = st.sampled_from([3, (1 << 15) - 1, 1 << 15, 1 << 40, (1 << 63) - 1])
NUMBERS = LARGEST.flatmap(lambda most: st.lists(st.integers(0, most) | st.sampled_from([0, most]), max_size=40))


@given(NUMBERS)
def test_the_order_of_numbers_of_which_equal_ones_stay(numbers: list[int]) -> None:
    keys = np.array(numbers, np.int64)
    assert sorting(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@given(NUMBERS, st.sampled_from([0, -5, -(1 << 62)]))
def test_distinct_numbers_wherever_they_lie(numbers: list[int], low: int) -> None:
    column = np.array(numbers, np.int64) + low
    for found, expected in zip(distinct(column), np.unique(column, return_inverse=True), strict=True):
        assert found.tolist() == expected.tolist()


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40)), max_size=20), st.integers(0, 1 << 20))
def test_pairs_as_one_number_are_in_the_order_of_pairs(pairs: list[tuple[int, int]], above: int) -> None:
    high, low = np.array([(one + above, other) for one, other in pairs], np.int64).reshape(-1, 2).T
    if fit(high, low):
        order = np.argsort(packed(high, low), kind="stable").tolist()
        assert order == sorted(range(len(pairs)), key=pairs.__getitem__)


def test_what_fits() -> None:
    small, large = np.array([1 << 30]), np.array([1 << 33])
    assert fit(small, small)
    assert not fit(small, large)
    assert fit(small[:0], large)


def test_where_runs_begin() -> None:
    assert starts(np.array([4, 4, 7, 7, 7, 1])).tolist() == [0, 2, 5]
    assert starts(np.zeros(0, np.int64)).tolist() == []
