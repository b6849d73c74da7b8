from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.framing import Damage, open_scanner
from daemon.decode.pcapng import BAD_SECTION, TOO_MANY
from daemon.decode.pcapng_columns import BAD_FRAME, BAD_LENGTH, NO_INTERFACE, TWO_LENGTHS
from daemon.decode.records import LOOKAHEAD, TORN
from tests.support.captures import (
    START_US,
    block,
    enhanced,
    frames_of,
    interface,
    obsolete,
    option,
    pcapng,
    read,
    section,
    simple,
)

FRAMES = frames_of(10)
PLAIN = pcapng(FRAMES)
STARTS = [row.offset - 28 for row in read(PLAIN).rows]
HEAD = section() + interface()
NAMES = 4


@pytest.mark.parametrize("order", ["<", ">"])
def test_packets_in_both_byte_orders(order: str) -> None:
    data = pcapng(FRAMES, order)
    reading = read(data)
    assert reading.frames(data) == FRAMES
    assert [row.time_us for row in reading.rows] == [START_US + i * 1000 for i in range(10)]
    assert {(row.wire - row.captured, row.link) for row in reading.rows} == {(0, 1)}
    assert reading.damage == []


def test_each_packet_is_read_by_its_own_interface() -> None:
    nanoseconds = option(9, b"\x09")
    binary = option(9, bytes([0x80 | 20])) + option(14, struct.pack("<q", 1_600_000_000))
    data = (
        section()
        + interface(1)
        + interface(113, options=nanoseconds)
        + enhanced(b"a", START_US, 0)
        + enhanced(b"b", START_US * 1000 + 999, 1)
        + interface(101, snaplen=96, options=option(2, b"wlan0") + binary + option(0, b""))
        + enhanced(b"c", 5 << 19, 2, wire=1500)
        + enhanced(b"d", START_US + 7, 0)
    )
    reading = read(data)
    assert [(row.link, row.time_us) for row in reading.rows] == [
        (1, START_US),
        (113, START_US),
        (101, 1_600_000_002_500_000),
        (1, START_US + 7),
    ]
    assert (reading.rows[2].captured, reading.rows[2].wire) == (1, 1500)
    scanner = open_scanner(data)
    scanner.scan(data, 0, len(data), 0, final=True)
    assert (scanner.link_types, scanner.snaplen) == ((1, 113, 101), 96)


def test_a_new_section_forgets_interfaces_and_may_change_the_byte_order() -> None:
    data = HEAD + enhanced(b"a") + section(">") + interface(12, order=">") + enhanced(b"b", order=">") + HEAD
    reading = read(data + enhanced(b"c"))
    assert [row.link for row in reading.rows] == [1, 12, 1]
    assert reading.damage == []
    bad = read(section() + interface() + section(">") + enhanced(b"b", order=">"))
    assert [damage.reason for damage in bad.damage] == [NO_INTERFACE]


@pytest.mark.parametrize("order", ["<", ">"])
def test_obsolete_and_simple_packet_blocks(order: str) -> None:
    data = (
        section(order)
        + interface(1, snaplen=60, order=order)
        + interface(105, order=order)
        + simple(b"early", order=order)
        + obsolete(b"old", START_US, 1, order)
        + simple(b"s" * 60, wire=1500, order=order)
        + simple(b"abc", order=order)
    )
    reading = read(data)
    assert reading.frames(data) == [b"early", b"old", b"s" * 60, b"abc"]
    assert [row.wire for row in reading.rows] == [5, 3, 1500, 3]
    assert [row.link for row in reading.rows] == [1, 105, 1, 1]
    assert [row.time_us for row in reading.rows] == [0, START_US, START_US, START_US], "no time of their own"


def test_a_simple_packet_has_the_time_of_the_packet_in_the_buffer_before() -> None:
    data = PLAIN + simple(b"abc")
    for through_state in (False, True):
        assert read(data, [len(PLAIN)], through_state=through_state).rows[-1].time_us == START_US + 9000


