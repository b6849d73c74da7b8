from __future__ import annotations

import struct

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.fragments import Fragments
from daemon.decode.links import SUPPORTED
from daemon.decode.packet import FRAME, ICMP, ICMPV6, IP, NO_MAC, NO_PORT, TCP, TUNNELS, UDP, UNDECODED, Packet
from daemon.decode.slow import EXTENSION_HEADERS, MAX_TUNNELS, decode_frame
from tests.support.mutated_frames import SEEDS, mutated
from tests.support.packets import (
    ACK,
    ARP,
    HOST,
    HOST6,
    HOST_MAC,
    PSH,
    ROUTER_MAC,
    SERVER,
    SERVER6,
    SYN,
    Conversation,
    address,
    arp,
    ethernet,
    ext_fragment,
    ext_options,
    fragments4,
    fragments6,
    icmp,
    ipv4,
    ipv6,
    mac_int,
    sll,
    tcp,
    tcp_frame,
    udp,
    udp_frame,
)

ETHERNET, RAW = 1, 101
SEGMENT = tcp(b"hello", 40000, 443, seq=7, flags=PSH | ACK)
DATAGRAM = udp(b"question", 40000, 53)


def decode(frame: bytes, wire: int | None = None, link: int = ETHERNET, fragments: Fragments | None = None) -> Packet:
    return decode_frame(frame, len(frame) if wire is None else wire, link, 0, fragments or Fragments())


def raw(packet: bytes, wire: int | None = None) -> Packet:
    return decode(packet, wire, RAW)


def ports(packet: Packet) -> tuple[int, int]:
    return packet.source_port, packet.destination_port


# --- whole packets


def test_tcp_over_ethernet_says_everything() -> None:
    frame = tcp_frame(b"hello", HOST, SERVER, 40000, 443, seq=4_000_000_000, flags=PSH | ACK)
    assert decode(frame) == Packet(
        IP, mac_int(HOST_MAC), mac_int(ROUTER_MAC), 0, 4, TCP, address(HOST), address(SERVER), 40000, 443,
        PSH | ACK, 4_000_000_000, b"hello", 0, 0, False,  # noqa: FBT003  the last field of a whole Packet
    )  # fmt: skip


def test_udp_over_ipv6_says_everything() -> None:
    assert decode(udp_frame(b"question", HOST6, SERVER6)) == Packet(
        IP,
        mac_int(HOST_MAC),
        mac_int(ROUTER_MAC),
        ip_version=6,
        protocol=UDP,
        source=address(HOST6),
        destination=address(SERVER6),
        source_port=40000,
        destination_port=53,
        payload=b"question",
    )


def test_a_connection_agrees_with_dpkt() -> None:
    talk = Conversation().open().send(b"a" * 4000).reply(b"b" * 3000).close()
    for _, frame in talk.frames:
        packet, other = decode(frame), dpkt.ethernet.Ethernet(frame)
        segment = other.data.data
        assert (packet.source, packet.destination, ports(packet)) == (
            other.data.src,
            other.data.dst,
            (segment.sport, segment.dport),
        )
        assert (packet.tcp_seq, packet.tcp_flags, packet.payload) == (segment.seq, segment.flags, segment.data)


def test_frame_without_ip() -> None:
    expected = Packet(FRAME, mac_int(HOST_MAC), mac_int(ROUTER_MAC), ARP, payload=arp())
    assert decode(ethernet(arp(), ethertype=ARP)) == expected
    assert decode(ethernet(arp(), ethertype=ARP)[:20], 42) == expected._replace(payload=arp()[:6], missing=22)


def test_icmp_payload_includes_its_header_and_quotes_are_not_traffic() -> None:
    error = icmp(3, 1, ipv4(SEGMENT))
    packet = raw(ipv4(error, proto=ICMP))
    assert (packet.protocol, ports(packet), packet.payload) == (ICMP, (NO_PORT, NO_PORT), error)
    error = icmp(1, 0, ipv6(SEGMENT, next_header=6))
    packet = raw(ipv6(error, next_header=ICMPV6))
    assert (packet.protocol, ports(packet), packet.payload) == (ICMPV6, (NO_PORT, NO_PORT), error)


# --- lengths


def test_padding_is_not_payload() -> None:
    assert decode(ethernet(ipv4(udp(b"x")), pad=True)).payload == b"x"
    assert decode(ethernet(ipv6(tcp(b""), next_header=6)) + b"\0" * 20).payload == b""


def test_snaplen_cut_is_missing_not_shorter() -> None:
    frame = tcp_frame(b"0123456789")
    packet = decode(frame[:-4], len(frame))
    assert (packet.payload, packet.missing) == (b"012345", 4)


