"""The thorough path: one frame in, one Packet out, for every frame that the columnar path does not express.

It is the reference: where both paths read the same frame they agree, and what follows is what they agree on.

Rule 1: never raises. What cannot be attributed (unsupported link type, link header or fixed IP header cut, IP version
        or header length wrong, IPv4 total length shorter than the header) is Packet(UNDECODED) and nothing else in it.
Rule 2: lengths. An IP packet ends at min(captured, announced): Ethernet padding is not payload. `missing` is what the
        headers announce beyond the capture. IPv4 total length 0, and IPv6 payload length 0 with TCP next and at least
        20 more bytes on the wire, are segmentation offload: the packet goes to the end of the frame on the wire. Any
        other IPv6 payload length 0 is empty, unless a hop-by-hop header brings a jumbo length (RFC 2675).
Rule 3: TCP and UDP ports are known from 4 captured bytes on. A TCP header counts from 20 bytes on: with less, flags
        and sequence number are 0, the payload is empty, and `missing` is what a header of 20 bytes would leave. A data
        offset below 5 or beyond the packet: ports, flags and sequence number, payload empty, missing 0.
Rule 4: UDP: length 0 means "up to the end of the IP packet" (RFC 2675 section 4); 1 to 7 is broken: ports, payload
        empty, missing 0; a length beyond the packet is bounded by it. A header cut before 8 bytes: as for TCP.
Rule 5: other protocols: ports NO_PORT, payload is all behind the IP headers, so that of ICMP includes the ICMP header.
        Packets quoted in ICMP errors are payload, not traffic.
Rule 6: extension headers are walked to the transport header. AH is walked in IPv4 too. Where the chain is cut,
        `protocol` is the header that could not be read, and the payload is empty. Mobility, HIP and Shim6 headers with
        nothing behind them (No Next Header) are themselves the message.
Rule 7: fragments: payload, flags and sequence number come with the fragment that makes the datagram whole; all others
        have an empty payload, and ports if the first part came before or is this one. Each is `fragment`.
Rule 8: tunnels are entered at most MAX_TUNNELS deep. The packet is the innermost one, `tunnel` says what carries it
        directly; MACs stay those of the outermost frame. If the inner packet cannot be decoded, the outer one stands.
Rule 9: a FRAME's `missing` is what the snaplen cut from the whole frame, since no header announces its length.
"""

from __future__ import annotations

from typing import NamedTuple

from daemon.decode.fragments import Fragment, Fragments, Key, Origin
from daemon.decode.layouts import Layout
from daemon.decode.links import IPV4, IPV6, parse_link
from daemon.decode.packet import FRAME, IP, NO_PORT, TCP, UDP, UNDECODED, Packet
from daemon.decode.tunnels import enter

HOP_BY_HOP, ROUTING, FRAGMENT, AH, NO_NEXT, DESTINATION, MOBILITY, HIP, SHIM6 = 0, 43, 44, 51, 59, 60, 135, 139, 140
EXTENSION_HEADERS = frozenset((HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION, MOBILITY, HIP, SHIM6))
MAX_EXTENSIONS = 32
MAX_TUNNELS = 4

_IPV4 = Layout("ip", "IP", ">BBHHHBBH4s4s")
_IPV6 = Layout("ip6", "IP6", ">IHBB16s16s")
_FRAGMENT = Layout("ip6", "IP6FragmentHeader", ">BBHI")
_TCP = Layout("tcp", "TCP", ">HHIIHHHH")
_UDP = Layout("udp", "UDP", ">HHHH")
_PORTED = {TCP: _TCP, UDP: _UDP}
_MESSAGES = frozenset((MOBILITY, HIP, SHIM6))
_UNDECODED = Packet(UNDECODED)


class _Place(NamedTuple):
    """Where a packet was found."""

    src_mac: int
    dst_mac: int
    tunnel: int
    time_us: int
    fragments: Fragments


class _Datagram(NamedTuple):
    """An IP packet behind its fixed header."""

    version: int
    source: bytes
    destination: bytes
    header: int  # number of the header that body begins with
    body: bytes  # captured, and not beyond the packet's end
    size: int  # of the body as announced
    offset: int = 0  # IPv4 fragmentation, in bytes
    more: bool = False
    identification: int = 0


