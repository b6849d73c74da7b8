"""What machines on one link tell each other: DHCP, ARP, neighbour discovery, groups, announcements, LLDP.

Rules: options, flags, hop limits and groups are those of the standards cited; a builder returns a frame's bytes.
"""

from __future__ import annotations

import random
import struct

from appliance.sample import dns, http, wire
from appliance.sample.wire import End

ANY4 = b"\0\0\0\0"
MDNS4, MDNS6 = bytes([224, 0, 0, 251]), bytes.fromhex("ff02") + bytes(13) + b"\xfb"
SSDP4 = bytes([239, 255, 255, 250])
LLMNR4, LLMNR6 = bytes([224, 0, 0, 252]), bytes.fromhex("ff02000000000000000000000001") + b"\0\3"
ALL_NODES, ALL_ROUTERS = bytes.fromhex("ff02") + bytes(13) + b"\1", bytes.fromhex("ff02") + bytes(13) + b"\2"
DISCOVER, OFFER, REQUEST, ACKNOWLEDGE = 1, 2, 3, 5


def group(address: bytes, port: int) -> End:
    """The far end of something sent to a multicast group."""
    return End(wire.multicast_mac(address), address, port)


def option(code: int, data: bytes) -> bytes:
    """One DHCP option (RFC 2132 section 2)."""
    return bytes([code, len(data)]) + data


def dhcp_client(
    mac: bytes,
    own: bytes,
    ident: int,
    kind: int,
    hostname: str,
    vendor: str,
    wanted: tuple[int, ...],
    asked: bytes = b"",
) -> bytes:
    """A DHCPDISCOVER or DHCPREQUEST; `own` is the address in use (RFC 2131 section 4.3.6: renewing), or zero."""
    options = option(53, bytes([kind])) + option(61, b"\1" + mac)
    if asked:
        options += option(50, asked)
    options += option(57, b"\5\xdc")
    if vendor:
        options += option(60, vendor.encode())
    if hostname:
        options += option(12, hostname.encode())
    options += option(55, bytes(wanted))
    payload = _bootp(1, ident, own, ANY4, mac) + options + b"\xff"
    src = End(mac, own, 68)
    return wire.udp(src, End(wire.BROADCAST_MAC, wire.BROADCAST_IP4, 67), payload.ljust(300, b"\0"))


def dhcp_server(gateway: End, mac: bytes, given: bytes, ident: int, kind: int, domain: str) -> bytes:
    """A DHCPOFFER or DHCPACK with the network's facts: mask, router, resolver, lease of twelve hours."""
    options = option(53, bytes([kind])) + option(54, gateway.address) + option(51, struct.pack(">I", 43_200))
    options += option(1, bytes([255, 255, 255, 0])) + option(3, gateway.address) + option(6, gateway.address)
    options += option(15, domain.encode()) + b"\xff"
    payload = _bootp(2, ident, ANY4, given, mac) + options
    return wire.udp(End(gateway.mac, gateway.address, 67), End(mac, given, 68), payload.ljust(300, b"\0"))


def _bootp(operation: int, ident: int, own: bytes, given: bytes, mac: bytes) -> bytes:
    # RFC 2131 section 2: op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr,
    # sname, file, magic cookie.
    head = struct.pack(">BBBBIHH", operation, 1, 6, 0, ident, 0, 0) + own + given + ANY4 + ANY4
    return head + mac.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63"


def arp(kind: int, sender: End, target: End) -> bytes:
    """An ARP request (kind 1, broadcast) or reply (kind 2) (RFC 826)."""
    unknown = bytes(6) if kind == 1 else target.mac
    body = struct.pack(">HHBBH", 1, wire.ETH_IP4, 6, 4, kind) + sender.mac + sender.address + unknown + target.address
    return wire.ether(wire.BROADCAST_MAC if kind == 1 else target.mac, sender.mac, wire.ETH_ARP, body)


def _icmp6(src: End, dst: End, kind: int, body: bytes) -> bytes:
    message = wire.icmp6_message(src.address, dst.address, kind, body)
    return wire.packet(src, dst, wire.ICMP6, message, ttl=255)


def router_advertisement(router: End, prefix: bytes, resolver: bytes) -> bytes:
    """An advertisement with prefix, MTU, link-layer address and RDNSS (RFC 4861 section 4.2, RFC 8106 section 5.1)."""
    body = struct.pack(">BBHII", 64, 0, 1800, 0, 0) + b"\1\1" + router.mac + struct.pack(">BBHI", 5, 1, 0, 1500)
    body += struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 86_400, 14_400, 0) + prefix.ljust(16, b"\0")
    body += struct.pack(">BBHI", 25, 3, 0, 3600) + resolver
    return _icmp6(router, group(ALL_NODES, 0), 134, body)


def router_solicitation(host: End) -> bytes:
    """A host asks for routers (RFC 4861 section 4.1)."""
    return _icmp6(host, group(ALL_ROUTERS, 0), 133, b"\0\0\0\0\1\1" + host.mac)


