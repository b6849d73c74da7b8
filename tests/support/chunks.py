"""Chunks of a capture for the columnar decode: frames of every shape, put into a buffer, and columns read back.

Rule 1: what lies between the frames is chosen by the caller, so that a test can show that it does not matter.
Rule 2: `seen` gives a row as the flow core sees it, so that two ways of decoding are compared by what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from daemon.decode.columns import SPARE, Columns, link_addresses, payload_bytes
from daemon.decode.records import Records
from tests.support import packets as p

ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276


class Frame(NamedTuple):
    """A record: what was captured, of how many bytes, under which link type."""

    data: bytes
    link: int = ETHERNET
    wire: int | None = None  # the whole frame was captured where not given


class Row(NamedTuple):
    """What a row of columns says."""

    kind: int
    ethertype: int
    version: int
    protocol: int
    source: int
    destination: int
    source_port: int
    destination_port: int
    flags: int
    seq: int
    payload: bytes
    missing: int
    tunnel: int
    fragment: bool
    macs: tuple[int, int]


def chunk(frames: Sequence[Frame], gap: bytes = b"\0" * 16) -> tuple[bytearray, Records]:
    """A buffer that holds the frames with `gap` before and behind each, and their records, a millisecond apart."""
    buf = bytearray(gap)
    places = []
    for frame in frames:
        places.append(len(buf))
        buf += frame.data + gap
    buf += (gap * SPARE)[:SPARE] if gap else bytes(SPARE)
    sizes = [len(frame.data) for frame in frames]
    wire = [size if frame.wire is None else frame.wire for frame, size in zip(frames, sizes, strict=True)]
    return buf, Records(
        offset=np.array(places, np.int64),
        captured=np.array(sizes, np.int64),
        wire=np.array(wire, np.int64),
        time_us=np.array([p.START_US + 1000 * i for i in range(len(frames))], np.int64),
        link=np.array([frame.link for frame in frames], np.int32),
        consumed=len(buf),
        damage=(),
    )


def seen(buf: bytearray, columns: Columns) -> list[Row]:
    """The rows of columns."""
    view = memoryview(buf)
    return [
        Row(
            int(columns.kind[row]),
            int(columns.ethertype[row]),
            int(columns.version[row]),
            int(columns.protocol[row]),
            int(columns.source_hi[row]) << 64 | int(columns.source_lo[row]),
            int(columns.destination_hi[row]) << 64 | int(columns.destination_lo[row]),
            int(columns.source_port[row]),
            int(columns.destination_port[row]),
            int(columns.tcp_flags[row]),
            int(columns.tcp_seq[row]),
            payload_bytes(view, columns, row),
            int(columns.missing[row]),
            int(columns.tunnel[row]),
            bool(columns.fragment[row]),
            link_addresses(buf, columns, row),
        )
        for row in range(len(columns))
    ]


_UDP = p.udp(b"question", 40000, 53)
_TCP = p.tcp(b"hello", 40000, 443, seq=4_000_000_000, flags=p.PSH | p.ACK)
_FOUR, _SIX = p.ipv4(_UDP), p.ipv6(_UDP)
_LONG = p.udp(bytes(range(256)) * 2, 40000, 53)


def _ether(packet: bytes, ethertype: int | None = None) -> Frame:
    return Frame(p.ethernet(packet, ethertype=ethertype))


def common_shapes() -> dict[str, Frame]:
    """Frames whose fields the columnar path reads itself."""
    return {
        "udp4": _ether(_FOUR),
        "udp6": _ether(_SIX),
        "tcp4": _ether(p.ipv4(_TCP, proto=6)),
        "tcp6": _ether(p.ipv6(_TCP, next_header=6)),
        "tcp with options": _ether(p.ipv4(p.tcp(b"x", options=bytes(range(1, 13))), proto=6)),
        "tcp with the longest header": _ether(p.ipv6(p.tcp(b"x", options=b"\1" * 40), next_header=6)),
        "syn": Frame(p.tcp_frame(flags=p.SYN)),
        "every tcp flag": Frame(p.tcp_frame(flags=0xFF)),
        "icmp": _ether(p.ipv4(p.icmp(payload=b"ping"), proto=1)),
        "icmpv6": _ether(p.ipv6(p.icmp(128, payload=b"ping"), next_header=58)),
        "igmp": _ether(p.ipv4(b"\x16\0\0\0\xe0\0\0\xfb", dst="224.0.0.251", proto=2)),
        "empty ip packet": _ether(p.ipv4(b"", proto=50)),
        "padded": Frame(p.ethernet(_FOUR, pad=True)),
        "padded tcp6": Frame(p.ethernet(p.ipv6(p.tcp(), next_header=6)) + b"\xaa" * 9),
        "udp shorter than its packet": _ether(p.ipv4(p.udp(b"question", length=10))),
        "empty udp": _ether(p.ipv4(p.udp())),
        "cut by the snaplen": Frame(p.ethernet(p.ipv4(_LONG))[:96], wire=554),
        "cut tcp6": Frame(p.ethernet(p.ipv6(p.tcp(bytes(900)), next_header=6))[:80], wire=974),
        "total length beyond the frame": _ether(p.ipv4(_TCP, proto=6, total=1500)),
        "wire below captured": Frame(p.ethernet(_FOUR), wire=20),
        "arp": _ether(p.arp(), p.ARP),
        "cut arp": Frame(p.ethernet(p.arp(), ethertype=p.ARP)[:20], wire=60),
        "eapol": _ether(b"\x02\x03\0\x5f", 0x888E),
        "nothing behind the ethertype": _ether(b"", 0x88CC),
        "vlan": _ether(p.vlan(_FOUR), p.VLAN),
        "qinq": _ether(p.vlan(p.vlan(_SIX), ethertype=p.VLAN), p.QINQ),
        "old qinq": _ether(p.vlan(p.vlan(p.arp(), ethertype=p.ARP), ethertype=p.VLAN), 0x9100),
        "cooked": Frame(p.sll(p.ipv4(_TCP, proto=6)), SLL),
        "cooked v6": Frame(p.sll(_SIX), SLL),
        "cooked arp": Frame(p.sll(p.arp(), ethertype=p.ARP), SLL),
        "cooked vlan": Frame(p.sll(p.vlan(_FOUR), ethertype=p.VLAN), SLL),
        "cooked loopback": Frame(p.sll(_FOUR, arphrd=772), SLL),
        **{f"raw {link}": Frame(_FOUR, link) for link in (12, 14, RAW, 228)},
        "raw v6": Frame(_SIX, 229),
        "raw v6 as v4": Frame(_SIX, 228),
    }


def rare_shapes() -> dict[str, Frame]:
    """Frames that only the slow path reads, and such that nobody can."""
    fragment4, last4 = p.fragments4(p.ipv4(_LONG, ident=7), 400)
    fragment6, last6 = p.fragments6(_LONG, 17, 400)
    vxlan = b"\x08\0\0\0\0\0\x64\0" + p.ethernet(_FOUR)
    return {
        "ipv4 options": _ether(p.ipv4(_UDP, options=b"\x94\4\0\0")),
        "first fragment": _ether(fragment4),
        "last fragment": _ether(last4),
        "first v6 fragment": _ether(fragment6),
        "last v6 fragment": _ether(last6),
        "hop by hop": _ether(p.ipv6(_UDP, extensions=[(0, p.ext_options())])),
        "destination options": _ether(p.ipv6(_TCP, next_header=6, extensions=[(60, p.ext_options(24))])),
        "ah in v4": _ether(p.ipv4(b"\x11\4" + bytes(22) + _UDP, proto=51)),
        "gre": _ether(p.ipv4(b"\0\0\x08\0" + _FOUR, proto=47)),
        "6in4": _ether(p.ipv4(_SIX, proto=41)),
        "4in6": _ether(p.ipv6(_FOUR, next_header=4)),
        "vxlan": _ether(p.ipv4(p.udp(vxlan, 50000, 4789))),
        "tunnel port without tunnel": _ether(p.ipv6(p.udp(b"hi", 3544, 50000))),
        "total length 0": _ether(p.ipv4(_TCP, proto=6, total=0)),
        "total length too small": _ether(p.ipv4(_TCP, proto=6, total=19)),
        "v6 length 0": _ether(p.ipv6(_TCP, next_header=6, length=0)),
        "wrong version": _ether(p.ipv4(_UDP, version=5), p.IPV4),
        "v4 under the v6 ethertype": _ether(_FOUR, p.IPV6),
        "tcp header too short": _ether(p.ipv4(p.tcp(b"x", offset_words=4), proto=6)),
        "tcp header beyond the packet": _ether(p.ipv6(p.tcp(b"x", offset_words=15), next_header=6)),
        "udp length 0": _ether(p.ipv4(p.udp(b"x", length=0))),
        "udp length too small": _ether(p.ipv4(p.udp(b"x", length=7))),
        "udp length beyond the packet": _ether(p.ipv6(p.udp(b"x", length=700))),
        "cut tcp header": Frame(p.ethernet(p.ipv4(_TCP, proto=6))[:46], wire=60),
        "cut ports": Frame(p.ethernet(_SIX)[:56], wire=70),
        "cut ip header": Frame(p.ethernet(_FOUR)[:30], wire=50),
        "cut ethernet header": Frame(p.ethernet(_FOUR)[:13], wire=50),
        "cut tag": Frame(p.ethernet(p.vlan(_FOUR), ethertype=p.VLAN)[:17], wire=54),
        "nothing captured": Frame(b"", wire=60),
        "three tags": _ether(p.vlan(p.vlan(p.vlan(_FOUR), ethertype=p.VLAN), ethertype=p.VLAN), p.QINQ),
        "pppoe": _ether(p.pppoe(_FOUR), p.PPPOE),
        "mpls": _ether(p.mpls(_SIX), p.MPLS),
        "spanning tree": Frame(p.ieee8023(b"\x42\x42\x03" + bytes(35))),
        "snap": Frame(p.ieee8023(p.llc_snap(_FOUR))),
        "cooked 802.2": Frame(p.sll(b"\x42\x42\x03" + bytes(35), ethertype=4), SLL),
        "cooked, cut": Frame(p.sll(_FOUR)[:15], SLL, 60),
        "cooked v2": Frame(p.sll2(_FOUR), SLL2),
        "raw, neither": Frame(b"\x00" + _FOUR, RAW),
        "raw, empty": Frame(b"", RAW, 60),
        "null": Frame(b"\2\0\0\0" + _FOUR, 0),
        "ppp": Frame(b"\xff\x03\0\x21" + _FOUR, 9),
        "802.11": Frame(p.ethernet(_FOUR), 105),
        "a link type of 17 bits": Frame(p.ethernet(_FOUR), 65537),
    }


def every_shape() -> dict[str, Frame]:
    """All of them."""
    return common_shapes() | rare_shapes()
