from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_names import Names
from daemon.decode.dns_rdata import READERS
from daemon.decode.dns_text import VALUE_LIMIT, get_strings
from daemon.decode.dns_types import TYPES

NUMBERS = {name: number for number, name in TYPES.items()}
ERRORS = (DecodeError, IndexError, struct.error)  # what the caller of a reader expects


def name(text: str) -> bytes:
    return b"".join([bytes([len(label)]) + label.encode() for label in text.split(".") if label]) + b"\0"


def string(raw: bytes) -> bytes:
    return bytes([len(raw)]) + raw


def read(kind: str, data: bytes) -> str:
    """The value of a record that stands between other bytes, as in a message."""
    buf = bytes(12) + name("example.com") + data + b"\x03end\0"
    return READERS[NUMBERS[kind]](buf, 25, 25 + len(data), {})


def uint16s(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}H", *numbers)


SHARED = b"\xc0\x0c"  # example.com, by pointer

# RFC 4034 section 4.3
NSEC_EXAMPLE = b"\x04host" + SHARED + bytes.fromhex("0006400100000003041b") + bytes(26) + b"\x20"

VALUES = [
    ("SVCB", uint16s(0) + name("foo.example.net"), "0 foo.example.net"),
    ("HTTPS", uint16s(1) + b"\0" + uint16s(1, 3) + b"\x02h3", "1 . alpn=h3"),
    ("NSEC", NSEC_EXAMPLE, "host.example.com A MX RRSIG NSEC TYPE1234"),
    ("NSEC", SHARED + b"\x00\x04\x40\x00\x00\x08", "example.com A AAAA"),  # RFC 6762 section 6.1
    ("NSEC", b"\0" + b"\x00\x01\x40", ". A"),
    ("A", bytes([192, 0, 2, 1]), "192.0.2.1"),
    ("A", b"\xff" * 4, "255.255.255.255"),
    ("AAAA", bytes.fromhex("20010db8000000000000000000000001"), "2001:db8::1"),
    ("AAAA", bytes.fromhex("FE80000000000000ABCD00000000EF01"), "fe80::abcd:0:0:ef01"),
    ("AAAA", bytes(16), "::"),
    ("CNAME", b"\x03WWW" + SHARED, "www.example.com"),
    ("NS", name("ns1.example.net"), "ns1.example.net"),
    ("PTR", b"\x0bLiving Room" + SHARED, "living\\032room.example.com"),
    ("DNAME", b"\0", ""),
    ("MX", uint16s(10) + b"\x04mail" + SHARED, "10 mail.example.com"),
    ("MX", uint16s(0) + b"\0", "0 ."),  # RFC 7505
    ("KX", uint16s(1) + SHARED, "1 example.com"),
    ("PX", uint16s(7) + SHARED + b"\0", "7 example.com ."),
    ("RP", b"\x05admin" + SHARED + b"\0", "admin.example.com ."),
    ("SRV", uint16s(0, 5, 8009) + b"\x04host" + SHARED, "0 5 8009 host.example.com"),
    ("SRV", uint16s(0, 0, 0) + b"\0", "0 0 0 ."),
    (
        "SOA",
        b"\x02ns" + SHARED + b"\x0ahostmaster" + SHARED + struct.pack(">5I", 2024010101, 7200, 3600, 0xFFFFFFFF, 300),
        "ns.example.com hostmaster.example.com 2024010101 7200 3600 4294967295 300",
    ),
    ("HINFO", string(b"RFC8482") + string(b""), '"RFC8482" ""'),
    ("TXT", string(b"v=spf1 -all"), '"v=spf1 -all"'),
    ("TXT", string(b"md=Nest Hub") + string(b"fn=K\xc3\xbcche") + string(b"x"), '"md=Nest Hub" "fn=Küche" "x"'),
    ("TXT", string(b'say "hi"') + string(b"a\\b"), '"say \\"hi\\"" "a\\\\b"'),
    ("TXT", string(b"\x00\x1f\x7f") + string(b'\xff"\\'), '"\\000\\031\\127" "\\255\\"\\\\"'),
    ("TXT", string("\u202eevil".encode()), '"\\226\\128\\174evil"'),  # would reverse the text behind it
    ("TXT", string(b""), '""'),
    ("TXT", b"", '""'),  # RFC 6763 section 6.1
    ("SPF", string(b"v=spf1") + string(b"a"), '"v=spf1" "a"'),
    (
        "NAPTR",
        uint16s(100, 10) + string(b"S") + string(b"SIP+D2U") + string(b"") + b"\x04_sip" + SHARED,
        '100 10 "S" "SIP+D2U" "" _sip.example.com',
    ),
    ("URI", uint16s(10, 1) + b"ftp://ftp1.example.com/public", '10 1 "ftp://ftp1.example.com/public"'),
    ("CAA", b"\x00" + string(b"issue") + b"letsencrypt.org", '0 issue "letsencrypt.org"'),
    ("CAA", b"\x80" + string(b"iodef") + b"", '128 iodef ""'),
]


