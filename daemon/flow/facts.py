"""Facts: what was seen, in the words of the public schema. They carry no judgement and never change once written.

Endpoints are numbers from `Endpoints`, local to one process; the store gives them their lasting identity. Times are
microseconds since the epoch, sizes are frame bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from daemon.decode.dns import Record
from daemon.decode.sketch import Block

DAY_US = 86_400_000_000
RESOLVER = "resolver"  # key of the hint by which somebody who announces networks names a DNS server

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'

_K = TypeVar("_K")
_F = TypeVar("_F")


class FlowKind(NamedTuple):
    """What a flow has in common with many others; few of these differ, so the store keeps each once."""

    protocol: str
    ip_version: int
    service: str | None
    encrypted: str
    chatter: bool
    tunnel: str | None


class FlowFact(NamedTuple):
    """One conversation as far as it was seen; `number` counts the flows of a capture in order of their first packet.

    What is true or false is 1 or 0: sqlite3 asks around for half a microsecond what a bool could be.
    """

    number: int
    kind: FlowKind
    client: int
    server: int
    client_port: int | None
    server_port: int | None
    name: str | None
    name_source: str | None
    end: str
    begun: int  # its beginning was seen (TCP SYN), so no earlier flow is continued by it
    live: int  # the table still holds it: it goes on should the capture grow
    sliced: int  # its counters are spread over several 15-minute slots: see SliceFact
    first_us: int
    last_us: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int


class SliceFact(NamedTuple):
    """What a flow moved in one 15-minute slot, added to what is known of that slot."""

    number: int
    slot_us: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int


class HelloFact(NamedTuple):
    """A handshake or request; `place` numbers those of one flow."""

    number: int
    place: int
    seen_us: int
    client: int
    client_port: int
    server: int
    server_port: int
    source: str
    name: str | None
    alpn: str | None
    version: str | None
    chosen_version: str | None
    cipher: str | None
    ech: str | None
    ja4: str | None
    certificate_names: str | None
    method: str | None
    user_agent: str | None


class DnsFact(NamedTuple):
    """One DNS message; `name` and `type` of its (first) question, empty where it has none."""

    seen_us: int
    client: int
    resolver: int
    transport: str
    response: bool
    name: str
    type: str
    rcode: str | None
    answers: int
    records: tuple[Record, ...]


class HintFact(NamedTuple):
    """A device about itself."""

    mac: int
    address: str
    source: str
    key: str
    value: str


class NetworkFact(NamedTuple):
    """A prefix that somebody announced as on this link."""

    prefix: str
    source: str
    lifetime_s: int
    day: int  # since the epoch, UTC: a prefix that went and came back is not taken for local in between


class RouterFact(NamedTuple):
    """A router that an announcement names, by MAC or by address."""

    mac: int
    address: str
    source: str


class FrameKey(NamedTuple):
    """Frames without IP are counted by slot, sender, receiver and ethertype."""

    slot_us: int
    src_mac: int
    dst_mac: int
    protocol: str


class EndpointKey(NamedTuple):
    """One end of a conversation: the MAC it was seen behind (-1: none) and its address."""

    mac: int
    version: int
    address: int


class Endpoints:
    """Numbers for the ends of conversations, in order of appearance; kept for the life of one decoder."""

    __slots__ = ("_numbers", "keys")

    def __init__(self) -> None:
        self._numbers: dict[EndpointKey, int] = {}
        self.keys: list[EndpointKey] = []

    def number(self, mac: int, version: int, address: int) -> int:
        """The number of this end, a new one at its first appearance."""
        key = _new(EndpointKey, (mac, version, address))
        known = self._numbers.setdefault(key, len(self.keys))
        if known == len(self.keys):
            self.keys.append(key)
        return known

    def __len__(self) -> int:
        return len(self.keys)


class Told(Protocol[_F]):
    """Facts of one kind as they were told: a list, or what C keeps, which makes each when it is asked for."""

    def append(self, fact: _F, /) -> None:
        """Add a fact."""

    def extend(self, facts: Iterable[_F], /) -> None:
        """Add several."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[_F]:
        """All of them, in order."""


@dataclass(slots=True)
class Facts:
    """What one stretch of a capture yielded; the store takes it whole, in one transaction."""

    flows: Told[FlowFact] = field(default_factory=list)
    slices: list[SliceFact] = field(default_factory=list)
    hellos: Told[HelloFact] = field(default_factory=list)
    dns: Told[DnsFact] = field(default_factory=list)
    hints: dict[HintFact, list[int]] = field(default_factory=dict)  # -> [first_us, last_us]
    networks: dict[NetworkFact, list[int]] = field(default_factory=dict)
    routers: dict[RouterFact, list[int]] = field(default_factory=dict)
    frames: dict[FrameKey, list[int]] = field(default_factory=dict)  # -> [packets, bytes]
    seen: dict[int, list[int]] = field(default_factory=dict)  # endpoint -> [first_us, last_us, has sent]
    blocks: list[Block] = field(default_factory=list)  # of the file, without a gap: where packets lie, and whose

    def size(self) -> int:
        """About how many rows the store will write."""
        return len(self.flows) + len(self.slices) + len(self.hellos) + 3 * len(self.dns) + len(self.frames)

    def saw(self, end: int, first_us: int, last_us: int, *, sent: int) -> None:
        """An end was seen from then to then; `sent`: a packet came from it (1), or went to it only (0)."""
        stretch(self.seen, end, first_us, last_us, sent)

    def hint(self, facts: Iterable[HintFact], time_us: int) -> None:
        """Note what a device said of itself at this time."""
        for fact in facts:
            widen(self.hints, fact, time_us)


def stretch(spans: dict[int, list[int]], end: int, first_us: int, last_us: int, sent: int) -> None:
    """Stretch the span [first, last, has sent] of an end."""
    span = spans.get(end)
    if span is None:
        spans[end] = [first_us, last_us, sent]
        return
    if first_us < span[0]:
        span[0] = first_us
    if last_us > span[1]:
        span[1] = last_us
    span[2] |= sent


def network(facts: Facts, prefix: str, source: str, lifetime_s: int, time_us: int) -> None:
    """Note that a prefix was announced at this time."""
    widen(facts.networks, NetworkFact(prefix, source, lifetime_s, time_us // DAY_US), time_us)


def widen(spans: dict[_K, list[int]], key: _K, time_us: int) -> None:
    """Stretch the [first, last] of `key` to this time."""
    span = spans.get(key)
    if span is None:
        spans[key] = [time_us, time_us]
    elif time_us < span[0]:
        span[0] = time_us
    elif time_us > span[1]:
        span[1] = time_us
