"""What one frame says, whichever path read it: the columnar one (`columns`) or the thorough one (`slow`).

Rule 1: every frame has one kind, and its bytes count once: IP traffic under the innermost flow, a frame without IP under
        its ethertype, and what neither path can attribute as undecoded.
Rule 2: lengths come from the headers, bounded by what was captured: Ethernet padding is not payload, and a snaplen cut is
        `missing` bytes, not a shorter message.
"""

from __future__ import annotations

from typing import NamedTuple

UNDECODED = 0  # cannot be attributed: unknown link type, cut or broken network header
IP = 1
FRAME = 2  # no IP inside: ARP, LLDP, EAPOL, ...

NO_PORT = -1
NO_MAC = -1

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

ICMP, IGMP, TCP, UDP, GRE, ICMPV6 = 1, 2, 6, 17, 47, 58

# The values of `Packet.tunnel` are indexes into this table, so that a column of small integers can hold them.
TUNNELS = ("", "6in4", "4in6", "ipip", "gre", "vxlan", "teredo", "gtp", "erspan", "l2tp", "mpls")


class Packet(NamedTuple):
    """One frame, decoded. Sizes are bytes; addresses are 4 or 16 raw bytes; MACs are 48-bit integers."""

    kind: int
    src_mac: int = NO_MAC  # of the outermost link header; NO_MAC where the link has none
    dst_mac: int = NO_MAC
    ethertype: int = 0  # of a FRAME: IEEE number, 0 for 802.3 LLC without SNAP
    ip_version: int = 0
    protocol: int = -1  # IP protocol number behind all extension headers
    source: bytes = b""
    destination: bytes = b""
    source_port: int = NO_PORT  # NO_PORT too for a fragment whose first part was not seen before it
    destination_port: int = NO_PORT
    tcp_flags: int = 0
    tcp_seq: int = 0
    payload: bytes = (
        b""  # behind the TCP or UDP header; of other protocols behind the IP headers; of a FRAME behind the ethertype
    )
    missing: int = 0  # payload bytes that the headers announce and the capture lacks (snaplen)
    tunnel: int = 0  # index into TUNNELS
    fragment: bool = False  # part of a fragmented datagram; payload is empty until the datagram is whole
