from __future__ import annotations

import json
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.stream import SEGMENTS, WAITING, Gap, Stream

MODULUS = 1 << 32


def read(stream: Stream, *segments: tuple[int, bytes]) -> bytes:
    """What came out of these segments; no gap may be in it."""
    out = b""
    for seq, data in segments:
        for piece in stream.push(seq % MODULUS, data):
            assert isinstance(piece, bytes)
            out += piece
    return out


@given(
    data=st.binary(min_size=1, max_size=60),
    start=st.one_of(st.integers(0, MODULUS - 1), st.integers(MODULUS - 70, MODULUS - 1), st.integers(0, 70)),
    pieces=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 60)), max_size=30),
    order=st.randoms(use_true_random=False),
    known=st.booleans(),
)
def test_any_cutting_order_and_duplication_gives_the_bytes_back_once(
    data: bytes, start: int, pieces: list[tuple[int, int]], order: Random, known: bool
) -> None:
    segments = [(at % len(data), size) for at, size in pieces]
    covered = {at for begin, size in segments for at in range(begin, begin + size)}
    segments += [(at, 1) for at in range(len(data)) if at not in covered]
    order.shuffle(segments)
    stream = Stream(start if known else None)
    if not known:  # without a SYN the first segment says where the stream begins
        segments.insert(0, (0, 1))
    out = read(stream, *[(start + at, data[at : at + size]) for at, size in segments])
    assert out == data
    assert stream.expected == (start + len(data)) % MODULUS
    assert stream.state()[1] == []


@given(
    data=st.binary(min_size=1, max_size=40),
    start=st.sampled_from((0, 5, MODULUS - 20)),
    order=st.permutations(range(8)),
    stop=st.integers(0, 8),
)
def test_goes_on_from_its_state(data: bytes, start: int, order: list[int], stop: int) -> None:
    size = -(-len(data) // 8)
    segments = [(start + at * size, data[at * size : (at + 1) * size]) for at in order if at * size < len(data)]
    stream = Stream(start)
    out = read(stream, *segments[:stop])
    stream = Stream.restore(json.loads(json.dumps(stream.state())))
    assert out + read(stream, *segments[stop:]) == data


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_came_out_is_never_taken_back(order: tuple[int, ...]) -> None:
    stream = Stream(100)
    assert read(stream, (100, b"abc")) == b"abc"
    later = [(100, b"XYZ"), (101, b"QRd"), (99, b"###")]
    assert read(stream, *[later[i] for i in order]) == b"d"


def test_of_two_versions_that_wait_one_comes_out_and_nothing_twice() -> None:
    stream = Stream(0)
    assert read(stream, (2, b"cd"), (2, b"CDE"), (4, b"x")) == b""
    assert read(stream, (0, b"ab")) in (b"abcdx", b"abCDE", b"abcdE")
    assert stream.expected == 5


def test_keep_alive_repeats_one_old_byte() -> None:
    stream = Stream(10)
    assert read(stream, (10, b"abc"), (12, b"\0"), (12, b"c"), (13, b"d")) == b"abcd"


def test_sequence_numbers_wrap() -> None:
    stream = Stream(MODULUS - 2)
    assert read(stream, (1, b"def"), (MODULUS - 2, b"abc")) == b"abcdef"
    assert stream.expected == 4


def test_what_the_snaplen_cut_off_is_a_gap() -> None:
    stream = Stream(0)
    assert stream.push(0, b"ab", 3) == [b"ab", Gap(3)]
    assert stream.push(5, b"fg") == [b"fg"]


def test_a_cut_segment_that_waited_is_a_gap_too() -> None:
    stream = Stream(0)
    assert stream.push(2, b"cd", 2) == []
    assert stream.push(6, b"gh") == []
    assert stream.push(0, b"ab") == [b"ab", b"cd", Gap(2), b"gh"]


@pytest.mark.parametrize(("known", "pieces"), [(1, [b"b", Gap(2)]), (2, [Gap(2)]), (3, [Gap(1)]), (4, [])])
def test_repetition_of_a_cut_segment_adds_what_is_new(known: int, pieces: list[bytes | Gap]) -> None:
    stream = Stream(0)
    assert read(stream, (0, b"abcd"[:known])) == b"abcd"[:known]
    assert stream.push(0, b"ab", 2) == pieces
    assert stream.expected == 4


def test_a_whole_repetition_fills_what_a_cut_one_lacks() -> None:
    stream = Stream(0)
    assert stream.push(2, b"c", 2) == []
    assert stream.push(2, b"cde") == []
    assert stream.push(0, b"ab") == [b"ab", b"cde"]


def test_a_hole_is_given_up_after_so_many_bytes() -> None:
    stream = Stream(0)
    size = WAITING // 8
    for at in range(8):
        assert stream.push(10 + at * size, bytes(size)) == []
    out = stream.push(10 + 8 * size, b"end")
    assert out[0] == Gap(10)
    assert b"".join([piece for piece in out[1:] if isinstance(piece, bytes)]) == bytes(8 * size) + b"end"
    assert read(stream, (0, b"too late")) == b""


def test_a_hole_is_given_up_after_so_many_segments() -> None:
    stream = Stream(0)
    for at in range(SEGMENTS):
        assert stream.push(1 + 2 * at, b"x") == []
    assert stream.push(1 + 2 * SEGMENTS, b"x")[:2] == [Gap(1), b"x"]
    assert len(stream.state()[1]) <= SEGMENTS


@given(st.lists(st.tuples(st.integers(0, MODULUS - 1), st.integers(0, 3000), st.integers(0, 3000)), max_size=200))
def test_memory_is_bounded_whatever_comes(segments: list[tuple[int, int, int]]) -> None:
    stream = Stream()
    given_out = taken = 0
    for seq, size, missing in segments:
        taken += size
        given_out += sum(len(piece) for piece in stream.push(seq, bytes(size), missing) if isinstance(piece, bytes))
        waiting = [len(data) // 2 for _, data, _ in stream.state()[1]]
        assert sum(waiting) <= WAITING
        assert len(waiting) <= SEGMENTS
    assert given_out <= taken


def test_a_hole_that_nothing_will_fill() -> None:
    stream = Stream(0)
    assert stream.give_up() == []
    assert read(stream, (5, b"fg"), (10, b"kl"), (12, b"m")) == b""
    assert stream.give_up() == [Gap(5), b"fg"]
    assert stream.give_up() == [Gap(3), b"kl", b"m"]
    assert not stream.waits
    assert stream.expected == 13
