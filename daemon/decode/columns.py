"""Frames to columns: the headers of a whole chunk at once.

Rule 1: only shapes whose fields sit at known places are read here: Ethernet with up to two VLAN tags, Linux cooked v1,
        raw IP; IPv4 without options or fragments, IPv6 without extension headers, no tunnels.
        The walk over them is written twice, with numpy and in C (`_walk.c`), with the same result (a test compares).
Rule 2: every other frame goes, one by one, through `slow.decode_frame`, whose rules are the reference; its answer is
        written into the same columns. A test compares both on every capture it can find.
Rule 3: nothing is dropped: each record has a row, and a row's `kind` says what could be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.decode.fragments import Fragments
from daemon.decode.framing import Records
from daemon.decode.packet import FRAME, IP, NO_MAC, NO_PORT, TCP, UDP, UNDECODED, Packet
from daemon.decode.slow import EXTENSION_HEADERS, decode_frame
from daemon.decode.tunnels import TUNNEL_PORTS, TUNNEL_PROTOCOLS
from daemon.decode.walk import NATIVE, Native

Column = NDArray[Any]

SPARE = 128  # bytes that must follow the last record in the buffer, so that a row may be gathered at any offset
_ROW = 64  # IPv6 header + TCP header
ETHERNET, _RAW, _SLL, _IPV4, _IPV6 = 1, 101, 113, 228, 229
_RAW_LINKS = (12, 14, _RAW, _IPV4, _IPV6)
_LINK_HEADER = np.zeros(65536, np.int64)
_LINK_HEADER[[ETHERNET, _SLL]] = 14, 16
_VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
_ENTERED_TYPES = (*_VLAN_TYPES, 0x8864, 0x8847, 0x8848)  # more headers inside: a third tag, PPPoE, MPLS
_SLOW_PROTOCOLS = np.zeros(256, bool)
_SLOW_PROTOCOLS[[*EXTENSION_HEADERS, *TUNNEL_PROTOCOLS]] = True
_SLOW_PORTS = np.zeros(65536, bool)
_SLOW_PORTS[list(TUNNEL_PORTS)] = True


class Survey(NamedTuple):
    """What is asked of all rows of a chunk together. Each pass of numpy over a cold column costs as much as all of this."""

    first_us: int
    last_us: int
    bytes: int
    undecoded: int  # rows of kind UNDECODED
    frames: int  # and of kind FRAME
    cooked: int  # rows of Linux cooked captures


@dataclass(slots=True)
class Columns:
    """One row a record, in file order. Offsets are positions in the chunk's buffer; ports NO_PORT where there are none.

    Addresses are two 64-bit halves; IPv4 stands in the low half alone. `payloads` holds, by row, what does not lie in
    the buffer (reassembled datagrams); `macs` the link addresses of rows that the slow path read.
    """

    time_us: Column
    wire: Column
    kind: Column
    ethertype: Column
    version: Column
    protocol: Column
    source_hi: Column
    source_lo: Column
    destination_hi: Column
    destination_lo: Column
    source_port: Column
    destination_port: Column
    tcp_flags: Column
    tcp_seq: Column
    payload_offset: Column
    payload_size: Column
    missing: Column
    tunnel: Column
    fragment: Column
    frame_offset: Column
    link: Column
    payloads: dict[int, bytes] = field(default_factory=dict)
    macs: dict[int, tuple[int, int]] = field(default_factory=dict)
    slow_rows: int = 0

    def __len__(self) -> int:
        return len(self.time_us)

    def survey(self, *, native: bool = True) -> Survey:
        """Of at least one row."""
        if native and NATIVE is not None:
            link = np.ascontiguousarray(self.link, np.int32)
            return Survey(*NATIVE.survey(*map(np.ascontiguousarray, (self.time_us, self.wire, self.kind)), link))
        first_us, last_us = int(self.time_us.min()), int(self.time_us.max())
        undecoded, frames = (int(np.count_nonzero(self.kind == kind)) for kind in (UNDECODED, FRAME))
        cooked = int(np.count_nonzero(self.link == _SLL))
        return Survey(first_us, last_us, int(self.wire.sum()), undecoded, frames, cooked)


def empty_columns(records: Records) -> Columns:
    """Columns of a chunk's length in which nothing is decoded yet."""
    n = len(records.offset)
    small, wide, unsigned = np.uint8, np.int64, np.uint64
    return Columns(
        time_us=records.time_us,
        wire=records.wire,
        kind=np.zeros(n, small),
        ethertype=np.zeros(n, np.int32),
        version=np.zeros(n, small),
        protocol=np.full(n, -1, np.int16),
        source_hi=np.zeros(n, unsigned),
        source_lo=np.zeros(n, unsigned),
        destination_hi=np.zeros(n, unsigned),
        destination_lo=np.zeros(n, unsigned),
        source_port=np.full(n, NO_PORT, np.int32),
        destination_port=np.full(n, NO_PORT, np.int32),
        tcp_flags=np.zeros(n, small),
        tcp_seq=np.zeros(n, wide),
        payload_offset=np.zeros(n, wide),
        payload_size=np.zeros(n, wide),
        missing=np.zeros(n, wide),
        tunnel=np.zeros(n, small),
        fragment=np.zeros(n, bool),
        frame_offset=records.offset,
        link=records.link,
    )


