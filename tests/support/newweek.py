"""A house of ten days: eight that are all alike, then two with everything that the overview and the network pages tell of.

The laptop watches a video every noon. On the ninth day a tablet comes, which asks 8.8.8.8 and a server of nobody, meets
an advertiser, sends in the open; the laptop meets Facebook, hides its questions, speaks IPv6, talks to the tablet.

Rule: `told` reads the capture with dpkt and knows nothing of Homeport.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import dpkt

from tests.daemon.decode import test_dhcp as dhcp
from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    ROUTER,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    dns,
    lookup,
    router_advertisement,
    talk,
)
from tests.daemon.ingest.scenes import write as write_frames
from tests.support import packets as p
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC

MIDNIGHT = 1_700_006_400_000_000  # 15 November 2023, UTC
ALIKE, DAYS = 8, 10
SPAN, UNTIL = MIDNIGHT + ALIKE * DAY, MIDNIGHT + DAYS * DAY
LAPTOP, LAPTOP_MAC, LAPTOP6 = HOST, HOST_MAC, "2001:db8:1::10"
GOOGLE_DNS, NOBODYS_DNS = "8.8.8.8", "203.0.113.53"
BURST = 25  # questions of the tablet in one minute
BURST_AT = SPAN + 20 * HOUR
VIDEO, ADS, FACEBOOK, DOH = "www.youtube.com", "ads.doubleclick.net", "graph.facebook.com", "dns.google"
RANGE = "range=2023-11-23..2023-11-24"


@dataclass(frozen=True, slots=True)
class Told:
    """One frame as dpkt reads it. Ports are 0 and addresses empty where there are none."""

    time_us: int
    size: int
    source: str  # MACs
    target: str
    version: int  # of IP; 0: none
    protocol: str  # tcp, udp, icmp, ...
    sender: str
    receiver: str
    ports: tuple[int, int]
    question: str = ""

    @property
    def day(self) -> int:
        """Of the ten."""
        return (self.time_us - MIDNIGHT) // DAY

    def of(self, mac: str) -> bool:
        """Whether it is from or to a MAC."""
        return mac in (self.source, self.target)


def offer(at: int) -> Frame:
    """The router's answer by DHCP, which names itself as DNS server."""
    body = dhcp.message(
        dhcp.option(53, b"\x05"), dhcp.option(1, p.address("255.255.255.0")), dhcp.option(3, p.address(ROUTER)),
        dhcp.option(6, p.address(ROUTER)), op=2, yiaddr=p.address(LAPTOP),
    )  # fmt: skip
    return at, p.ethernet(p.ipv4(p.udp(body, 67, 68), ROUTER, LAPTOP), src=ROUTER_MAC, dst=LAPTOP_MAC)


def asked_of(resolver: str, at: int, name: str, *addresses: str, port: int = 41_000) -> list[Frame]:
    """A question of the tablet to some DNS server, and its answer."""
    answer = p.ipv4(p.udp(dns(name, *addresses), 53, port), resolver, TABLET)
    frames = [(at, p.udp_frame(dns(name), TABLET, resolver, port, 53, mac=TABLET_MAC))]
    return [*frames, (at + 20_000, p.ethernet(answer, src=ROUTER_MAC, dst=TABLET_MAC))] if addresses else frames


def open_web(at: int) -> list[Frame]:
    """The tablet asks a web server in the open."""
    web = p.Conversation(
        client=TABLET, client_mac=TABLET_MAC, server="203.0.113.80", server_port=80, client_port=43_000, start_us=at
    )
    web.open().send(b"GET /state HTTP/1.1\r\nHost: cam.example.com\r\nUser-Agent: cam/1\r\n\r\n")
    return web.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"z" * 900).close().frames


def at_home(at: int) -> list[Frame]:
    """The laptop and the tablet talk to each other."""
    both = p.Conversation(
        client=LAPTOP, server=TABLET, server_mac=TABLET_MAC, server_port=9000, client_port=44_000, start_us=at
    )
    return both.open().send(b"h" * 700).reply(b"w" * 700).close().frames


