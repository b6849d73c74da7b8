from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.links import IPV4, IPV6, LINK_NAMES, MAX_SHIMS, PPP, PPPOE_SESSION, SUPPORTED, VLAN, parse_link
from daemon.decode.packet import NO_MAC, TUNNELS
from tests.support.packets import (
    ARP,
    HOST_MAC,
    MPLS,
    PPPOE,
    QINQ,
    ROUTER_MAC,
    arp,
    ethernet,
    ieee8023,
    ipv4,
    ipv6,
    llc_snap,
    mac_int,
    mpls,
    pppoe,
    sll,
    sll2,
    udp,
    vlan,
)

PACKET4 = ipv4(udp(b"four"))
PACKET6 = ipv6(udp(b"six"))
ETHERNET = 1


@pytest.mark.parametrize(
    ("link", "frame", "ethertype", "packet"),
    [
        (1, ethernet(PACKET4), IPV4, PACKET4),
        (1, ethernet(PACKET6), IPV6, PACKET6),
        (0, b"\2\0\0\0" + PACKET4, IPV4, PACKET4),
        (0, b"\0\0\0\2" + PACKET4, IPV4, PACKET4),
        (0, b"\x1e\0\0\0" + PACKET6, IPV6, PACKET6),
        (0, b"\0\0\0\x18" + PACKET6, IPV6, PACKET6),
        (108, b"\0\0\0\x1c" + PACKET6, IPV6, PACKET6),
        (101, PACKET4, IPV4, PACKET4),
        (12, PACKET6, IPV6, PACKET6),
        (14, PACKET4, IPV4, PACKET4),
        (228, PACKET4, IPV4, PACKET4),
        (229, PACKET6, IPV6, PACKET6),
        (113, sll(PACKET4), IPV4, PACKET4),
        (113, sll(vlan(PACKET6), ethertype=VLAN), IPV6, PACKET6),
        (276, sll2(PACKET6), IPV6, PACKET6),
        (9, b"\xff\x03\x00\x21" + PACKET4, IPV4, PACKET4),
        (9, b"\x00\x57" + PACKET6, IPV6, PACKET6),
        (9, b"\x21" + PACKET4, IPV4, PACKET4),
        (50, b"\xff\x03\x21" + PACKET4, IPV4, PACKET4),
        (51, pppoe(PACKET4), IPV4, PACKET4),
        (104, b"\x0f\0\x08\0" + PACKET4, IPV4, PACKET4),
    ],
)
def test_each_link_type_leads_to_its_packet(link: int, frame: bytes, ethertype: int, packet: bytes) -> None:
    found = parse_link(frame, link)
    assert found is not None
    assert (found.ethertype, found.data) == (ethertype, packet)


@pytest.mark.parametrize(
    ("frame", "tunnel"),
    [
        (ethernet(vlan(PACKET4), ethertype=VLAN), ""),
        (ethernet(vlan(vlan(PACKET4, 20), 10, VLAN), ethertype=QINQ), ""),
        (ethernet(vlan(vlan(PACKET4, 20), 10, VLAN), ethertype=0x9100), ""),
        (ethernet(pppoe(PACKET4), ethertype=PPPOE), ""),
        (ethernet(vlan(pppoe(PACKET4), 7, PPPOE), ethertype=VLAN), ""),
        (ethernet(mpls(PACKET4, (16,)), ethertype=MPLS), "mpls"),
        (ethernet(mpls(PACKET4, (16, 17, 18)), ethertype=0x8848), "mpls"),
        (ethernet(vlan(mpls(PACKET4), 7, MPLS), ethertype=VLAN), "mpls"),
        (ieee8023(llc_snap(PACKET4)), ""),
        (ieee8023(llc_snap(PACKET4, oui=0xF8)), ""),
        (ethernet(vlan(llc_snap(PACKET4), 7, len(PACKET4) + 8), ethertype=VLAN), ""),
    ],
)
def test_tags_and_shims_are_taken_off(frame: bytes, tunnel: str) -> None:
    found = parse_link(frame, ETHERNET)
    assert found is not None
    assert (found.ethertype, found.data[: len(PACKET4)], TUNNELS[found.tunnel]) == (IPV4, PACKET4, tunnel)
    assert (found.src_mac, found.dst_mac) == (mac_int(HOST_MAC), mac_int(ROUTER_MAC))


def test_as_many_tags_as_the_limit_and_no_more() -> None:
    body = PACKET4
    for depth in range(MAX_SHIMS + 1):
        found = parse_link(ethernet(body, ethertype=VLAN if depth else IPV4), ETHERNET)
        assert found is not None
        assert found.ethertype == IPV4
        body = vlan(body, depth, VLAN if depth else IPV4)
    found = parse_link(ethernet(body, ethertype=VLAN), ETHERNET)
    assert found is not None
    assert found.ethertype == VLAN