def decode_columns(
    buf: bytearray, records: Records, fragments: Fragments, *, thorough: bool = False, native: bool = True
) -> Columns:
    """Decode every record of a chunk.

    `buf` must hold SPARE bytes behind the last record. `thorough` sends every frame through the slow path (the oracle);
    `native` takes the C walk where it was built.
    """
    out = empty_columns(records)
    n = len(out)
    if not n:
        return out
    slow = np.ones(n, bool) if thorough else _common(buf, records, out, NATIVE if native else None)
    view = memoryview(buf)
    rows = np.nonzero(slow)[0].tolist()
    out.slow_rows = len(rows)
    for row in rows:
        start = int(records.offset[row])
        frame = bytes(view[start : start + int(records.captured[row])])
        packet = decode_frame(
            frame, int(records.wire[row]), int(records.link[row]), int(records.time_us[row]), fragments
        )
        _write_row(out, row, packet)
    return out


def _common(buf: bytearray, records: Records, out: Columns, walk: Native | None) -> Column:
    """Fill the rows of common shape; the answer marks the rows that need the slow path."""
    if walk is None:
        return _fast(buf, records, out)
    places = (np.ascontiguousarray(column, np.int64) for column in (records.offset, records.captured, records.wire))
    link = np.ascontiguousarray(records.link, np.int32)
    slow: Column = np.empty(len(out), bool)
    walk.decode(
        buf, *places, link, _SLOW_PROTOCOLS, _SLOW_PORTS, slow,
        out.kind, out.ethertype, out.version, out.protocol,
        out.source_hi, out.source_lo, out.destination_hi, out.destination_lo, out.source_port, out.destination_port,
        out.tcp_flags, out.tcp_seq, out.payload_offset, out.payload_size, out.missing,
    )  # fmt: skip
    return slow


def _fast(buf: bytearray, records: Records, out: Columns) -> Column:
    """`_common` with numpy."""
    offset, captured, link = records.offset, records.captured, records.link
    network, ethertype, slow = _network_layer(buf, offset, captured, link)
    rows = np.ndarray((len(buf) - _ROW + 1,), f"V{_ROW}", buf, strides=(1,))
    end = offset + captured
    for want, decode in ((0x0800, _ipv4), (0x86DD, _ipv6)):
        chosen = np.nonzero((ethertype == want) & ~slow)[0]
        if len(chosen):
            at = network[chosen]
            table = rows[at].view(np.uint8).reshape(len(chosen), _ROW)
            slow[chosen[decode(table, at, end[chosen] - at, chosen, out)]] = True
    frames = np.nonzero((ethertype != 0x0800) & (ethertype != 0x86DD) & ~slow)[0]
    out.kind[frames] = FRAME
    out.ethertype[frames] = ethertype[frames]
    out.payload_offset[frames] = network[frames]
    out.payload_size[frames] = end[frames] - network[frames]
    out.missing[frames] = np.maximum(records.wire[frames] - captured[frames], 0)
    return slow


