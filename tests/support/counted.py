"""A capture counted without our code: dpkt reads the packets, plain dictionaries add them up, by MAC.

Rule: whatever a page says of a device can be computed from these rows in a line of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import dpkt


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame. Addresses are empty where it has no IP; `question`: the name that it asks a name server for."""

    time_us: int
    source: str  # MACs
    target: str
    sender: str  # addresses
    receiver: str
    protocol: int
    size: int
    question: str = ""

    @property
    def hour(self) -> int:
        """Of the day, UTC."""
        return datetime.fromtimestamp(self.time_us / 1_000_000, UTC).hour


def packets(path: Path) -> list[Packet]:
    """All frames of a pcap file."""
    return list(_read(path))


def _read(path: Path) -> Iterator[Packet]:
    with path.open("rb") as file:
        for seconds, frame in dpkt.pcap.Reader(file):
            ether = dpkt.ethernet.Ethernet(frame)
            source, target = ether.src.hex(":"), ether.dst.hex(":")
            packet = ether.data
            time_us = round(float(seconds) * 1_000_000)
            if not isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)):
                yield Packet(time_us, source, target, "", "", 0, len(frame))
                continue
            ends = str(ip_address(packet.src)), str(ip_address(packet.dst))
            protocol = packet.p if isinstance(packet, dpkt.ip.IP) else packet.nxt
            yield Packet(time_us, source, target, *ends, protocol, len(frame), _question(packet.data))


def _question(segment: object) -> str:
    if not isinstance(segment, dpkt.udp.UDP) or segment.dport != 53:
        return ""
    message = dpkt.dns.DNS(segment.data)
    return str(message.qd[0].name) if message.qr == 0 and message.qd else ""


def sent(frames: list[Packet], mac: str, wanted: Callable[[Packet], bool] = lambda _: True) -> int:
    """Bytes of a MAC's own frames."""
    return sum(each.size for each in frames if each.source == mac and wanted(each))


def received(frames: list[Packet], mac: str, wanted: Callable[[Packet], bool] = lambda _: True) -> int:
    """Bytes of frames to a MAC."""
    return sum(each.size for each in frames if each.target == mac and wanted(each))


def outside(each: Packet) -> bool:
    """Whether a frame goes to or comes from the documentation prefixes that tests take for the internet."""
    return any(end.startswith(("203.0.113.", "198.51.100.", "2001:db8:9:")) for end in (each.sender, each.receiver))