@pytest.mark.parametrize(
    ("frame", "ethertype", "payload"),
    [
        (ethernet(arp(), ethertype=ARP), ARP, arp()),
        (ethernet(vlan(arp(), 5, ARP), ethertype=VLAN), ARP, arp()),
        (ethernet(b"\x11\x09\0\0\0\0", ethertype=0x8863), 0x8863, b"\x11\x09\0\0\0\0"),  # PPPoE discovery
        (ethernet(pppoe(b"\1\1\0\4", 0xC021), ethertype=PPPOE), PPPOE_SESSION, pppoe(b"\1\1\0\4", 0xC021)),  # LCP
        (ethernet(b"\0", ethertype=VLAN), VLAN, b"\0"),
        (ethernet(b"\0\0\1", ethertype=MPLS), MPLS, b"\0\0\1"),
        (ethernet(b"\0\0\0\0" * 40, ethertype=MPLS), MPLS, b"\0\0\0\0" * 40),  # no bottom of stack
        (ethernet(b"\0\0\1\0\0\0\0\0", ethertype=MPLS), MPLS, b"\0\0\1\0\0\0\0\0"),  # a pseudowire
        (ieee8023(b"\x42\x42\x03" + b"\0" * 35), 0, b"\x42\x42\x03" + b"\0" * 35),  # spanning tree
        (ieee8023(llc_snap(b"cdp", 0x2000, oui=0x0C)), 0, llc_snap(b"cdp", 0x2000, oui=0x0C)),
    ],
)
def test_frame_without_ip_counts_under_its_ethertype(frame: bytes, ethertype: int, payload: bytes) -> None:
    found = parse_link(frame, ETHERNET)
    assert found is not None
    assert (found.ethertype, found.data) == (ethertype, payload)


def test_pppoe_length_bounds_the_packet() -> None:
    found = parse_link(ethernet(pppoe(PACKET4) + b"\0" * 9, ethertype=PPPOE), ETHERNET)
    assert found is not None
    assert found.data == PACKET4


def test_ppp_control_protocols_are_frames() -> None:
    assert parse_link(b"\xff\x03\xc0\x21\1\1\0\4", 9) == (PPP, b"\xff\x03\xc0\x21\1\1\0\4", NO_MAC, NO_MAC, 0)


def test_cooked_capture_has_the_sender_only_and_only_on_ethernet() -> None:
    for build, link in ((sll, 113), (sll2, 276)):
        found = parse_link(build(PACKET4), link)
        assert found is not None
        assert (found.src_mac, found.dst_mac) == (mac_int(HOST_MAC), NO_MAC)
        for arphrd in (772, 512, 65534):  # loopback, PPP, none
            found = parse_link(build(PACKET4, arphrd=arphrd), link)
            assert found is not None
            assert found.src_mac == NO_MAC


def test_cooked_llc_and_what_is_no_network() -> None:
    found = parse_link(sll(llc_snap(PACKET4), ethertype=4), 113)
    assert found is not None
    assert (found.ethertype, found.data) == (IPV4, PACKET4)
    assert parse_link(sll(b"\0" * 8, ethertype=0x000C), 113) is None  # CAN


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (1, ethernet(PACKET4)[:13]),
        (113, sll(PACKET4)[:15]),
        (276, sll2(PACKET4)[:19]),
        (0, b"\2\0\0"),
        (0, b"\7\0\0\0" + PACKET4),
        (101, b""),
        (101, b"\x50" + PACKET4),
        (104, b"\x0f\0\x08"),
        (105, PACKET4),
        (147, PACKET4),
    ],
)
def test_cut_or_unsupported_link_is_nothing(link: int, frame: bytes) -> None:
    assert parse_link(frame, link) is None


def test_names_cover_what_is_supported_and_well_known() -> None:
    assert LINK_NAMES[105] == "IEEE802_11"
    assert LINK_NAMES[127] == "IEEE802_11_RADIOTAP"
    assert (LINK_NAMES[147], LINK_NAMES[162]) == ("USER0", "USER15")
    assert LINK_NAMES.items() >= SUPPORTED.items()
    for link in SUPPORTED:
        parse_link(b"", link)


@given(
    st.sampled_from(sorted(SUPPORTED)),
    st.lists(st.sampled_from([IPV4, VLAN, QINQ, MPLS, PPPOE, ARP, 40, 0]), max_size=12),
    st.binary(max_size=200),
)
def test_any_stack_of_shims_stays_within_the_frame(link: int, kinds: list[int], tail: bytes) -> None:
    frame = b"\2" * 12 + b"".join(struct.pack("!HH", kind, 0x1100) for kind in kinds) + tail
    found = parse_link(frame, link)
    assert found is None or found.data in frame
