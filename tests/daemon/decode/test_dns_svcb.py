from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_svcb import service_text
from daemon.decode.dns_text import VALUE_LIMIT

ERRORS = (DecodeError, IndexError, struct.error)

# RFC 9460 appendix D
EXAMPLE = b"\x03foo\x07example\x03com\0"
EXAMPLE_ORG = b"\x03foo\x07example\x03org\0"


def uint16s(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}H", *numbers)


def parameter(key: int, value: bytes) -> bytes:
    return uint16s(key, len(value)) + value


VALUES = [
    (uint16s(0) + EXAMPLE, "0 foo.example.com"),
    (uint16s(1) + b"\0", "1 ."),
    (uint16s(16) + EXAMPLE + parameter(3, uint16s(53)), "16 foo.example.com port=53"),
    (uint16s(1) + b"\0" + parameter(9, uint16s(29, 23)), "1 . tls-supported-groups=29,23"),
    (uint16s(1) + EXAMPLE + parameter(667, b"hello"), "1 foo.example.com key667=hello"),
    (uint16s(1) + EXAMPLE + parameter(667, b"hello\xd2qoo"), '1 foo.example.com key667="hello\\210qoo"'),
    (
        uint16s(1)
        + EXAMPLE
        + parameter(6, bytes.fromhex("20010db8" + "0" * 23 + "1" + "20010db8" + "0" * 18 + "530001")),
        "1 foo.example.com ipv6hint=2001:db8::1,2001:db8::53:1",
    ),
    (
        uint16s(1)
        + EXAMPLE
        + parameter(6, bytes.fromhex("20010db8012203440000000000000000")[:12] + b"\xc0\x00\x02\x21"),
        "1 foo.example.com ipv6hint=2001:db8:122:344::c000:221",
    ),
    (
        uint16s(16)
        + EXAMPLE_ORG
        + parameter(0, uint16s(1, 4))
        + parameter(1, b"\x02h2\x05h3-19")
        + parameter(4, bytes([192, 0, 2, 1])),
        "16 foo.example.org mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1",
    ),
    (
        uint16s(16) + EXAMPLE_ORG + parameter(1, b"\x08f\\oo,bar\x02h2"),
        '16 foo.example.org alpn="f\\\\\\\\oo\\\\,bar,h2"',
    ),
    (
        uint16s(1)
        + b"\0"
        + parameter(1, b"\x02h3\x02h2")
        + parameter(2, b"")
        + parameter(4, bytes([1, 2, 3, 4, 5, 6, 7, 8]))
        + parameter(5, b"\x00\x04\xfe\x0d\x00\x00")
        + parameter(7, b"/q{?dns}")
        + parameter(8, b"")
        + parameter(65280, b""),
        "1 . alpn=h3,h2 no-default-alpn ipv4hint=1.2.3.4,5.6.7.8 ech=AAT+DQAA dohpath=/q{?dns} ohttp key65280",
    ),
]


@pytest.mark.parametrize(("data", "value"), VALUES)
def test_value(data: bytes, value: str) -> None:
    assert service_text(data) == value


BROKEN = [
    b"\x00",
    uint16s(1),
    uint16s(1) + b"\0" + uint16s(3),
    uint16s(1) + b"\0" + uint16s(3, 2) + b"\0",
    uint16s(1) + b"\0" + parameter(3, uint16s(1)) * 2,
    uint16s(1) + b"\0" + parameter(3, uint16s(1)) + parameter(1, b"\x02h2"),
    uint16s(1) + b"\0" + parameter(0, uint16s(1)),  # mandatory, but missing
    uint16s(1) + b"\0" + parameter(0, b""),
    uint16s(1) + b"\0" + parameter(0, uint16s(0)),
    uint16s(1) + b"\0" + parameter(0, uint16s(3, 1)) + parameter(1, b"\1a") + parameter(3, uint16s(1)),
    uint16s(1) + b"\0" + parameter(1, b""),
    uint16s(1) + b"\0" + parameter(1, b"\0"),
    uint16s(1) + b"\0" + parameter(1, b"\x03h2"),
    uint16s(1) + b"\0" + parameter(2, b"x"),
    uint16s(1) + b"\0" + parameter(3, b"\0"),
    uint16s(1) + b"\0" + parameter(4, b"\1\2\3"),
    uint16s(1) + b"\0" + parameter(4, b""),
    uint16s(1) + b"\0" + parameter(5, b""),
    uint16s(1) + b"\0" + parameter(6, bytes(17)),
    uint16s(1) + b"\0" + parameter(9, b"\0"),
    uint16s(1) + b"\xc0\x0c",  # a compressed target
]


@pytest.mark.parametrize("data", BROKEN)
def test_malformed_record_is_refused(data: bytes) -> None:
    with pytest.raises(ERRORS):
        service_text(data)


@pytest.mark.parametrize(("data", "value"), VALUES)
def test_record_cut_inside_a_parameter_is_refused(data: bytes, value: str) -> None:
    for size in range(len(data)):
        try:
            text = service_text(data[:size])
        except ERRORS:
            continue
        assert value.startswith(text)  # the cut fell between two parameters


def test_value_is_bounded_between_its_parameters() -> None:
    assert service_text(uint16s(1) + b"\0" + parameter(5, bytes(4000))) == "1 . ..."


def test_large_record_is_read_as_a_small_one_is() -> None:
    hints = bytes([192, 0, 2, 1]) * 200
    assert service_text(uint16s(1) + b"\0" + parameter(4, hints)) == "1 . ipv4hint=" + ",".join(["192.0.2.1"] * 200)


@given(st.binary(max_size=100), st.sampled_from([b"", uint16s(1) + b"\0"]))
def test_arbitrary_data_gives_printable_text_or_an_error(data: bytes, start: bytes) -> None:
    try:
        text = service_text(start + data)
    except ERRORS:
        return
    assert text.isprintable()
    assert len(text) <= VALUE_LIMIT + 4


@given(st.dictionaries(st.integers(10, 0xFFFF), st.binary(max_size=20), max_size=5))
def test_parameters_without_a_name_are_written_by_number(parameters: dict[int, bytes]) -> None:
    data = b"".join([parameter(key, parameters[key]) for key in sorted(parameters)])
    # Spaces occur inside quotes only, and odd bytes there are escaped: what follows a space outside is a key.
    keys = [part.split("=")[0] for i, part in enumerate(_unquoted(service_text(uint16s(1) + b"\0" + data))) if i > 1]
    assert keys == [f"key{key}" for key in sorted(parameters)]


def _unquoted(text: str) -> list[str]:
    """Words of a value, with the contents of quotes left out."""
    outside, quoted, escaped = "", False, False
    for c in text:
        if escaped:
            escaped = False
        elif c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif not quoted:
            outside += c
    return outside.split(" ")