@pytest.mark.parametrize(
    ("captured", "expected_ports", "flags", "missing"),
    [
        (0, (NO_PORT, NO_PORT), 0, 10),
        (3, (NO_PORT, NO_PORT), 0, 10),
        (4, (40000, 443), 0, 10),
        (19, (40000, 443), 0, 10),
        (20, (40000, 443), PSH | ACK, 6),
        (24, (40000, 443), PSH | ACK, 6),
    ],
)
def test_cut_tcp_header(captured: int, expected_ports: tuple[int, int], flags: int, missing: int) -> None:
    whole = ipv4(tcp(b"123456", flags=PSH | ACK, seq=9, options=b"\1" * 4), proto=TCP)
    packet = raw(whole[: 20 + captured], len(whole))
    assert (ports(packet), packet.tcp_flags, packet.missing, packet.payload) == (expected_ports, flags, missing, b"")
    assert packet.tcp_seq == (9 if flags else 0)


@pytest.mark.parametrize("words", [0, 4, 7, 15])
def test_bad_data_offset_keeps_the_ports(words: int) -> None:
    packet = raw(ipv4(tcp(b"hello", flags=SYN, seq=5, offset_words=words), proto=TCP))
    assert (ports(packet), packet.tcp_flags, packet.tcp_seq) == ((40000, 443), SYN, 5)
    assert (packet.payload, packet.missing) == (b"", 0)


@pytest.mark.parametrize(
    ("length", "payload"), [(0, b"question"), (7, b""), (8, b""), (11, b"que"), (16, b"question"), (60000, b"question")]
)
def test_udp_length_is_bounded_by_the_packet(length: int, payload: bytes) -> None:
    packet = raw(ipv4(udp(b"question", length=length)) + b"padding")
    assert (ports(packet), packet.payload, packet.missing) == ((40000, 53), payload, 0)


def test_cut_udp_header() -> None:
    whole = ipv4(DATAGRAM)
    assert ports(raw(whole[:27], len(whole))) == (40000, 53)
    assert raw(whole[:27], len(whole)).missing == 8
    assert ports(raw(whole[:23], len(whole))) == (NO_PORT, NO_PORT)


def test_segmentation_offload_goes_to_the_end_of_the_frame() -> None:
    body = tcp(b"z" * 9000)
    for packet in (ipv4(body, proto=TCP, total=0), ipv6(body, next_header=TCP, length=0)):
        assert raw(packet).payload == b"z" * 9000
        cut = raw(packet[:-1000], len(packet))
        assert (len(cut.payload), cut.missing) == (8000, 1000)
    assert raw(ipv6(udp(b"z" * 90), length=0)).payload == b""
    assert ports(raw(ipv6(udp(b"z" * 90), length=0))) == (NO_PORT, NO_PORT)


def test_jumbogram() -> None:
    body = tcp(b"j" * 70_000)
    option = b"\0\0" + b"\xc2\4" + struct.pack("!I", len(body) + 8)
    packet = raw(ipv6(body, next_header=TCP, extensions=[(0, option)], length=0) + b"padding")
    assert (packet.protocol, ports(packet), len(packet.payload), packet.missing) == (TCP, (40000, 443), 70_000, 0)


def test_ip_options() -> None:
    assert raw(ipv4(DATAGRAM, options=b"\x94\4\0\0" * 10)).payload == b"question"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        ethernet(ipv4(DATAGRAM))[:13],
        ethernet(ipv4(DATAGRAM))[:33],
        ethernet(ipv6(DATAGRAM))[:53],
        ethernet(ipv4(DATAGRAM, options=b"\1" * 8))[:38],
        ethernet(ipv4(DATAGRAM, version=5), ethertype=0x0800),
        ethernet(ipv4(DATAGRAM, header_words=4)),
        ethernet(ipv4(DATAGRAM, total=19)),
        ethernet(ipv6(DATAGRAM), ethertype=0x0800),
        ethernet(ipv4(DATAGRAM), ethertype=0x86DD),
        ethernet(b"", ethertype=0x0800),
    ],
)
def test_broken_or_cut_ip_header_is_undecoded(frame: bytes) -> None:
    assert decode(frame) == Packet(UNDECODED)


def test_link_without_macs_and_unsupported_link() -> None:
    packet = raw(ipv4(DATAGRAM))
    assert (packet.kind, packet.src_mac, packet.dst_mac) == (IP, NO_MAC, NO_MAC)
    assert decode(sll(ipv4(DATAGRAM)), link=113).src_mac == mac_int(HOST_MAC)
    assert decode(ethernet(ipv4(DATAGRAM)), link=105) == Packet(UNDECODED)


