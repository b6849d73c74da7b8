"""Frames and capture files from keyword arguments: pure builders, so that a test says what is on the wire.

Rule 1: every length and checksum is right unless the caller overrides it; a broken packet is asked for by name.
Rule 2: a builder takes its payload and gives the bytes of one layer around it, so layers nest as calls:
        `ethernet(ipv4(udp(b"hi", 5000, 53)))`.
Rule 3: addresses are text or raw bytes, MACs are text, times are integer microseconds since the epoch.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

HOST = "192.168.1.10"
SERVER = "203.0.113.5"
HOST6 = "2001:db8:1::10"
SERVER6 = "2001:db8:2::5"
HOST_MAC = "02:00:00:00:00:10"
ROUTER_MAC = "02:00:00:00:00:01"
START_US = 1_700_000_000_000_000

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
IPV4, IPV6, ARP, VLAN, QINQ, MPLS, PPPOE = 0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8, 0x8847, 0x8864

Frames = Iterable[tuple[int, bytes]]


def mac_bytes(mac: str) -> bytes:
    """`02:00:00:00:00:01` as six bytes."""
    return bytes.fromhex(mac.replace(":", ""))


def mac_int(mac: str) -> int:
    """A MAC as `Packet` holds it."""
    return int.from_bytes(mac_bytes(mac), "big")


def address(value: str | bytes) -> bytes:
    """An address as 4 or 16 bytes."""
    return value if isinstance(value, bytes) else ipaddress.ip_address(value).packed


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# --- link layers


def ethernet(
    payload: bytes, src: str = HOST_MAC, dst: str = ROUTER_MAC, ethertype: int | None = None, pad: bool = False
) -> bytes:
    """An Ethernet II frame without FCS; the ethertype follows from an IP payload's version when not given."""
    frame = (
        mac_bytes(dst)
        + mac_bytes(src)
        + struct.pack("!H", _ethertype(payload) if ethertype is None else ethertype)
        + payload
    )
    return frame.ljust(60, b"\0") if pad else frame


def _ethertype(payload: bytes) -> int:
    return IPV6 if payload[:1] and payload[0] >> 4 == 6 else IPV4


def vlan(payload: bytes, tag: int = 10, ethertype: int | None = None) -> bytes:
    """What stands behind an 802.1Q ethertype: tag and inner ethertype (use with `ethernet(..., ethertype=VLAN)`)."""
    return struct.pack("!HH", tag, _ethertype(payload) if ethertype is None else ethertype) + payload


def llc_snap(payload: bytes, ethertype: int = IPV4, oui: int = 0) -> bytes:
    """LLC/SNAP, to stand behind an 802.3 length."""
    return b"\xaa\xaa\x03" + oui.to_bytes(3, "big") + struct.pack("!H", ethertype) + payload


def ieee8023(body: bytes, src: str = HOST_MAC, dst: str = ROUTER_MAC) -> bytes:
    """An 802.3 frame: length in place of the ethertype, padded to 60 bytes."""
    return (mac_bytes(dst) + mac_bytes(src) + struct.pack("!H", len(body)) + body).ljust(60, b"\0")


def pppoe(payload: bytes, protocol: int | None = None, session: int = 1, length: int | None = None) -> bytes:
    """A PPPoE session header and PPP protocol field (use with `ethertype=PPPOE`)."""
    if protocol is None:
        protocol = 0x0057 if _ethertype(payload) == IPV6 else 0x0021
    return struct.pack("!BBHHH", 0x11, 0, session, len(payload) + 2 if length is None else length, protocol) + payload


def mpls(payload: bytes, labels: Sequence[int] = (100,)) -> bytes:
    """An MPLS label stack (use with `ethertype=MPLS`)."""
    last = len(labels) - 1
    return b"".join(struct.pack("!I", v << 12 | (i == last) << 8 | 64) for i, v in enumerate(labels)) + payload


def sll(
    payload: bytes, src: str = HOST_MAC, ethertype: int | None = None, arphrd: int = 1, packet_type: int = 0
) -> bytes:
    """Linux cooked capture v1 (LINKTYPE 113)."""
    kind = _ethertype(payload) if ethertype is None else ethertype
    return struct.pack("!HHH6s2xH", packet_type, arphrd, 6, mac_bytes(src), kind) + payload


def sll2(
    payload: bytes, src: str = HOST_MAC, ethertype: int | None = None, arphrd: int = 1, packet_type: int = 0
) -> bytes:
    """Linux cooked capture v2 (LINKTYPE 276)."""
    kind = _ethertype(payload) if ethertype is None else ethertype
    return struct.pack("!HHIHBB6s2x", kind, 0, 3, arphrd, packet_type, 6, mac_bytes(src)) + payload


# --- network layer


