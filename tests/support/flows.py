"""Frames with times -> facts, by the way that an import takes: columns, flow core, inspectors.

Rule 1: `watch` gives the facts of a scenario only after it has seen that they do not depend on how they were come by:
        every core, and reading that stops behind any packet and goes on elsewhere, with or without the capture's end
        having been said there, with state that was JSON in between.
Rule 2: facts are shown with addresses as text, so that they can be compared over several readings.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from daemon.decode.columns import SPARE, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.records import Records
from daemon.flow.core import NATIVE, CoreName
from daemon.flow.facts import (
    DnsFact,
    EndpointKey,
    Endpoints,
    Facts,
    FlowFact,
    FrameKey,
    HelloFact,
    HintFact,
    NetworkFact,
    RouterFact,
    SliceFact,
)
from daemon.flow.local import address_text
from daemon.flow.table import FlowTable
from tests.support import packets as p

SECOND = 1_000_000
SLOT = 900 * SECOND
CORES: tuple[CoreName, ...] = ("walk", "numpy", "c") if NATIVE else ("walk", "numpy")
NOBODY = "0.0.0.0"  # noqa: S104  an address on the wire: nothing is bound to it
_STOPS = 10  # places at which a long scenario is stopped

Frame = tuple[int, bytes] | tuple[int, bytes, int]  # time, what was captured, and of how many bytes


class SeenFlow(NamedTuple):
    """A flow; `client` and `server` as `address:port`. The fact's own ends are numbers of one reading, so they are 0."""

    client: str
    server: str
    macs: tuple[int, int]
    fact: FlowFact


class SeenHello(NamedTuple):
    """A hello with its ends as `address:port`."""

    client: str
    server: str
    fact: HelloFact


class SeenDns(NamedTuple):
    """A DNS message with its ends as addresses."""

    client: str
    resolver: str
    fact: DnsFact


@dataclass(slots=True)
class Outcome:
    """All facts of a scenario, added up as the store adds them up."""

    flows: dict[int, SeenFlow] = field(default_factory=dict)
    slices: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    hellos: dict[tuple[int, int], SeenHello] = field(default_factory=dict)
    dns: list[SeenDns] = field(default_factory=list)
    hints: dict[HintFact, list[int]] = field(default_factory=dict)
    networks: dict[NetworkFact, list[int]] = field(default_factory=dict)
    routers: dict[RouterFact, list[int]] = field(default_factory=dict)
    frames: dict[FrameKey, list[int]] = field(default_factory=dict)
    seen: dict[EndpointKey, list[int]] = field(default_factory=dict)

    @property
    def flow(self) -> SeenFlow:
        """The one flow."""
        assert len(self.flows) == 1
        return self.flows[0]

    @property
    def hello(self) -> HelloFact:
        """The one hello."""
        assert len(self.hellos) == 1, [hello.fact for hello in self.hellos.values()]
        return next(iter(self.hellos.values())).fact

    @property
    def names(self) -> list[str | None]:
        """Names of all hellos, by flow."""
        return [self.hellos[key].fact.name for key in sorted(self.hellos)]

    @property
    def ends(self) -> list[str]:
        """How each flow ended."""
        return [self.flows[number].fact.end for number in sorted(self.flows)]

    def add(self, facts: Facts, endpoints: Endpoints) -> None:
        """Take the facts of one reading."""

        def text(end: int, port: int | None = None) -> str:
            _, version, address = endpoints.keys[end]
            words = address_text(version, address)
            return words if port is None else f"[{words}]:{port}" if version == 6 else f"{words}:{port}"

        for flow in facts.flows:
            client, server = text(flow.client, flow.client_port), text(flow.server, flow.server_port)
            macs = endpoints.keys[flow.client].mac, endpoints.keys[flow.server].mac
            self.flows[flow.number] = SeenFlow(client, server, macs, flow._replace(client=0, server=0))
        for piece in facts.slices:
            _add_slice(self.slices, piece)
        for hello in facts.hellos:
            client, server = text(hello.client, hello.client_port), text(hello.server, hello.server_port)
            self.hellos[hello.number, hello.place] = SeenHello(client, server, hello._replace(client=0, server=0))
        for said in facts.dns:
            self.dns.append(SeenDns(text(said.client), text(said.resolver), said._replace(client=0, resolver=0)))
        _stretch(self.hints, facts.hints)
        _stretch(self.networks, facts.networks)
        _stretch(self.routers, facts.routers)
        for key, cell in facts.frames.items():
            known = self.frames.setdefault(key, [0, 0])
            self.frames[key] = [known[0] + cell[0], known[1] + cell[1]]
        for end, (first, last, sent) in facts.seen.items():
            before = self.seen.get(endpoints.keys[end], [first, last, sent])
            self.seen[endpoints.keys[end]] = [min(first, before[0]), max(last, before[1]), sent | before[2]]


