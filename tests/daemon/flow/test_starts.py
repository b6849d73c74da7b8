"""What the core in C reads of a connection's start by itself, against the inspectors, which are its oracle: facts and kept
state, packet by packet."""

from __future__ import annotations

import gc
import json
import ssl
import tracemalloc
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.flow.core import CoreName
from daemon.flow.facts import Endpoints
from daemon.flow.starts import NATIVE
from daemon.flow.table import FlowTable
from tests.daemon.decode import hellos as h
from tests.daemon.decode import quic_wire as q
from tests.daemon.flow.driver import Seen, chunk
from tests.support import packets as p
from tests.support.flows import Frame, outcome
from tests.support.hostile import hostile

if not NATIVE:
    pytest.skip("the readers in C are not built here", allow_module_level=True)

CLIENT, SERVER = 0, 1
ISN = (1000, (1 << 32) - 700)  # the server's numbers go over the top
Piece = tuple[int, int, bytes]  # side, place in its stream, bytes


@cache
def flights(version: ssl.TLSVersion) -> tuple[bytes, bytes]:
    """What a client and a server of openssl say first."""
    return h.handshake(version)


@cache
def large_hello() -> bytes:
    """About 1.8 KB, as clients with post-quantum keys send it."""
    share = h.extension(51, h.vector(2, h.codes(0x11EC) + h.vector(2, bytes(1216))))
    extensions = share + h.sni(b"pq.example.org") + h.alpn(b"h2") + h.versions(0x0304) + h.extension(21, bytes(430))
    return h.records(h.client_hello(extensions))


def connection(pieces: Sequence[Piece], *, begun: bool = True) -> list[Seen]:
    """These segments behind a handshake of TCP, a millisecond apart."""
    ends = (p.HOST, p.SERVER, 40000, 443), (p.SERVER, p.HOST, 443, 40000)
    frames = [
        p.tcp_frame(b"", *ends[CLIENT], seq=ISN[CLIENT] - 1, flags=p.SYN),
        p.tcp_frame(b"", *ends[SERVER], seq=ISN[SERVER] - 1, flags=p.SYN | p.ACK),
    ] * begun
    for side, at, data in pieces:
        frames.append(p.tcp_frame(data, *ends[side], seq=(ISN[side] + at) & 0xFFFFFFFF, flags=p.ACK))
    return [Seen(p.START_US + 1000 * index, frame) for index, frame in enumerate(frames)]


def in_order(*said: tuple[int, bytes]) -> list[Piece]:
    """Segments one behind the other."""
    at, pieces = [0, 0], []
    for side, data in said:
        pieces.append((side, at[side], data))
        at[side] += len(data)
    return pieces


def kept(core: CoreName, frames: Sequence[Seen]) -> list[Any]:
    """The table's state behind each frame, then all facts."""
    table, out = FlowTable(Endpoints(), core=core), []
    for frame in frames:
        table.add(*chunk([frame]))
        out.append(json.loads(json.dumps(table.state())))
    table.finish()
    facts = table.take_facts()
    return [*out, facts.flows, facts.hellos, facts.hints, facts.seen]


def assert_same(frames: Sequence[Seen]) -> None:
    for one, other in zip(kept("c", frames), kept("walk", frames), strict=True):
        assert one == other


def readers(frames: Sequence[Seen]) -> list[str]:
    """What looks into the flow behind each frame."""
    table, out = FlowTable(Endpoints(), core="c"), []
    for frame in frames:
        table.add(*chunk([frame]))
        (flow,) = table._core.open()
        out.append(type(flow.inspector).__name__)
    return out


