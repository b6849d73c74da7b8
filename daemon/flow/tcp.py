"""What a TCP connection says at its start: TLS hellos, HTTP requests, DNS over TCP, and which service it is.

Rule 1: only what is in order is read (`Stream`), from both directions; retransmissions add nothing.
Rule 2: a connection is looked into until its protocol has said what is wanted; afterwards only a payload that starts
        like a hello or a request (STARTTLS, a proxy's CONNECT, a reused port) opens it again.
Rule 3: each direction keeps at most HEAD bytes, and a stretch that the capture lacks ends the reading of a handshake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from daemon.decode.cursor import DecodeError
from daemon.decode.dns import parse_stream
from daemon.decode.http import RequestReader, looks_like_request
from daemon.decode.packet import SYN
from daemon.decode.signatures import recognise_tcp
from daemon.decode.tls import CLIENT_HELLO, Flight, looks_like_client_hello, parse_client_hello, parse_records
from daemon.flow.hello import Hello, http_hello, read_answer, tls_hello
from daemon.flow.messages import dns_message
from daemon.flow.stream import Gap, Stream

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts
    from daemon.flow.tally import Pair

HEAD = 65536
_UNDECIDED = 16  # bytes after which a direction that looks like nothing known is no longer waited for
_PATIENCE = 12  # payload packets after which the search for a known start ends
_PATIENCE_US = 10_000_000  # longer than most senders need for three attempts at a lost segment (RFC 6298)
_REPEATED = 1 << 20  # bytes behind what was read, within which a start like a hello is its repetition
_DNS_PORT = 53
_BOTH = 3

_UNKNOWN = (-1, -1)  # where data begin

NEW, TLS, HTTP, DNS, DONE = "new", "tls", "http", "dns", "done"


class TcpInspector:
    """The state of looking into one connection. `wants` is a mask of the directions (1, 2) whose payloads are wanted."""

    __slots__ = (
        "_asked", "_first", "_heads", "_hello", "_isn", "_mode", "_need", "_patience", "_reader", "_since", "_streams",
        "_waits", "wants",
    )  # fmt: skip

    def __init__(self, ports: tuple[int, int], isn: Pair) -> None:
        self._hello: Hello | None = None
        self._first = DNS if _DNS_PORT in ports else NEW
        self._isn = isn
        self._start(self._first, isn)

    def _start(self, mode: str, isn: Pair) -> None:
        self._mode = mode
        self._streams = [Stream(None if first < 0 else first) for first in isn]
        self._heads = [bytearray(), bytearray()]
        self._need = [0, 0]
        self._since = [0, 0]  # when the first byte of each head was seen
        self._waits = [0, 0]  # since when segments wait behind a hole
        self._asked = -1
        self._reader: RequestReader | None = None
        self._patience = _PATIENCE
        self.wants = _BOTH

    def packet(
        self,
        flow: Talk,
        facts: Facts,
        side: int,
        time_us: int,
        flags: int,
        seq: int,
        payload: bytes,
        missing: int,
    ) -> None:
        """Take one segment of the direction that `side` sends."""
        if flags & SYN:
            seq = (seq + 1) & 0xFFFFFFFF  # data may travel with a SYN (RFC 7413)
        if not payload and not missing:
            return
        if self._isn != flow.isn:
            self._follow(flow.isn)
        if not self.wants >> side & 1:
            if self._mode in (DONE, TLS):
                self._reopen(self._streams[side], seq, payload)
            if not self.wants >> side & 1:
                return
        if not missing and self._streams[side].follows(seq, payload):  # as nearly all do
            self._waits[side] = 0
            self._READ[self._mode](self, flow, facts, side, time_us, payload)
        else:
            self._late(flow, facts, side, time_us, self._in_order(side, time_us, seq, payload, missing))
        if self._mode == NEW:
            self._patience -= 1
            if self._patience <= 0:
                self._finish()

    def _late(self, flow: Talk, facts: Facts, side: int, time_us: int, pieces: list[bytes | Gap]) -> None:
        for piece in pieces:
            if isinstance(piece, Gap):
                self._gap(flow, facts, side, time_us, piece.size)
            else:
                self._READ[self._mode](self, flow, facts, side, time_us, piece)

    def _in_order(self, side: int, time_us: int, seq: int, payload: bytes, missing: int) -> list[bytes | Gap]:
        """What this segment puts in order; a hole that stays for long is one of the capture, not of the connection."""
        stream = self._streams[side]
        pieces = stream.push(seq, payload, missing)
        if stream.waits and time_us - (self._waits[side] or time_us) > _PATIENCE_US:
            pieces += stream.give_up()
        if not stream.waits:
            self._waits[side] = 0
        elif pieces or not self._waits[side]:  # this hole is a new one
            self._waits[side] = time_us
        return pieces

    def _reopen(self, stream: Stream, seq: int, payload: bytes) -> None:
        """A payload that starts like a hello or request in a flow that is no longer looked into (rule 2)."""
        if not (looks_like_client_hello(payload) or looks_like_request(payload)):
            return
        if stream.expected is not None and (stream.expected - seq) & 0xFFFFFFFF <= _REPEATED and stream.expected != seq:
            return  # a retransmission of what was read
        self._start(NEW, _UNKNOWN)

    def _restart(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        """The same bytes, in order, now speak another protocol; of the other direction only what comes is read."""
        stream = self._streams[side]
        self._start(NEW, _UNKNOWN)
        self._streams[side] = stream
        self._new(flow, facts, side, time_us, piece)

    def _follow(self, isn: Pair) -> None:
        """A SYN said anew where data begin: the ports were taken again although nothing had closed the connection."""
        known, self._isn = self._isn, isn
        if any(before not in (-1, now) for before, now in zip(known, isn, strict=True)):
            self._start(self._first, isn)
            return
        for side in (0, 1):
            if self._streams[side].expected is None and isn[side] >= 0:
                self._streams[side] = Stream(isn[side])

    def _finish(self) -> None:
        self._mode = DONE
        self.wants = 0
        self._heads = [bytearray(), bytearray()]
        self._reader = None

    def _gap(self, flow: Talk, facts: Facts, side: int, time_us: int, size: int) -> None:
        if self._mode == HTTP and side == self._asked and self._reader is not None:
            self._reader.gap(size)
        elif self._mode == TLS:
            if side == self._asked and self.wants >> side & 1:
                self._cut_hello(flow, facts, side)
            self._finish()
        elif self._mode == DNS:
            self._heads[side].clear()
            self._need[side] = -1  # message boundaries are lost: nothing more is read in this direction
        elif self._mode == NEW:
            self._decide(flow, facts, side, time_us, last=True)

    # --- one method a mode: what to do with the next bytes in order ---

    def _new(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        head = self._heads[side]
        if head and not looks_like_client_hello(bytes(head)) and looks_like_client_hello(piece):
            head.clear()  # behind an old byte of a keep-alive probe, or a short request to change to TLS
        if not head:
            self._since[side] = time_us
            if looks_like_client_hello(piece):  # as most connections begin
                self._mode, self._asked = TLS, side
                self._tls(flow, facts, side, time_us, piece)
                return
        head += piece
        self._decide(flow, facts, side, time_us, last=False)

    def _decide(self, flow: Talk, facts: Facts, side: int, time_us: int, *, last: bool) -> None:
        head = bytes(self._heads[side])
        if looks_like_client_hello(head):
            self._mode, self._asked = TLS, side
            self._tls(flow, facts, side, time_us, b"")
            if last:
                self._gap(flow, facts, side, time_us, 0)
        elif looks_like_request(head):
            self._mode, self._asked, self.wants = HTTP, side, 1 << side
            flow.asked(side)
            flow.recognised("http")
            self._reader = RequestReader()
            self._heads[side].clear()
            self._http(flow, facts, side, self._since[side] or time_us, head)
        else:
            service = recognise_tcp(head)
            quiet = len(head) < _UNDECIDED and (head[:1] in (b"", b"\x16") or len(self._heads[1 - side]) < _UNDECIDED)
            if service is None and quiet and not last:
                return
            if service is not None:
                flow.recognised(service)
            self.wants &= ~(1 << side)
            if service not in (None, "tls") or not self.wants:
                self._finish()

    def _tls(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        head = self._heads[side]
        if not head:
            self._since[side] = time_us
        head += piece
        if len(head) >= self._need[side]:
            flight = self._read_records(side)
            if flight is None:
                return
            if side == self._asked:
                self._client_flight(flow, facts, side, flight)
            elif not self.wants >> self._asked & 1:
                self._server_flight(flight)
        if len(head) > HEAD:
            self._finish()

    def _read_records(self, side: int) -> Flight | None:
        head = self._heads[side]
        try:
            flight = parse_records(head, HEAD)
        except DecodeError:
            self._finish()
            return None
        # Nothing new can be read before the announced message is there: trying at every segment would be quadratic.
        self._need[side] = max(len(head) + 1, flight.partial + 5 if flight else 6)
        return flight

    def _client_flight(self, flow: Talk, facts: Facts, side: int, flight: Flight) -> None:
        for message in flight.messages:
            if message[0] == CLIENT_HELLO:
                self._said_hello(flow, facts, side, message, cut=False)
                return
        if flight.done:
            self._finish()

    def _cut_hello(self, flow: Talk, facts: Facts, side: int) -> None:
        """The capture lacks the rest of a hello: what was there before it may hold the name."""
        flight = self._read_records(side)
        if flight is not None and flight.tail:
            self._said_hello(flow, facts, side, flight.tail, cut=True)

    def _said_hello(self, flow: Talk, facts: Facts, side: int, message: bytes, *, cut: bool) -> None:
        try:
            hello = parse_client_hello(message, "t", cut=cut)
        except DecodeError:
            self._finish()
            return
        flow.asked(side)
        flow.recognised("tls")
        self.wants = 1 << (1 - side)
        if self._hello is not None and self._hello.random == hello.random.hex():
            return
        self._hello = tls_hello(flow.next_hello(), self._since[side], side, "tls", hello)
        flow.said(facts, self._hello, hello.alpn)
        self._heads[side].clear()
        other = 1 - side
        if self._heads[other]:
            self._need[other] = 0
            self._tls(flow, facts, other, self._since[other], b"")

    def _server_flight(self, flight: Flight) -> None:
        if self._hello is None or read_answer(self._hello, flight.messages, flight.done):
            self._finish()

    def _http(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        if self._reader is None or side != self._asked:
            return
        if self._reader.switched and looks_like_client_hello(piece):
            self._restart(flow, facts, side, time_us, piece)  # through a proxy (RFC 9110 section 9.3.6)
            return
        try:
            requests = self._reader.feed(piece)
        except DecodeError:
            self._finish()
            return
        for request in requests:
            hello = http_hello(flow.next_hello(), time_us, side, request)
            flow.said(facts, hello)

    def _dns(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        if self._need[side] < 0:
            return
        if not self._since[side]:
            self._since[side] = time_us
            if looks_like_client_hello(piece) or looks_like_request(piece):
                self._restart(flow, facts, side, time_us, piece)  # behind a port that every firewall lets through
                return
        head = self._heads[side]
        head += piece
        try:
            messages, consumed = parse_stream(bytes(head))
        except DecodeError:
            self._need[side] = -1  # not DNS, whatever the port says
            return
        del head[:consumed]
        for raw in messages:
            if not dns_message(flow, facts, side, time_us, raw, "tcp"):
                self._need[side] = -1
                return
        if len(head) > HEAD + 2:
            self._need[side] = -1

    def _ignore(self, flow: Talk, facts: Facts, side: int, time_us: int, piece: bytes) -> None:
        """Between the end of a handshake and the end of the segment that carried it."""

    _READ: ClassVar = {NEW: _new, TLS: _tls, HTTP: _http, DNS: _dns, DONE: _ignore}

    def state(self) -> list[Any]:
        """All that is needed to go on elsewhere, as plain values; the hello is the flow's to keep."""
        return [
            self._mode,
            [stream.state() for stream in self._streams],
            [head.hex() for head in self._heads],
            self._need,
            self._since,
            self._asked,
            self._hello.index if self._hello else -1,
            self._reader.state() if self._reader else None,
            self._patience,
            self.wants,
            self._first,
            self._isn,
            self._waits,
        ]

    @classmethod
    def restore(cls, state: list[Any], hellos: dict[int, Hello]) -> TcpInspector:
        """The inspector that `state()` described; `hellos` are those of its flow."""
        inspector = cls((0, 0), _UNKNOWN)
        mode, streams, heads, need, since, asked, hello, reader, patience, wants, first, isn, waits = state
        inspector._mode = mode
        inspector._streams = [Stream.restore(each) for each in streams]
        inspector._heads = [bytearray.fromhex(head) for head in heads]
        inspector._need, inspector._since, inspector._asked = need, since, asked
        inspector._hello = hellos.get(hello)
        inspector._reader = RequestReader.from_state(reader) if reader is not None else None
        inspector._patience, inspector.wants = patience, wants
        inspector._first, inspector._isn, inspector._waits = first, (isn[0], isn[1]), waits
        return inspector
