from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.fine import is_finer, remainders
from daemon.decode.framing import open_scanner
from tests.support.captures import START_US, enhanced, interface, obsolete, option, pcap_header, section, simple

FRAME = bytes(60)
NANO = 0xA1B23C4D


def fine(data: bytes) -> list[int] | None:
    scanner = open_scanner(data)
    before = scanner.state()
    records = scanner.scan(data, 0, len(data), 0, final=True)
    found = remainders(data, records, before, scanner.state())
    return None if found is None else found.tolist()


@pytest.mark.parametrize("order", ["<", ">"])
def test_nanoseconds_of_pcap(order: str) -> None:
    records = b"".join(
        struct.pack(f"{order}IIII", 1_700_000_000, fraction, len(FRAME), len(FRAME)) + FRAME
        for fraction in (0, 1, 999, 1000, 123_456_789, 999_999_999)
    )
    assert fine(pcap_header(order, NANO) + records) == [0, 1, 999, 0, 789, 999]


def test_microseconds_have_none() -> None:
    assert fine(pcap_header() + struct.pack("<IIII", 1, 2, 60, 60) + FRAME) is None
    assert fine(section() + interface() + enhanced(FRAME)) is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_by_interface(order: str) -> None:
    nano, half = option(9, b"\x09", order), option(9, bytes([0x80 | 30]), order)
    ticks = START_US * 1000 + 123
    data = (
        section(order)
        + interface(options=nano, order=order)
        + interface(order=order)
        + interface(options=half, order=order)
        + enhanced(FRAME, ticks, 0, order=order)
        + enhanced(FRAME, START_US + 7, 1, order=order)
        + enhanced(FRAME, (1_700_000_000 << 30) + 1, 2, order=order)
        + obsolete(FRAME, ticks + 1, 0, order=order)
        + simple(FRAME, order=order)
    )
    # 2**-30 of a second is 0.93 ns; a simple block has no time of its own.
    assert fine(data) == [123, 0, 0, 124, 0]


def test_a_section_that_begins_within_a_piece() -> None:
    nano = option(9, b"\x09")
    first = section() + interface(options=nano) + enhanced(FRAME, START_US * 1000 + 5)
    second = section() + interface() + enhanced(FRAME, START_US + 9)
    assert fine(first + second) in ([5, 0], [0, 0], None)  # never a wrong one
    assert fine(second + first) == [0, 5]


@given(st.integers(0, 2**64 - 1), st.sampled_from([7, 8, 9, 10, 12, 19, 0x80 | 21, 0x80 | 40, 0x80 | 63]))
def test_any_resolution_is_read_exactly(ticks: int, resolution: int) -> None:
    data = section() + interface(options=option(9, bytes([resolution]))) + enhanced(FRAME, ticks)
    per_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    scanner = open_scanner(data)
    (time_us,) = scanner.scan(data, 0, len(data), 0, final=True).time_us.tolist()
    if time_us < 1 << 61:  # farther ones are held
        assert fine(data) == [ticks * 10**9 // per_second - time_us * 1000]


def test_which_files_are_finer() -> None:
    assert is_finer(open_scanner(pcap_header(magic=NANO)).state())
    assert not is_finer(open_scanner(pcap_header()).state())
