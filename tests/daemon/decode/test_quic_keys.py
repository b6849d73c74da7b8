from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.quic_keys import SALTS, V2, initial_keys, open_packet
from tests.daemon.decode.quic_wire import crypto, initial

DCID = bytes.fromhex("8394c8f03e515708")


@pytest.mark.parametrize(
    ("version", "side", "key", "iv"),
    [  # RFC 9001 appendix A.1 and RFC 9369 appendix A.1
        (1, "client", "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c"),
        (1, "server", "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e"),
        (V2, "client", "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f"),
    ],
)
def test_published_keys(version: int, side: str, key: str, iv: str) -> None:
    (salt,) = SALTS[version]
    keys = initial_keys(version, salt, DCID, side)
    assert (keys.key.hex(), f"{keys.nonce:024x}") == (key, iv)


PACKET = initial(crypto(0, b"handshake bytes"), DCID, number=2, size=300)
KEYS = initial_keys(1, SALTS[1][0], DCID, "client")
NUMBER = 18  # first byte, version, two ids, no token, length of two bytes


def test_a_whole_packet_is_verified() -> None:
    assert open_packet(KEYS, PACKET, NUMBER, len(PACKET)).startswith(crypto(0, b"handshake bytes"))
    for at in (0, 7, NUMBER, NUMBER + 30, len(PACKET) - 1):
        flipped = PACKET[:at] + bytes([PACKET[at] ^ 1]) + PACKET[at + 1 :]
        with pytest.raises(DecodeError):
            open_packet(KEYS, flipped, NUMBER, len(PACKET))


def test_a_cut_packet_gives_the_same_plaintext_as_far_as_it_goes() -> None:
    whole = open_packet(KEYS, PACKET, NUMBER, len(PACKET))
    part = open_packet(KEYS, PACKET[:120], NUMBER, len(PACKET))
    assert whole.startswith(part)
    assert len(part) == 120 - NUMBER - 4


@given(st.binary(max_size=80), st.integers(0, 90), st.integers(0, 90))
def test_arbitrary_packets_raise_nothing_else(packet: bytes, number: int, end: int) -> None:
    with suppress(DecodeError):
        open_packet(KEYS, b"\xc0" + packet, number, end)