def ipv4(
    payload: bytes,
    src: str | bytes = HOST,
    dst: str | bytes = SERVER,
    proto: int = 17,
    *,
    options: bytes = b"",
    ident: int = 1,
    offset: int = 0,
    more: bool = False,
    ttl: int = 64,
    total: int | None = None,
    version: int = 4,
    header_words: int | None = None,
) -> bytes:
    """An IPv4 packet. `offset` is in bytes (a multiple of 8); `total` and `header_words` override what is right."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    size = 4 * words + len(payload) if total is None else total
    head = struct.pack(
        "!BBHHHBBH4s4s",
        version << 4 | (words if header_words is None else header_words),
        0,
        size & 0xFFFF,
        ident,
        more << 13 | offset // 8,
        ttl,
        proto,
        0,
        address(src),
        address(dst),
    )
    head += options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(
    payload: bytes,
    src: str | bytes = HOST6,
    dst: str | bytes = SERVER6,
    next_header: int = 17,
    *,
    extensions: Sequence[tuple[int, bytes]] = (),
    hop_limit: int = 64,
    length: int | None = None,
) -> bytes:
    """An IPv6 packet. `extensions` are (header number, header whose first byte is set here), in order."""
    kinds = [kind for kind, _ in extensions] + [next_header]
    body = b"".join(bytes([kinds[i + 1]]) + header[1:] for i, (_, header) in enumerate(extensions)) + payload
    size = len(body) if length is None else length
    return struct.pack("!IHBB16s16s", 6 << 28, size, kinds[0], hop_limit, address(src), address(dst)) + body


def ext_options(size: int = 8) -> bytes:
    """A hop-by-hop (0), destination options (60), routing (43) or mobility (135) header.

    `size` is its length in bytes, a multiple of 8.
    """
    room = size - 2
    pads = [min(256, room - i) for i in range(0, room, 256)]  # PadN options: type 1, length, zeros
    return bytes([0, size // 8 - 1]) + b"".join(bytes([1, pad - 2]) + b"\0" * (pad - 2) for pad in pads)


def ext_fragment(offset: int, more: bool, ident: int = 1) -> tuple[int, bytes]:
    """A fragment header as an entry of `extensions`; `offset` in bytes (a multiple of 8)."""
    return 44, struct.pack("!BBHI", 0, 0, offset | more, ident)


def fragments4(packet: bytes, size: int) -> list[bytes]:
    """An IPv4 packet without options, cut into fragments of `size` payload bytes (a multiple of 8)."""
    body, ident, src, dst = packet[20:], int.from_bytes(packet[4:6], "big"), packet[12:16], packet[16:20]
    return [
        ipv4(body[i : i + size], src, dst, packet[9], ident=ident, offset=i, more=i + size < len(body))
        for i in range(0, len(body), size)
    ]


def fragments6(
    payload: bytes, next_header: int, size: int, ident: int = 1, src: str = HOST6, dst: str = SERVER6
) -> list[bytes]:
    """An IPv6 payload as fragments of `size` bytes (a multiple of 8)."""
    return [
        ipv6(payload[i : i + size], src, dst, next_header, extensions=[ext_fragment(i, i + size < len(payload), ident)])
        for i in range(0, len(payload), size)
    ]


# --- transport layer


def tcp(
    payload: bytes = b"", sport: int = 40000, dport: int = 443, *, seq: int = 1, ack: int = 0, flags: int = ACK,
    options: bytes = b"", offset_words: int | None = None, window: int = 65535,
) -> bytes:  # fmt: skip
    """A TCP segment; its checksum is 0, as captures on the sending host often have it wrong anyway."""
    options += b"\x01" * (-len(options) % 4)
    words = 5 + len(options) // 4 if offset_words is None else offset_words
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, window, 0, 0)
    return head + options + payload


def udp(payload: bytes = b"", sport: int = 40000, dport: int = 53, *, length: int | None = None) -> bytes:
    """A UDP datagram without checksum; `length` overrides the header's own."""
    return struct.pack("!HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload


def icmp(kind: int = 8, code: int = 0, payload: bytes = b"", rest: int = 0) -> bytes:
    """An ICMP message (IPv4), or ICMPv6 without its pseudo-header checksum."""
    message = struct.pack("!BBHI", kind, code, 0, rest) + payload
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def arp(sender: str = HOST, target: str = "192.168.1.1", mac: str = HOST_MAC, operation: int = 1) -> bytes:
    """An ARP message (use with `ethertype=ARP`)."""
    return struct.pack("!HHBBH6s4s6x4s", 1, 0x0800, 6, 4, operation, mac_bytes(mac), address(sender), address(target))


def udp_frame(
    payload: bytes, src: str = HOST, dst: str = SERVER, sport: int = 40000, dport: int = 53, mac: str = HOST_MAC
) -> bytes:
    """Ethernet, IP of the version that the addresses have, UDP."""
    return ethernet(_ip(udp(payload, sport, dport), src, dst, 17), src=mac)


def tcp_frame(
    payload: bytes = b"", src: str = HOST, dst: str = SERVER, sport: int = 40000, dport: int = 443, *,
    seq: int = 1, ack: int = 0, flags: int = ACK, mac: str = HOST_MAC, to_mac: str = ROUTER_MAC,
) -> bytes:  # fmt: skip
    """Ethernet, IP of the version that the addresses have, TCP."""
    return ethernet(_ip(tcp(payload, sport, dport, seq=seq, ack=ack, flags=flags), src, dst, 6), src=mac, dst=to_mac)


def _ip(payload: bytes, src: str, dst: str, proto: int) -> bytes:
    return ipv6(payload, src, dst, proto) if ":" in src else ipv4(payload, src, dst, proto)


@dataclass(slots=True)
class Conversation:
    """A whole TCP connection, frame by frame; `frames` is what a tap between the two would have recorded.

    `Conversation().open().send(hello).reply(answer).close().frames`. Each frame is `gap_us` after the one before.
    """

    client: str = HOST
    server: str = SERVER
    client_port: int = 40000
    server_port: int = 443
    client_mac: str = HOST_MAC
    server_mac: str = ROUTER_MAC
    start_us: int = START_US
    gap_us: int = 1000
    segment: int = 1400
    seq: list[int] = field(default_factory=lambda: [1000, 5000])  # next sequence number of client and server
    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, flags: int, payload: bytes = b"", *, up: bool = True) -> Conversation:
        """One segment from the client (`up`) or the server, moving that side's sequence number on."""
        here, there = (0, 1) if up else (1, 0)
        ends = [(self.client, self.client_port, self.client_mac), (self.server, self.server_port, self.server_mac)]
        (src, sport, mac), (dst, dport, to_mac) = ends[here], ends[there]
        ack = self.seq[there] if flags & ACK else 0
        frame = tcp_frame(
            payload, src, dst, sport, dport, seq=self.seq[here], ack=ack, flags=flags, mac=mac, to_mac=to_mac
        )
        self.frames.append((self.start_us + self.gap_us * len(self.frames), frame))
        self.seq[here] = (self.seq[here] + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return self

    def open(self) -> Conversation:
        """The three-way handshake."""
        return self.add(SYN).add(SYN | ACK, up=False).add(ACK)

    def send(self, data: bytes, *, up: bool = True) -> Conversation:
        """Data from the client in segments of `segment` bytes, then the other side's acknowledgement."""
        for i in range(0, len(data), self.segment):
            self.add(PSH | ACK, data[i : i + self.segment], up=up)
        return self.add(ACK, up=not up)

    def reply(self, data: bytes) -> Conversation:
        """Data from the server."""
        return self.send(data, up=False)

    def close(self) -> Conversation:
        """FIN from the client, FIN from the server, last ACK."""
        return self.add(FIN | ACK).add(FIN | ACK, up=False).add(ACK)

    def reset(self) -> Conversation:
        """RST from the server."""
        return self.add(RST | ACK, up=False)


# --- capture files


def pcap(
    frames: Frames, link: int = 1, *, nanosecond: bool = False, big_endian: bool = False, snaplen: int = 262144
) -> bytes:
    """A classic pcap file; a frame longer than `snaplen` is cut and keeps its original length."""
    order = ">" if big_endian else "<"
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nanosecond else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link)]
    for time_us, frame in frames:
        seconds, micros = divmod(time_us, 1_000_000)
        cut = frame[:snaplen]
        out += [
            struct.pack(order + "IIII", seconds, micros * 1000 if nanosecond else micros, len(cut), len(frame)),
            cut,
        ]
    return b"".join(out)


