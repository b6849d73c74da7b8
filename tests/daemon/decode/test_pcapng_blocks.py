from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.pcapng_blocks import Interface, parse_interface, section_order, to_microseconds
from tests.support.captures import interface, option, section


@pytest.mark.parametrize("order", ["<", ">"])
def test_interface_description_with_its_options(order: str) -> None:
    options = b"".join(
        (
            option(2, b"wlan0", order),
            option(9, b"\x09", order),
            option(14, struct.pack(f"{order}q", -3600), order),
            option(0, b"", order),
            option(9, b"\x03", order),  # behind the end of options
        )
    )
    block = interface(113, 262144, options, order)
    assert parse_interface(block, order) == Interface(113, 262144, 9, -3600)
    assert parse_interface(interface(order=order), order) == Interface(1)


@pytest.mark.parametrize("options", [option(9, b""), option(14, b"1234"), b"\x09\0\xff\xff\x03", b"\x09\0"])
def test_broken_options_leave_the_defaults(options: bytes) -> None:
    assert parse_interface(interface(options=options), "<") == Interface(1)


@given(st.binary(max_size=80), st.sampled_from("<>"))
def test_any_block_parses_or_is_refused(block: bytes, order: str) -> None:
    if len(block) < 20:
        with pytest.raises(DecodeError):
            parse_interface(block, order)
    else:
        parse_interface(block, order)


def test_section_order() -> None:
    assert [section_order(section(order)) for order in "<>"] == ["<", ">"]
    assert section_order(section(version=2)) is None
    assert section_order(section()[:15]) is None
    assert section_order(bytes(28)) is None


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5),
    st.sampled_from([0, 3, 6, 7, 9, 12, 40, 127, 128, 138, 148, 192, 255]),
    st.sampled_from([0, 1_600_000_000, -(2**63), 2**63 - 1]),
)
def test_times_are_exact_and_rounded_down_as_far_as_64_bits_go(ticks: list[int], resolution: int, offset: int) -> None:
    per_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    farthest = 2**61
    expected = [
        min(tick * 1_000_000 // per_second, farthest) + max(-farthest, min(offset * 1_000_000, farthest))
        for tick in ticks
    ]
    assert to_microseconds(np.array(ticks, np.uint64), Interface(1, 0, resolution, offset)).tolist() == expected