@pytest.mark.parametrize(("kind", "data", "value"), VALUES)
def test_value_of_each_type(kind: str, data: bytes, value: str) -> None:
    assert read(kind, data) == value


BROKEN = [
    ("SVCB", uint16s(1) + SHARED),  # RFC 9460 section 2.2: not compressed
    ("A", b"\1\2\3"),
    ("A", b"\1\2\3\4\5"),
    ("AAAA", bytes(15)),
    ("AAAA", bytes(17)),
    ("CNAME", b""),
    ("CNAME", SHARED + b"\0"),
    ("CNAME", b"\x03www"),  # would end outside the record
    ("CNAME", b"\xc0"),
    ("MX", b"\x00"),
    ("MX", uint16s(10)),
    ("RP", SHARED),
    ("SRV", uint16s(0, 5)),
    ("SRV", uint16s(0, 5, 80) + SHARED + b"\0"),
    ("SOA", bytes(19)),
    ("SOA", bytes(21)),
    ("SOA", bytes(23)),
    ("HINFO", string(b"one")),
    ("HINFO", string(b"one") * 3),
    ("TXT", b"\x05four"),
    ("TXT", string(b"ok") + b"\x01"),
    ("NAPTR", uint16s(1, 1) + string(b"S") + string(b"SIP")),
    ("URI", uint16s(1, 1)),
    ("CAA", b"\x00"),
    ("CAA", b"\x00" + string(b"")),
    ("CAA", b"\x00" + string(b"is sue")),
    ("CAA", b"\x00\x09issue"),
    ("NSEC", SHARED + b"\x00\x00"),
    ("NSEC", SHARED + b"\x00\x21" + bytes(33)),
    ("NSEC", SHARED + b"\x00\x02\x40"),
    ("NSEC", SHARED + b"\x00"),
    ("NSEC", SHARED + b"\x01\x01\x40\x00\x01\x40"),  # windows out of order
]


@pytest.mark.parametrize(("kind", "data"), BROKEN)
def test_data_that_breaks_its_type_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(ERRORS):
        read(kind, data)


@pytest.mark.parametrize(("kind", "data", "value"), VALUES)
def test_no_reader_looks_beyond_its_record(kind: str, data: bytes, value: str) -> None:
    for size in range(len(data)):
        try:
            assert read(kind, data[:size]) != value or value == '""'
        except ERRORS:
            continue


def test_values_are_bounded_between_their_parts() -> None:
    text = read("TXT", string(b"\xff" * 255) * 200)
    assert len(text) <= VALUE_LIMIT + 4
    assert text.endswith('\\255" ...')
    assert get_strings(text) == (b"\xff" * 255,) * 4  # 1022 characters each
    every_type = b"".join([bytes([window, 32]) + b"\xff" * 32 for window in range(256)])
    assert len(read("NSEC", b"\0" + every_type)) <= VALUE_LIMIT + 4


def test_addresses_that_repeat_are_the_same_text_object() -> None:
    assert read("AAAA", bytes(15) + b"\1") is read("AAAA", bytes(15) + b"\1")


@given(st.lists(st.binary(max_size=60) | st.text(max_size=15).map(str.encode), min_size=1, max_size=8))
def test_strings_come_back_as_they_were(strings: list[bytes]) -> None:
    value = read("TXT", b"".join(map(string, strings)))
    assert value.isprintable()
    assert get_strings(value) == tuple(strings)


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=120))
def test_arbitrary_data_gives_bounded_printable_text_or_an_error(kind: int, data: bytes) -> None:
    buf = bytes(12) + name("example.com") + data
    names: Names = {}
    try:
        value = READERS[kind](buf, 25, len(buf), names)
    except ERRORS:
        return
    assert value.isprintable()
    assert len(value) <= VALUE_LIMIT + 4


@given(st.sampled_from(VALUES), st.data())
def test_mutated_data_gives_printable_text_or_an_error(case: tuple[str, bytes, str], data: st.DataObject) -> None:
    kind, raw, _ = case
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read(kind, bytes(changed)).isprintable()
    except ERRORS:
        return