def frames() -> list[Frame]:
    """All ten days."""
    out: list[Frame] = []
    for day in range(DAYS):
        noon = MIDNIGHT + day * DAY + 12 * HOUR
        out += [dhcp_request(noon - HOUR, "adas-laptop"), offer(noon - HOUR + SECOND)]
        out += lookup(noon, VIDEO, "203.0.113.10")
        out += talk(noon + SECOND, VIDEO, server="203.0.113.10", port=40_000 + day, reply=20_000)
    first = SPAN + 13 * HOUR
    out.append(dhcp_request(first, "bobs-tablet", TABLET_MAC))
    out += asked_of(GOOGLE_DNS, first + SECOND, ADS, "203.0.113.20")
    out += asked_of(NOBODYS_DNS, first + 2 * SECOND, "cam.example.com", "203.0.113.80", port=41_001)
    out += talk(first + 3 * SECOND, ADS, client=TABLET, mac=TABLET_MAC, server="203.0.113.20", port=42_000)
    out += open_web(first + 10 * SECOND)
    out += lookup(first + 20 * SECOND, FACEBOOK, "203.0.113.30")
    out += talk(first + 21 * SECOND, FACEBOOK, server="203.0.113.30", port=40_100)
    out += talk(first + 30 * SECOND, DOH, server="203.0.113.88", port=40_101, reply=400)
    out.append(router_advertisement(first + 39 * SECOND, "2001:db8:1::"))
    out += talk(first + 40 * SECOND, "six.nobody.test", client=LAPTOP6, server="2001:db8:9::9", port=40_102)
    out += at_home(first + 50 * SECOND)
    out += [(first + 60 * SECOND, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))]
    for number in range(BURST):
        out += asked_of(GOOGLE_DNS, BURST_AT + number * SECOND, "clock.example", port=45_000 + number)
    return out


def write(folder: Path) -> Path:
    """The capture."""
    return write_frames(folder / "week.pcap", frames())


def home(folder: Path) -> tuple[Path, Path]:
    """The database, and the capture that it was made of."""
    capture = write(folder)
    return imported(folder / "home.db", capture), capture


def told(capture: Path, *, new: bool = True) -> list[Told]:
    """The frames, by default of the two days that are asked about."""
    return [each for each in _read(capture) if not new or each.time_us >= SPAN]


def _read(capture: Path) -> Iterator[Told]:
    with capture.open("rb") as file:
        for seconds, raw in dpkt.pcap.Reader(file):
            ether = dpkt.ethernet.Ethernet(raw)
            ip, macs = ether.data, (ether.src.hex(":"), ether.dst.hex(":"))
            time_us = round(float(seconds) * 1_000_000)
            if not isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)):
                yield Told(time_us, len(raw), *macs, 0, "arp", "", "", (0, 0))
                continue
            segment = ip.data
            name = {dpkt.tcp.TCP: "tcp", dpkt.udp.UDP: "udp"}.get(type(segment), "other")
            ports = (segment.sport, segment.dport) if name != "other" else (0, 0)
            ends = str(ip_address(ip.src)), str(ip_address(ip.dst))
            yield Told(time_us, len(raw), *macs, ip.v, name, *ends, ports, _question(segment, ports))


def _question(segment: object, ports: tuple[int, int]) -> str:
    if ports[1] != 53 or not isinstance(segment, dpkt.udp.UDP):
        return ""
    message = dpkt.dns.DNS(segment.data)
    return str(message.qd[0].name) if message.qr == 0 and message.qd else ""


def octets(frames: list[Told]) -> int:
    """Their bytes."""
    return sum(each.size for each in frames)


def local(each: Told) -> bool:
    """Whether both ends of an IP packet stand in the house."""
    return all(end.startswith(("192.168.", "fe80:", "0.0.0.0", "255.")) for end in (each.sender, each.receiver))  # noqa: S104  an address that is compared


def chatter(each: Told) -> bool:
    """Whether a frame is discovery or control: here DHCP, ARP and what the router announces."""
    return each.version == 0 or each.protocol == "other" or bool({67, 68} & set(each.ports))