class _Upper(NamedTuple):
    """What lies behind the extension headers."""

    protocol: int
    body: bytes
    size: int  # as announced
    cut: bool = False  # the chain could not be read to its end


class _Transport(NamedTuple):
    source_port: int = NO_PORT
    destination_port: int = NO_PORT
    flags: int = 0
    seq: int = 0
    payload: bytes = b""
    missing: int = 0


def decode_frame(frame: bytes, wire: int, link: int, time_us: int, fragments: Fragments) -> Packet:
    """What one frame says.

    `frame` is what was captured of its `wire` bytes, `link` the LINKTYPE number of the capture file, `time_us` the
    packet's time; `fragments` is kept by the caller, one for each capture file.
    """
    outer = parse_link(frame, link)
    if outer is None:
        return _UNDECODED
    cut = max(wire - len(frame), 0)
    if outer.ethertype not in _READERS:
        return Packet(FRAME, outer.src_mac, outer.dst_mac, outer.ethertype, payload=outer.data, missing=cut)
    place = _Place(outer.src_mac, outer.dst_mac, outer.tunnel, time_us, fragments)
    return _network(outer.ethertype, outer.data, len(outer.data) + cut, place)


def _network(ethertype: int, data: bytes, wire: int, place: _Place, depth: int = 0) -> Packet:
    """An IP packet at the beginning of `data`, of which `wire` bytes were on the wire; calls itself for each tunnel."""
    datagram = _READERS[ethertype](data, wire)
    if datagram is None:
        return _UNDECODED
    packet = _internet(datagram, place)
    if depth < MAX_TUNNELS and packet.payload:
        ports = packet.source_port, packet.destination_port
        inner = enter(packet.ip_version, packet.protocol, ports, packet.payload, packet.missing)
        if inner is not None:
            room = len(inner.packet) + packet.missing
            within = place._replace(tunnel=inner.tunnel)
            deeper = _network(inner.ethertype, inner.packet, room, within, depth + 1)
            if deeper.kind == IP:
                return deeper._replace(fragment=True) if packet.fragment else deeper
    return packet


# --- fixed headers


def _ipv4(data: bytes, wire: int) -> _Datagram | None:
    """RFC 791 section 3.1."""
    if len(data) < _IPV4.size:
        return None
    version_size, _, total, ident, flags_offset, _, protocol, _, source, destination = _IPV4.unpack_from(data)
    size = 4 * (version_size & 0x0F)
    total = total or wire
    if version_size >> 4 != 4 or not _IPV4.size <= size <= min(total, len(data)):
        return None
    offset, more = 8 * (flags_offset & 0x1FFF), bool(flags_offset & 0x2000)
    return _Datagram(4, source, destination, protocol, data[size:total], total - size, offset, more, ident)


def _ipv6(data: bytes, wire: int) -> _Datagram | None:
    """RFC 8200 section 3."""
    if len(data) < _IPV6.size or data[0] >> 4 != 6:
        return None
    _, size, header, _, source, destination = _IPV6.unpack_from(data)
    body = data[_IPV6.size :]
    if not size:
        rest = wire - _IPV6.size
        if header == HOP_BY_HOP:
            size = _jumbo(body)
        elif header == TCP and rest >= _TCP.size:
            size = rest
    return _Datagram(6, source, destination, header, body[:size], size)


def _jumbo(header: bytes) -> int:
    """The jumbo payload option of a hop-by-hop header (RFC 2675 section 2), 0 without one."""
    end = min(len(header), 8 * (header[1] + 1)) if len(header) >= 8 else 0
    position = 2
    while position + 1 < end:
        if header[position] == 0:  # Pad1
            position += 1
            continue
        if header[position] == 0xC2 and header[position + 1] == 4 and position + 6 <= end:
            return int.from_bytes(header[position + 2 : position + 6], "big")
        position += 2 + header[position + 1]
    return 0


_READERS = {IPV4: _ipv4, IPV6: _ipv6}


# --- extension headers and fragments


