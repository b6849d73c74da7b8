from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.der import OCTET_STRING, SEQUENCE, content, element, elements


def tlv(tag: int, value: bytes) -> bytes:
    """X.690 section 10.1: the shortest length."""
    size = len(value)
    length = bytes((size,))
    if size >= 0x80:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes((0x80 | len(digits),)) + digits
    return bytes((tag,)) + length + value


@given(st.lists(st.tuples(st.sampled_from((2, 4, 6, 0x30, 0x82, 0xA3)), st.binary(max_size=300)), max_size=8))
def test_elements_come_out_as_they_went_in(parts: list[tuple[int, bytes]]) -> None:
    der = tlv(SEQUENCE, b"".join(tlv(tag, value) for tag, value in parts))
    start, end = content(der, 0, len(der), SEQUENCE)
    assert [(tag, der[at:stop]) for tag, at, stop in elements(der, start, end)] == parts


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",  # the indefinite length of BER
        b"\x30\x84\x00\x00\x00\x00",  # longer than any certificate
        b"\x1f\x01\x00",  # a tag of several bytes
        tlv(OCTET_STRING, b"abc")[:-1],
    ],
)
def test_what_is_no_element_is_refused(der: bytes) -> None:
    with pytest.raises(DecodeError):
        element(der, 0, len(der))


def test_an_element_ends_within_its_container() -> None:
    der = tlv(SEQUENCE, tlv(OCTET_STRING, b"abc")) + b"more"
    start, end = content(der, 0, len(der), SEQUENCE)
    with pytest.raises(DecodeError):
        element(der, start, end - 1)
    with pytest.raises(DecodeError):
        content(der, start, end, SEQUENCE)


@given(st.binary(max_size=64))
def test_arbitrary_bytes_give_elements_that_lie_within_them(der: bytes) -> None:
    with suppress(DecodeError):
        at = 0
        for _, start, end in elements(der, 0, len(der)):
            assert at < start <= end <= len(der)
            at = end
        assert at == len(der)
