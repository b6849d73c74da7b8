"""What a UDP conversation says: messages by port, QUIC hellos, DTLS hellos, and which service it is.

Rule 1: a datagram on a message port is offered to that port's parser; what it refuses is traffic only.
Rule 2: elsewhere the first datagrams are looked at for a signature; a client Initial of QUIC is read at any time.
Rule 3: behind a QUIC hello, Initials with the connection ids of its connection are passed over unopened: those of the
        server, acknowledgements and repetitions. Other ids are another connection from the same ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.decode.cursor import DecodeError
from daemon.decode.dns import parse_common
from daemon.decode.quic import HelloAssembler, is_client_initial
from daemon.decode.signatures import recognise_udp, recognise_udp_pair
from daemon.decode.tls import ClientHello, parse_client_hello, parse_dtls_client_hello
from daemon.flow.datagram import DatagramInspector
from daemon.flow.facts import DnsFact
from daemon.flow.hello import Hello, tls_hello
from daemon.flow.messages import DNS_PORTS, HANDLERS, dns_message

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts

_BOTH = 3
_PATIENCE = 4
_MOST_IDS = 8  # connection ids of one connection that are remembered; a server has one, after a Retry two
_MOST_PARTS = 4  # datagrams over which a DTLS hello may be spread


class MessageInspector(DatagramInspector):
    """Reads every datagram of a message port. It keeps nothing, so that one serves all flows of its port."""

    __slots__ = ("_handle", "_port", "wants")

    def __init__(self, port: int) -> None:
        self._port = port
        self._handle = HANDLERS[port]
        self.wants = _BOTH

    def datagram(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """Take one datagram sent by `side`."""
        try:
            refused = self._handle(flow, facts, side, time_us, payload) is False
        except DecodeError:
            refused = True
        if refused:
            _look_otherwise(flow, side, payload)

    def state(self) -> list[Any]:
        """The port."""
        return [self._port]


class DnsInspector(MessageInspector):
    """The same for DNS and its kin, which most messages are: straight to what reads them."""

    __slots__ = ("_transport",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._transport = DNS_PORTS[port]

    def datagram(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """Take one datagram sent by `side`."""
        if not dns_message(flow, facts, side, time_us, payload, self._transport):
            _look_otherwise(flow, side, payload)


def _look_otherwise(flow: Talk, side: int, payload: bytes) -> None:
    """A datagram that is not what its port promises may be something else that is known."""
    service = recognise_udp(payload, flow.port(side), flow.port(1 - side))
    if service is not None:
        flow.recognised(service)


MESSAGE_INSPECTORS = {
    port: (DnsInspector if port in DNS_PORTS else MessageInspector)(port) for port in HANDLERS
}  # the core in C looks them up, too

# What that needs to read DNS by itself as DnsInspector does, where it can: whose work it is, what reads a message, a fact's
# class, the words for transport and service.
CORE_DNS = None if parse_common is None else (MESSAGE_INSPECTORS[53], parse_common, DnsFact, DNS_PORTS[53], "dns")


def make_udp(ports: tuple[int, int], isn: tuple[int, int]) -> MessageInspector | UdpInspector:
    """The inspector for a new flow between these ports; `isn` is TCP's."""
    del isn
    # The lesser port first: of two message ports (67 and 68) either will do, and 53 beats 5353 behind a forwarder.
    return MESSAGE_INSPECTORS.get(min(ports)) or MESSAGE_INSPECTORS.get(max(ports)) or UdpInspector()


def restore_udp(state: list[Any], hellos: dict[int, Hello]) -> MessageInspector | UdpInspector:
    """The inspector that `state()` described; `hellos` are those of its flow."""
    return MESSAGE_INSPECTORS[state[0]] if len(state) == 1 else UdpInspector.restore(state, hellos)


