"""What becomes of a conversation: what its payloads teach, who asked whom, and the facts it leaves.

Rule 1: the client is the sender of the first SYN; else who said hello or asked; else the end without the well-known
        port; else who spoke first.
Rule 2: what a conversation counts is kept by `Tally`, in Python or in C; what it means is judged here, for both.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, Self

from daemon.decode.packet import RST, TCP, TUNNELS, UDP
from daemon.decode.slots import SLOT_US
from daemon.flow.facts import Endpoints, Facts, FlowFact, FlowKind, HelloFact, HintFact, SliceFact
from daemon.flow.hello import Hello
from daemon.flow.inspector import make_inspector, restore_inspector
from daemon.flow.local import address_text
from daemon.flow.resolvers import is_doh_name
from daemon.flow.services import PORTS, by_port, encrypted, is_chatter, narrow, protocol_name
from daemon.flow.tally import Tally, Traits

_ICMPS = (1, 2, 58)  # ICMP, IGMP, ICMPv6: control chatter, whatever they carry
_SYSTEM_PORTS, _EPHEMERAL = 1024, 32768  # below: RFC 6335 section 6; from: where Linux and Windows take client ports
_NAMED: dict[int, Literal["tcp", "udp"]] = {TCP: "tcp", UDP: "udp"}
_STRONG = ("tls", "quic")
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'

# Attributes of Tally that are kept as they are when decoding stops and goes on.
_KEPT = (
    "began_us", "first_us", "last_us", "idle_us", "closed", "packets", "bytes", "macs", "isn", "syn", "begun", "slot",
    "wants", "asker", "service", "confirmed", "name", "name_source", "hello_count",
)  # fmt: skip

_kept = attrgetter(*_KEPT)

if TYPE_CHECKING:
    _Base = Tally
else:
    _Base = object  # Tally comes in with each of the two


class Talk(_Base):
    """What is the same for a conversation whose counters are kept in Python and one whose are kept in C."""

    __slots__ = ()

    def inspect(self, facts: Facts, side: int, time_us: int, flags: int, seq: int, payload: bytes, missing: int) -> int:
        """Show a payload to the inspector, which is made for the first; the answer is whose are wanted from now on.

        Once there is an inspector the core in C asks it by itself.
        """
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
        if self.asker < 0:
            self.asker = side

    def recognised(self, service: str) -> None:
        """The payload shows this service; the first to be shown stays, but for TLS inside of something else."""
        if not self.confirmed or service in _STRONG:
            self.service, self.confirmed = service, True

    def next_hello(self) -> int:
        """The index of the next hello of this flow."""
        self.hello_count += 1
        return self.hello_count - 1

    def said(self, facts: Facts, hello: Hello, protocols: tuple[str, ...] = ()) -> None:
        """A hello: its name becomes the flow's, a handshake's before a request's."""
        name = host_part(hello.name) if hello.source == "http" else hello.name
        if name and (self.name is None or (self.name_source == "http" and hello.source in _STRONG)):
            self.name, self.name_source = name, hello.source
        if "doq" in protocols:
            self.service = "doq"
        if "dot" in protocols:
            self.service = "dot"
        if hello.source == "http":
            facts.hellos.append(self._hello_fact(hello))
            if hello.user_agent:
                key = HintFact(
                    self.macs[hello.side], self._address(hello.side), "http", "user_agent", hello.user_agent[:256]
                )
                facts.hint((key,), hello.seen_us)
        else:
            self.hellos = [*(self.hellos or ()), hello]

    def _address(self, side: int) -> str:
        return address_text(self.key[0], self.key[3 + 2 * side])

    def sender(self, side: int) -> tuple[int, str]:
        """MAC and address of an end."""
        return self.macs[side], self._address(side)

    # --- becoming facts ---

    def client(self) -> int:
        """Which end is the client (rule 1)."""
        if self.syn >= 0:
            return self.syn
        if self.asker >= 0:
            return self.asker
        server = server_port_of(self.key[1], self.port(0), self.port(1))
        return self.first_side if server < 0 else 1 - server

    def release(self, facts: Facts, otherwise: str, live: bool) -> None:
        """Write the flow as it stands; it ended by RST, by FIN, or as `otherwise` says.

        While `live` it may go on: a later release replaces it and adds to its slices.
        """
        if not self.tell(facts.flows, facts.seen, otherwise, live, MAKERS):
            client, closed, name = self.client(), self.closed, self.name
            end = otherwise if not closed else "rst" if closed & RST else "fin"
            kind = flow_kind(self.traits(client), name is not None and is_doh_name(name))
            facts.flows.append(_new(FlowFact, self.row(client, kind, end, live)))
            self.seen(facts.seen)
        if self.sliced:
            self._release_slices(facts, self.client())
        if self.hellos is not None:
            facts.hellos.extend([self._hello_fact(hello) for hello in self.hellos])
            del self.hellos[:-1]  # only the last may still learn what the server answered

    def _release_slices(self, facts: Facts, client: int) -> None:
        server = 1 - client
        for slot, cell in (self.slices or {}).items():
            counters = cell[client], cell[server], cell[2 + client], cell[2 + server]
            facts.slices.append(SliceFact(self.number, slot * SLOT_US, *counters))
        self.slices = {}  # written; what comes is added to it

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

    # --- resuming ---

    def state(self) -> list[Any]:
        """All that is needed to go on in another process, as plain values (ends are made anew from the key and MACs)."""
        return [
            self.number, list(self.key), self.first_side, list(_kept(self)),
            None if self.slices is None else list(self.slices.items()), [hello.state() for hello in self.hellos or ()],
            self.inspector.state() if self.inspector else None,
        ]  # fmt: skip

    @classmethod
    def restore(cls, state: list[Any], endpoints: Endpoints) -> Self:
        """The conversation that `state()` described."""
        number, key, first_side, kept, slices, hellos, inspector = state
        flow = cls(number, tuple(key), first_side, 0)
        for field, value in zip(_KEPT, kept, strict=True):
            setattr(flow, field, tuple(value) if isinstance(value, list) else value)
        flow.slices = None if slices is None else dict(slices)
        flow.hellos = [Hello(**each) for each in hellos] or None
        known = {hello.index: hello for hello in flow.hellos or ()}
        flow.inspector = restore_inspector(flow.key, inspector, known) if inspector is not None else None
        flow.renumber(endpoints)
        return flow

    def renumber(self, endpoints: Endpoints) -> None:
        """Take the ends' numbers from another numbering."""
        key, macs = self.key, self.macs
        self.ends = endpoints.number(macs[0], key[0], key[3]), endpoints.number(macs[1], key[0], key[5])