def neighbour_solicitation(src: End, target: bytes) -> bytes:
    """Ask for the MAC of `target` at its solicited-node group (RFC 4861 section 4.3); from ::, probe for duplicates."""
    solicited = bytes.fromhex("ff02000000000000000000 01ff") + target[13:]
    source_option = b"" if src.address == bytes(16) else b"\1\1" + src.mac
    return _icmp6(src, group(solicited, 0), 135, b"\0\0\0\0" + target + source_option)


def neighbour_advertisement(owner: End, asker: End, *, router: bool) -> bytes:
    """The solicited answer (RFC 4861 section 4.4)."""
    flags = 0xE0000000 if router else 0x60000000
    return _icmp6(owner, asker, 136, struct.pack(">I", flags) + owner.address + b"\2\1" + owner.mac)


def group_report4(host: End, address: bytes) -> bytes:
    """An IGMPv2 membership report (RFC 2236)."""
    message = b"\x16\0\0\0" + address
    message = message[:2] + wire.checksum(message).to_bytes(2, "big") + address
    return wire.packet(host, group(address, 0), wire.IGMP, message, ttl=1)


def group_query4(router: End) -> bytes:
    """The IGMPv2 general query of a querier."""
    message = b"\x11\x64\0\0" + ANY4
    message = message[:2] + wire.checksum(message).to_bytes(2, "big") + ANY4
    return wire.packet(router, group(bytes([224, 0, 0, 1]), 0), wire.IGMP, message, ttl=1)


def echo(src: End, dst: End, ident: int, number: int, *, reply: bool) -> bytes:
    """An ICMP echo of 56 bytes, request or reply (RFC 792)."""
    body = struct.pack(">HH", ident, number) + bytes(range(0x10, 0x48))
    return wire.packet(src, dst, wire.ICMP, wire.icmp4_message(0 if reply else 8, body), ttl=56 if reply else 64)


def mdns(src: End, message: bytes) -> bytes:
    """A multicast DNS message over the family of `src` (RFC 6762 section 11: hop limit 255)."""
    return wire.udp(src, group(MDNS4 if len(src.address) == 4 else MDNS6, 5353), message, ttl=255)


def llmnr(src: End, ident: int, name: str, kind: int) -> bytes:
    """An LLMNR query (RFC 4795 section 2.1)."""
    to = group(LLMNR4 if len(src.address) == 4 else LLMNR6, 5355)
    return wire.udp(src, to, dns.message(ident, 0, (dns.Question(name, kind),)), ttl=1)


def ssdp(src: End, payload: bytes) -> bytes:
    """An SSDP message to the group."""
    return wire.udp(src, group(SSDP4, 1900), payload, ttl=2)


def ssdp_search(src: End, target: str) -> bytes:
    """An SSDP search from `src`."""
    return ssdp(src, http.ssdp_search(target))


def netbios_name(name: str, suffix: int) -> bytes:
    """The first-level encoding of a NetBIOS name (RFC 1001 section 14.1)."""
    raw = name.upper().encode().ljust(15)[:15] + bytes([suffix])
    return b"\x20" + bytes(half for byte in raw for half in (0x41 + (byte >> 4), 0x41 + (byte & 15))) + b"\0"


def netbios_registration(host: End, broadcast: bytes, ident: int, name: str, suffix: int) -> bytes:
    """A broadcast name registration (RFC 1002 section 4.2.2)."""
    question = netbios_name(name, suffix) + struct.pack(">HH", 0x20, 1)
    record = b"\xc0\x0c" + struct.pack(">HHIHH", 0x20, 1, 300_000, 6, 0) + host.address
    payload = struct.pack(">6H", ident, 0x2910, 1, 0, 0, 1) + question + record
    return wire.udp(End(host.mac, host.address, 137), End(wire.BROADCAST_MAC, broadcast, 137), payload)


def _tlv(kind: int, data: bytes) -> bytes:
    return struct.pack(">H", kind << 9 | len(data)) + data


def lldp(mac: bytes, port: str, name: str, description: str) -> bytes:
    """An LLDP frame of an access point (IEEE 802.1AB clause 8)."""
    body = _tlv(1, b"\4" + mac) + _tlv(2, b"\5" + port.encode()) + _tlv(3, b"\0\x78") + _tlv(5, name.encode())
    body += _tlv(6, description.encode()) + _tlv(7, struct.pack(">HH", 0x14, 0x14)) + _tlv(0, b"")
    return wire.ether(bytes.fromhex("0180c200000e"), mac, 0x88CC, body)


def ieee1905(mac: bytes, ident: int) -> bytes:
    """A topology discovery message of IEEE 1905.1 (clause 6.3.1): AL MAC, interface MAC, end."""
    head = struct.pack(">BBHHBB", 0, 0, 0, ident, 0, 0x80)
    body = head + b"\1\0\6" + mac + b"\2\0\6" + mac + b"\0\0\0"
    return wire.ether(bytes.fromhex("0180c2000013"), mac, 0x893A, body)


def eui64(mac: bytes, prefix: bytes) -> bytes:
    """The address that a host forms from its MAC (RFC 4291 appendix A)."""
    return prefix + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]


def private_address(rng: random.Random, prefix: bytes) -> bytes:
    """A temporary or opaque address (RFC 8981, RFC 7217): a random interface identifier."""
    return prefix + rng.randbytes(8)