def test_other_blocks_are_passed_over() -> None:
    others = b"".join(block(kind, b"x" * 13) for kind in (NAMES, 5, 10, 0x0BAD, 0x40000BAD, 0x80000001, 77))
    data = section() + others + interface() + others + enhanced(b"a", options=option(1, b"a comment")) + others
    reading = read(data)
    assert (reading.frames(data), reading.damage) == ([b"a"], [])


def test_a_block_larger_than_any_buffer_is_passed_over_in_pieces() -> None:
    large = block(NAMES, bytes(3 * LOOKAHEAD))
    data = HEAD + enhanced(b"a") + large + enhanced(b"b") + enhanced(b"c")
    cuts = range(0, len(data), LOOKAHEAD // 2)
    for through_state in (False, True):
        assert [row.captured for row in read(data, cuts, through_state=through_state).rows] == [1, 1, 1]
    end = len(HEAD + enhanced(b"a") + large)
    for near in range(end - 5, end + 1):
        assert read(data, [near]) == read(data)
    torn = data[: end - 2]
    assert read(torn, [LOOKAHEAD]).damage == [Damage(end - 4, 2, TORN)]
    assert [damage.reason for damage in read(data[: end - 100], [LOOKAHEAD]).damage] == [TORN]
    wrong = data[: end - 4] + b"\x10\0\0\0" + data[end:]
    for reading in (read(wrong), read(wrong, cuts)):
        assert (len(reading.rows), reading.damage) == (3, [Damage(end - 4, 4, TWO_LENGTHS)])


def test_cut_at_any_byte_every_whole_packet_is_kept() -> None:
    rows = read(PLAIN).rows
    for cut in range(28, len(PLAIN)):
        data = PLAIN[:cut]
        kept = [row for row, end in zip(rows, [*STARTS[1:], len(PLAIN)], strict=True) if end <= cut]
        finished = read(data)
        assert finished.rows == kept
        assert [damage.reason for damage in finished.damage] in ([], [TORN])
        assert bool(finished.damage) == (cut not in (*STARTS, 28))
        assert read(data, final=False) == (kept, [])
        assert read(PLAIN, [cut]).rows == rows


def replaced(at: int, value: bytes) -> bytes:
    return PLAIN[:at] + value + PLAIN[at + len(value) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (replaced(STARTS[4] + 4, b"\xff\xff\xff\x7f"), BAD_LENGTH),
        (replaced(STARTS[4] + 4, b"\x0d"), BAD_LENGTH),
        (replaced(STARTS[4] + 4, b"\x08\0\0\0"), BAD_LENGTH),
        (replaced(STARTS[5] - 4, b"\x10"), TWO_LENGTHS),
        (replaced(STARTS[4] + 8, b"\x01"), NO_INTERFACE),
        (replaced(STARTS[4] + 20, b"\xff\xff"), BAD_FRAME),
        (replaced(STARTS[4], b"\x0a\x0d\x0d\x0a"), BAD_SECTION),
        (replaced(STARTS[4], b"\x01"), ""),
    ],
)
def test_a_damaged_block_is_skipped_and_reported(data: bytes, reason: str) -> None:
    reading = read(data)
    assert reading.frames(data) == FRAMES[:4] + FRAMES[5:]
    expected = [Damage(STARTS[4], STARTS[5] - STARTS[4], reason)] if reason else []
    assert reading.damage == expected, "a block turned into an interface description is no damage one could see"


def test_blocks_shorter_than_their_kind_are_damage() -> None:
    for kind in (1, 2, 3, 6, 0x0A0D0D0A):
        data = PLAIN[: STARTS[4]] + block(kind, b"") + PLAIN[STARTS[4] :]
        reading = read(data)
        assert reading.frames(data) == FRAMES
        assert [(damage.offset, damage.skipped) for damage in reading.damage] == [(STARTS[4], 12)]


def test_packets_of_an_unknown_interface_are_one_damage() -> None:
    unknown = b"".join(enhanced(frame, START_US, 3) for frame in FRAMES)
    reading = read(PLAIN + unknown + enhanced(b"a", START_US) + enhanced(b"b", START_US))
    assert reading.damage == [Damage(len(PLAIN), len(unknown), NO_INTERFACE)]
    assert len(reading.rows) == 12


