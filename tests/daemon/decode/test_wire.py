from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.wire import ipv4_list, ipv4_text, ipv6_list, ipv6_text, wire_name


def test_addresses_are_canonical() -> None:
    assert ipv4_text(bytes([10, 0, 0, 1])) == "10.0.0.1"
    assert ipv6_text(bytes.fromhex("20010db8000000000000000000000001")) == "2001:db8::1"


def test_lists_drop_what_is_not_whole() -> None:
    assert ipv4_list(bytes([1, 2, 3, 4, 5])) == ("1.2.3.4",)
    assert ipv6_list(bytes(31)) == ("::",)


def test_lists_are_bounded() -> None:
    assert len(ipv4_list(bytes(1000))) == 16
    assert len(ipv6_list(bytes(1000))) == 16


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x02PC\x04home\x00", "PC.home"),
        (b"\x02PC", "PC"),
        (b"\x02PC\x00\x05trail", "PC"),
        (b"\x02a.", "a\\046"),
        (b"", ""),
        (b"\x00", ""),
        (b"\x05PC", ""),
        (b"\xc0\x0c", ""),
    ],
)
def test_wire_name(raw: bytes, text: str) -> None:
    assert wire_name(raw) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_a_name_or_none(raw: bytes) -> None:
    assert wire_name(raw).isprintable()