# --- TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_usual_connection_needs_no_inspector(version: ssl.TLSVersion) -> None:
    client, server = flights(version)
    for said in (
        [(CLIENT, client), (SERVER, server)],
        [(CLIENT, client[:100]), (CLIENT, client[100:]), (SERVER, server[:70]), (SERVER, server[70:])],
        [(CLIENT, large_hello()[:1400]), (CLIENT, large_hello()[1400:]), (SERVER, server), (CLIENT, b"\x17\x03\x03")],
    ):
        frames = connection(in_order(*said))
        assert readers(frames)[2:] == ["TcpStart"] * len(said)
        assert_same(frames)
        (hello,) = outcome([frame[:2] for frame in frames], core="c").hellos.values()
        assert hello.fact.cipher is not None
        assert (hello.fact.certificate_names is not None) == (version == ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    "pieces",
    [
        [(CLIENT, 0, b"GET / HTTP/1.1\r\n\r\n")],
        [(SERVER, 0, b"SSH-2.0-x\r\n")],
        [(CLIENT, 1, b"\x16\x03\x01\x02\x00\x01")],
        [(CLIENT, 0, b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10")],
        [(CLIENT, 0, b"\x16\x03\x01\x00\x00\x16\x03\x01")],
        [(CLIENT, 0, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00\x17\x03\x03\x00\x10")],
    ],
)
def test_another_start_is_for_the_inspector(pieces: list[Piece]) -> None:
    frames = connection(pieces)
    assert readers(frames)[-1] == "TcpInspector"
    assert_same(frames)


def unusual() -> dict[str, list[Piece]]:
    client, server = flights(ssl.TLSVersion.TLSv1_2)
    hello = client[:200], client[200:]
    usual = [(CLIENT, 0, hello[0]), (CLIENT, 200, hello[1])]
    return {
        "out of order": [*usual[::-1], (SERVER, 0, server)],
        "begun again": [usual[0], usual[0], usual[1], (SERVER, 0, server)],
        "overlapping": [usual[0], (CLIENT, 150, client[150:]), (SERVER, 0, server)],
        "server first": [(SERVER, 0, server[:60]), *usual, (SERVER, 60, server[60:])],
        "server in between": [usual[0], (SERVER, 0, server[:60]), usual[1], (SERVER, 60, server[60:])],
        "hello once more": [*usual, *usual, (SERVER, 0, server)],
        "hello once more behind the answer": [*usual, (SERVER, 0, server), *usual],
        "another hello behind the answer": [*usual, (SERVER, 0, server), (CLIENT, len(client), large_hello())],
        "answer with a hole": [*usual, (SERVER, 0, server[:90]), (SERVER, 120, server[120:])],
        "answer from behind": [*usual, (SERVER, 90, server[90:]), (SERVER, 0, server[:90])],
        "answer that is none": [*usual, (SERVER, 0, b"HTTP/1.1 400 Bad Request\r\n\r\n")],
        "answer with an alert": [*usual, (SERVER, 0, b"\x15\x03\x03\x00\x02\x01\x70" + server)],
        "answer in bytes": [
            *usual,
            *[(SERVER, at, server[at : at + 1]) for at in range(90)],
            (SERVER, 90, server[90:]),
        ],
        "certificate that cannot be read": [*usual, (SERVER, 0, server.replace(b"\x55\x1d\x11", b"\x55\x1d\xff"))],
        "endless": [
            (CLIENT, 0, b"\x16\x03\x01\x40\x00\x01\x00\xff\xff"),
            *[(CLIENT, 9 + at, bytes(1400)) for at in range(0, 70_000, 1400)],
        ],
    }


@pytest.mark.parametrize("what", unusual())
def test_what_is_unusual_is_taken_over(what: str) -> None:
    assert_same(connection(unusual()[what]))
    assert_same(connection(unusual()[what], begun=False))


@settings(max_examples=40)
@given(st.data())
def test_any_segments_give_the_same(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]))
    client, server = flights(version)
    if data.draw(st.booleans()):
        client = data.draw(st.sampled_from([large_hello(), h.records(client[5:], *[60] * 9)]))
    if data.draw(st.booleans()):
        client = data.draw(hostile([client])) or b"x"
    if data.draw(st.booleans()):
        server = data.draw(hostile([server])) or b"x"
    pieces: list[Piece] = []
    for side, stream in ((CLIENT, client), (SERVER, server)):
        cuts = data.draw(st.lists(st.integers(1, len(stream)), max_size=3))
        pieces += [(side, a, stream[a:b]) for a, b in pairwise(sorted({0, *cuts, len(stream)}))]
    changes = data.draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), max_size=2))
    for first, second, again in changes:
        one, other = first % len(pieces), second % len(pieces)
        if again:
            pieces.insert(one, pieces[other])
        else:
            pieces[one], pieces[other] = pieces[other], pieces[one]
    assert_same(connection(pieces, begun=data.draw(st.booleans())))


