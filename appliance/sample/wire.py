"""Frames, from the Ethernet header to the transport checksum.

Rules:
1. Every length and checksum is right, so that an independent reader may be asked to verify them.
2. Bytes in, bytes out: no time, no luck, nothing of the product's decoders.
3. Addresses are packed: 4 bytes mean IPv4, 16 mean IPv6; a MAC has 6.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

ETH_IP4 = 0x0800
ETH_ARP = 0x0806
ETH_IP6 = 0x86DD
TCP = 6
UDP = 17
ICMP = 1
IGMP = 2
ICMP6 = 58
ESP = 50

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

BROADCAST_MAC = b"\xff" * 6
BROADCAST_IP4 = b"\xff" * 4


class Frame(NamedTuple):
    """One captured frame: `time_us` in microseconds since the epoch (UTC), `data` from the Ethernet header on.

    `length` is what it had on the wire, where `data` is only its beginning; 0 where `data` is all of it.
    """

    time_us: int
    data: bytes
    length: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """One end of a conversation as its frames show it: the MAC on this link, the address, the port."""

    mac: bytes
    address: bytes
    port: int = 0


def checksum(data: bytes) -> int:
    """The Internet checksum. 2**16 is 1 modulo 2**16-1, so one big division replaces the loop of RFC 1071 section 1."""
    if len(data) & 1:
        data += b"\0"
    return (0xFFFF - int.from_bytes(data, "big") % 0xFFFF) % 0xFFFF


def multicast_mac(address: bytes) -> bytes:
    """The group MAC of a multicast address (RFC 1112 section 6.4, RFC 2464 section 7)."""
    if len(address) == 4:
        return b"\x01\x00\x5e" + bytes([address[1] & 0x7F]) + address[2:]
    return b"\x33\x33" + address[12:]


def ether(dst: bytes, src: bytes, kind: int, payload: bytes) -> bytes:
    """An Ethernet II frame, padded to the 60 bytes that the shortest frame has without its check sequence."""
    return (dst + src + kind.to_bytes(2, "big") + payload).ljust(60, b"\0")


def ip4(
    src: bytes, dst: bytes, protocol: int, payload: bytes, *, ttl: int = 64, ident: int = 0, cut: int = 0x4000
) -> bytes:
    """An IPv4 packet; `cut` is the field of flags and fragment offset (RFC 791 section 3.1), by default DF."""
    options = b"\x94\x04\0\0" if protocol == IGMP else b""  # router alert, RFC 2236 section 2
    head = struct.pack(
        ">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident, cut, ttl, protocol, 0
    )
    head += src + dst + options
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def ip6(src: bytes, dst: bytes, next_header: int, payload: bytes, *, hops: int = 64) -> bytes:
    """An IPv6 packet without extension headers (RFC 8200 section 3)."""
    return struct.pack(">IHBB", 0x60000000, len(payload), next_header, hops) + src + dst + payload


def _pseudo(src: bytes, dst: bytes, protocol: int, length: int) -> bytes:
    # RFC 793 section 3.1 for IPv4, RFC 8200 section 8.1 for IPv6.
    if len(src) == 4:
        return src + dst + struct.pack(">BBH", 0, protocol, length)
    return src + dst + struct.pack(">II", length, protocol)


def udp_datagram(src: End, dst: End, payload: bytes) -> bytes:
    """Header and payload of a UDP datagram; a checksum of zero is sent as all ones (RFC 768)."""
    length = 8 + len(payload)
    body = struct.pack(">HHHH", src.port, dst.port, length, 0) + payload
    found = checksum(_pseudo(src.address, dst.address, UDP, length) + body) or 0xFFFF
    return body[:6] + found.to_bytes(2, "big") + payload


def tcp_segment(src: End, dst: End, seq: int, ack: int, flags: int, payload: bytes, options: bytes = b"") -> bytes:
    """Header, options (a multiple of four bytes) and payload of a TCP segment."""
    head = struct.pack(
        ">HHIIBBHHH",
        src.port,
        dst.port,
        seq & 0xFFFFFFFF,
        ack & 0xFFFFFFFF,
        (5 + len(options) // 4) << 4,
        flags,
        502,
        0,
        0,
    )
    body = head + options + payload
    found = checksum(_pseudo(src.address, dst.address, TCP, len(body)) + body)
    return body[:16] + found.to_bytes(2, "big") + body[18:]


def icmp6_message(src: bytes, dst: bytes, kind: int, body: bytes, code: int = 0) -> bytes:
    """An ICMPv6 message with its checksum (RFC 4443 section 2.3); `body` is what follows the checksum."""
    message = bytes([kind, code, 0, 0]) + body
    found = checksum(_pseudo(src, dst, ICMP6, len(message)) + message)
    return message[:2] + found.to_bytes(2, "big") + body


def icmp4_message(kind: int, body: bytes, code: int = 0) -> bytes:
    """An ICMP message with its checksum (RFC 792)."""
    message = bytes([kind, code, 0, 0]) + body
    return message[:2] + checksum(message).to_bytes(2, "big") + body


def packet(src: End, dst: End, protocol: int, payload: bytes, *, ttl: int = 64, ident: int = 0) -> bytes:
    """A whole frame from `src` to `dst`, IPv4 or IPv6 as their addresses are."""
    if len(src.address) == 4:
        return ether(dst.mac, src.mac, ETH_IP4, ip4(src.address, dst.address, protocol, payload, ttl=ttl, ident=ident))
    return ether(dst.mac, src.mac, ETH_IP6, ip6(src.address, dst.address, protocol, payload, hops=ttl))


def udp(src: End, dst: End, payload: bytes, *, ttl: int = 64, ident: int = 0) -> bytes:
    """A whole frame that carries one UDP datagram."""
    return packet(src, dst, UDP, udp_datagram(src, dst, payload), ttl=ttl, ident=ident)


def fragments4(src: End, dst: End, payload: bytes, *, ident: int, size: int = 1480) -> list[bytes]:
    """One UDP datagram over IPv4 in fragments of `size` (a multiple of 8) bytes (RFC 791 section 3.2)."""
    whole = udp_datagram(src, dst, payload)
    frames = []
    for offset in range(0, len(whole), size):
        more = 0x2000 if offset + size < len(whole) else 0
        part = ip4(
            src.address, dst.address, UDP, whole[offset : offset + size], ttl=57, ident=ident, cut=more | offset // 8
        )
        frames.append(ether(dst.mac, src.mac, ETH_IP4, part))
    return frames
