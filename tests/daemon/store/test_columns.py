"""Columns come back as they were packed, whatever numbers they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.columns import pack, unpack

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


def test_small_numbers_take_little_room() -> None:
    small, large = np.zeros(1000, np.int64), np.full(1000, 1 << 40)
    assert len(pack([small, small], compress=False)) < 2100
    assert len(pack([large], compress=False)) > 8000
    assert len(pack([large], compress=True)) < 200


@pytest.mark.parametrize("packed", [b"\x00\x01\x05\x00\x00\x00\x08", b"\x07\x01\x01\x00\x00\x00\x01x"])
def test_what_is_none_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no columns"):
        unpack(packed)
