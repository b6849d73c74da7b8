"""Conversations: who says what when, as frames.

Rules:
1. A `Tcp` keeps both ends' sequence numbers; whatever is sent is acknowledged, and numbers never skip.
2. Time only moves on; the caller's generator decides by how much.
3. A hello may arrive in swapped order or twice (`Disorder`), as radio links deliver it.
"""

from __future__ import annotations

import enum
import random
import struct
from typing import NamedTuple

from appliance.sample import http, quic, tls, wire
from appliance.sample.wire import ACK, FIN, PSH, RST, SYN, End, Frame


class Disorder(enum.Enum):
    """What the link does to a message of several segments."""

    NONE = "none"
    SWAPPED = "swapped"
    REPEATED = "repeated"


class Tcp:
    """One TCP connection from the client's SYN on. `clock` is the time of the next frame in microseconds."""

    def __init__(self, client: End, server: End, clock: int, rng: random.Random, *, stamps: bool = True) -> None:
        self.client, self.server, self.clock, self.rng = client, server, clock, rng
        self.frames: list[Frame] = []
        self._stamps = stamps
        self._seq = {True: rng.getrandbits(32), False: rng.getrandbits(32)}
        self._ident = {True: rng.getrandbits(16), False: rng.getrandbits(16)}
        self._rtt = rng.randrange(9_000, 60_000)
        self._mss = (1460 if len(client.address) == 4 else 1440) - (12 if stamps else 0)

    def _options(self, flags: int, *, up: bool) -> bytes:
        mss = struct.pack(">BBH", 2, 4, 1460 if len(self.client.address) == 4 else 1440)
        now = struct.pack(
            ">II", self.clock // 1000 & 0xFFFFFFFF, 0 if flags == SYN else self.clock // 1000 - 7 & 0xFFFFFFFF
        )
        if flags & SYN:
            if self._stamps:
                return mss + b"\4\2\x08\x0a" + now + b"\1\3\3\7"
            return mss + (b"\1\3\3\x08\1\1\4\2" if up else b"\1\1\4\2\1\3\3\7")
        return b"\1\1\x08\x0a" + now if self._stamps else b""

    def _frame(self, flags: int, payload: bytes, *, up: bool, seq: int | None = None) -> None:
        src, dst = (self.client, self.server) if up else (self.server, self.client)
        ack = self._seq[not up] if flags & ACK else 0
        segment = wire.tcp_segment(
            src, dst, self._seq[up] if seq is None else seq, ack, flags, payload, self._options(flags, up=up)
        )
        self._ident[up] = self._ident[up] + 1 & 0xFFFF
        ttl = 64 if up else 52
        self.frames.append(Frame(self.clock, wire.packet(src, dst, wire.TCP, segment, ttl=ttl, ident=self._ident[up])))
        if seq is None:
            self._seq[up] = self._seq[up] + len(payload) + (1 if flags & (SYN | FIN) else 0) & 0xFFFFFFFF
        self.clock += self.rng.randrange(40, 900)

    def reserve(self, size: int, *, up: bool) -> tuple[int, int, int, bytes]:
        """Count `size` bytes as sent: the sequence and acknowledgement numbers, IPv4 identification and options to use."""
        seq = self._seq[up]
        self._seq[up] = seq + size & 0xFFFFFFFF
        self._ident[up] = self._ident[up] + 1 & 0xFFFF
        return seq, self._seq[not up], self._ident[up], self._options(ACK, up=up)

    def acknowledge(self, *, up: bool) -> None:
        """An acknowledgement without data."""
        self._frame(ACK, b"", up=up)

    def wait(self, microseconds: int) -> None:
        """Let time pass."""
        self.clock += microseconds

    def open(self) -> None:
        """The three-way handshake."""
        self._frame(SYN, b"", up=True)
        self.wait(self._rtt)
        self._frame(SYN | ACK, b"", up=False)
        self._frame(ACK, b"", up=True)

    def refused(self) -> None:
        """A SYN that is answered by a reset."""
        self._frame(SYN, b"", up=True)
        self.wait(self._rtt)
        self._frame(RST | ACK, b"", up=False)

    def _send(self, payload: bytes, disorder: Disorder, *, up: bool) -> None:
        parts = [payload[at : at + self._mss] for at in range(0, len(payload), self._mss)]
        first, begin = len(self.frames), self._seq[up]
        for number, part in enumerate(parts):
            self._frame(ACK | (PSH if number == len(parts) - 1 else 0), part, up=up)
            if number % 2 and number < len(parts) - 1:
                self._frame(ACK, b"", up=not up)
        if len(parts) == 2 and disorder is Disorder.SWAPPED:
            early, late = self.frames[first : first + 2]
            self.frames[first : first + 2] = [Frame(early.time_us, late.data), Frame(late.time_us, early.data)]
        elif disorder is Disorder.REPEATED:
            self.wait(210_000)
            self._frame(ACK | PSH, parts[0], up=up, seq=begin)
        self.wait(self._rtt // 2)
        self._frame(ACK, b"", up=not up)

    def up(self, payload: bytes, disorder: Disorder = Disorder.NONE) -> None:
        """The client sends `payload`, cut into segments; the server acknowledges."""
        self._send(payload, disorder, up=True)

    def down(self, payload: bytes) -> None:
        """The server sends `payload`; the client acknowledges."""
        self._send(payload, Disorder.NONE, up=False)

    def close(self) -> None:
        """Both ends finish."""
        self._frame(FIN | ACK, b"", up=True)
        self.wait(self._rtt)
        self._frame(FIN | ACK, b"", up=False)
        self._frame(ACK, b"", up=True)

    def reset(self) -> None:
        """The client drops the connection."""
        self._frame(RST | ACK, b"", up=True)


def exchange(tcp: Tcp, up: int, down: int, rounds: int, pause_us: int) -> None:
    """Application data over TLS: `up` and `down` bytes in all, in `rounds` requests with pauses between."""
    for _ in range(rounds):
        tcp.up(tls.application(tcp.rng, max(24, up // rounds)))
        if down:
            tcp.down(tls.application(tcp.rng, max(24, down // rounds)))
        tcp.wait(pause_us // 2 + tcp.rng.randrange(max(1, pause_us)))


class Greeting(NamedTuple):
    """How a TLS handshake goes: name asked for, organisation in the certificate, TLS 1.3 or not, by ticket or not."""

    name: str
    organisation: str
    modern: bool
    resumed: bool = False


def shake(tcp: Tcp, stack: tls.Stack, greeting: Greeting) -> int:
    """The whole TLS handshake on an open connection; returns the time of the hello's last frame in microseconds."""
    rng = tcp.rng
    hello = tls.client_hello(stack, greeting.name, rng, resumed=greeting.resumed)
    disorder = rng.choices(list(Disorder), (88, 8, 4))[0]
    tcp.up(tls.record(tls.HANDSHAKE, hello, 0x0301), disorder)
    said = tcp.frames[-2].time_us
    if greeting.modern and 0x0304 in stack.versions:
        answer = tls.server_hello(hello, rng, modern=True, hybrid=tls.X25519MLKEM768 in stack.groups)
        flight = tls.record(tls.HANDSHAKE, answer) + tls.record(tls.CHANGE_CIPHER, b"\1")
        tcp.down(flight + tls.application(rng, 58 if greeting.resumed else rng.randrange(1800, 2600)))
        tcp.up(tls.record(tls.CHANGE_CIPHER, b"\1") + tls.application(rng, 53))
    elif greeting.resumed:
        tcp.down(tls.old_server_resumption(hello, rng))
        tcp.up(tls.old_finish(rng))
    else:
        tcp.down(tls.old_server_flight(hello, greeting.name, greeting.organisation, rng))
        tcp.up(tls.old_client_finish(rng))
        tcp.down(tls.old_finish(rng))
    return said


def web(tcp: Tcp, host: str, path: str, agent: str, answer: bytes) -> int:
    """One plain HTTP request and its answer; returns the request's time in microseconds."""
    said = tcp.clock
    tcp.up(http.request("GET", path, {"Host": host, "User-Agent": agent, "Accept": "*/*", "Connection": "close"}))
    tcp.down(answer)
    return said


class Datagrams:
    """One UDP conversation. `clock` is the time of the next frame in microseconds."""

    def __init__(self, client: End, server: End, clock: int, rng: random.Random) -> None:
        self.client, self.server, self.clock, self.rng = client, server, clock, rng
        self.frames: list[Frame] = []
        self._rtt = rng.randrange(8_000, 45_000)

    def up(self, payload: bytes) -> None:
        """The client sends one datagram."""
        self.frames.append(
            Frame(self.clock, wire.udp(self.client, self.server, payload, ident=self.rng.getrandbits(16)))
        )
        self.clock += self.rng.randrange(60, 900)

    def down(self, payload: bytes) -> None:
        """The server sends one datagram."""
        self.frames.append(Frame(self.clock, wire.udp(self.server, self.client, payload, ttl=55)))
        self.clock += self.rng.randrange(60, 900)

    def turn(self) -> None:
        """Let one round trip pass."""
        self.clock += self._rtt

    def wait(self, microseconds: int) -> None:
        """Let time pass."""
        self.clock += microseconds


def quic_session(talk: Datagrams, stack: tls.Stack, name: str, up: int, down: int) -> int:
    """A QUIC connection with `up` and `down` bytes of streams; returns the time of the hello's last datagram."""
    rng = talk.rng
    first, own = rng.randbytes(8), rng.randbytes(8)
    for datagram in quic.client_initials(stack, name, first, rng):
        talk.up(datagram)
    said = talk.frames[-1].time_us
    talk.turn()
    for datagram in quic.server_flight(first, own, rng):
        talk.down(datagram)
    talk.up(quic.client_finish(first, own, rng))
    while up > 0 or down > 0:
        talk.up(quic.short(own, rng, min(max(up, 33), 1200)))
        up -= 1200
        talk.turn()
        for _ in range(4):
            if down > 0:
                talk.down(quic.short(b"", rng, min(down + 30, 1222)))
                down -= 1190
    return said