def _network_layer(buf: bytearray, offset: Column, captured: Column, link: Column) -> tuple[Column, Column, Column]:
    """Where the network header starts, the ethertype in front of it, and which rows need the slow path."""
    if (link == ETHERNET).all():
        header: Column = np.full(len(offset), 14, np.int64)
        slow = captured < 14
        others: Column = np.empty(0, np.int64)
    else:
        header = _LINK_HEADER[link & 0xFFFF]
        slow = (link != ETHERNET) & (link != _SLL) & ~np.isin(link, _RAW_LINKS)
        slow |= captured < np.maximum(header, 1)
        others = np.nonzero(np.isin(link, _RAW_LINKS) & ~slow)[0]
    network = offset + header
    shorts = np.ndarray((len(buf) - 1,), ">u2", buf, strides=(1,))
    ethertype = shorts[np.maximum(network - 2, 0)].astype(np.int32)
    if len(others):
        first = np.frombuffer(buf, np.uint8)[network[others]] >> 4
        ethertype[others] = np.select([first == 4, first == 6], [0x0800, 0x86DD], 0)
        slow[others[(first != 4) & (first != 6)]] = True
    tagged = np.nonzero(np.isin(ethertype, _VLAN_TYPES) & ~slow)[0]
    for _ in range(2):
        if not len(tagged):
            break
        slow[tagged[captured[tagged] < network[tagged] - offset[tagged] + 4]] = True
        tagged = tagged[~slow[tagged]]
        ethertype[tagged] = shorts[network[tagged] + 2]
        network[tagged] += 4
        tagged = tagged[np.isin(ethertype[tagged], _VLAN_TYPES)]
    # 802.3 lengths hide LLC and SNAP; the others hide further headers.
    slow |= (ethertype < 0x0600) | np.isin(ethertype, _ENTERED_TYPES)
    return network, ethertype, slow


def _ipv4(table: Column, at: Column, room: Column, rows: Column, out: Columns) -> Column:
    """RFC 791 without options or fragments. `room` is what was captured from the header on."""
    shorts = table.view(">u2")
    total = shorts[:, 1].astype(np.int64)
    protocol = table[:, 9]
    slow: Column = (table[:, 0] != 0x45) | ((shorts[:, 3] & 0x3FFF) != 0) | (room < 20) | (total < 20)
    slow |= _SLOW_PROTOCOLS[protocol]
    words = table.view(">u4")
    source, destination = words[:, 3].astype(np.uint64), words[:, 4].astype(np.uint64)
    slow |= _transport(table, shorts, 20, protocol, at, np.minimum(room, total), total, rows, out, slow)
    good = ~slow
    chosen = rows[good]
    out.source_lo[chosen], out.destination_lo[chosen] = source[good], destination[good]
    out.version[chosen] = 4
    return slow


def _ipv6(table: Column, at: Column, room: Column, rows: Column, out: Columns) -> Column:
    """RFC 8200 without extension headers; a payload length of 0 (jumbogram or offload) is left to the slow path."""
    shorts = table.view(">u2")
    size = shorts[:, 2].astype(np.int64)
    protocol = table[:, 6]
    slow: Column = ((table[:, 0] >> 4) != 6) | (room < 40) | (size == 0) | _SLOW_PROTOCOLS[protocol]
    total = size + 40
    slow |= _transport(table, shorts, 40, protocol, at, np.minimum(room, total), total, rows, out, slow)
    good = ~slow
    chosen = rows[good]
    longs = table[:, 8:40].copy().view(">u8")
    out.source_hi[chosen], out.source_lo[chosen] = longs[good, 0], longs[good, 1]
    out.destination_hi[chosen], out.destination_lo[chosen] = longs[good, 2], longs[good, 3]
    out.version[chosen] = 6
    return slow