def pcapng(
    frames: Iterable[tuple[int, bytes] | tuple[int, bytes, int]],
    links: Sequence[int] = (1,),
    *,
    big_endian: bool = False,
    resolution: int = 6,
    snaplen: int = 262144,
) -> bytes:
    """A pcapng file of one section: a block per interface in `links`, then enhanced packets.

    A frame is (time_us, bytes) or (time_us, bytes, interface). `resolution` is `if_tsresol`: 6 for microseconds, 9 for
    nanoseconds, with bit 0x80 a power of two.
    """
    order = ">" if big_endian else "<"
    out = [pcapng_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), big_endian=big_endian)]
    option = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    interfaces = [struct.pack(order + "HHI", link, 0, snaplen) + option for link in links]
    out += [pcapng_block(1, interface, big_endian=big_endian) for interface in interfaces]
    ticks = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    for record in frames:
        time_us, frame = record[0], record[1]
        stamp = -(-time_us * ticks // 1_000_000)  # rounded up, so that a reader's rounding down gives time_us again
        cut = frame[:snaplen]
        interface = record[2] if len(record) == 3 else 0
        head = struct.pack(order + "IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(cut), len(frame))
        out.append(pcapng_block(6, head + cut + b"\0" * (-len(cut) % 4), big_endian=big_endian))
    return b"".join(out)


def pcapng_block(kind: int, body: bytes, *, big_endian: bool = False) -> bytes:
    """One pcapng block: type, both lengths, body (already padded to 32 bits)."""
    order = ">" if big_endian else "<"
    total = len(body) + 12
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total)
