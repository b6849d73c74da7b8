from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.links import IPV4, IPV6
from daemon.decode.packet import GRE, TCP, TUNNELS, UDP
from daemon.decode.tunnels import TUNNEL_PORTS, TUNNEL_PROTOCOLS, Inner, enter
from tests.support.packets import ARP, VLAN, arp, ethernet, ipv4, ipv6, udp, vlan

FOUR = ipv4(udp(b"inside"))
SIX = ipv6(udp(b"inside"))


def gre(flags: int, protocol: int, options: bytes, body: bytes) -> bytes:
    return struct.pack("!HH", flags, protocol) + options + body


def gtp(body: bytes, flags: int = 0x30, options: bytes = b"", kind: int = 0xFF) -> bytes:
    return struct.pack("!BBHI", flags, kind, len(options + body), 1) + options + body


VXLAN = b"\x08\0\0\0\0\0\x01\0"
TEREDO_AUTH = b"\0\1\2\3" + b"id" + b"key" + b"nonce 8B" + b"\0"
TEREDO_ORIGIN = b"\0\0" + b"\x12\x34" + b"\1\2\3\4"
W4 = b"\0\0\0\1"  # a word of GRE options


@pytest.mark.parametrize(
    ("version", "protocol", "port", "payload", "tunnel", "packet"),
    [
        (4, 41, 0, SIX, "6in4", SIX),
        (6, 4, 0, FOUR, "4in6", FOUR),
        (4, 4, 0, FOUR, "ipip", FOUR),
        (6, 41, 0, SIX, "ipip", SIX),
        (4, GRE, 0, gre(0, 0x0800, b"", FOUR), "gre", FOUR),
        (6, GRE, 0, gre(0, 0x86DD, b"", SIX), "gre", SIX),
        (4, GRE, 0, gre(0xB000, 0x0800, W4 * 3, FOUR), "gre", FOUR),
        (4, GRE, 0, gre(0x2000, 0x6558, W4, ethernet(FOUR)), "gre", FOUR),
        (4, GRE, 0, gre(0, 0x6558, b"", ethernet(vlan(SIX), ethertype=VLAN)), "gre", SIX),
        (4, GRE, 0, gre(0, 0x88BE, b"", ethernet(FOUR)), "erspan", FOUR),
        (4, GRE, 0, gre(0x1000, 0x88BE, W4, b"\x10\1\0\0\0\0\0\0" + ethernet(FOUR)), "erspan", FOUR),
        (4, GRE, 0, gre(0x1000, 0x22EB, W4, bytes(12) + ethernet(FOUR)), "erspan", FOUR),
        (4, GRE, 0, gre(0x1000, 0x22EB, W4, bytes(11) + b"\1" + bytes(8) + ethernet(FOUR)), "erspan", FOUR),
        (4, GRE, 0, gre(0x3001, 0x880B, W4 * 2, b"\xff\x03\0\x21" + FOUR), "gre", FOUR),
        (4, GRE, 0, gre(0x3081, 0x880B, W4 * 3, b"\x21" + FOUR), "gre", FOUR),
        (4, UDP, 4789, VXLAN + ethernet(FOUR), "vxlan", FOUR),
        (4, UDP, 8472, VXLAN + ethernet(SIX), "vxlan", SIX),
        (4, UDP, 3544, SIX, "teredo", SIX),
        (4, UDP, 3544, TEREDO_AUTH + SIX, "teredo", SIX),
        (4, UDP, 3544, TEREDO_ORIGIN + SIX, "teredo", SIX),
        (4, UDP, 3544, TEREDO_AUTH + TEREDO_ORIGIN + SIX, "teredo", SIX),
        (4, UDP, 2152, gtp(FOUR), "gtp", FOUR),
        (4, UDP, 2152, gtp(SIX, 0x32, b"\0\7\0\0"), "gtp", SIX),
        (4, UDP, 2152, gtp(FOUR, 0x34, b"\0\0\0\x85\1\0\0\x85\2" + b"\0" * 7), "gtp", FOUR),
        (4, UDP, 1701, b"\0\2\0\1\0\1" + b"\xff\x03\0\x21" + FOUR, "l2tp", FOUR),
        (4, UDP, 1701, b"\x48\2\0\0\0\1\0\1\0\1\0\2" + b"\0\x57" + SIX, "l2tp", SIX),
        (4, UDP, 1701, b"\2\2\0\1\0\1\0\2pp" + b"\0\x21" + FOUR, "l2tp", FOUR),
    ],
)
def test_each_tunnel_leads_to_its_packet(
    version: int, protocol: int, port: int, payload: bytes, tunnel: str, packet: bytes
) -> None:
    expected = Inner(TUNNELS.index(tunnel), IPV4 if packet is FOUR else IPV6, packet)
    for ports in ((40000, port), (port, 40000)):
        assert enter(version, protocol, ports, payload, 0) == expected