def _add_slice(slices: dict[tuple[int, int], list[int]], piece: SliceFact) -> None:
    known = slices.get((piece.number, piece.slot_us), [0, 0, 0, 0])
    slices[piece.number, piece.slot_us] = [a + b for a, b in zip(known, piece[2:], strict=True)]


def _stretch(spans: dict[Any, list[int]], more: dict[Any, list[int]]) -> None:
    for key, (first, last) in more.items():
        before = spans.get(key, [first, last])
        spans[key] = [min(first, before[0]), max(last, before[1])]


def outcome(
    frames: Sequence[Frame],
    *,
    link: int = 1,
    core: CoreName = "auto",
    stops: Collection[int] = (),
    finish: bool = True,
) -> Outcome:
    """The facts of these frames, read in pieces: one begins behind each index in `stops`.

    Between two pieces everything is made anew from JSON; `finish` says that the end of the capture was reached there.
    """
    found = Outcome()
    state: str | None = None
    edges = [0, *sorted(stops), len(frames)]
    for start, stop in pairwise(edges):
        endpoints = Endpoints()
        table, fragments = FlowTable(endpoints, core=core), Fragments()
        if state is not None:
            kept = json.loads(state)
            table.restore(kept["table"])
            fragments = Fragments.from_state(kept["fragments"])
        if stop > start:
            buf, records = chunk(frames[start:stop], link)
            table.add(buf, decode_columns(buf, records, fragments))
        last = stop == len(frames)
        if last or finish:
            table.finish("cut" if last else "open")
        found.add(table.take_facts(), endpoints)
        state = json.dumps({"table": table.state(), "fragments": fragments.state()})
    return _numbered(found)


def _numbered(found: Outcome) -> Outcome:
    """Flows numbered anew by their first packets: cores agree on the flows, not on which they meet first in a chunk."""
    order = sorted(found.flows, key=lambda number: _place(found.flows[number]))
    new = {number: at for at, number in enumerate(order)}
    found.flows = {
        at: found.flows[number]._replace(fact=found.flows[number].fact._replace(number=at))
        for at, number in enumerate(order)
    }
    found.slices = {(new[number], slot): cell for (number, slot), cell in found.slices.items()}
    found.hellos = {
        (new[number], place): hello._replace(fact=hello.fact._replace(number=new[number]))
        for (number, place), hello in found.hellos.items()
    }
    return found


def _place(flow: SeenFlow) -> tuple[int, int, str, str, int]:
    return flow.fact.first_us, flow.fact.last_us, flow.client, flow.server, flow.fact.packets_up


def chunk(frames: Sequence[Frame], link: int = 1) -> tuple[bytearray, Records]:
    """A buffer that holds the frames, and their records."""
    buf, offsets = bytearray(), []
    for frame in frames:
        offsets.append(len(buf))
        buf += frame[1]
    buf += bytes(SPARE)
    return buf, Records(
        offset=np.array(offsets, np.int64),
        captured=np.array([len(frame[1]) for frame in frames], np.int64),
        wire=np.array([frame[2] if len(frame) == 3 else len(frame[1]) for frame in frames], np.int64),
        time_us=np.array([frame[0] for frame in frames], np.int64),
        link=np.full(len(frames), link, np.int32),
        consumed=len(buf),
        damage=(),
    )


