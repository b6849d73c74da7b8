"""Which stations a join or a split is about."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.lookup import Found, NotFoundError
from daemon.report.pairing import pairs_to_join, pairs_to_split
from tests.daemon.report.test_lookup import member, resident

A, B, C, D = (f"02:00:00:00:00:0{n}" for n in range(1, 5))
LONE = resident(1, "lone", member(A))
PAIR = resident(2, "pair", member(A), member(B))
THREE = resident(3, "three", member(A), member(B), member(C))
OTHER = resident(4, "other", member(D))


def test_join_is_about_one_station_of_each() -> None:
    assert pairs_to_join(Found(PAIR), Found(OTHER), ()) == [(A, D)]
    assert pairs_to_join(Found(OTHER), Found(PAIR, B), ()) == [(D, B)]


def test_join_overrides_earlier_splits_between_the_two() -> None:
    assert pairs_to_join(Found(OTHER), Found(PAIR), [(B, D), (A, C)]) == [(D, A), (D, B)]
    assert pairs_to_join(Found(PAIR), Found(OTHER), [(A, D)]) == [(A, D)]


def test_join_of_what_is_one_already() -> None:
    for first, second in ((Found(PAIR), Found(PAIR)), (Found(PAIR, A), Found(PAIR, B))):
        with pytest.raises(NotFoundError, match="is one device already"):
            pairs_to_join(first, second, ())


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        (Found(PAIR), None, [(A, B)]),
        (Found(PAIR, B), None, [(B, A)]),
        (Found(THREE, B), None, [(B, A), (B, C)]),
        (Found(THREE, A), Found(THREE, C), [(A, C)]),
        (Found(THREE, B), Found(THREE), [(B, A), (B, C)]),
        (Found(THREE), Found(THREE, B), [(A, B), (C, B)]),
        (Found(PAIR), Found(OTHER), [(A, D), (B, D)]),  # apart already: now whatever is found
    ],
)
def test_split(first: Found, second: Found | None, pairs: list[tuple[str, str]]) -> None:
    assert pairs_to_split(first, second) == pairs


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (Found(LONE), None, "one MAC or address only"),
        (Found(LONE, A), None, "one MAC or address only"),
        (Found(LONE), Found(LONE), "one MAC or address only"),
        (Found(THREE), None, f"consists of {A}, {B}, {C}; say which of them to split off"),
        (Found(THREE), Found(THREE), "say which of them"),
        (Found(THREE, B), Found(THREE, B), "say which of them"),
    ],
)
def test_split_that_needs_another_word(first: Found, second: Found | None, words: str) -> None:
    with pytest.raises(NotFoundError, match=words):
        pairs_to_split(first, second)


FOUND = st.sampled_from([LONE, PAIR, THREE, OTHER]).flatmap(
    lambda each: st.sampled_from([Found(each), *(Found(each, key) for key in each.keys)])
)


@given(FOUND, FOUND | st.none())
def test_split_cuts_cleanly(first: Found, second: Found | None) -> None:
    """Both sides hold something, nothing is on both, and every pair across the cut is named."""
    try:
        pairs = pairs_to_split(first, second)
    except NotFoundError:
        pairs = []
    left, right = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    if first.resident is (second or first).resident:
        assert not left & right
    assert set(pairs) == set(product(left, right))