# --- extension headers


@pytest.mark.parametrize(
    "extensions",
    [
        [(0, ext_options(8))],
        [(0, ext_options(16)), (43, ext_options(24)), (60, ext_options(8))],
        [(51, b"\0\4" + bytes(22))],
        [(44, ext_fragment(0, more=False)[1])],
        [(44, b"\0\0\0\6" + bytes(4))],  # reserved bits set: still atomic
        [(60, ext_options(2048))],
        [(135, ext_options(16))],
        [(139, ext_options(8)), (140, ext_options(8))],
    ],
)
def test_extension_headers_are_walked(extensions: list[tuple[int, bytes]]) -> None:
    packet = raw(ipv6(DATAGRAM, extensions=extensions))
    assert (packet.protocol, ports(packet), packet.payload) == (UDP, (40000, 53), b"question")
    assert not packet.fragment
    assert all(kind in EXTENSION_HEADERS for kind, _ in extensions)


def test_authentication_header_in_ipv4() -> None:
    packet = raw(ipv4(b"\x11\4" + bytes(22) + DATAGRAM, proto=51))
    assert (packet.protocol, packet.payload) == (UDP, b"question")
    assert raw(ipv4(b"\x11\0" + bytes(22), proto=60)).protocol == 60  # no such chain in IPv4


def test_chain_that_is_cut_keeps_the_addresses() -> None:
    whole = ipv6(DATAGRAM, extensions=[(0, ext_options(8)), (60, ext_options(16))])
    packet = raw(whole[:58], len(whole))
    assert (packet.kind, packet.protocol, packet.source) == (IP, 60, address(HOST6))
    assert (ports(packet), packet.payload, packet.missing) == ((NO_PORT, NO_PORT), b"", len(whole) - 48)
    endless = raw(ipv6(DATAGRAM, extensions=[(60, ext_options(8))] * 100))
    assert (endless.protocol, endless.payload) == (60, b"")


def test_no_next_header_and_messages_in_extension_headers() -> None:
    packet = raw(ipv6(b"rest", next_header=59))
    assert (packet.protocol, packet.payload) == (59, b"rest")
    message = ext_options(16)
    packet = raw(ipv6(b"", next_header=59, extensions=[(135, message)]))
    assert (packet.protocol, packet.payload) == (135, b"\x3b" + message[1:])


# --- fragments


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
@pytest.mark.parametrize("version", [4, 6])
def test_fragments_in_any_order_make_the_message(order: tuple[int, ...], version: int) -> None:
    body = udp(b"x" * 2500, 53, 40000)
    parts = fragments4(ipv4(body), 1000) if version == 4 else fragments6(body, UDP, 1000)
    fragments, first_seen = Fragments(), False
    for i, which in enumerate(order):
        packet = decode(parts[which], link=RAW, fragments=fragments)
        first_seen = first_seen or which == 0
        assert packet.fragment
        assert (packet.kind, packet.protocol, packet.ip_version) == (IP, UDP, version)
        assert ports(packet) == ((53, 40000) if first_seen else (NO_PORT, NO_PORT))
        assert packet.payload == (b"x" * 2500 if i == 2 else b"")


def test_tcp_fragments_carry_flags_and_sequence_once() -> None:
    fragments = Fragments()
    parts = fragments4(ipv4(tcp(b"y" * 100, seq=77, flags=PSH | ACK), proto=TCP), 64)
    packets = [decode(part, link=RAW, fragments=fragments) for part in parts]
    assert [(p.tcp_seq, p.tcp_flags, p.payload) for p in packets] == [(0, 0, b""), (77, PSH | ACK, b"y" * 100)]
    assert [ports(p) for p in packets] == [(40000, 443)] * 2


def test_extension_header_inside_the_fragments() -> None:
    fragments = Fragments()
    body = bytes([UDP]) + ext_options(8)[1:] + udp(b"w" * 100)
    packets = [decode(part, link=RAW, fragments=fragments) for part in fragments6(body, 60, 48)]
    assert [(p.protocol, ports(p)) for p in packets] == [(UDP, (40000, 53))] * len(packets)
    assert packets[-1].payload == b"w" * 100


def test_datagrams_of_different_hosts_do_not_mix() -> None:
    fragments = Fragments()
    mine = fragments4(ipv4(udp(b"m" * 100), HOST, SERVER), 64)
    others = fragments4(ipv4(udp(b"o" * 100), "192.168.1.99", SERVER), 64)
    assert decode(mine[0], link=RAW, fragments=fragments).payload == b""
    assert decode(others[1], link=RAW, fragments=fragments).payload == b""
    assert decode(mine[1], link=RAW, fragments=fragments).payload == b"m" * 100


