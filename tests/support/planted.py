"""Three weeks of a home with thirty-three things in it that should be found, and an ordinary life around them.

Rule 1: everything is packets: addresses are asked for by name where it says so, connections open and close.
Rule 2: two homes come from one plan: `TUNED` is the one that the hunt was made with, `UNSEEN` has other periods, rates,
        ports, hours and another seed, and was looked at only to measure.
Rule 3: what the ordinary life does is what such devices do: calls to their makers by the clock, time, updates, checks
        whether there is internet, a camera's video to a phone, a phone that reaches everything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, Frame, hello, lookup
from tests.support import packets as p
from tests.support.packets import START_US

BEGIN = START_US // DAY * DAY
DAYS = 21
MINUTE = 60 * SECOND


class Plan(NamedTuple):
    """What differs between the homes. Times in seconds, days from the beginning."""

    seed: int
    short: float  # periods of beacons
    middle: float
    long: float
    pair: tuple[float, float]  # of two at one destination
    holed: float  # of one whose recording has holes
    alive: float  # of packets that keep one flow alive
    ask: float  # seconds between requests that hammer
    rush: float
    packets: float  # a second, of small ones in one connection
    fail: float
    ports: tuple[int, int]  # that no service is known for; that is searched
    from_day: int
    nightly: tuple[int, int]  # bytes up of a connection at night, and how many there are


TUNED = Plan(7, 45, 300, 3600, (60, 97), 600, 25, 1, 5, 2.4, 30, (4444, 23), 12, (90_000, 3))
UNSEEN = Plan(4021, 33, 510, 4500, (82, 131), 1100, 50, 1.2, 9, 2.2, 55, (12_777, 2323), 11, (41_000, 4))


class Planted(NamedTuple):
    """What should be found: its kind, the device's station, the destination ("" where there are many)."""

    kind: str
    key: str
    place: str


@dataclass
class Gadget:
    """A device of the home."""

    name: str
    number: int
    mac: str = ""

    def __post_init__(self) -> None:
        self.mac = self.mac or f"00:00:5e:00:53:{self.number:02x}"  # RFC 7042 section 2.1.2: for documentation

    @property
    def address(self) -> str:
        """Its own."""
        return f"192.168.1.{20 + self.number}"


@dataclass
class Home:
    """Packets as they are made, and what is planted in them."""

    plan: Plan
    frames: list[Frame] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    _port: int = 20_000
    _host: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.plan.seed)

    def somewhere(self, block: str = "60.0") -> str:
        """An address of the internet that nobody had before."""
        self._host += 1
        return f"{block}.{self._host // 200 + 1}.{self._host % 200 + 10}"

    def port(self) -> int:
        """A source port of the moment."""
        self._port = 20_000 + (self._port - 19_999) % 40_000
        return self._port

    def asks(self, who: Gadget, name: str, address: str, begin: int, days: int) -> None:
        """Its questions for a name, twice a day, with answers that hold for a day."""
        for half in range(2 * days + 1):
            at = begin - MINUTE + half * DAY // 2
            self.frames += lookup(at, name, address, client=who.address, mac=who.mac, port=self.port(), ttl=86_400)

    def connects(
        self, who: Gadget, server: str, port: int, times: Iterator[int], *, name: str | None = None, up: bytes = b"",
        down: int = 400,
    ) -> None:  # fmt: skip
        """Connections at these times, all alike but for the client's port; a hello goes first where there is a name."""
        talk = p.Conversation(
            client=who.address, server=server, server_port=port, client_mac=who.mac, start_us=0, gap_us=9000
        )
        talk.open().send(hello(name) if name else up or b"x" * 180).reply(bytes(down)).close()
        for at in times:
            source = self.port().to_bytes(2, "big")
            self.frames += [(at + after, _from_port(frame, source, who)) for after, frame in talk.frames]

    def uploads(self, who: Gadget, server: str, at: int, octets: int) -> None:
        """One connection that carries much, in full segments."""
        talk = p.Conversation(client=who.address, server=server, client_mac=who.mac, start_us=at, gap_us=900)
        talk.open().send(bytes(octets)).reply(b"thanks").close()
        source = self.port().to_bytes(2, "big")
        self.frames += [(when, _from_port(frame, source, who)) for when, frame in talk.frames]

    def refused(self, who: Gadget, server: str, port: int, times: Iterator[int], *, answered: bool = True) -> None:
        """Openings that are turned down, or that nobody hears."""
        talk = p.Conversation(client=who.address, server=server, server_port=port, client_mac=who.mac, start_us=0)
        talk.add(p.SYN)
        for at in times:
            source = self.port().to_bytes(2, "big")
            frames = talk.frames + ([(900, talk.reset().frames.pop()[1])] if answered else [])
            self.frames += [(at + after, _from_port(frame, source, who)) for after, frame in frames]

    def datagrams(
        self, who: Gadget, server: str, port: int, times: Iterator[int], *, size: int = 60, same: int | None = None
    ) -> None:
        """A datagram and its answer at each of these times; `same`: all from one port."""
        there = p.udp_frame(bytes(size), who.address, server, 1, port, mac=who.mac)
        back = p.ethernet(p.ipv4(p.udp(bytes(size), port, 1), server, who.address), src=p.ROUTER_MAC, dst=who.mac)
        for at in times:
            source = (same or self.port()).to_bytes(2, "big")
            self.frames += [(at, _from_port(there, source, who)), (at + 20_000, _from_port(back, source, who))]

    def clock(self, begin: int, period: float, stray: float, lasting: float) -> Iterator[int]:
        """Times a period apart, each a part of it early or late."""
        at = float(begin)
        while at < begin + lasting * SECOND:
            yield round(at)
            at += period * SECOND * (1 + self.chance.uniform(-stray, stray))

    def anytime(self, begin: int, number: int, lasting: float) -> Iterator[int]:
        """Times without a rhythm."""
        yield from sorted(begin + round(self.chance.random() * lasting * SECOND) for _ in range(number))

    def evenings(self, begin: int, days: int, number: int) -> Iterator[int]:
        """Times of people at home: some between six and eleven, some days none."""
        for day in range(days):
            if self.chance.random() < 0.8:
                yield from self.anytime(begin + day * DAY + 18 * HOUR, self.chance.randint(1, number), 5 * 3600)

    def write(self, folder: Path) -> list[Path]:
        """A capture of each day."""
        days: dict[int, list[Frame]] = {}
        for frame in self.frames:
            days.setdefault(frame[0] // DAY, []).append(frame)
        paths = []
        for day, frames in sorted(days.items()):
            paths.append(folder / f"{day}.pcap")
            paths[-1].write_bytes(p.pcap(sorted(frames, key=lambda frame: frame[0])))
        return paths


def _from_port(frame: bytes, source: bytes, who: Gadget) -> bytes:
    """The same frame with another port of the device; behind Ethernet and IPv4 without options."""
    at = 34 if frame[6:12] == p.mac_bytes(who.mac) else 36
    return frame[:at] + source + frame[at + 2 :]