def test_reading_resumes_at_another_section() -> None:
    data = PLAIN + b"\xee" * 333 + pcapng(FRAMES, ">")
    reading = read(data)
    assert reading.frames(data) == FRAMES * 2
    assert reading.damage == [Damage(len(PLAIN), 333, BAD_LENGTH)]


def test_a_section_cut_inside_its_head_is_not_missed() -> None:
    data = PLAIN + b"\xee" * 8 + pcapng(FRAMES, ">")
    for cut in range(len(PLAIN), len(PLAIN) + 40):
        assert read(data, [cut]) == read(data)


def test_packets_of_another_year_are_not_resumed_at() -> None:
    other = b"".join(enhanced(frame, START_US - 365 * 86_400_000_000) for frame in FRAMES)
    reading = read(PLAIN + b"\xee" * 99 + other + b"\xee" * 99 + b"".join(enhanced(f, START_US) for f in FRAMES))
    assert len(reading.rows) == 20
    assert [damage.skipped for damage in reading.damage] == [198 + len(other)]


def test_interfaces_without_end_are_refused() -> None:
    data = section() + interface() * 4097 + enhanced(b"a", number=4095) + enhanced(b"b", number=4096)
    assert [damage.reason for damage in read(data).damage][:1] == [TOO_MANY]


def test_an_interface_described_behind_damage_in_one_buffer_counts_once() -> None:
    data = bytearray(PLAIN + interface(113) + enhanced(b"a", START_US, 1) + enhanced(b"b", START_US, 1))
    data[STARTS[4] + 20] = 0xFF
    reading = read(bytes(data))
    assert [row.link for row in reading.rows][-2:] == [113, 113]
    assert reading == read(bytes(data), range(0, len(data), 50), through_state=True)


flips = st.lists(st.integers(0, (len(PLAIN) - 48) * 8 - 1), min_size=1, max_size=3)


@given(flips)
def test_flipped_bits_cost_no_packet_before_them(bits: list[int]) -> None:
    data = bytearray(PLAIN)
    for bit in bits:
        data[48 + bit // 8] ^= 1 << bit % 8
    first = 48 + min(bits) // 8
    ends = [*STARTS[1:], len(PLAIN)]
    whole = [row for row, end in zip(read(PLAIN).rows, ends, strict=True) if end <= first]
    assert read(bytes(data)).rows[: len(whole)] == whole


MIXED = (
    PLAIN
    + section(">")
    + interface(113, order=">")
    + b"".join(
        enhanced(frame, START_US, order=">") + simple(frame, order=">") + block(5, b"1234", ">") for frame in FRAMES[:4]
    )
)
damaged = st.builds(
    lambda at, garbage, cut: MIXED[:at] + garbage + MIXED[at + cut :],
    st.integers(28, len(MIXED)),
    st.one_of(st.binary(max_size=200), st.just(bytes(64)), st.just(enhanced(b"x", number=9) * 2)),
    st.integers(0, 150),
)


@given(damaged, st.lists(st.integers(0, 2200), max_size=30), st.booleans())
def test_pieces_give_what_the_whole_file_gives(data: bytes, cuts: list[int], through_state: bool) -> None:
    assert read(data, cuts, through_state=through_state) == read(data)


def test_byte_by_byte_gives_what_the_whole_file_gives() -> None:
    data = MIXED[: STARTS[3]] + bytes(101) + MIXED[STARTS[3] : -20]
    assert read(data, range(len(data)), through_state=True) == read(data)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(block, st.sampled_from([1, 2, 3, 4, 6]), st.binary(max_size=80), st.sampled_from("<>")),
            st.builds(section, st.sampled_from("<>"), st.integers(0, 2)),
        ),
        max_size=20,
    )
)
def test_any_bytes_behind_a_section_header_are_survived(parts: list[bytes]) -> None:
    data = section() + b"".join(parts)
    end = 28
    for row in read(data).rows:
        assert end <= row.offset
        end = row.offset + row.captured
    assert end <= len(data)