class Conversation(Talk, Tally):
    """A flow under way, counted in Python."""

    __slots__ = ()


def host_part(host: str | None) -> str | None:
    """A Host header without its port (RFC 9110 section 7.2); an IPv6 literal keeps its brackets off."""
    if not host:
        return None
    if host.startswith("["):
        return host[1:].partition("]")[0] or None
    head, colon, port = host.rpartition(":")
    return (head if colon and port.isdigit() else host).rstrip(".") or None


def describe(protocol: int, shown: str | None, server_port: int, client_port: int) -> tuple[str | None, str, bool]:
    """Service, encryption and chatter of a flow: by what its payload showed, narrowed by the port; else by its ports."""
    named = _NAMED.get(protocol)
    if named is None:
        return None, "unknown", protocol in _ICMPS
    service = narrow(shown, named, server_port) if shown else by_port(named, server_port, client_port)
    if service is None:
        return None, "unknown", False
    return service, encrypted(service, confirmed=True), is_chatter(service)


@lru_cache(maxsize=16384)
def server_port_of(protocol: int, port0: int, port1: int) -> int:
    """Which of two ports is the better known, hence the server's: 0 or 1, -1 where that cannot be told."""
    named = _NAMED.get(protocol)
    if named is None:
        return -1
    ports = port0, port1
    known = [by_port(named, port, 0) is not None for port in ports]
    for evidence in (known, [port < _SYSTEM_PORTS for port in ports], [port < _EPHEMERAL for port in ports]):
        if evidence[0] != evidence[1]:
            return 0 if evidence[0] else 1
    return -1


@lru_cache(maxsize=16384)
def flow_kind(traits: Traits, doh: bool) -> FlowKind:
    """The kind of a flow: service by what its payload showed, narrowed by the port, else by its ports.

    `doh`: the server's name is a resolver's.
    """
    protocol, version, tunnel, shown, confirmed, server_port, client_port, group = traits
    service, secret, chatter = describe(protocol, shown, server_port, client_port)
    if doh and service in ("https", "quic"):
        service = "doh"
    if not confirmed and service:
        secret = encrypted(service, confirmed=False)
    if group and not chatter:
        chatter = service is None or group == 2
    return FlowKind(protocol_name(protocol), version, service, secret, chatter, TUNNELS[tunnel] or None)


# What `Tally.tell` needs, and the core in C: a fact's class, what kind a flow is of, whether a name is a resolver's, words
# for an end; a hello's class, and what is asked of a Hello: who sent it, which it is, when, and what it says; what is known
# of ports.
_ASKED = ("side", "index", "seen_us", *HelloFact._fields[7:])
MAKERS = (FlowFact, flow_kind, is_doh_name, ("rst", "fin"), HelloFact, _ASKED, PORTS)
