from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.signatures import looks_like_rtp, recognise_tcp, recognise_udp, recognise_udp_pair
from tests.daemon.decode import test_dns_shape as dns
from tests.daemon.decode import test_signatures_udp as udp
from tests.support.hostile import hostile

VALID_UDP = [
    *(dns.QUERY, dns.ANSWER, udp.QUIC_V1, udp.WIREGUARD_START, udp.IKE, udp.NTP, udp.DHCP, udp.TUYA),
    udp.RECEIVER_REPORT + udp.DESCRIPTION,
]
VALID_TCP = [
    *(
        b"\x16\x03\x01\x00\x20\x01" + bytes(31),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c",
    ),
    *(b"220 a ESMTP\r\n", b"\xff\xfd\x18\xff\xfb\x01", b"\x05\x01\x00", len(dns.QUERY).to_bytes(2, "big") + dns.QUERY),
]


def rtp(sequence: int, timestamp: int, ssrc: int = 0x11223344, kind: int = 111, first: int = 0x80) -> bytes:
    numbers = sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + ssrc.to_bytes(4, "big")
    return bytes([first, kind]) + numbers + b"sound" * 30


def test_two_packets_of_one_stream_are_rtp() -> None:
    assert recognise_udp_pair(rtp(1, 960), rtp(2, 1920)) == "rtp"
    assert recognise_udp_pair(rtp(0xFFFF, 0xFFFFFF00), rtp(0, 0x100)) == "rtp"  # both counters wrap
    assert recognise_udp_pair(rtp(1, 960, kind=0x80 | 111), rtp(2, 1920)) == "rtp"  # the marker bit may differ


@pytest.mark.parametrize(
    "second",
    [
        rtp(1, 960),  # the same number again
        rtp(9, 1920),
        rtp(2, 1920, ssrc=0x55667788),
        rtp(2, 1920, kind=96),
        rtp(2, 0x7FFFFFFF),
        rtp(2, 1920, first=0x40),
        b"",
    ],
)
def test_two_packets_that_do_not_belong_together(second: bytes) -> None:
    assert recognise_udp_pair(rtp(1, 960), second) is None


def test_one_packet_alone_could_be_rtp_but_is_not_claimed() -> None:
    assert looks_like_rtp(rtp(1, 960))
    assert recognise_udp(rtp(1, 960), 50000, 40000) is None
    assert not looks_like_rtp(rtp(1, 960, kind=72))  # RTCP's numbers
    assert not looks_like_rtp(rtp(1, 960, first=0x90)[:20])  # the header extension runs off
    assert not looks_like_rtp(rtp(1, 960)[:12])  # no sound in it


def test_random_bytes_are_hardly_ever_taken_for_a_service() -> None:
    dice = random.Random(4)
    payloads = [dice.randbytes(dice.randrange(1, 200)) for _ in range(4000)]
    claimed = [p for p in payloads if recognise_udp(p, 50000, 40000) or recognise_tcp(p)]
    assert len(claimed) <= 2


def test_nothing_is_no_service() -> None:
    assert recognise_udp(b"", 53, 53) is None
    assert recognise_tcp(b"") is None


PORTS = st.sampled_from(
    [40000, 53, 67, 68, 69, 123, 137, 443, 500, 546, 547, 1900, 3478, 4500, 5353, 5355, 5683, 6667, 9999]
)


@given(hostile([*VALID_UDP, rtp(1, 960)], largest=1400), PORTS, PORTS)
def test_hostile_udp(payload: bytes, source: int, destination: int) -> None:
    name = recognise_udp(payload, source, destination)
    assert name is None or name == name.lower()


@given(hostile(VALID_TCP))
def test_hostile_tcp(payload: bytes) -> None:
    name = recognise_tcp(payload)
    assert name is None or name == name.lower()


@given(st.integers(0, 255), st.binary(max_size=40), PORTS, PORTS)
def test_every_first_byte(first: int, rest: bytes, source: int, destination: int) -> None:
    for size in range(len(rest) + 1):
        payload = bytes([first]) + rest[:size]
        recognise_udp(payload, source, destination)
        recognise_tcp(payload)


@given(hostile([rtp(1, 960), rtp(2, 1920, first=0x9F)]), hostile([rtp(1, 960), rtp(2, 1920)]))
def test_hostile_pairs(first: bytes, second: bytes) -> None:
    assert recognise_udp_pair(first, second) in (None, "rtp")
