"""What would make something of a span known that was not met earlier."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.alike import Alike
from daemon.report.picture import Picture
from daemon.store.whose_columns import BITS, Columns
from daemon.store.whose_days import Owned

OWNED = {
    0: Owned("unknown", None, None, None),
    1: Owned("first", "One", "DE", "high"),
    2: Owned("third", "One", "US", "low"),
    3: Owned("third", "Two", "US", "medium"),
    4: Owned("support", "Three", None, None),
    5: Owned("support", None, "FR", "high"),
}
DEVICES = {1: 7, 2: 7, 3: 8, 5: 9}  # by station; the fourth is no device's
PAIRS = st.lists(st.tuples(st.sampled_from([0, *DEVICES, 4]), st.sampled_from(sorted(OWNED))), max_size=8)


def column(pairs: list[tuple[int, int]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(sorted({station << BITS | number for station, number in pairs}), np.int64)


@given(PAIRS, PAIRS)
def test_candidates(met: list[tuple[int, int]], earlier: list[tuple[int, int]]) -> None:
    def companies(pairs: list[tuple[int, int]]) -> set[tuple[int, str]]:
        return {(DEVICES.get(at, 0), name) for at, number in pairs if (name := OWNED[number].organisation)}

    def country(number: int) -> str | None:
        return OWNED[number].country if OWNED[number].confidence in ("high", "medium") else None

    picture = Picture()
    pairs = column(met)
    picture.met = Columns(pairs, np.ones_like(pairs), np.ones_like(pairs))
    fresh = companies(met) - companies(earlier)
    abroad = {country(number) for _, number in met} - {country(number) for _, number in earlier} - {None}
    expected = {
        station << BITS | number
        for station, number in product(DEVICES, OWNED)
        if (DEVICES[station], OWNED[number].organisation) in fresh or country(number) in abroad
    }
    found = Alike(OWNED, DEVICES, picture).candidates(column(earlier)).tolist()
    assert found == sorted(expected)
