"""IP inside IP: which packets carry others, and where the inner packet begins.

Rule 1: a tunnel is entered by table, by IP protocol or by UDP port; each reader takes one header off and says what lies
        behind it. None means "not this": the outer flow stands.
Rule 2: nothing here believes a port. What comes out must look like an IP packet whose length fits into what the outer
        packet announces (`plausible`), otherwise the outer flow stands.
Rule 3: non-IP inside a tunnel (an ARP request in VXLAN, a GRE keepalive) has no flow of its own: the outer flow stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from daemon.decode.layouts import Layout
from daemon.decode.links import IPV4, IPV6, PPP, by_version, parse_ppp, resolve
from daemon.decode.packet import GRE, TUNNELS, UDP

IPIP = 4
IP6_IN_IP = 41
TUNNEL_PROTOCOLS = frozenset((IPIP, IP6_IN_IP, GRE))

_ETHERNET = Layout("ethernet", "Ethernet")
_GRE = Layout("gre", "GRE")
_TEB = 0x6558  # transparent Ethernet bridging
_ERSPAN_II, _ERSPAN_III = 0x88BE, 0x22EB
_MAX_GTP_EXTENSIONS = 16


class Inner(NamedTuple):
    """A packet inside another: IP of the version that `ethertype` says."""

    tunnel: int  # index into TUNNELS
    ethertype: int
    packet: bytes


def enter(version: int, protocol: int, ports: tuple[int, int], payload: bytes, missing: int) -> Inner | None:
    """The IP packet that `payload` carries.

    `version` and `protocol` are the outer packet's, `ports` its UDP ports, `payload` lies behind the UDP header or, of
    other protocols, behind the IP headers; `missing` bytes of it were not captured.
    """
    if protocol == UDP:
        reader = _BY_PORT.get(ports[1]) or _BY_PORT.get(ports[0])
        inner = None if reader is None else reader(payload)
    elif protocol == GRE:
        inner = _gre(payload)
    else:
        name = _IP_IN_IP.get((version, protocol))
        inner = None if name is None else Inner(TUNNELS.index(name), IPV4 if protocol == IPIP else IPV6, payload)
    return inner if inner is not None and plausible(inner, missing) else None


def plausible(inner: Inner, missing: int) -> bool:
    """Whether the bytes can be the IP packet that they are taken for; its length must fit into the outer packet."""
    packet = inner.packet
    room = len(packet) + missing
    if inner.ethertype == IPV4:
        if len(packet) < 20 or not 0x45 <= packet[0] <= 0x4F:
            return False
        total = int.from_bytes(packet[2:4], "big")
        return (packet[0] & 0x0F) * 4 <= total <= room
    return len(packet) >= 40 and packet[0] >> 4 == 6 and 40 + int.from_bytes(packet[4:6], "big") <= room


def _from_ethernet(tunnel: str, frame: bytes) -> Inner | None:
    return _from_ethertype(tunnel, _ETHERNET.unpack_from(frame)[2], frame[14:]) if len(frame) >= 14 else None


def _from_ethertype(tunnel: str, ethertype: int, data: bytes) -> Inner | None:
    link = resolve(ethertype, data)
    return Inner(TUNNELS.index(tunnel), link.ethertype, link.data) if link.ethertype in (IPV4, IPV6) else None


def _from_ppp(tunnel: str, data: bytes) -> Inner | None:
    inner = parse_ppp(data)
    return None if inner is None else _from_ethertype(tunnel, *inner)


def _from_ip(tunnel: str, packet: bytes) -> Inner | None:
    ethertype = by_version(packet)
    return None if ethertype is None else Inner(TUNNELS.index(tunnel), ethertype, packet)


def _gre(data: bytes) -> Inner | None:
    """GRE version 0 (RFC 2784, RFC 2890) and PPTP's version 1 (RFC 2637 section 4.1)."""
    if len(data) < _GRE.size:
        return None
    flags, protocol = _GRE.unpack_from(data)
    version = flags & 0x0007
    if version > 1 or flags & 0x4000:  # source routes (RFC 1701) are obsolete
        return None
    options = 0xB000 if version == 0 else 0x3080  # checksum, key, sequence; key, sequence, acknowledgement
    body = data[_GRE.size + 4 * (flags & options).bit_count() :]
    if protocol == PPP:
        return _from_ppp("gre", body)
    if version == 1:
        return None
    if protocol == _TEB:
        return _from_ethernet("gre", body)
    if protocol == _ERSPAN_II:
        # Type I has neither sequence number nor ERSPAN header, type II has both (draft-foschiano-erspan section 4).
        return _from_ethernet("erspan", body[8:] if flags & 0x1000 else body)
    if protocol == _ERSPAN_III:
        # The lowest bit of the 12-byte header announces a subheader of 8 bytes.
        return _from_ethernet("erspan", body[20 if len(body) > 11 and body[11] & 1 else 12 :])
    return _from_ethertype("gre", protocol, body)


def _vxlan(data: bytes) -> Inner | None:
    """RFC 7348 section 5: the I flag must be set, the frame begins behind 8 bytes."""
    return _from_ethernet("vxlan", data[8:]) if data[:1] and data[0] & 0x08 else None


def _teredo(data: bytes) -> Inner | None:
    """RFC 4380 section 5.1.1: optional authentication, optional origin indication, IPv6."""
    if data[:2] == b"\0\1" and len(data) >= 4:
        data = data[4 + data[2] + data[3] + 8 + 1 :]  # client identifier, authentication value, nonce, confirmation
    if data[:2] == b"\0\0":
        data = data[8:]
    return Inner(TUNNELS.index("teredo"), IPV6, data)


def _gtp(data: bytes) -> Inner | None:
    """GTP-U version 1, a G-PDU (3GPP TS 29.281 section 5.1)."""
    if len(data) < 8 or data[0] & 0xF0 != 0x30 or data[1] != 0xFF:
        return None
    if not data[0] & 0x07:
        return _from_ip("gtp", data[8:])
    if len(data) < 12:
        return None
    kind = data[11] if data[0] & 0x04 else 0
    position = 12
    for _ in range(_MAX_GTP_EXTENSIONS):
        if not kind:
            return _from_ip("gtp", data[position:])
        size = 4 * data[position] if position < len(data) else 0
        if not size or position + size > len(data):
            return None
        position += size
        kind = data[position - 1]
    return None


def _l2tp(data: bytes) -> Inner | None:
    """A data message of L2TP version 2 (RFC 2661 section 3.1)."""
    flags = int.from_bytes(data[:2], "big")
    if flags & 0x800F != 2:  # T clear: data; Ver 2
        return None
    position = 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:  # O: the size of a pad, and the pad
        pad = data[position : position + 2]
        position += 2 + int.from_bytes(pad, "big")
    return _from_ppp("l2tp", data[position:])


_IP_IN_IP = {(4, IP6_IN_IP): "6in4", (6, IPIP): "4in6", (4, IPIP): "ipip", (6, IP6_IN_IP): "ipip"}
_BY_PORT: dict[int, Callable[[bytes], Inner | None]] = {
    1701: _l2tp,
    2152: _gtp,
    3544: _teredo,
    4789: _vxlan,
    8472: _vxlan,  # Linux's own number, from before IANA's
}
TUNNEL_PORTS = frozenset(_BY_PORT)
