from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import Cursor, DecodeError

WIRE = bytes(range(1, 17))


def test_numbers_are_big_endian_and_move_on() -> None:
    cursor = Cursor(WIRE)
    assert cursor.get_uint8() == 0x01
    assert cursor.get_uint16() == 0x0203
    assert cursor.get_uint24() == 0x040506
    assert cursor.get_uint32() == 0x0708090A
    assert cursor.get_bytes(2) == b"\x0b\x0c"
    assert (cursor.pos, cursor.remaining) == (12, 4)
    cursor.skip(4)
    assert cursor.remaining == 0
    assert cursor.get_bytes(0) == b""


@pytest.mark.parametrize("width", [1, 2, 3])
def test_counted(width: int) -> None:
    cursor = Cursor((3).to_bytes(width, "big") + b"abcdef")
    assert cursor.get_counted(width) == b"abc"
    assert cursor.remaining == 3
    with pytest.raises(DecodeError):
        Cursor((7).to_bytes(width, "big") + b"abcdef").get_counted(width)


def test_limit_bounds_what_is_inside_and_steps_over_it() -> None:
    cursor = Cursor(WIRE, 2)
    inner = cursor.limit(4)
    assert inner.get_uint32() == 0x03040506
    with pytest.raises(DecodeError, match="1 bytes wanted, 0 left"):
        inner.get_uint8()
    assert cursor.get_uint8() == 0x07
    with pytest.raises(DecodeError):
        cursor.limit(10)


@pytest.mark.parametrize(("pos", "end"), [(-1, None), (17, None), (0, 17), (5, 4)])
def test_cannot_begin_outside_its_buffer(pos: int, end: int | None) -> None:
    with pytest.raises(DecodeError):
        Cursor(WIRE, pos, end)


READS: dict[str, Callable[[Cursor], object]] = {
    "uint8": Cursor.get_uint8,
    "uint16": Cursor.get_uint16,
    "uint24": Cursor.get_uint24,
    "uint32": Cursor.get_uint32,
    "bytes": lambda cursor: cursor.get_bytes(5),
    "negative": lambda cursor: cursor.get_bytes(-1),
    "counted": lambda cursor: cursor.get_counted(2),
    "limit": lambda cursor: cursor.limit(3).get_bytes(3),
    "skip": lambda cursor: cursor.skip(6),
}


@given(st.binary(max_size=40), st.lists(st.sampled_from(sorted(READS)), max_size=20))
def test_never_leaves_its_buffer(wire: bytes, reads: list[str]) -> None:
    cursor = Cursor(wire)
    for read in reads:
        before = cursor.pos
        try:
            READS[read](cursor)
        except DecodeError:
            assert read in ("counted", "limit") or cursor.pos == before  # a refused read takes nothing
        assert 0 <= before <= cursor.pos <= len(wire)
