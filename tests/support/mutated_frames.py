"""Frames of every shape, and what becomes of them when bytes are changed or cut off."""

from __future__ import annotations

from hypothesis import strategies as st

from daemon.decode.packet import UDP
from tests.support.packets import (
    ACK,
    HOST6,
    PSH,
    SERVER6,
    ethernet,
    ext_fragment,
    ext_options,
    fragments4,
    fragments6,
    ipv4,
    ipv6,
    pppoe,
    tcp,
    tcp_frame,
    udp,
    udp_frame,
    vlan,
)

SEGMENT = tcp(b"hello", 40000, 443, seq=7, flags=PSH | ACK)
DATAGRAM = udp(b"question", 40000, 53)

SEEDS = [
    tcp_frame(b"hello"),
    udp_frame(b"hello", HOST6, SERVER6),
    ethernet(vlan(pppoe(ipv4(DATAGRAM)), 3, 0x8864), ethertype=0x8100),
    ethernet(ipv6(DATAGRAM, extensions=[(0, ext_options(8)), (51, b"\0\4" + bytes(22)), ext_fragment(0, more=True)])),
    udp_frame(b"\x08\0\0\0\0\0\x01\0" + udp_frame(b"in"), dport=4789),
    ethernet(ipv4(b"\x30\1\x88\x0b\0\0\0\0\0\0\0\0\xff\x03\0\x21" + ipv4(SEGMENT, proto=6), proto=47)),
    *(ethernet(part) for part in fragments4(ipv4(udp(b"f" * 60)), 24)),
    *(ethernet(part) for part in fragments6(udp(b"f" * 60), UDP, 24)),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    frame = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))])