def _internet(datagram: _Datagram, place: _Place) -> Packet:
    """The packet behind the fixed header, which may be a fragment."""
    version, source, destination, header, body, size, offset, more, ident = datagram
    if offset or more:
        key = Key(4, source, destination, header, ident)
        return _fragment(key, header, Fragment(offset, more, size, body), place)
    upper = _walk(version, header, body, size)
    if upper.protocol == FRAGMENT and not upper.cut:
        header, _, offset_more, ident = _FRAGMENT.unpack_from(upper.body)
        part = Fragment(offset_more & 0xFFF8, bool(offset_more & 1), upper.size - 8, upper.body[8:])
        return _fragment(Key(6, source, destination, 0, ident), header, part, place)
    return _packet(version, source, destination, upper.protocol, _transport(upper), place)


def _fragment(key: Key, header: int, part: Fragment, place: _Place) -> Packet:
    """A fragment; `header` is the number of the header that its datagram begins with, as this fragment says."""
    origin = None
    if part.offset == 0:
        upper = _walk(key.version, header, part.data, part.size)
        begin = _transport(upper)
        origin = Origin(header, upper.protocol, begin.source_port, begin.destination_port)
    known, whole = place.fragments.add(key, part, place.time_us, origin)
    if known is not None and whole is not None:
        upper = _walk(key.version, known.header, whole, len(whole))
        transport = _transport(upper)
        protocol = upper.protocol
    else:
        known = known or Origin(header, header, NO_PORT, NO_PORT)
        protocol = known.protocol
        missing = max(part.size - len(part.data), 0)
        transport = _Transport(known.source_port, known.destination_port, missing=missing)
    return _packet(key.version, key.source, key.destination, protocol, transport, place, fragment=True)


def _walk(version: int, header: int, body: bytes, size: int) -> _Upper:
    """Walk the extension headers (RFC 8200 section 4), up to a real fragment header or the transport header."""
    for _ in range(MAX_EXTENSIONS):
        if header not in EXTENSION_HEADERS or (version == 4 and header != AH):
            return _Upper(header, body, size)
        length = 8
        if len(body) < length:
            break
        if header == FRAGMENT:
            if _is_fragment(body):
                return _Upper(header, body, size)
        elif header == AH:
            length = 4 * (body[1] + 2)  # RFC 4302 section 2.2
        else:
            length = 8 * (body[1] + 1)
        if header in _MESSAGES and body[0] == NO_NEXT:
            return _Upper(header, body, size)
        if len(body) < length:
            break
        header, body, size = body[0], body[length:], size - length
    return _Upper(header, b"", size, cut=True)


def _is_fragment(header: bytes) -> bool:
    """Whether a fragment header makes a fragment; with offset 0 and no more to come it is atomic (RFC 6946)."""
    return bool(int.from_bytes(header[2:4], "big") & 0xFFF9)


# --- transport


def _transport(upper: _Upper) -> _Transport:
    protocol, body, size, cut = upper
    layout = _PORTED.get(protocol)
    if cut:
        return _Transport(missing=max(size - len(body), 0))
    if layout is None:
        return _Transport(payload=body, missing=size - len(body))
    least = layout.size
    if len(body) < least:
        missing = max(size - least, 0)
        if len(body) < 4:
            return _Transport(missing=missing)
        return _Transport(int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big"), missing=missing)
    return _tcp(body, size) if protocol == TCP else _udp(body, size)


def _tcp(body: bytes, size: int) -> _Transport:
    """RFC 9293 section 3.1."""
    source, destination, seq, _, offset_flags, _, _, _ = _TCP.unpack_from(body)
    start = offset_flags >> 12 << 2
    end = size if _TCP.size <= start <= size else 0
    payload = body[start:end]
    return _Transport(source, destination, offset_flags & 0x3F, seq, payload, max(end - start, 0) - len(payload))


def _udp(body: bytes, size: int) -> _Transport:
    """RFC 768."""
    source, destination, length, _ = _UDP.unpack_from(body)
    end = min(length or size, size)
    payload = body[_UDP.size : end]
    return _Transport(source, destination, 0, 0, payload, max(end - _UDP.size, 0) - len(payload))


def _packet(
    version: int,
    source: bytes,
    destination: bytes,
    protocol: int,
    transport: _Transport,
    place: _Place,
    *,
    fragment: bool = False,
) -> Packet:
    source_port, destination_port, flags, seq, payload, missing = transport
    return Packet(
        IP,
        place.src_mac,
        place.dst_mac,
        0,
        version,
        protocol,
        source,
        destination,
        source_port,
        destination_port,
        flags,
        seq,
        payload,
        missing,
        place.tunnel,
        fragment,
    )
