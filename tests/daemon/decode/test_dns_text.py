from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_text import (
    VALUE_LIMIT,
    generic_text,
    get_string,
    get_strings,
    join_parts,
    quote,
)
from daemon.decode.wire import ipv4_text, ipv6_text


def test_generic_form_is_bounded() -> None:
    assert generic_text(b"") == "\\# 0"
    assert generic_text(b"\x0a\x00\x00\x01") == "\\# 4 0a000001"
    assert generic_text(bytes(256)) == "\\# 256 " + "0" * 512
    assert generic_text(bytes(257)) == "\\# 257 " + "0" * 512 + "..."


@pytest.mark.parametrize("value", ["\\# 0", "plain", '"open', '"a""b"', '"\\', '"\\25"', '"\\999"', '"a"x', '"\ud800"'])
def test_what_is_not_a_list_of_strings_is_refused(value: str) -> None:
    with pytest.raises(DecodeError):
        get_strings(value)


@given(st.text(alphabet='"\\ .0129aé²', max_size=12))
def test_unquoting_any_text_gives_strings_or_decode_error(value: str) -> None:
    try:
        strings = get_strings(value)
    except DecodeError:
        return
    assert all(isinstance(raw, bytes) for raw in strings)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", '""'),
        (b"fn=K\xc3\xbcche", '"fn=Küche"'),
        (b'say "hi" \\', '"say \\"hi\\" \\\\"'),
        (b"\xff\x00", '"\\255\\000"'),
        ("\u202e\u0085".encode(), '"\\226\\128\\174\\194\\133"'),  # would turn or break the line
    ],
)
def test_quoted_string(raw: bytes, text: str) -> None:
    assert quote(raw) == text


@given(st.lists(st.binary(max_size=40) | st.text(max_size=15).map(str.encode), max_size=6))
def test_quoted_strings_come_back(strings: list[bytes]) -> None:
    value = " ".join(map(quote, strings))
    assert value.isprintable()
    assert get_strings(value) == tuple(strings)


def test_join_stops_before_the_limit_and_says_so() -> None:
    assert join_parts(["a", "b"]) == "a b"
    assert join_parts(["x" * 4000, "y" * 100, "z"]) == "x" * 4000 + " ..."
    assert len(join_parts(["x"] * 5000)) <= VALUE_LIMIT + 4


def test_string_stays_inside_its_bounds() -> None:
    assert get_string(b"\x03abcd", 0, 5) == (b"abc", 4)
    for buf, pos, end in ((b"\x03abcd", 0, 3), (b"\x03abcd", 5, 5), (b"", 0, 0)):
        with pytest.raises(DecodeError):
            get_string(buf, pos, end)


def test_addresses_are_canonical_and_the_same_object_when_they_repeat() -> None:
    assert ipv4_text(bytes([192, 168, 1, 1])) == "192.168.1.1"
    assert ipv6_text(bytes.fromhex("FE800000000000000000ABCD00000001")) == "fe80::abcd:0:1"
    assert ipv6_text(bytes(15) + b"\1") is ipv6_text(bytes(15) + b"\1")
