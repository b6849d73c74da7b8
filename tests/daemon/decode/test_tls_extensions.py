from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import tls_extensions as ext
from daemon.decode.cursor import DecodeError
from tests.daemon.decode.hellos import alpn, codes, extension, sni, vector, versions


def test_a_block_in_order_with_the_first_of_each_type() -> None:
    block = vector(2, extension(0x5555, b"x") + sni(b"a.example") + alpn(b"h2") + sni(b"b.example"))
    bodies, order, whole = ext.parse_extensions(b"..." + block, 3, 3 + len(block))
    assert (order, whole) == ([0x5555, 0, 16, 0], True)
    assert bodies == {0: sni(b"a.example")[4:], 16: alpn(b"h2")[4:]}


def test_no_block_is_a_whole_one() -> None:
    assert ext.parse_extensions(b"abc", 3, 3) == ext.Extensions({}, [], whole=True)
    assert ext.parse_extensions(b"abc\0", 3, 4) == ext.Extensions({}, [], whole=False)


def test_every_cut_of_a_block_is_noticed_and_keeps_what_came_before() -> None:
    block = vector(2, sni(b"a.example") + alpn(b"h2"))
    for end in range(1, len(block)):
        bodies, order, whole = ext.parse_extensions(block[:end], 0, end)
        assert not whole
        assert order in ([], [0], [0, 16])
        assert sni(b"a.example")[4:].startswith(bodies.get(0, b""))
        assert alpn(b"h2")[4:].startswith(bodies.get(16, b""))


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (versions(0x0303, 0x0302)[4:], 0x0303),
        (versions(0x7F17, 0x0304, 0x0303)[4:], 0x0304),
        (versions(0x0A0A, 0xFAFA)[4:], -1),
        (versions(0xFEFD, 0xFEFF)[4:], 0xFEFD),
        (versions(0xFEFD, 0xFEFC)[4:], 0xFEFC),
        (b"\x03\x03\x04\x03", 0x0304),
        (b"", -1),
    ],
)
def test_highest_version(body: bytes, version: int) -> None:
    assert ext.highest_version(body) == version


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0300, "SSL3.0"),
        (0x0304, "TLS1.3"),
        (0xFEFD, "DTLS1.2"),
        (0x7F1C, "TLS1.3-draft28"),
        (0x1234, "0x1234"),
        (-1, ""),
    ],
)
def test_version_name(code: int, name: str) -> None:
    assert ext.version_name(code) == name


def test_protocol_names_stop_at_a_break_and_at_the_bound() -> None:
    assert ext.protocol_names(alpn(b"h2", b"", b"h3")[4:]) == [b"h2", b"", b"h3"]
    assert ext.protocol_names(alpn(b"h2", b"h3")[4:-1]) == [b"h2"]
    assert len(ext.protocol_names(alpn(*[b"x"] * 99)[4:])) == ext.MAX_PROTOCOLS


@given(st.binary(max_size=200), st.booleans())
def test_arbitrary_bytes_raise_nothing_else(buf: bytes, cut: bool) -> None:
    bodies, order, _ = ext.parse_extensions(codes(len(buf)) + buf, 0, 2 + len(buf))
    assert len(bodies) <= len(order) <= len(buf) // 4
    ext.protocol_names(buf)
    ext.highest_version(buf)
    with suppress(DecodeError):
        name = ext.server_name(buf, cut=cut)
        assert name is None or name.isascii()