def test_cut_fragment_says_what_is_missing() -> None:
    part = fragments4(ipv4(udp(b"m" * 100)), 64)[0]
    packet = raw(part[:40], len(part))
    assert (packet.fragment, ports(packet), packet.payload, packet.missing) == (True, (40000, 53), b"", 44)


# --- tunnels


def test_bytes_count_under_the_innermost_flow_with_outer_macs() -> None:
    inner = tcp_frame(b"hello", "10.9.0.1", "10.9.0.2", mac="02:aa:00:00:00:01", to_mac="02:aa:00:00:00:02")
    packet = decode(udp_frame(b"\x08\0\0\0\0\0\x01\0" + inner, dport=4789))
    assert (packet.source, packet.destination, ports(packet)) == (
        address("10.9.0.1"),
        address("10.9.0.2"),
        (40000, 443),
    )
    assert (TUNNELS[packet.tunnel], packet.payload) == ("vxlan", b"hello")
    assert (packet.src_mac, packet.dst_mac) == (mac_int(HOST_MAC), mac_int(ROUTER_MAC))


def test_nested_tunnels_up_to_the_limit() -> None:
    packet = ipv4(DATAGRAM, "10.0.0.0", "10.1.0.0")
    for depth in range(1, MAX_TUNNELS + 2):
        packet = ipv4(packet, f"10.0.0.{depth}", f"10.1.0.{depth}", 4)
        found = raw(packet)
        assert TUNNELS[found.tunnel] == "ipip"
        if depth <= MAX_TUNNELS:
            assert (found.source, ports(found)) == (address("10.0.0.0"), (40000, 53))
        else:
            assert (found.source, found.protocol) == (address("10.0.0.1"), 4)


def test_tunnel_that_is_none_leaves_the_outer_flow() -> None:
    packet = decode(udp_frame(b"just a game", dport=4789))
    assert (packet.destination, ports(packet), packet.payload) == (address(SERVER), (40000, 4789), b"just a game")
    assert packet.tunnel == 0
    packet = raw(ipv4(b"not IP", proto=41))
    assert (packet.protocol, packet.payload, packet.tunnel) == (41, b"not IP", 0)


def test_snaplen_cut_inside_a_tunnel() -> None:
    whole = ipv4(ipv6(tcp(b"hello"), next_header=6), proto=41)
    packet = raw(whole[:-3], len(whole))
    assert (packet.ip_version, packet.payload, packet.missing) == (6, b"he", 3)


def test_fragmented_tunnel_is_entered_when_whole() -> None:
    fragments = Fragments()
    parts = fragments4(ipv4(ipv6(udp(b"deep")), proto=41), 24)
    packets = [decode(part, link=RAW, fragments=fragments) for part in parts]
    assert [(p.ip_version, p.protocol, p.fragment) for p in packets] == [(4, 41, True), (4, 41, True), (6, UDP, True)]
    assert packets[-1].payload == b"deep"


# --- anything


def check(packet: Packet, frame: bytes) -> None:
    assert packet.kind in (UNDECODED, IP, FRAME)
    assert packet.missing >= 0
    assert packet.fragment or packet.payload in frame
    assert (packet.source_port == NO_PORT) == (packet.destination_port == NO_PORT)
    if packet.kind == IP:
        assert len(packet.source) == len(packet.destination) == (4 if packet.ip_version == 4 else 16)
    else:
        assert packet.source == b""
    if packet.kind == UNDECODED:
        assert packet == Packet(UNDECODED)


@given(st.lists(st.tuples(mutated(), st.integers(0, 100)), max_size=20))
def test_mutated_frames_never_raise(frames: list[tuple[bytes, int]]) -> None:
    fragments = Fragments()
    for frame, more in frames:
        check(decode_frame(frame, len(frame) + more, ETHERNET, 0, fragments), frame)


@given(st.binary(max_size=160), st.integers(-10, 1 << 32))
def test_arbitrary_bytes_never_raise_on_any_link(frame: bytes, more: int) -> None:
    for link in (*SUPPORTED, 105, 65535):
        check(decode_frame(frame, len(frame) + more, link, 0, Fragments()), frame)


def test_every_cut_of_every_frame() -> None:
    for frame in SEEDS:
        for size in range(len(frame)):
            check(decode_frame(frame[:size], len(frame), ETHERNET, 0, Fragments()), frame)