class UdpInspector(DatagramInspector):
    """The state of looking into one UDP conversation. `wants` is a mask of the ends (1, 2) whose payloads are wanted."""

    __slots__ = ("_assembler", "_hello", "_ids", "_last", "_parts", "_patience", "_since", "wants")

    def __init__(self) -> None:
        self._assembler: HelloAssembler | None = None
        self._hello: Hello | None = None
        self._ids: list[bytes] = []
        self._parts: list[bytes] = []  # datagrams with fragments of a DTLS hello
        self._since = 0
        self._patience = _PATIENCE
        self._last = [b"", b""]
        self.wants = _BOTH

    def datagram(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """Take one datagram sent by `side`."""
        if is_client_initial(payload):
            self._initial(flow, facts, side, time_us, payload)
            return
        if self._patience > 0:
            self._patience -= 1
            self._guess(flow, facts, side, time_us, payload)
            if self._patience <= 0:
                self.wants = 0
                self._last = [b"", b""]

    def _initial(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """A datagram that may carry a client's Initial; a server's looks the same but cannot be opened with its keys."""
        if self._hello is not None and self._passed_over(side, payload):
            return
        try:
            message = self._feed(payload)
            self._since = self._since or time_us
            if message is None:
                return
            hello = parse_client_hello(message, "q")
        except DecodeError:
            return  # the server's own Initial, or bytes that only look like one
        since, self._since = self._since, 0
        self._ids = [_destination_id(payload)]
        if self._hello is not None and self._hello.random == hello.random.hex():
            return
        flow.asked(side)
        flow.recognised("quic")
        self.wants = 0
        self._hello = tls_hello(flow.next_hello(), since, side, "quic", hello)
        flow.said(facts, self._hello, hello.alpn)

    def _feed(self, payload: bytes) -> bytes | None:
        if self._assembler is None:
            self._assembler = HelloAssembler()
        try:
            return self._assembler.feed(payload)
        except DecodeError:
            if self._hello is None:
                raise
        self._assembler = HelloAssembler()  # the bound of one connection is not to hide those behind it
        return self._assembler.feed(payload)

    def _passed_over(self, side: int, payload: bytes) -> bool:
        """Whether an Initial behind the hello belongs to the same connection (rule 3)."""
        if self._hello is None or side == self._hello.side:
            return _destination_id(payload) in self._ids
        at = 6 + payload[5]  # the id that the server chose, which the client turns to (RFC 9000 section 7.2)
        chosen = payload[at + 1 : at + 1 + payload[at]] if at < len(payload) else b""
        if chosen not in self._ids and len(self._ids) < _MOST_IDS:
            self._ids.append(chosen)
        return True

    def _guess(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        service = recognise_udp(payload, flow.port(side), flow.port(1 - side))
        if service is None and self._last[side]:
            service = recognise_udp_pair(self._last[side], payload)
        self._last[side] = payload[:64]
        if service is None:
            return
        flow.recognised(service)
        if service == "dtls":
            hello = self._dtls_hello(payload)
            if hello is not None and (self._hello is None or self._hello.random != hello.random.hex()):
                flow.asked(side)
                self._hello = tls_hello(flow.next_hello(), time_us, side, "tls", hello)
                flow.said(facts, self._hello, hello.alpn)

    def _dtls_hello(self, payload: bytes) -> ClientHello | None:
        """The hello that is whole with this datagram; its fragments may be spread over several (RFC 6347 section 4.2.3)."""
        try:
            hello = parse_dtls_client_hello(payload)
            if hello is None and len(self._parts) < _MOST_PARTS:
                self._parts.append(payload)
                hello = self._join_parts()
        except DecodeError:
            return None  # another message of a DTLS handshake
        if hello is not None:
            self._parts = []
        return hello

    def _join_parts(self) -> ClientHello | None:
        parts = sorted(self._parts, key=_fragment_offset)
        return parse_dtls_client_hello(b"".join(parts)) if len(parts) > 1 else None

    def state(self) -> list[Any]:
        """All that is needed to go on elsewhere, as plain values; the hello is the flow's to keep."""
        return [
            self._assembler.state() if self._assembler else None,
            self._hello.index if self._hello else -1,
            self._since,
            self._patience,
            [last.hex() for last in self._last],
            self.wants,
            [each.hex() for each in self._ids],
            [each.hex() for each in self._parts],
        ]

    @classmethod
    def restore(cls, state: list[Any], hellos: dict[int, Hello]) -> UdpInspector:
        """The inspector that `state()` described; `hellos` are those of its flow."""
        inspector = cls()
        assembler, hello, since, patience, last, wants, ids, parts = state
        inspector._assembler = HelloAssembler.from_state(assembler) if assembler is not None else None
        inspector._hello = hellos.get(hello)
        inspector._since, inspector._patience = since, patience
        inspector._last = [bytes.fromhex(each) for each in last]
        inspector._ids = [bytes.fromhex(each) for each in ids]
        inspector._parts = [bytes.fromhex(each) for each in parts]
        inspector.wants = wants
        return inspector


def _destination_id(initial: bytes) -> bytes:
    """RFC 9000 section 17.2: behind the version, with its length."""
    return initial[6 : 6 + initial[5]]


def _fragment_offset(datagram: bytes) -> int:
    """RFC 6347 section 4.2.2: of the first handshake fragment, behind record header, type, length and sequence."""
    return int.from_bytes(datagram[19:22], "big")
