from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.quic_packet import is_client_initial, open_initial, parse_frames, parse_headers
from tests.daemon.decode.hellos import vector
from tests.daemon.decode.quic_wire import V1, V2, crypto, initial, varint

RFC_DCID = bytes.fromhex("8394c8f03e515708")


def test_rfc9001_server_initial() -> None:
    # Appendix A.3, byte for byte.
    packet = bytes.fromhex(
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb3"
        "8cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84"
        "022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee"
    )
    (header,) = parse_headers(packet)
    opened = open_initial(packet, header, RFC_DCID, "server")
    assert (opened.version, opened.scid) == (V1, bytes.fromhex("f067a5502a4262b5"))
    ((offset, data),) = opened.fragments
    assert (offset, data[:6]) == (0, bytes.fromhex("020000560303"))


def test_headers_of_coalesced_packets() -> None:
    handshake = b"\xe0" + V1.to_bytes(4, "big") + vector(1, b"id") + vector(1, b"me") + varint(30) + bytes(30)
    first = initial(b"\x01", b"id", scid=b"me", token=b"token", size=100)
    second = initial(b"\x01", b"id", size=80)
    found = parse_headers(first + handshake + second + bytes(9))
    assert [(header.scid, header.token) for header in found] == [(b"me", b"token"), (b"", b"")]
    assert found[0].end == len(first)
    assert found[1].start == len(first) + len(handshake)


def test_a_retry_ends_the_walk() -> None:
    for version, first in ((V1, 0xF0), (V2, 0xC0)):
        retry = bytes([first]) + version.to_bytes(4, "big") + vector(1, b"id") + vector(1, b"me") + bytes(40)
        with pytest.raises(DecodeError):
            parse_headers(retry)
        packet = initial(b"\x01", version=version)
        assert len(parse_headers(packet + retry + packet)) == 1


@pytest.mark.parametrize(
    ("value", "wire"),
    [  # RFC 9000 appendix A.1
        (151288809941952652, "c2197c5eff14e88c"),
        (494878333, "9d7f3e7d"),
        (15293, "7bbd"),
        (37, "25"),
        (37, "4025"),
    ],
)
def test_integers_of_every_width(value: int, wire: str) -> None:
    assert parse_frames(b"\x06" + bytes.fromhex(wire) + b"\x02ab") == ((value, b"ab"),)


@pytest.mark.parametrize(
    "frames",
    [
        b"\x08\x00data",  # STREAM has no place in an Initial: RFC 9000 section 12.4
        b"\x06\x00\x50\x00short",
        b"\x02\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00",
        b"\x06",
        b"".join(crypto(n, b"x") for n in range(257)),
    ],
)
def test_frames_that_are_refused(frames: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_frames(frames)


def test_acknowledgements_are_stepped_over_to_the_byte() -> None:
    plain = b"\x02\x44\x00\x08\x01\x08\x08\x08" + b"\x03\x08\x08\x00\x08\x08\x08\x08"
    assert parse_frames(plain + crypto(9, b"behind")) == ((9, b"behind"),)


def test_connection_close_ends_the_frames() -> None:
    assert parse_frames(crypto(3, b"abc") + b"\x1c\x00\x00\x05gone!") == ((3, b"abc"),)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (initial(b"\x01"), True),
        (initial(b"\x01", version=V2), True),
        (b"", False),
        (b"\xc0\x00\x00\x00\x00\x00\x00", False),  # version negotiation
        (b"\xe0" + initial(b"\x01")[1:], False),  # Handshake
        (b"\x40" + initial(b"\x01")[1:], False),  # short header
        (b"\xc0\x00\x00\x00\x01\x15" + bytes(40), False),  # connection id of 21 bytes
    ],
)
def test_is_client_initial(datagram: bytes, expected: bool) -> None:
    assert is_client_initial(datagram) is expected


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_bytes_raise_nothing_else(buf: bytes, cut: bool) -> None:
    with suppress(DecodeError):
        for offset, data in parse_frames(buf, cut=cut):
            assert offset >= 0
            assert data in buf
    for head in (b"", b"\xc0\0\0\0\1", b"\xd0\x6b\x33\x43\xcf\x08original\0\0"):
        with suppress(DecodeError):
            for header in parse_headers(head + buf):
                with suppress(DecodeError):
                    open_initial(head + buf, header, header.dcid)
