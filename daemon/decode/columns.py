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
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from daemon.decode import bare
from daemon.decode.fragments import Fragments
from daemon.decode.framing import Records
from daemon.decode.later import np
from daemon.decode.packet import FRAME, IP, NO_MAC, NO_PORT, TCP, UDP, UNDECODED, Packet
from daemon.decode.records import Buffer
from daemon.decode.slow import EXTENSION_HEADERS, decode_frame
from daemon.decode.tunnels import TUNNEL_PORTS, TUNNEL_PROTOCOLS
from daemon.decode.walk import NATIVE, Native

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column: TypeAlias = "NDArray[Any]"

SPARE = 128  # bytes that must follow the last record in the buffer, so that a row may be gathered at any offset
_ROW = 64  # IPv6 header + TCP header
ETHERNET, _RAW, _SLL, _IPV4, _IPV6 = 1, 101, 113, 228, 229
_RAW_LINKS = (12, 14, _RAW, _IPV4, _IPV6)
_VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
_ENTERED_TYPES = (*_VLAN_TYPES, 0x8864, 0x8847, 0x8848)  # more headers inside: a third tag, PPPoE, MPLS
_SLOW_PROTOCOLS = bare.flags(256, (*EXTENSION_HEADERS, *TUNNEL_PROTOCOLS))
_SLOW_PORTS = bare.flags(65536, TUNNEL_PORTS)


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
    the buffer (reassembled datagrams); `macs` the link addresses of rows that the slow path read. The columns are bare
    (see `bare`) where those of the records are.
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
            return Survey(*NATIVE.survey(flat(self.time_us), flat(self.wire), self.kind, flat(self.link, "i")))
        first_us, last_us = int(self.time_us.min()), int(self.time_us.max())
        undecoded, frames = (int(np.count_nonzero(self.kind == kind)) for kind in (UNDECODED, FRAME))
        cooked = int(np.count_nonzero(self.link == _SLL))
        return Survey(first_us, last_us, int(self.wire.sum()), undecoded, frames, cooked)


def flat(column: Column, code: Literal["i", "q"] = "q") -> Column:
    """A column of the scanner's as C takes it: in one piece, of this type (see `bare.Code`)."""
    return column if bare.is_bare(column) else np.ascontiguousarray(column, code)


def empty_columns(records: Records) -> Columns:
    """Columns of a chunk's length in which nothing is decoded yet."""
    n = len(records.offset)
    zeros, minus_ones = (bare.zeros, bare.minus_ones) if bare.is_bare(records.offset) else (np.zeros, _minus_ones)
    return Columns(
        time_us=records.time_us,
        wire=records.wire,
        kind=zeros(n, "B"),
        ethertype=zeros(n, "i"),
        version=zeros(n, "B"),
        protocol=minus_ones(n, "h"),
        source_hi=zeros(n, "Q"),
        source_lo=zeros(n, "Q"),
        destination_hi=zeros(n, "Q"),
        destination_lo=zeros(n, "Q"),
        source_port=minus_ones(n, "i"),  # NO_PORT
        destination_port=minus_ones(n, "i"),
        tcp_flags=zeros(n, "B"),
        tcp_seq=zeros(n, "q"),
        payload_offset=zeros(n, "q"),
        payload_size=zeros(n, "q"),
        missing=zeros(n, "q"),
        tunnel=zeros(n, "B"),
        fragment=zeros(n, "?"),
        frame_offset=records.offset,
        link=records.link,
    )


def _minus_ones(rows: int, code: str) -> Column:
    return np.full(rows, -1, code)


def decode_columns(
    buf: Buffer, records: Records, fragments: Fragments, *, thorough: bool = False, native: bool = True
) -> Columns:
    """Decode every record of a chunk.

    `buf` must hold SPARE bytes behind the last record. `thorough` sends every frame through the slow path (the oracle);
    `native` takes the C walk where it was built; without it the columns are arrays, whatever the records' were.
    """
    walk = NATIVE if native else None
    if walk is None and bare.is_bare(records.offset):
        records = _as_arrays(records)
    out = empty_columns(records)
    n = len(out)
    if not n:
        return out
    slow = None if thorough else _common(buf, records, out, walk)
    view = memoryview(buf)
    rows = range(n) if slow is None else bare.places(slow, 1)
    out.slow_rows = len(rows)
    for row in rows:
        start = int(records.offset[row])
        frame = bytes(view[start : start + int(records.captured[row])])
        packet = decode_frame(
            frame, int(records.wire[row]), int(records.link[row]), int(records.time_us[row]), fragments
        )
        _write_row(out, row, packet)
    return out


def _as_arrays(records: Records) -> Records:
    names = ("offset", "captured", "wire", "time_us", "link")
    arrays: dict[str, Any] = {name: np.asarray(getattr(records, name)) for name in names}
    return records._replace(**arrays)


def _common(buf: Buffer, records: Records, out: Columns, walk: Native | None) -> Column:
    """Fill the rows of common shape; the answer marks the rows that need the slow path."""
    if walk is None:
        return _fast(buf, records, out)
    places = flat(records.offset), flat(records.captured), flat(records.wire)
    slow: Column = bare.zeros(len(out), "?")
    walk.decode(
        buf, *places, flat(records.link, "i"), _SLOW_PROTOCOLS, _SLOW_PORTS, slow,
        out.kind, out.ethertype, out.version, out.protocol,
        out.source_hi, out.source_lo, out.destination_hi, out.destination_lo, out.source_port, out.destination_port,
        out.tcp_flags, out.tcp_seq, out.payload_offset, out.payload_size, out.missing,
    )  # fmt: skip
    return slow


def _fast(buf: Buffer, records: Records, out: Columns) -> Column:
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


def _network_layer(buf: Buffer, offset: Column, captured: Column, link: Column) -> tuple[Column, Column, Column]:
    """Where the network header starts, the ethertype in front of it, and which rows need the slow path."""
    if (link == ETHERNET).all():
        header: Column = np.full(len(offset), 14, np.int64)
        slow = captured < 14
        others: Column = np.empty(0, np.int64)
    else:
        header = np.where(link == ETHERNET, 14, np.where(link == _SLL, 16, 0))
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
    slow |= np.asarray(_SLOW_PROTOCOLS)[protocol]
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
    slow: Column = ((table[:, 0] >> 4) != 6) | (room < 40) | (size == 0)
    slow |= np.asarray(_SLOW_PROTOCOLS)[protocol]
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
    slow_ports = np.asarray(_SLOW_PORTS)
    slow |= udp & (slow_ports[source_port] | slow_ports[destination_port])
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


def link_addresses(buf: Buffer, columns: Columns, row: int) -> tuple[int, int]:
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
