"""Conversations of a small house, as frames with times: what the tests of imports put into capture files.

Rule 1: a scene is a list of (time_us, frame) in order of time; `write` puts any of them into a file.
Rule 2: every builder says who speaks; addresses and MACs of the house are the constants below.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

from tests.daemon.decode.hellos import alpn, client_hello, records, sni, versions
from tests.support import packets as p
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC, SERVER, START_US

SECOND = 1_000_000
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
ROUTER, ROUTER6 = "192.168.1.1", "fe80::1"
TABLET, TABLET_MAC = "192.168.1.11", "02:00:00:00:00:11"

Frame = tuple[int, bytes]


def write(path: Path, *scenes: Iterable[Frame]) -> Path:
    """A pcap file of the scenes' frames in order of time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(p.pcap(sorted((frame for scene in scenes for frame in scene), key=lambda frame: frame[0])))
    return path


def hello(name: str, pad: int = 0) -> bytes:
    """A ClientHello for `name` in TLS records, made longer by `pad` bytes (RFC 7685)."""
    padding = struct.pack("!HH", 21, pad) + bytes(pad) if pad else b""
    return records(client_hello(sni(name.encode()) + alpn(b"h2") + versions(0x0304) + padding))


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns(name: str, *addresses: str, ttl: int = 300, ident: int = 7) -> bytes:
    """A DNS question for A or AAAA; with addresses, its answer."""
    kind = 28 if addresses and ":" in addresses[0] else 1
    head = struct.pack("!6H", ident, 0x8180 if addresses else 0x0100, 1, len(addresses), 0, 0)
    out = head + wire_name(name) + struct.pack("!HH", kind, 1)
    for address in addresses:
        packed = ip_address(address).packed
        out += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(packed)) + packed
    return out


def lookup(
    at: int, name: str, *addresses: str, client: str = HOST, mac: str = HOST_MAC, port: int = 40053, ttl: int = 300
) -> list[Frame]:
    """A question to the router and, with addresses, its answer 20 ms later."""
    router, layer, number = (ROUTER6, p.ipv6, 17) if ":" in client else (ROUTER, p.ipv4, 17)
    frames = [(at, p.udp_frame(dns(name), client, router, port, 53, mac=mac))]
    if addresses:
        body = layer(p.udp(dns(name, *addresses, ttl=ttl), 53, port), router, client, number)
        frames.append((at + 20_000, p.ethernet(body, src=ROUTER_MAC, dst=mac)))
    return frames


def talk(
    at: int, name: str | None = None, *, client: str = HOST, mac: str = HOST_MAC, server: str = SERVER,
    port: int = 40000, pad: int = 0, reply: int = 3000, close: bool = True, gap_us: int = 1000,
) -> list[Frame]:  # fmt: skip
    """A TCP connection to port 443: handshake, a hello where there is a name, an answer, an end."""
    conversation = p.Conversation(
        client=client, server=server, client_port=port, client_mac=mac, start_us=at, gap_us=gap_us
    )
    conversation.open().send(hello(name, pad) if name else b"x" * 900).reply(b"y" * reply)
    return (conversation.close() if close else conversation).frames


def router_advertisement(at: int, prefix: str, length: int = 64, valid: int = 86_400, lifetime: int = 1800) -> Frame:
    """The router (RFC 4861 section 4.2) announces a prefix to all nodes."""
    body = struct.pack("!BBHI", 64, 0, lifetime, 0) + bytes(4)
    body += struct.pack("!BBBBIII", 3, 4, length, 0xC0, valid, 3600, 0) + ip_address(prefix).packed
    message = struct.pack("!BBH", 134, 0, 0) + body
    packet = p.ipv6(message, ROUTER6, "ff02::1", 58, hop_limit=255)
    return at, p.ethernet(packet, src=ROUTER_MAC, dst="33:33:00:00:00:01")


def dhcp_request(at: int, hostname: str, mac: str = HOST_MAC) -> Frame:
    """A client asks for an address and says its name (RFC 2131, RFC 2132 section 3.14)."""
    body = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x1234, 0, 0) + bytes(16) + p.mac_bytes(mac) + bytes(10 + 192)
    body += b"\x63\x82\x53\x63" + b"\x35\x01\x03" + bytes([12, len(hostname)]) + hostname.encode() + b"\xff"
    packet = p.ipv4(p.udp(body, 68, 67), "0.0.0.0", "255.255.255.255")  # noqa: S104  the address of who has none yet
    return at, p.ethernet(packet, src=mac, dst="ff:ff:ff:ff:ff:ff")


def questions(at: int, count: int, *, client: str = HOST, mac: str = HOST_MAC, step_us: int = 100_000) -> list[Frame]:
    """So many lookups of one name, each from another port: like short flows."""
    return [
        frame
        for number in range(count)
        for frame in lookup(at + number * step_us, "time.example", SERVER, client=client, mac=mac, port=41000 + number)
    ]


def evening(at: int = START_US) -> list[Frame]:
    """Two devices for a few minutes: names, a hello split over segments, IPv6, a fragmented answer, chatter."""
    frames = [dhcp_request(at, "laptop"), router_advertisement(at + 1000, "2001:db8:1::")]
    frames += lookup(at + 2 * SECOND, "www.example.com", SERVER)
    frames += talk(at + 3 * SECOND, "www.example.com", pad=3000)
    frames += lookup(at + 4 * SECOND, "cdn.example.net", "203.0.113.77", client=TABLET, mac=TABLET_MAC)
    frames += talk(at + 5 * SECOND, client=TABLET, mac=TABLET_MAC, server="203.0.113.77", close=False)
    frames += [(at + 6 * SECOND, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))]
    answer = p.ipv4(
        p.udp(dns("long.example", *[f"198.51.100.{n}" for n in range(1, 60)]), 53, 40099), ROUTER, HOST, ident=9
    )
    frames += [(at + 7 * SECOND, p.udp_frame(dns("long.example"), HOST, ROUTER, 40099, 53))]
    frames += [
        (at + 7 * SECOND + 1000 * (n + 1), p.ethernet(piece, src=ROUTER_MAC, dst=HOST_MAC))
        for n, piece in enumerate(p.fragments4(answer, 400))
    ]
    frames += talk(at + 8 * SECOND, "six.example.org", client="2001:db8:1::10", server="2001:db8:9::9", port=40010)
    frames += talk(at + 9 * SECOND, client=HOST, server="198.51.100.7", port=40011)
    return frames


def at_borders(frames: Sequence[Frame]) -> list[int]:
    """The offsets behind every record of a pcap file of these frames; the first is that behind the header."""
    places = [24]
    for _, frame in frames:
        places.append(places[-1] + 16 + len(frame))
    return places
