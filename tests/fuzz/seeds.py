"""What fuzzing starts from: the messages in the captures that the project recorded, sorted out by port."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from daemon.decode.fragments import Fragments
from daemon.decode.packet import ICMPV6, IP, TCP, UDP, Packet
from daemon.decode.slow import decode_frame
from tests.support.captures import read

DATA = Path(__file__).parents[1] / "data"
MOST = 40  # seeds of a target
LARGEST = 20_000  # bytes of a seed

PORTS = {  # target -> IP protocol and ports of either end
    "dns": (UDP, {53, 5353, 5355}),
    "tls": (TCP, {443, 853, 8443}),
    "quic": (UDP, {443}),
    "http": (TCP, {80, 8080}),
    "dhcp": (UDP, {67, 68}),
    "dhcpv6": (UDP, {546, 547}),
    "ssdp": (UDP, {1900}),
    "netbios": (UDP, {137, 138}),
}
FRONT = {"quic": b"\xff", "slow": b"\x01"}  # what a target takes off its input


@cache
def _frames() -> tuple[bytes, ...]:
    """Different frames of the Ethernet captures, the shortest first."""
    frames = set()
    for path in DATA.glob("*.pcap"):
        data = path.read_bytes()
        frames |= {data[row.offset : row.offset + row.captured] for row in read(data).rows if row.link == 1}
    return tuple(sorted(frames, key=lambda frame: (len(frame), frame)))


@cache
def _packets() -> tuple[Packet, ...]:
    packets = [decode_frame(frame, len(frame), 1, 0, Fragments()) for frame in _frames()]
    return tuple(packet for packet in packets if packet.kind == IP and packet.payload)


def seeds(target: str) -> list[bytes]:
    """Inputs that a target takes, each different."""
    if target in ("pcap", "import"):
        found = [path.read_bytes() for path in sorted(DATA.glob("*.pcap"))]
    elif target == "pcapng":
        found = [path.read_bytes()[28:] for path in sorted(DATA.glob("*.pcapng"))]
    elif target == "slow":
        found = list(_frames())
    elif target == "signatures":
        found = [packet.payload for packet in _packets()]
    elif target == "ndp":
        found = [packet.payload for packet in _packets() if packet.protocol == ICMPV6]
    else:
        protocol, ports = PORTS[target]
        found = [
            packet.payload
            for packet in _packets()
            if packet.protocol == protocol and ports & {packet.source_port, packet.destination_port}
        ]
    front = FRONT.get(target, b"")
    usable = [front + data for data in dict.fromkeys(found) if len(data) <= LARGEST]
    return usable[:: max(1, len(usable) // MOST)][:MOST]