def watch(frames: Sequence[Frame], *, link: int = 1) -> Outcome:
    """The facts of these frames, after they have shown to be the same however they were read (rule 1)."""
    whole = outcome(frames, link=link)
    for core in CORES:
        assert outcome(frames, link=link, core=core) == whole, core
    inner = range(1, len(frames))
    some = inner if len(inner) <= _STOPS else [inner[len(inner) * i // _STOPS] for i in range(_STOPS)]
    for stop in some:
        assert outcome(frames, link=link, stops=[stop]) == whole, f"stopped behind packet {stop}"
    for finish in (True, False):
        every = outcome(frames, link=link, stops=inner if len(frames) < 100 else some, finish=finish)
        assert every == whole, f"stopped behind every packet, {finish=}"
    return whole


def timed(frames: Sequence[bytes], gap_us: int = 1000, start_us: int = p.START_US) -> list[Frame]:
    """Frames with a steady gap between them."""
    return [(start_us + gap_us * index, frame) for index, frame in enumerate(frames)]


def cut(frame: Frame, size: int) -> Frame:
    """A frame of which only the first bytes were captured."""
    return frame[0], frame[1][:size], len(frame[1])


class Tcp:
    """Frames of one TCP connection, each where the test says, not where a stack would put it.

    `up` and `down` take an offset from the first byte of data of that direction; sequence numbers follow from `isn`.
    """

    def __init__(
        self,
        client_port: int = 40000,
        server_port: int = 443,
        *,
        isn: tuple[int, int] = (1000, 5000),
        client: str = p.HOST,
        server: str = p.SERVER,
        start_us: int = p.START_US,
    ) -> None:
        self.frames: list[Frame] = []
        self.clock_us = start_us
        self._isn = isn
        self._ends = (client, client_port, p.HOST_MAC), (server, server_port, p.ROUTER_MAC)
        self._sent = [0, 0]

    def segment(self, side: int, data: bytes, offset: int, flags: int = p.ACK) -> Tcp:
        """One segment of client (0) or server (1)."""
        (src, sport, mac), (dst, dport, to_mac) = self._ends[side], self._ends[1 - side]
        seq = self._isn[side] + offset + (0 if flags & p.SYN else 1)
        frame = p.tcp_frame(data, src, dst, sport, dport, seq=seq, flags=flags, mac=mac, to_mac=to_mac)
        self.frames.append((self.clock_us, frame))
        self.clock_us += 1000
        self._sent[side] = max(self._sent[side], offset + len(data))
        return self

    def wait(self, seconds: float) -> Tcp:
        """Nothing happens for a while."""
        self.clock_us += int(seconds * SECOND)
        return self

    def syn(self, data: bytes = b"") -> Tcp:
        """The client's SYN."""
        return self.segment(0, data, 0, p.SYN)

    def open(self) -> Tcp:
        """The three-way handshake."""
        return self.syn().segment(1, b"", 0, p.SYN | p.ACK).up(b"", 0)

    def up(self, data: bytes, offset: int | None = None) -> Tcp:
        """A segment of the client."""
        return self.segment(0, data, self._sent[0] if offset is None else offset, p.ACK | (p.PSH if data else 0))

    def down(self, data: bytes, offset: int | None = None) -> Tcp:
        """A segment of the server."""
        return self.segment(1, data, self._sent[1] if offset is None else offset, p.ACK | (p.PSH if data else 0))

    def fin(self, side: int = 0) -> Tcp:
        """This end has no more to say."""
        return self.segment(side, b"", self._sent[side], p.FIN | p.ACK)

    def rst(self, side: int = 0) -> Tcp:
        """This end gives up."""
        return self.segment(side, b"", self._sent[side], p.RST)

    def close(self) -> Tcp:
        """FIN both ways."""
        return self.fin(0).fin(1)
