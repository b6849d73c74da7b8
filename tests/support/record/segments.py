"""Recipes of ClientHellos in pieces: over TCP segments, over TLS records, out of order, overlapping, repeated.

The hello is OpenSSL's (Python's ssl module, in memory); the server is OpenSSL over the kernel's TCP, and accepts and
finishes every handshake here. For what no kernel sends on demand (segments in another order), `RawClient` plays a TCP
client at an address of its own, with frames of its own making; what the server answers is real.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.lab import AP_MAC, CLIENT_MAC, CLIENT_V4, UPSTREAM_V4, LabError
from tests.support.record.studio import Recipe, Take, certificate, s_server

HOST, REQUEST = UPSTREAM_V4[0], b"GET /tiny HTTP/1.0\r\n\r\n"
Cuts = Sequence[tuple[int, int]]


class Speaker:
    """A TLS client in memory: bytes in, bytes out."""

    def __init__(self, name: str, alpn: Sequence[str] = ("h2", "http/1.1")) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(list(alpn))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self.done = False
        self._asked = False

    def step(self, received: bytes = b"") -> bytes:
        """Take what the server sent; what to send now. After the handshake a request is sent once.

        And its answer ends it.
        """
        if received:
            self._in.write(received)
        try:
            if not self._asked:
                self._tls.do_handshake()
                self._tls.write(REQUEST)
                self._asked = True
            self.done = bool(self._tls.read(1 << 16)) or self.done
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return self._out.read()


def records(hello: bytes, sizes: Sequence[int]) -> bytes:
    """A ClientHello record re-framed: handshake fragments of these sizes, then the rest.

    Each a record (RFC 8446 section 5.1).
    """
    head, body = hello[:3], hello[5:]
    if len(body) != int.from_bytes(hello[3:5], "big"):
        raise LabError("more than one record before the first answer")
    parts, at = [], 0
    for size in [*sizes, len(body)]:
        part = body[at : at + size]
        at += len(part)
        if part:
            parts.append(head + len(part).to_bytes(2, "big") + part)
    return b"".join(parts)


def pieces(wire: bytes, sizes: Sequence[int]) -> list[bytes]:
    """`wire` cut into pieces of these sizes, then the rest."""
    cut, at = [], 0
    for size in sizes:
        cut.append(wire[at : at + size])
        at += size
    return [*cut, wire[at:]] if at < len(wire) else cut


def _by_kernel(
    take: Take, name: str, port: int, record_sizes: Sequence[int], segment_sizes: Sequence[int], more: int = 0
) -> None:
    """One handshake through a kernel socket, the hello in these records and segments."""
    speaker = Speaker(name, ("h2", "http/1.1", *(f"x-vendor-protocol-{i}" for i in range(more))))
    with take.lab.client.entered():
        connection = socket.socket()
    with connection:
        connection.bind((CLIENT_V4, port))
        connection.connect((HOST, 443))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(5)
        hello = speaker.step()
        for piece in pieces(records(hello, record_sizes) if record_sizes else hello, segment_sizes):
            connection.sendall(piece)
            time.sleep(0.01)
        while not speaker.done:
            received = connection.recv(1 << 16)
            if not received:
                raise LabError(f"{name}: the server hung up")
            connection.sendall(speaker.step(received))
    take.flow("tcp", CLIENT_V4, port, HOST, 443, server_name=name)


def _tls_split(take: Take) -> None:
    pair = certificate(take.lab.folder, "api.vendor.example")
    s_server(take.lab.upstream, 443, pair, "-alpn", "h2,http/1.1")
    plans: list[tuple[str, Sequence[int], Sequence[int], int]] = [
        ("two-segments.vendor.example", (), (200,), 0),
        ("inside-header.vendor.example", (), (3,), 0),
        ("behind-header.vendor.example", (), (5, 1), 0),
        ("many-segments.vendor.example", (), (50,) * 9, 0),
        ("byte-by-byte.vendor.example", (), (1,) * 12, 0),
        ("mid-name.vendor.example", (), (130, 7, 7, 7, 7), 0),
        ("long-hello.vendor.example", (), (1460, 1000), 90),
        ("two-records.vendor.example", (100,), (), 0),
        ("tiny-records.vendor.example", (1, 1, 1, 1, 1, 200), (), 0),
        ("records-of-40.vendor.example", (40,) * 30, (), 0),
        ("records-and-segments.vendor.example", (60, 60, 60), (64, 3, 70, 1), 0),
        ("header-apart.vendor.example", (4,), (9,), 0),
        ("long-records.vendor.example", (900, 900), (700, 700, 700), 90),
    ]
    with take.rolling():
        for number, (name, record_sizes, segment_sizes, more) in enumerate(plans):
            _by_kernel(take, name, 43000 + number, record_sizes, segment_sizes, more)
    _expect(take, [(CLIENT_V4, 43000 + number, plan[0]) for number, plan in enumerate(plans)])


def _expect(take: Take, hellos: list[tuple[str, int, str]]) -> None:
    take.expect(
        "hellos",
        "client_address client_port server_address name version chosen_version",
        [[address, port, HOST, name, "TLS1.3", "TLS1.3"] for address, port, name in hellos],
        where={"source": "tls"},
    )


# --- a TCP client of frames

RAW_V4 = "192.168.50.77"  # an address that no kernel owns, so that none resets the connection
FIN, SYN, PSH, ACK = 1, 2, 8, 16


def _sum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(slots=True)
class RawClient:
    """One TCP connection of hand-made segments (RFC 9293, as little of it as a lossless cable needs)."""

    link: socket.socket
    port: int
    sent: int  # sequence number of the next byte to send
    seen: int = 0  # sequence number of the next byte to receive
    _ends: bytes = field(default=socket.inet_aton(RAW_V4) + socket.inet_aton(HOST))

    def frame(self, flags: int, sequence: int, payload: bytes = b"", options: bytes = b"") -> None:
        """Send one segment."""
        header = struct.pack(
            "!HHIIBBHHH",
            self.port,
            443,
            sequence & 0xFFFFFFFF,
            self.seen & 0xFFFFFFFF,
            (20 + len(options)) // 4 << 4,
            flags,
            64000,
            0,
            0,
        )
        tcp = header + options + payload
        check = _sum(self._ends + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + check.to_bytes(2, "big") + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), self.port, 0x4000, 64, 6, 0) + self._ends
        ip = ip[:10] + _sum(ip).to_bytes(2, "big") + ip[12:]
        self.link.send(_mac(AP_MAC) + _mac(CLIENT_MAC) + b"\x08\0" + ip + tcp)

    def receive(self) -> tuple[int, bytes]:
        """Flags and new bytes of the next segment from the server; answers ARP on the way."""
        while True:
            frame = self.link.recv(2048)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == self._ends[:4]:
                me = _mac(CLIENT_MAC) + self._ends[:4]
                self.link.send(frame[6:12] + _mac(CLIENT_MAC) + frame[12:20] + b"\0\2" + me + frame[22:32])
            elif frame[12:14] == b"\x08\0" and frame[23] == 6 and frame[36:38] == self.port.to_bytes(2, "big"):
                tcp = frame[34 : 14 + int.from_bytes(frame[16:18], "big")]
                sequence = int.from_bytes(tcp[4:8], "big")
                data = tcp[(tcp[12] >> 4) * 4 :]
                if tcp[13] & SYN:
                    self.seen = sequence + 1
                elif sequence != self.seen & 0xFFFFFFFF:
                    continue  # a retransmission of what is acknowledged already
                else:
                    self.seen += len(data) + (tcp[13] & FIN)
                return tcp[13], data

    def connect(self) -> None:
        self.frame(SYN, self.sent, options=b"\x02\x04\x05\xb4")  # MSS 1460
        self.sent += 1
        flags, _ = self.receive()
        if flags & (SYN | ACK) != SYN | ACK:
            raise LabError(f"raw client: flags {flags}")
        self.frame(ACK, self.sent)

    def play(self, data: bytes, plan: Cuts) -> None:
        """Send parts of `data` in the order of `plan`; every byte of it must be in some part."""
        for start, end in plan:
            self.frame(PSH | ACK, self.sent + start, data[start:end])
            time.sleep(0.01)
        self.sent += len(data)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _by_hand(link: socket.socket, name: str, port: int, plan: Cuts, first: int) -> None:
    """One handshake whose hello is sent by `plan`; negative ends count from the end of the hello, as in a slice."""
    client = RawClient(link, port, first)
    speaker = Speaker(name)
    client.connect()
    hello = speaker.step()
    size = len(hello)
    client.play(hello, [(s if s >= 0 else size + s, e if e > 0 else size + e) for s, e in plan])
    while not speaker.done:
        flags, data = client.receive()
        if flags & FIN:
            raise LabError(f"{name}: the server hung up")
        if data:
            client.frame(ACK, client.sent)
            if answer := speaker.step(data):
                client.play(answer, [(0, len(answer))])
    client.frame(FIN | ACK, client.sent)
    client.sent += 1
    while True:
        flags, data = client.receive()
        if data or flags & FIN:
            client.frame(ACK, client.sent)
        if flags & FIN:
            return


def _tls_reorder(take: Take) -> None:
    pair = certificate(take.lab.folder, "api.vendor.example")
    s_server(take.lab.upstream, 443, pair, "-alpn", "h2,http/1.1")
    plans: list[tuple[str, Cuts, int]] = [
        ("second-half-first", [(250, 0), (0, 250)], 1000),
        ("three-reversed", [(300, 0), (120, 300), (0, 120)], 2000),
        ("header-last", [(5, 0), (0, 5)], 3000),
        ("first-byte-last", [(1, 0), (0, 1)], 4000),
        ("retransmitted-first", [(0, 150), (0, 150), (150, 0)], 5000),
        ("retransmitted-all", [(0, 0), (0, 0), (0, 200)], 6000),
        ("overlap-50", [(0, 200), (150, 0)], 7000),
        ("overlap-backwards", [(150, 0), (0, 200)], 8000),
        ("swallowed", [(100, 150), (0, 0)], 9000),
        ("grown", [(0, 80), (0, 200), (0, 0)], 10000),
        ("hole-filled", [(0, 100), (200, 300), (100, 250), (300, 0)], 11000),
        ("patchwork", [(400, 0), (60, 180), (0, 90), (170, 420)], 12000),
        ("sequence-wraps", [(0, 150), (150, 0)], 2**32 - 120),
        ("wraps-backwards", [(150, 0), (0, 170)], 2**32 - 160),
        ("late-repeat", [(0, 0)], 13000),
    ]
    with take.lab.client.entered():
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.settimeout(5)
    link.bind(("eth0", 0))
    with link, take.rolling():
        for number, (name, plan, first) in enumerate(plans):
            _by_hand(link, f"{name}.vendor.example", 44000 + number, plan, first)
            take.flow("tcp", RAW_V4, 44000 + number, HOST, 443, server_name=f"{name}.vendor.example")
    # tshark 4.0 forgets an early segment that a later one covers whole; the server's answer proves that the name
    # arrived
    take.missed["tls"] = ["swallowed.vendor.example"]
    _expect(take, [(RAW_V4, 44000 + number, f"{plan[0]}.vendor.example") for number, plan in enumerate(plans)])


RECIPES = (
    Recipe(
        "tls_split",
        "OpenSSL's ClientHello sent in chosen TCP segments, and re-framed into several TLS records; OpenSSL's "
        "server accepts all.",
        _tls_split,
        ("openssl",),
    ),
    Recipe(
        "tls_reorder",
        "OpenSSL's ClientHello in segments that overtake, repeat and overlap each other (client frames made by "
        "the recipe, all else real).",
        _tls_reorder,
        ("openssl",),
    ),
)
