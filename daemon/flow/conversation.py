"""One conversation while it lasts: who its ends are, who asked whom, what it moved, and what it said.

Rule 1: the client is the sender of the first SYN; else who said hello or asked; else the end without the well-known
        port; else who spoke first.
Rule 2: silence ends a flow (TCP 3,600 s, UDP 180 s, others 60 s), after FIN or RST already 10 s; so does a new SYN after
        either. What follows is another flow.
Rule 3: counters are kept by 15-minute slot. A flow that stays in one slot needs no slices: its totals are that slot's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from daemon.decode.groups import SLOT_US
from daemon.decode.packet import ACK, FIN, RST, SYN, TCP, TUNNELS, UDP
from daemon.flow.facts import Endpoints, Facts, FlowFact, HelloFact, HintFact, SliceFact
from daemon.flow.hello import Hello
from daemon.flow.inspector import Inspector, inspected, make_inspector, restore_inspector
from daemon.flow.local import address_text, is_group
from daemon.flow.resolvers import is_doh_name
from daemon.flow.services import by_port, encrypted, is_chatter, narrow, protocol_name

SECOND = 1_000_000
IDLE_US = {TCP: 3600 * SECOND, UDP: 180 * SECOND}
OTHER_IDLE_US = 60 * SECOND
CLOSED_IDLE_US = 10 * SECOND

_ICMPS = (1, 2, 58)  # ICMP, IGMP, ICMPv6: control chatter, whatever they carry
_BROADCAST = (1 << 32) - 1
_SYSTEM_PORTS, _EPHEMERAL = 1024, 32768  # below: RFC 6335 section 6; from: where Linux and Windows take client ports
_NAMED: dict[int, Literal["tcp", "udp"]] = {TCP: "tcp", UDP: "udp"}
_STRONG = ("tls", "quic")

# What a conversation learns from its payloads and flags; kept as it is when decoding stops and goes on.
_LEARNT = (
    "_syn",
    "_begun",
    "_asked",
    "_service",
    "_confirmed",
    "_name",
    "_name_source",
    "_hello_count",
    "isn",
    "began_us",
)

# (ip version, IP protocol, tunnel, address of end 0, its port, address of end 1, its port); end 0 is the lesser.
FlowKey = tuple[int, int, int, int, int, int, int]


class Conversation:
    """A flow under way. Ends are 0 and 1 in the order of their addresses, until `fact` says who is the client."""

    __slots__ = (
        "_asked", "_begun", "_confirmed", "_first_side", "_hello_count", "_hellos", "_name", "_name_source", "_service",
        "_slot", "_slots", "_syn", "began_us", "bytes", "closed", "ends", "first_us", "idle_us", "inspector", "isn", "key",
        "last_us", "macs", "number", "packets", "wants",
    )  # fmt: skip

    def __init__(self, number: int, key: FlowKey, side: int, time_us: int) -> None:
        self.number = number
        self.key = key
        self.first_us = self.last_us = time_us
        self.began_us = time_us  # of the first packet in file order, whatever the clock did later
        self.idle_us = IDLE_US.get(key[1], OTHER_IDLE_US)
        self.closed = 0  # FIN or RST, once seen
        self.packets = [0, 0]  # sent by each end
        self.bytes = [0, 0]
        self.macs = [-1, -1]
        self.ends = [-1, -1]  # numbers from Endpoints
        self.inspector: Inspector | None = None  # made when there is something to look at
        self.wants = inspected(key)  # mask of the ends (1, 2) whose payloads are to be shown to the inspector
        self.isn = [-1, -1]  # sequence number behind each end's SYN
        self._first_side = side
        self._syn = -1
        self._begun = False
        self._asked = -1
        self._service: str | None = None
        self._confirmed = False
        self._name: str | None = None
        self._name_source: str | None = None
        self._hello_count = 0
        self._hellos: list[Hello] | None = None
        self._slot = -1  # of the first packets
        # Once a second slot has packets: slot -> [packets of 0, of 1, bytes of 0, of 1] not yet written.
        self._slots: dict[int, list[int]] | None = None

    # --- counting ---

    def meet(self, endpoints: Endpoints, side: int, src_mac: int, dst_mac: int) -> None:
        """A first packet from `side`: learn the link addresses of both ends, as far as it shows them."""
        version = self.key[0]
        self._behind(endpoints, side, src_mac, version)
        other = 1 - side
        if self.ends[other] < 0:
            group_bit = dst_mac >= 0 and dst_mac >> 40 & 1
            self._behind(endpoints, other, -1 if group_bit else dst_mac, version)

    def _behind(self, endpoints: Endpoints, side: int, mac: int, version: int) -> None:
        self.macs[side] = mac
        self.ends[side] = endpoints.number(mac, version, self.key[3 + 2 * side])

    def count(self, slot: int, packets: tuple[int, int], size: tuple[int, int], first_us: int, last_us: int) -> None:
        """Add packets and bytes sent by each end within one slot."""
        if slot != self._slot or self._slots is not None:
            self._count_slice(slot, packets, size)
        self.packets[0] += packets[0]
        self.packets[1] += packets[1]
        self.bytes[0] += size[0]
        self.bytes[1] += size[1]
        self.first_us = min(self.first_us, first_us)
        self.last_us = max(self.last_us, last_us)

    def _count_slice(self, slot: int, packets: tuple[int, int], size: tuple[int, int]) -> None:
        if self._slot < 0:
            self._slot = slot
            return
        if self._slots is None:
            self._slots = {self._slot: [*self.packets, *self.bytes]}
        cell = self._slots.setdefault(slot, [0, 0, 0, 0])
        for place, more in enumerate((*packets, *size)):
            cell[place] += more

    def flags(self, side: int, flags: int, seq: int) -> None:
        """A TCP packet of `side` with SYN, FIN or RST among its flags."""
        if flags & SYN:
            begin = (seq + 1) & 0xFFFFFFFF  # SYN takes a sequence number (RFC 9293 section 3.4)
            if not flags & ACK and self.isn[side] not in (-1, begin):
                self.isn[1 - side] = -1  # the ports were taken again although nothing had closed the connection
            self.isn[side] = begin
            if self._syn < 0:
                # A SYN-ACK names the client too: the other end.
                self._syn = 1 - side if flags & ACK else side
                self._begun = True
        if flags & (FIN | RST):
            self.closed |= flags & (FIN | RST)
            self.idle_us = CLOSED_IDLE_US

    def inspect(self, facts: Facts, side: int, time_us: int, flags: int, seq: int, payload: bytes, missing: int) -> int:
        """Show a payload to the inspector, which is made for the first; the answer is whose are wanted from now on."""
        inspector = self.inspector
        if inspector is None:
            inspector = self.inspector = make_inspector(self.key, self.isn)
            if inspector is None:
                return 0
        inspector.packet(self, facts, side, time_us, flags, seq, payload, missing)
        return inspector.wants

    # --- what the inspectors learn ---

    def asked(self, side: int) -> None:
        """This end said hello, or asked."""
        if self._asked < 0:
            self._asked = side

    def recognised(self, service: str) -> None:
        """The payload shows this service; the first to be shown stays, but for TLS inside of something else."""
        if not self._confirmed or service in _STRONG:
            self._service, self._confirmed = service, True

    def next_hello(self) -> int:
        """The index of the next hello of this flow."""
        self._hello_count += 1
        return self._hello_count - 1

    def said(self, facts: Facts, hello: Hello, protocols: tuple[str, ...] = ()) -> None:
        """A hello: its name becomes the flow's, a handshake's before a request's."""
        name = host_part(hello.name) if hello.source == "http" else hello.name
        if name and (self._name is None or (self._name_source == "http" and hello.source in _STRONG)):
            self._name, self._name_source = name, hello.source
        if "doq" in protocols:
            self._service = "doq"
        if "dot" in protocols:
            self._service = "dot"
        if hello.source == "http":
            facts.hellos.append(self._hello_fact(hello))
            if hello.user_agent:
                key = HintFact(
                    self.macs[hello.side], self._address(hello.side), "http", "user_agent", hello.user_agent[:256]
                )
                facts.hint((key,), hello.seen_us)
        else:
            self._hellos = [*(self._hellos or ()), hello]

    def _address(self, side: int) -> str:
        return address_text(self.key[0], self.key[3 + 2 * side])

    def sender(self, side: int) -> tuple[int, str]:
        """MAC and address of an end."""
        return self.macs[side], self._address(side)

    def port(self, side: int) -> int:
        """Port of an end, -1 where the protocol has none."""
        return self.key[4 + 2 * side]

    # --- becoming facts ---

    def client(self) -> int:
        """Which end is the client (rule 1)."""
        if self._syn >= 0:
            return self._syn
        if self._asked >= 0:
            return self._asked
        named = _NAMED.get(self.key[1])
        if named is not None:
            ports = self.port(0), self.port(1)
            known = [by_port(named, port, 0) is not None for port in ports]
            for evidence in (known, [port < _SYSTEM_PORTS for port in ports], [port < _EPHEMERAL for port in ports]):
                if evidence[0] != evidence[1]:
                    return 1 if evidence[0] else 0
        return self._first_side

    def release(self, facts: Facts, end: str, *, live: bool) -> None:
        """Write the flow as it stands. While `live` it may go on: a later release replaces it and adds to its slices."""
        client = self.client()
        facts.flows.append(self._flow_fact(client, end, live=live))
        if self._slots is not None:
            server = 1 - client
            for slot, cell in self._slots.items():
                facts.slices.append(
                    SliceFact(
                        self.number, slot * SLOT_US, cell[client], cell[server], cell[2 + client], cell[2 + server]
                    )
                )
            self._slots = {}  # written; what comes is added to it
        if self._hellos is not None:
            facts.hellos.extend([self._hello_fact(hello) for hello in self._hellos])
            del self._hellos[:-1]  # only the last may still learn what the server answered
        for side in (0, 1):
            self._seen(facts, side)

    def _seen(self, facts: Facts, side: int) -> None:
        end = self.ends[side]
        if end < 0:
            return
        if self.packets[side]:
            facts.saw(end, self.first_us, self.last_us, sent=1)
        else:  # only spoken to, so far: see `FlowTable.meet`
            facts.saw(end, self.began_us, self.began_us, sent=0)

    def _flow_fact(self, client: int, end: str, *, live: bool) -> FlowFact:
        server = 1 - client
        version, protocol, tunnel = self.key[:3]
        ports = self.key[4 + 2 * client], self.key[4 + 2 * server]
        service, secret, chatter = self._describe(ports)
        if not chatter and is_group(version, self.key[3 + 2 * server]):
            chatter = service is None or (version == 4 and self.key[3 + 2 * server] == _BROADCAST)
        return FlowFact(
            self.number,
            self.ends[client],
            self.ends[server],
            protocol_name(protocol),
            version,
            ports[0] if ports[0] >= 0 else None,
            ports[1] if ports[1] >= 0 else None,
            service,
            secret,
            chatter,
            self._name,
            self._name_source,
            TUNNELS[tunnel] or None,
            end,
            self._begun,
            live,
            self._slots is not None,
            self.first_us,
            self.last_us,
            self.packets[client],
            self.packets[server],
            self.bytes[client],
            self.bytes[server],
        )

    def _describe(self, ports: tuple[int, int]) -> tuple[str | None, str, bool]:
        """Service, whether it is encrypted, and whether it is chatter; `ports` are the client's and the server's."""
        service, secret, chatter = describe(self.key[1], self._service, ports[1], 0 if self._service else ports[0])
        if service in ("https", "quic") and self._name and is_doh_name(self._name):
            service = "doh"
        if not self._confirmed and service:
            secret = encrypted(service, confirmed=False)
        return service, secret, chatter

    def _hello_fact(self, hello: Hello) -> HelloFact:
        server = 1 - hello.side
        return HelloFact(
            self.number,
            hello.index,
            hello.seen_us,
            self.ends[hello.side],
            self.port(hello.side),
            self.ends[server],
            self.port(server),
            hello.source,
            hello.name,
            hello.alpn,
            hello.version,
            hello.chosen_version,
            hello.cipher,
            hello.ech,
            hello.ja4,
            hello.certificate_names,
            hello.method,
            hello.user_agent,
        )

    def end_word(self, otherwise: str) -> str:
        """How the flow ended: by RST, by FIN, or as its circumstances say."""
        return "rst" if self.closed & RST else "fin" if self.closed & FIN else otherwise

    # --- resuming ---

    def state(self) -> list[Any]:
        """All that is needed to go on in another process, as plain values (ends are made anew from the key and MACs)."""
        return [
            self.number, list(self.key), self._first_side, self.first_us, self.last_us, self.closed, self.packets,
            self.bytes, self.macs, self._slot, None if self._slots is None else list(self._slots.items()),
            [hello.state() for hello in self._hellos or ()], self.inspector.state() if self.inspector else None, self.wants,
            [getattr(self, field) for field in _LEARNT],
        ]  # fmt: skip

    @classmethod
    def restore(cls, state: list[Any], endpoints: Endpoints) -> Conversation:
        """The conversation that `state()` described."""
        number, key, first_side, first_us, last_us, closed, packets, size, macs, slot, slots, hellos, inspector = state[
            :13
        ]
        flow = cls(number, tuple(key), first_side, first_us)
        flow.last_us, flow.packets, flow.bytes, flow.macs = last_us, packets, size, macs
        flow._slot, flow._slots = slot, None if slots is None else dict(slots)
        flow._hellos = [Hello(**each) for each in hellos] or None
        flow.wants = state[13]
        for field, value in zip(_LEARNT, state[14], strict=True):
            setattr(flow, field, value)
        if closed:
            flow.closed, flow.idle_us = closed, CLOSED_IDLE_US
        known = {hello.index: hello for hello in flow._hellos or ()}
        flow.inspector = restore_inspector(flow.key, inspector, known) if inspector is not None else None
        flow.renumber(endpoints)
        return flow

    def renumber(self, endpoints: Endpoints) -> None:
        """Take the ends' numbers from another numbering."""
        for side in (0, 1):
            self._behind(endpoints, side, self.macs[side], self.key[0])


def host_part(host: str | None) -> str | None:
    """A Host header without its port (RFC 9110 section 7.2); an IPv6 literal keeps its brackets off."""
    if not host:
        return None
    if host.startswith("["):
        return host[1:].partition("]")[0] or None
    head, colon, port = host.rpartition(":")
    return (head if colon and port.isdigit() else host).rstrip(".") or None


@lru_cache(maxsize=16384)
def describe(protocol: int, shown: str | None, server_port: int, client_port: int) -> tuple[str | None, str, bool]:
    """Service, encryption and chatter of a flow: by what its payload showed, narrowed by the port; else by its ports."""
    named = _NAMED.get(protocol)
    if named is None:
        return None, "unknown", protocol in _ICMPS
    service = narrow(shown, named, server_port) if shown else by_port(named, server_port, client_port)
    if service is None:
        return None, "unknown", False
    return service, encrypted(service, confirmed=True), is_chatter(service)