# --- QUIC and signatures


def quic_hello(name: bytes = b"www.example.com", pad: int = 0, random: int = 7) -> bytes:
    extensions = h.sni(name) + h.alpn(b"h3") + h.versions(0x0304) + (h.extension(21, bytes(pad)) if pad else b"")
    message = h.client_hello(extensions, ciphers=(0x1301, 0x1303))
    return message[:6] + bytes([random]) * 32 + message[38:]


def datagrams(sent: Sequence[tuple[int, bytes]]) -> list[Seen]:
    """Datagrams of the client (0) and the server (1), a millisecond apart."""
    ends = (p.HOST, p.SERVER, 50000, 443), (p.SERVER, p.HOST, 443, 50000)
    return [Seen(p.START_US + 1000 * index, p.udp_frame(data, *ends[side])) for index, (side, data) in enumerate(sent)]


LONG = quic_hello(pad=900)
ACK = b"\x02\x00\x00\x00\x00"
ZERO_RTT = b"\xd0\0\0\0\1\x08original\0\x19" + bytes(25)
ANSWER = q.initial(
    q.crypto(0, b"\x02\x00\x00\x26" + bytes(38)), b"", key_dcid=b"original", scid=b"serverid", server=True
)
HANDSHAKE = b"\xe0\0\0\0\1\0\x08serverid\x44\x00" + bytes(1024)
WHOLE = q.initial(q.crypto(0, quic_hello()))
HALVES = q.initial(q.crypto(0, LONG[:600])), q.initial(q.crypto(600, LONG[600:]), number=1)
SCATTERED = (
    q.initial(q.crypto(0, LONG[:50]) + q.crypto(300, LONG[300:400]) + q.crypto(900, LONG[900:])),
    q.initial(q.crypto(400, LONG[400:900]) + b"\x01" + q.crypto(50, LONG[50:300]), number=1),
)
BEHIND = q.initial(ACK, b"serverid", key_dcid=b"original", number=2)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)