def _transport(  # noqa: PLR0913, PLR0917  one row of arguments for each header field that bounds the payload
    table: Column,
    shorts: Column,
    header: int,
    protocol: Column,
    at: Column,
    have: Column,
    total: Column,
    rows: Column,
    out: Columns,
    skip: Column,
) -> Column:
    """TCP (RFC 9293) and UDP (RFC 768) headers behind an IP header of `header` bytes, and the bounds of the payload.

    `have` bytes of the `total` that the IP header announces were captured. Marks rows for the slow path: cut or broken
    transport headers and tunnel ports.
    """
    tcp, udp = protocol == TCP, protocol == UDP
    ported = tcp | udp
    first = header // 2
    source_port = np.where(ported, shorts[:, first].astype(np.int32), NO_PORT)
    destination_port = np.where(ported, shorts[:, first + 1].astype(np.int32), NO_PORT)
    transport: Column = np.zeros(len(rows), np.int64)
    transport[tcp] = (table[tcp, header + 12] >> 4).astype(np.int64) * 4
    transport[udp] = 8
    announced = total
    udp_size = shorts[:, first + 2].astype(np.int64) + header
    # A datagram may be shorter than its packet; a length beyond it, or 0, is for the slow path.
    slow: Column = udp & ((udp_size < header + 8) | (udp_size > total))
    announced = np.where(udp, udp_size, announced)
    slow |= udp & (_SLOW_PORTS[source_port] | _SLOW_PORTS[destination_port])
    slow |= ported & (have < header + transport)
    slow |= tcp & ((transport < 20) | (have < header + 20))
    good = ~(slow | skip)
    chosen = rows[good]
    body = header + transport
    have = np.minimum(have, announced)
    out.kind[chosen] = IP
    out.protocol[chosen] = protocol[good]
    out.source_port[chosen], out.destination_port[chosen] = source_port[good], destination_port[good]
    out.payload_offset[chosen] = (at + body)[good]
    out.payload_size[chosen] = np.maximum(have - body, 0)[good]
    out.missing[chosen] = (announced - have)[good]
    is_tcp = good & tcp
    chosen = rows[is_tcp]
    out.tcp_flags[chosen] = table[is_tcp, header + 13] & 0x3F
    out.tcp_seq[chosen] = table.view(">u4")[is_tcp, header // 4 + 1]
    return slow


def _write_row(out: Columns, row: int, packet: Packet) -> None:
    """What the slow path says of one frame, as a row."""
    out.kind[row] = packet.kind
    out.ethertype[row] = packet.ethertype
    out.version[row] = packet.ip_version
    out.protocol[row] = packet.protocol
    if packet.kind == IP:
        source, destination = int.from_bytes(packet.source, "big"), int.from_bytes(packet.destination, "big")
        out.source_hi[row], out.source_lo[row] = source >> 64, source & 0xFFFFFFFFFFFFFFFF
        out.destination_hi[row], out.destination_lo[row] = destination >> 64, destination & 0xFFFFFFFFFFFFFFFF
    out.source_port[row], out.destination_port[row] = packet.source_port, packet.destination_port
    out.tcp_flags[row], out.tcp_seq[row] = packet.tcp_flags, packet.tcp_seq
    out.payload_size[row], out.missing[row] = len(packet.payload), packet.missing
    out.tunnel[row], out.fragment[row] = packet.tunnel, packet.fragment
    out.payloads[row] = packet.payload
    out.macs[row] = (packet.src_mac, packet.dst_mac)


def link_addresses(buf: bytearray, columns: Columns, row: int) -> tuple[int, int]:
    """(source, destination) MAC of a row as 48-bit integers, NO_MAC where the link has none."""
    known = columns.macs.get(row)
    if known is not None:
        return known
    start = int(columns.frame_offset[row])
    link = int(columns.link[row])
    if link == ETHERNET:
        return int.from_bytes(buf[start + 6 : start + 12], "big"), int.from_bytes(buf[start : start + 6], "big")
    if link == _SLL and buf[start + 2 : start + 6] == b"\0\1\0\6":  # ARPHRD_ETHER, six bytes of address
        return int.from_bytes(buf[start + 6 : start + 12], "big"), NO_MAC
    return NO_MAC, NO_MAC


def payload_bytes(buf: memoryview, columns: Columns, row: int) -> bytes:
    """The payload of a row: from the chunk's buffer, or as the slow path reassembled it."""
    known = columns.payloads.get(row)
    if known is not None:
        return known
    start = int(columns.payload_offset[row])
    return bytes(buf[start : start + int(columns.payload_size[row])])
