from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.quic_keys import CLIENTS, NATIVE, SALTS, V2, Keys, initial_keys, open_packet
from tests.daemon.decode.quic_wire import crypto, initial

if NATIVE:
    from daemon.decode import _quic

ways = pytest.mark.parametrize("native", [False, *([True] if NATIVE else [])])
DCID = bytes.fromhex("8394c8f03e515708")


@pytest.mark.parametrize(
    ("version", "side", "key", "iv"),
    [  # RFC 9001 appendix A.1 and RFC 9369 appendix A.1
        (1, "client", "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c"),
        (1, "server", "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e"),
        (V2, "client", "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f"),
    ],
)
@ways
def test_published_keys(native: bool, version: int, side: str, key: str, iv: str) -> None:
    (salt,) = SALTS[version]
    keys = initial_keys(version, salt, DCID, side, native=native)
    assert (keys.key.hex(), f"{keys.nonce:024x}") == (key, iv)


PACKET = initial(crypto(0, b"handshake bytes"), DCID, number=2, size=300)
NUMBER = 18  # first byte, version, two ids, no token, length of two bytes


def made(native: bool, dcid: bytes = DCID) -> Keys:
    return initial_keys(1, SALTS[1][0], dcid, "client", native=native)


@ways
def test_a_whole_packet_is_verified(native: bool) -> None:
    keys = made(native)
    assert open_packet(keys, PACKET, NUMBER, len(PACKET)).startswith(crypto(0, b"handshake bytes"))
    for at in (0, 7, NUMBER, NUMBER + 30, len(PACKET) - 1):
        flipped = PACKET[:at] + bytes([PACKET[at] ^ 1]) + PACKET[at + 1 :]
        with pytest.raises(DecodeError):
            open_packet(keys, flipped, NUMBER, len(PACKET))


@ways
def test_a_cut_packet_gives_the_same_plaintext_as_far_as_it_goes(native: bool) -> None:
    whole = open_packet(made(native), PACKET, NUMBER, len(PACKET))
    part = open_packet(made(native), PACKET[:120], NUMBER, len(PACKET))
    assert whole.startswith(part)
    assert len(part) == 120 - NUMBER - 4


@ways
@given(packet=st.binary(max_size=80), number=st.integers(0, 90), end=st.integers(0, 90))
def test_arbitrary_packets_raise_nothing_else(native: bool, packet: bytes, number: int, end: int) -> None:
    with suppress(DecodeError):
        open_packet(made(native), b"\xc0" + packet, number, end)


@pytest.mark.skipif(not NATIVE, reason="not built here")
@given(st.binary(max_size=80), st.sampled_from(sorted(SALTS)), st.sampled_from(["client", "server"]))
def test_both_derive_the_same_keys(dcid: bytes, version: int, side: str) -> None:
    for salt in SALTS[version]:
        one, other = (initial_keys(version, salt, dcid, side, native=native) for native in (True, False))
        assert one[:3] == other[:3]


@pytest.mark.skipif(not NATIVE, reason="not built here")
@given(st.binary(max_size=20), st.integers(0, 255), st.integers(40, 1500), st.data())
def test_both_open_the_same_packets(dcid: bytes, number: int, size: int, data: st.DataObject) -> None:
    packet = bytearray(initial(crypto(0, b"some bytes"), dcid, number=number, size=size))
    at = NUMBER - len(DCID) + len(dcid)
    if data.draw(st.booleans()):
        packet[data.draw(st.integers(0, len(packet) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    said = []
    for native in (True, False):
        try:
            said.append(open_packet(made(native, dcid), bytes(packet), at, len(packet)))
        except DecodeError:
            said.append(b"")
    assert said[0] == said[1]


@pytest.mark.skipif(not NATIVE, reason="not built here")
@given(st.binary(max_size=80), st.integers(0, 255), st.integers(40, 1500), st.data())
def test_a_processors_own_instructions_change_nothing(dcid: bytes, number: int, size: int, data: st.DataObject) -> None:
    """Where it has none, both are the same code."""
    packet = bytearray(initial(crypto(0, b"some bytes"), dcid[:20], number=number, size=size))
    if data.draw(st.booleans()):
        packet[data.draw(st.integers(0, len(packet) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    at = NUMBER - len(DCID) + len(dcid[:20])
    for rule in CLIENTS.values():
        usual, portable = (_quic.keys(rule[0], dcid, rule[1], portable) for portable in (False, True))
        assert usual[:44] == portable[:44]
    salt, labels = CLIENTS[1]
    opened = [
        _quic.open_packet(_quic.keys(salt, dcid[:20], labels, portable), bytes(packet), at, len(packet))
        for portable in (False, True)
    ]
    assert opened[0] == opened[1]


@pytest.mark.skipif(not NATIVE, reason="not built here")
def test_wrong_arguments_are_refused() -> None:
    keys = made(native=True).native
    assert keys is not None
    for arguments in [(keys[1:], PACKET, NUMBER, 300), (keys, PACKET, 0, 300), (keys, PACKET, NUMBER, 301),
                      (keys, PACKET, 290, 300), (keys, PACKET, -1, 20), (keys, b"", 1, 30)]:  # fmt: skip
        with pytest.raises(ValueError, match="no keys, or no whole packet"):
            _quic.open_packet(*arguments)
    with pytest.raises(ValueError, match="64 bytes"):
        _quic.keys(bytes(65), DCID, (b"", b"", b"", b""))
