"""What is counted of one conversation, and the room for what its payloads teach.

Rule 1: pairs are by end, 0 and 1 in the order of their addresses, and are replaced, never changed in place.
Rule 2: silence ends a conversation (TCP 3,600 s, UDP 180 s, others 60 s), after FIN or RST already 10 s.
Rule 3: counters are kept by 15-minute slot. A conversation that stays in one slot needs no slices: its totals are that
        slot's.
Rule 4: the twin in C (`_core_tally.h`) has the same attributes and gives the same answers; a test compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.decode.packet import ACK, FIN, ICMPV6, RST, SYN, TCP, UDP
from daemon.flow.facts import Endpoints, Told, stretch
from daemon.flow.local import BROADCAST, is_group

if TYPE_CHECKING:
    from daemon.flow.hello import Hello
    from daemon.flow.inspector import Inspector

SECOND = 1_000_000
IDLE_US = {TCP: 3600 * SECOND, UDP: 180 * SECOND}
OTHER_IDLE_US = 60 * SECOND
CLOSED_IDLE_US = 10 * SECOND
INSPECTED = (TCP, UDP, ICMPV6)  # IP protocols whose payloads are looked into
_BOTH = 3

# (ip version, IP protocol, tunnel, address of end 0, its port, address of end 1, its port); end 0 is the lesser.
FlowKey = tuple[int, int, int, int, int, int, int]
Pair = tuple[int, int]
# IP protocol, IP version, tunnel, service that the payload showed, whether it did, server's port, client's port (0 where
# a service was shown, so that it does not matter), and whether the server's address is one of many (`group`).
Traits = tuple[int, int, int, str | None, bool, int, int, int]


class Tally:
    """Counters of a conversation under way. Times in microseconds, sizes in frame bytes on the wire."""

    __slots__ = (
        "asker", "began_us", "begun", "bytes", "closed", "confirmed", "ends", "first_side", "first_us", "hello_count",
        "hellos", "idle_us", "inspector", "isn", "key", "last_us", "macs", "name", "name_source", "number", "packets",
        "service", "slices", "slot", "syn", "wants",
    )  # fmt: skip

    def __init__(self, number: int, key: FlowKey, side: int, time_us: int) -> None:
        self.number = number
        self.key = key
        self.first_us = self.last_us = time_us
        self.began_us = time_us  # of the first packet in file order, whatever the clock did later
        self.idle_us = IDLE_US.get(key[1], OTHER_IDLE_US)
        self.closed = 0  # FIN or RST, once seen
        self.packets: Pair = (0, 0)  # sent by each end
        self.bytes: Pair = (0, 0)
        self.macs: Pair = (-1, -1)
        self.ends: Pair = (-1, -1)  # numbers from Endpoints
        self.isn: Pair = (-1, -1)  # sequence number behind each end's SYN
        self.slot = 0  # of the packets while there is one slot
        # Once a second slot has packets: slot -> [packets of 0, of 1, bytes of 0, of 1] not yet written.
        self.slices: dict[int, list[int]] | None = None
        self.first_side = side
        self.syn = -1  # the client, as a SYN shows it
        self.begun = False  # its beginning was seen
        # What the payloads teach; see `conversation`.
        self.wants = _BOTH if key[1] in INSPECTED else 0  # mask of the ends (1, 2) whose payloads are to be shown
        self.inspector: Inspector | None = None  # made when there is something to look at
        self.asker = -1  # the end that said hello, or asked
        self.service: str | None = None
        self.confirmed = False
        self.name: str | None = None
        self.name_source: str | None = None
        self.hello_count = 0
        self.hellos: list[Hello] | None = None

    @property
    def sliced(self) -> bool:
        """Whether the counters are spread over several slots."""
        return self.slices is not None

    def meet(self, endpoints: Endpoints, spans: dict[int, list[int]], side: int, src_mac: int, dst_mac: int) -> None:
        """A first packet from `side`: learn the link addresses of both ends, as far as it shows them.

        If it comes from another MAC than it was sought behind, both were seen; `spans` are those of Facts.
        """
        sought = self.ends[side]
        self._behind(endpoints, side, src_mac)
        if sought not in (-1, self.ends[side]):
            stretch(spans, sought, self.began_us, self.began_us, 0)
        if self.ends[1 - side] < 0:
            group_bit = dst_mac >= 0 and dst_mac >> 40 & 1
            self._behind(endpoints, 1 - side, -1 if group_bit else dst_mac)

    def _behind(self, endpoints: Endpoints, side: int, mac: int) -> None:
        self.macs = _put(self.macs, side, mac)
        self.ends = _put(self.ends, side, endpoints.number(mac, self.key[0], self.key[3 + 2 * side]))

    def count(self, slot: int, packets: Pair, size: Pair, first_us: int, last_us: int) -> None:
        """Add packets and bytes sent by each end within one slot."""
        if not any(self.packets):
            self.slot = slot
        elif slot != self.slot or self.slices is not None:
            self._count_slice(slot, packets, size)
        self.packets = self.packets[0] + packets[0], self.packets[1] + packets[1]
        self.bytes = self.bytes[0] + size[0], self.bytes[1] + size[1]
        self.first_us = min(self.first_us, first_us)
        self.last_us = max(self.last_us, last_us)

    def _count_slice(self, slot: int, packets: Pair, size: Pair) -> None:
        if self.slices is None:
            self.slices = {self.slot: [*self.packets, *self.bytes]}
        cell = self.slices.setdefault(slot, [0, 0, 0, 0])
        for place, more in enumerate((*packets, *size)):
            cell[place] += more

    def flags(self, side: int, flags: int, seq: int) -> None:
        """A TCP packet of `side` with SYN, FIN or RST among its flags."""
        if flags & SYN:
            begin = (seq + 1) & 0xFFFFFFFF  # SYN takes a sequence number (RFC 9293 section 3.4)
            if not flags & ACK and self.isn[side] not in (-1, begin):
                self.isn = (-1, -1)  # the ports were taken again although nothing had closed the connection
            self.isn = _put(self.isn, side, begin)
            if self.syn < 0:
                # A SYN-ACK names the client too: the other end.
                self.syn = 1 - side if flags & ACK else side
                self.begun = True
        if flags & (FIN | RST):
            self.closed |= flags & (FIN | RST)
            self.idle_us = CLOSED_IDLE_US

    # --- what becomes of it ---

    def seen(self, spans: dict[int, list[int]]) -> None:
        """Stretch the spans of both ends; one that was only spoken to was seen when it began (see `meet`)."""
        for side in (0, 1):
            if self.ends[side] < 0:
                continue
            if self.packets[side]:
                stretch(spans, self.ends[side], self.first_us, self.last_us, 1)
            else:
                stretch(spans, self.ends[side], self.began_us, self.began_us, 0)

    def port(self, side: int) -> int:
        """Port of an end, -1 where the protocol has none."""
        return self.key[4 + 2 * side]

    def group(self, side: int) -> int:
        """Whether the address of an end stands for many: 0, 1 for a group, 2 for the limited broadcast."""
        version, address = self.key[0], self.key[3 + 2 * side]
        if version == 4 and address == BROADCAST:
            return 2
        return int(is_group(version, address))

    def traits(self, client: int) -> Traits:
        """What decides the kind of the flow whose client is this end."""
        server, key = 1 - client, self.key
        asking = 0 if self.service else self.port(client)
        return key[1], key[0], key[2], self.service, self.confirmed, self.port(server), asking, self.group(server)

    def tell(
        self, flows: Told[Any], spans: dict[int, list[int]], otherwise: str, live: bool, makers: tuple[Any, ...]
    ) -> bool:
        """Add the flow to `flows` and its ends to `spans`, all in one; whether that is done.

        `makers` are those of `conversation`. Python leaves it to the caller, who knows how; C does it at once.
        """
        del self, flows, spans, otherwise, live, makers
        return False

    def row(self, client: int, kind: object, end: str, live: bool) -> tuple[object, ...]:
        """The fields of a FlowFact."""
        server = 1 - client
        ports = self.port(client), self.port(server)
        return (
            self.number, kind, self.ends[client], self.ends[server], ports[0] if ports[0] >= 0 else None,
            ports[1] if ports[1] >= 0 else None, self.name, self.name_source, end, int(self.begun), int(live),
            int(self.sliced),
            self.first_us, self.last_us, self.packets[client], self.packets[server], self.bytes[client], self.bytes[server],
        )  # fmt: skip


def _put(pair: Pair, side: int, value: int) -> Pair:
    return (pair[0], value) if side else (value, pair[1])