@pytest.mark.parametrize(
    ("protocol", "port", "payload"),
    [
        (TCP, 4789, VXLAN + ethernet(FOUR)),
        (UDP, 5000, VXLAN + ethernet(FOUR)),
        (UDP, 4789, b"\0" * 8 + ethernet(FOUR)),  # I flag clear
        (UDP, 4789, VXLAN + ethernet(arp(), ethertype=ARP)),
        (UDP, 4789, VXLAN),
        (UDP, 3544, FOUR),
        (UDP, 3544, b"\0\1\xff\xff" + SIX),
        (UDP, 2152, gtp(FOUR, kind=1)),  # echo request
        (UDP, 2152, gtp(FOUR, 0x50)),
        (UDP, 2152, gtp(FOUR, 0x34, b"\0\0\0\x85\0\0\0\0")),  # an extension of length 0
        (UDP, 2152, gtp(b"", 0x34, b"\0\0\0\x85" + b"\1\0\0\x85" * 40)),
        (UDP, 1701, b"\x80\2\0\1\0\1\0\x21" + FOUR),  # a control message
        (GRE, 0, gre(0x4000, 0x0800, W4, FOUR)),
        (GRE, 0, gre(0x0002, 0x0800, b"", FOUR)),
        (GRE, 0, gre(0, 0, b"", b"")),  # keepalive
        (GRE, 0, gre(0x2001, 0x0800, W4, FOUR)),
        (GRE, 0, gre(0x3001, 0x880B, W4 * 2, b"\0\xfd" + FOUR)),  # MPPE
        (GRE, 0, b"\0\0\x08"),
        (41, 0, FOUR),
        (4, 0, SIX),
        (4, 0, FOUR[:19]),
        (4, 0, FOUR[:-1]),  # longer than what carries it
        (41, 0, SIX[:-1]),
        (4, 0, b"\x44" + FOUR[1:]),
        (50, 0, FOUR),
    ],
)
def test_what_is_no_tunnel_stays_with_the_outer_flow(protocol: int, port: int, payload: bytes) -> None:
    assert enter(4, protocol, (40000, port), payload, 0) is None


def test_snaplen_cut_inner_packet_is_still_one() -> None:
    assert enter(4, 4, (-1, -1), FOUR[:24], len(FOUR) - 24) == Inner(TUNNELS.index("ipip"), IPV4, FOUR[:24])


def test_tables_for_the_columnar_path() -> None:
    assert frozenset((4, 41, 47)) == TUNNEL_PROTOCOLS
    assert {2152, 3544, 4789, 8472} <= TUNNEL_PORTS


@given(
    st.sampled_from([4, 6]),
    st.one_of(
        st.tuples(st.sampled_from([4, 41, 47]), st.just(-1)),
        st.tuples(st.just(UDP), st.sampled_from(sorted(TUNNEL_PORTS))),
    ),
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda head, packet, cut: (head + packet)[:cut],
            st.one_of(st.binary(max_size=16), st.sampled_from([gtp(b"", 0x34), gre(0x1000, 0x88BE, W4, b""), VXLAN])),
            st.sampled_from([FOUR, SIX, ethernet(FOUR)]),
            st.integers(0, 100),
        ),
    ),
)
def test_any_bytes_give_a_packet_within_them_or_nothing(version: int, outer: tuple[int, int], payload: bytes) -> None:
    protocol, port = outer
    inner = enter(version, protocol, (port, port), payload, 0)
    assert inner is None or payload.endswith(inner.packet)