USUAL = {
    "one": [(CLIENT, WHOLE), (SERVER, ANSWER), (SERVER, HANDSHAKE), (CLIENT, BEHIND), (CLIENT, WHOLE)],
    "two": [(CLIENT, HALVES[0]), (CLIENT, HALVES[1]), (SERVER, ANSWER), (CLIENT, BEHIND)],
    "backwards": [(CLIENT, HALVES[1]), (CLIENT, HALVES[0]), (SERVER, ANSWER)],
    "scattered": [(CLIENT, SCATTERED[0]), (CLIENT, SCATTERED[1]), (SERVER, ANSWER)],
    "version 2": [(CLIENT, q.initial(q.crypto(0, quic_hello()), version=q.V2)), (SERVER, HANDSHAKE)],
    "coalesced": [(CLIENT, q.initial(q.crypto(0, LONG[:600]), size=900) + HALVES[1] + ZERO_RTT), (SERVER, ANSWER)],
    "other datagrams": [(CLIENT, b"\x41" + bytes(40)), (SERVER, b"\x42"), (CLIENT, WHOLE), (SERVER, HANDSHAKE)],
    "wireguard": [(CLIENT, b"\x01\0\0\0" + bytes(144)), (SERVER, b"\x02\0\0\0" + bytes(88)),
                  (CLIENT, b"\x04\0\0\0" + bytes(28)), (SERVER, b"\x04\0\0\0" + bytes(60)),
                  (CLIENT, b"\x04\0\0\0" + bytes(28)), (CLIENT, WHOLE)],
    "stun": [(CLIENT, STUN), (SERVER, STUN), (SERVER, b"\x80\xc8\0\6" + bytes(24)), (CLIENT, WHOLE), (SERVER, STUN)],
    "stun, then Google's QUIC": [(CLIENT, STUN), (CLIENT, b"\x0d" + bytes(8) + b"Q043" + bytes(40)), (CLIENT, WHOLE)],
}  # fmt: skip
UNUSUAL = {
    "dtls behind stun": [(CLIENT, STUN), (SERVER, STUN), (CLIENT, b"\x16\xfe\xfd" + bytes(8) + b"\x00\x20\x01" + bytes(31))],
    "draft": [(CLIENT, q.initial(q.crypto(0, quic_hello()), version=q.DRAFT_29)), (SERVER, ANSWER)],
    "server first": [(SERVER, ANSWER), (CLIENT, WHOLE)],
    "answer between halves": [(CLIENT, HALVES[0]), (SERVER, ANSWER), (CLIENT, HALVES[1])],
    "first half twice": [(CLIENT, HALVES[0]), (CLIENT, HALVES[0]), (CLIENT, HALVES[1])],
    "retry": [(CLIENT, WHOLE), (SERVER, b"\xf0\0\0\0\1\0\x03new" + bytes(40)),
              (CLIENT, q.initial(q.crypto(0, quic_hello()), b"new", token=b"t" * 40))],
    "another connection": [(CLIENT, WHOLE),
                           (CLIENT, q.initial(q.crypto(0, quic_hello(b"two.example.com", 0, 8)), b"another"))],
    "no hello": [(CLIENT, q.initial(q.crypto(0, b"\x02\x00\x00\x26" + bytes(38))))],
    "broken hello": [(CLIENT, q.initial(q.crypto(0, b"\x01\x00\x00\x26" + bytes(38)))), (CLIENT, WHOLE)],
    "empty frame": [(CLIENT, q.initial(q.crypto(0, b"") + q.crypto(0, quic_hello())))],
    "far frame": [(CLIENT, q.initial(q.crypto(70000, b"x") + q.crypto(0, quic_hello())))],
    "forbidden frame": [(CLIENT, q.initial(q.crypto(0, quic_hello()) + b"\x1d")), (CLIENT, WHOLE)],
    "many": [(CLIENT, q.initial(q.crypto(10 * at, b"\x01"), number=at)) for at in range(20)] + [(CLIENT, WHOLE)],
    "dtls": [(CLIENT, b"\x16\xfe\xfd" + bytes(8) + b"\x00\x20\x01" + bytes(31)), (CLIENT, WHOLE)],
    "rtp": [(CLIENT, b"\x80\x60\x00\x01" + bytes(160)), (CLIENT, b"\x80\x60\x00\x02" + bytes(160))],
}  # fmt: skip


@pytest.mark.parametrize("what", USUAL)
def test_usual_datagrams_need_no_inspector(what: str) -> None:
    frames = datagrams(USUAL[what])
    assert readers(frames) == ["UdpStart"] * len(frames)
    assert_same(frames)
    sent: list[Frame] = [frame[:2] for frame in frames]
    assert {hello.fact.name for hello in outcome(sent, core="c").hellos.values()} == {"www.example.com"}


@pytest.mark.parametrize("what", UNUSUAL)
def test_unusual_datagrams_are_taken_over(what: str) -> None:
    assert_same(datagrams(UNUSUAL[what]))


EACH = sorted({data for sent in (*USUAL.values(), *UNUSUAL.values()) for _, data in sent})


@settings(max_examples=40)
@given(st.data())
def test_any_datagrams_give_the_same(data: st.DataObject) -> None:
    one = st.one_of(st.sampled_from(EACH), hostile(EACH, 1300))
    assert_same(datagrams(data.draw(st.lists(st.tuples(st.sampled_from([CLIENT, CLIENT, SERVER]), one), max_size=7))))


# --- memory


def test_what_is_read_is_let_go() -> None:
    client, server = flights(ssl.TLSVersion.TLSv1_2)
    frames = connection(
        in_order((CLIENT, client[:90]), (CLIENT, client[90:]), (SERVER, server[:99]), (SERVER, server[99:]))
    )
    frames += connection([*unusual()["out of order"]])[2:]
    for each in (*USUAL.values(), *UNUSUAL.values()):
        frames += datagrams(each)

    chunks = [chunk([frame]) for frame in frames]

    def pass_through(times: int) -> int:
        for _ in range(times):
            table = FlowTable(Endpoints(), core="c")
            for at, (buf, columns) in enumerate(chunks):
                table.add(buf, columns)
                if at % 5 == 0:
                    table.state()
            table.finish()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = pass_through(30)  # until caches and lists of free tuples are full
        assert pass_through(15) - before < 8000
    finally:
        tracemalloc.stop()
