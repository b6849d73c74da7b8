"""The cores of the flow table against each other: numpy by groups and C, both against numpy row by row (`walk`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.flow.core import NATIVE, CoreName, make_core
from daemon.flow.facts import Endpoints
from daemon.flow.table import FlowTable
from daemon.ingest.decoder import CaptureDecoder
from daemon.ingest.source import Source
from tests.daemon.decode.hellos import openssl_hello
from tests.daemon.flow.driver import CORES, Seen, native, run
from tests.support import packets as wire
from tests.support.gathered import Gathered
from tests.support.packets import ACK, FIN, HOST, HOST6, RST, SERVER, SERVER6, START_US, SYN

ROOT = Path(__file__).resolve().parents[3]
CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"
RECORDED = sorted((ROOT / "tests" / "data").glob("*.pcap*"))

SECOND = 1_000_000
SLOT_US = 900 * SECOND
HELLO = openssl_hello("one.example.com")
OTHER_HELLO = openssl_hello("two.example.com")
REQUEST = b"GET / HTTP/1.1\r\nHost: web.example.com\r\nUser-Agent: t\r\n\r\n"
QUERY = bytes.fromhex("000101000001000000000000") + b"\x04name\x07example\x00\x00\x01\x00\x01"
ANSWER = bytes.fromhex("000181800001000000000000") + QUERY[12:]
ANOTHER_MAC = "02:00:00:00:00:77"

Facts = tuple[list[Any], dict[str, Any]]


def tcp(at_s: float, flags: int = ACK, data: bytes = b"", *, up: bool = True, seq: int = 1, port: int = 40000) -> Seen:
    """A segment between HOST and SERVER."""
    ends = (HOST, SERVER, port, 443) if up else (SERVER, HOST, 443, port)
    macs = (wire.HOST_MAC, wire.ROUTER_MAC) if up else (wire.ROUTER_MAC, wire.HOST_MAC)
    frame = wire.tcp_frame(data, *ends, seq=seq, flags=flags, mac=macs[0], to_mac=macs[1])
    return Seen(START_US + round(at_s * SECOND), frame)


def udp(at_s: float, data: bytes = b"x", *, up: bool = True, port: int = 9999, router: str = wire.ROUTER_MAC) -> Seen:
    """A datagram between HOST and SERVER, which is behind `router`."""
    ends = (HOST, SERVER, 40000, port) if up else (SERVER, HOST, port, 40000)
    return Seen(START_US + round(at_s * SECOND), wire.udp_frame(data, *ends, mac=wire.HOST_MAC if up else router))


def ping(at_s: float) -> Seen:
    return Seen(START_US + round(at_s * SECOND), wire.ethernet(wire.ipv4(wire.icmp(), proto=1)))


def whole(conversation: wire.Conversation) -> list[Seen]:
    return [Seen(*frame) for frame in conversation.frames]


def spans(facts: Facts) -> list[tuple[int, int, str, int]]:
    """First and last second after START_US, end and packets of each flow, by time."""
    flows = [flow for flow, _, _ in facts[0]]
    return sorted(
        (
            (flow.first_us - START_US) // SECOND,
            (flow.last_us - START_US) // SECOND,
            flow.end,
            flow.packets_up + flow.packets_down,
        )
        for flow in flows
    )


# name -> frames, and what must come out: (first second, last second, end, packets) of each flow
CONVERSATIONS: dict[str, tuple[list[Seen], list[tuple[int, int, str, int]]]] = {
    "port reused after FIN": (
        [tcp(0, SYN), tcp(1, FIN | ACK), tcp(2, FIN | ACK, up=False), tcp(3, SYN, seq=900), tcp(4, seq=901)],
        [(0, 2, "fin", 3), (3, 4, "cut", 2)],
    ),
    "SYN after RST": (
        [tcp(0, SYN), tcp(1, RST | ACK, up=False), tcp(2, SYN), tcp(3, RST | ACK, up=False), tcp(4, SYN)],
        [(0, 1, "rst", 2), (2, 3, "rst", 2), (4, 4, "cut", 1)],
    ),
    "SYN-ACK after FIN belongs to it": (
        [tcp(0, SYN), tcp(1, FIN | ACK), tcp(2, SYN | ACK, up=False), tcp(3)],
        [(0, 3, "fin", 4)],
    ),
    "SYN again without a close": ([tcp(0, SYN), tcp(1, SYN), tcp(3, SYN)], [(0, 3, "cut", 3)]),
    "ten seconds after the close": (
        [tcp(0, SYN), tcp(1, FIN | ACK), tcp(11, FIN | ACK, up=False), tcp(21.000001)],
        [(0, 11, "fin", 3), (21, 21, "cut", 1)],
    ),
    "TCP silent for an hour": ([tcp(0), tcp(3600), tcp(7200.5)], [(0, 3600, "idle", 2), (7200, 7200, "cut", 1)]),
    "UDP silent for three minutes": ([udp(0), udp(180), udp(360.5)], [(0, 180, "cut", 2), (360, 360, "cut", 1)]),
    "ICMP silent for a minute": ([ping(0), ping(60), ping(120.5)], [(0, 60, "cut", 2), (120, 120, "cut", 1)]),
    "simultaneous open": (
        [tcp(0, SYN), tcp(0.1, SYN, up=False), tcp(0.2, SYN | ACK), tcp(0.3, SYN | ACK, up=False)],
        [(0, 0, "cut", 4)],
    ),
    "time runs backwards": (
        [tcp(100, SYN), tcp(50), tcp(20, FIN | ACK), tcp(105, up=False), tcp(90), tcp(116)],
        [(20, 105, "fin", 5), (116, 116, "cut", 1)],
    ),
    "two connections at once": (
        [tcp(0, SYN), tcp(0, SYN, port=40001), tcp(1, RST, port=40001), tcp(2, SYN, port=40001), tcp(3)],
        [(0, 1, "rst", 2), (0, 3, "cut", 2), (2, 2, "cut", 1)],
    ),
}
# The end word of a flow that is silent when the capture ends is the table's: `idle` by its clock.
CONVERSATIONS["UDP silent for three minutes"][1][0] = (0, 180, "idle", 2)
CONVERSATIONS["ICMP silent for a minute"][1][0] = (0, 60, "idle", 2)


@pytest.mark.parametrize("core", [*CORES, "walk"])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations_end_and_begin_where_they_should(name: str, core: CoreName) -> None:
    frames, expected = CONVERSATIONS[name]
    together, singly = run(core, frames), run(core, frames, cuts=range(len(frames)))
    assert spans(together) == expected
    assert singly == together
    assert run(core, frames, resumes=range(len(frames)), finish=True) == together


@pytest.mark.parametrize("core", [*CORES, "walk"])
def test_counters_stand_in_their_slots(core: CoreName) -> None:
    first = START_US // SLOT_US * SLOT_US + SLOT_US
    lag = (first - START_US) / SECOND
    frames = [tcp(lag - 1, SYN), tcp(lag + 1, up=False), tcp(lag - 0.5), tcp(lag + 1000), tcp(lag + 1001)]
    ((flow, slices, _),), _ = run(core, frames)
    assert (flow.packets_up, flow.packets_down, flow.sliced) == (4, 1, True)
    counted: dict[int, list[int]] = {}
    for (slot, _), value in slices:
        counted.setdefault((slot - first) // SLOT_US, []).append(value)
    size = len(frames[0].frame)
    assert counted == {-1: [0, 2 * size, 0, 2], 0: [size, 0, 1, 0], 1: [0, 2 * size, 0, 2]}


MESSAGES: dict[str, list[Seen]] = {
    "hello in segments, retransmitted and out of order": [
        tcp(0, SYN, seq=99), tcp(0.1, SYN | ACK, up=False, seq=499), tcp(0.2, seq=100),
        tcp(0.3, data=HELLO[:100], seq=100), tcp(0.4, data=HELLO[:100], seq=100), tcp(0.5, data=HELLO[200:], seq=300),
        tcp(0.6, data=HELLO[100:200], seq=200), tcp(0.7, data=HELLO[200:], seq=300), tcp(0.8, up=False, seq=500),
    ],
    "hello on a connection that nobody looks into any more": [
        *(tcp(i / 10, data=b"\x00junk-of-no-protocol" * 2, up=i % 2 == 0, seq=1 + 40 * (i // 2)) for i in range(30)),
        tcp(4, data=HELLO, seq=5000), tcp(4.1, data=b"\x15\x03\x03\x00\x02\x02\x28" * 9, up=False, seq=5000),
    ],
    "hello in two segments on such a connection": [
        *(tcp(i / 10, data=b"\x00junk-of-no-protocol" * 2, up=i % 2 == 0, seq=1 + 40 * (i // 2)) for i in range(30)),
        tcp(4, data=HELLO[:90], seq=5000), tcp(4.1, data=HELLO[90:], seq=5090),
    ],
    "data before the SYN-ACK was seen": [
        tcp(0, SYN, seq=99), tcp(0.1, data=REQUEST, seq=100), tcp(0.2, data=b"late", seq=504, up=False),
        tcp(0.3, SYN | ACK, up=False, seq=499), tcp(0.4, data=b"HTTP", seq=500, up=False),
    ],
    "cut by the snaplen": [
        tcp(0, SYN, seq=99), tcp(0.1, data=HELLO, seq=100)._replace(captured=54),
        tcp(0.2, data=HELLO, seq=100 + len(HELLO), up=False)._replace(captured=150),
    ],
    "an answer from behind another MAC": [
        udp(0, QUERY, port=53), udp(0.1, ANSWER, up=False, port=53, router=ANOTHER_MAC), udp(0.2, QUERY, port=53),
    ],
    "requests one after another": whole(
        wire.Conversation(server_port=80).open().send(REQUEST).reply(b"HTTP/1.1 200 OK\r\n\r\n").send(REQUEST).close()
    ),
    "QUIC-like datagrams late in a flow": [
        *(udp(i / 10, b"\x40" + bytes(60), up=i % 2 == 0) for i in range(12)), udp(2, b"\xc0" + bytes(1250)), udp(3),
    ],
    "fragments": [
        *(Seen(START_US + i, wire.ethernet(part)) for i, part in enumerate(
            wire.fragments4(wire.ipv4(wire.udp(QUERY + bytes(600), 40000, 53)), 256))),
        udp(1, ANSWER, up=False, port=53),
    ],
    "a tunnel beside its own addresses": [
        Seen(START_US, wire.ethernet(wire.ipv4(wire.ipv6(wire.udp(QUERY, 4000, 53), HOST6, SERVER6), proto=41))),
        Seen(START_US + 1, wire.ethernet(wire.ipv6(wire.udp(QUERY, 4000, 53), HOST6, SERVER6))),
        Seen(START_US + 2, wire.ethernet(wire.ipv4(wire.ipv6(wire.udp(ANSWER, 53, 4000), SERVER6, HOST6), proto=41))),
    ],
    "IPv6, cooked and raw links": [
        Seen(START_US, wire.ethernet(wire.ipv6(wire.tcp(REQUEST), HOST6, SERVER6, 6))),
        Seen(START_US + 1, wire.sll(wire.ipv6(wire.tcp(REQUEST), HOST6, "2001:db8:3::1", 6)), link=113),
        Seen(START_US + 2, wire.ipv4(wire.udp(QUERY)), link=101),
        Seen(START_US + 3, wire.ethernet(wire.arp(), ethertype=wire.ARP)),
        Seen(START_US + 4, b"\x01\x02\x03", link=147),
    ],
}  # fmt: skip


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_read_alike(name: str, core: CoreName) -> None:
    frames = MESSAGES[name]
    expected = run("walk", frames)
    everywhere = range(1, len(frames))
    assert run(core, frames) == expected
    assert run(core, frames, cuts=everywhere) == expected
    assert run(core, frames, resumes=everywhere) == expected


def test_what_the_messages_above_say_is_found() -> None:
    said = {
        name: {hello[2].name for _, _, hellos in run("auto", frames)[0] for _, hello in hellos}
        for name, frames in MESSAGES.items()
    }
    assert said["hello in segments, retransmitted and out of order"] == {"one.example.com"}
    assert said["hello on a connection that nobody looks into any more"] == {"one.example.com"}
    assert said["hello in two segments on such a connection"] == {"one.example.com"}
    assert said["requests one after another"] == {"web.example.com"}


PAYLOADS = [
    b"",
    b"",
    b"x",
    HELLO,
    HELLO[:60],
    HELLO[60:],
    OTHER_HELLO,
    REQUEST,
    REQUEST[:9],
    bytes(40),
    b"SSH-2.0-x\r\n",
]
DATAGRAMS = [b"", b"\x00" * 30, QUERY, ANSWER, QUERY[:20], b"\xc0" + bytes(1250), b"\xc3\x00\x00\x00\x01" + bytes(1300)]
STEPS_S = [0, 0, 0, 0.001, 0.5, 4, 9.5, 10.5, 55, 61, 175, 181, 899, 901, 3599, 3601, -0.001, -3, -20, -1000]
FLAGS = [ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST, RST | ACK, SYN | FIN, 0]
LINES = [  # address and port of both ends
    (HOST, 40000, SERVER, 443), (HOST, 40000, SERVER, 53), (HOST, 50, SERVER, 50), (HOST6, 40000, SERVER6, 443),
    (HOST, 5353, "224.0.0.251", 5353), ("255.255.255.255", 443, HOST, 40000),
]  # fmt: skip


@st.composite
def traffic(draw: st.DrawFn) -> list[Seen]:
    """Packets of a few conversations, with any flags, at any time, of few sequence numbers."""
    frames, now = [], START_US
    for _ in range(draw(st.integers(1, 40))):
        now += round(draw(st.sampled_from(STEPS_S)) * SECOND)
        source, sport, target, dport = draw(st.sampled_from(LINES[: draw(st.integers(1, len(LINES)))]))
        if draw(st.booleans()):
            source, sport, target, dport = target, dport, source, sport
        mac = draw(st.sampled_from([wire.HOST_MAC, wire.HOST_MAC, ANOTHER_MAC]))
        kind = draw(st.sampled_from(["tcp", "tcp", "tcp", "udp", "icmp"]))
        if kind == "tcp":
            seq, flags = draw(st.sampled_from([100, 101, 160, 0xFFFFFFFF])), draw(st.sampled_from(FLAGS))
            segment = draw(st.sampled_from(PAYLOADS))
            frame = wire.tcp_frame(segment, source, target, sport, dport, seq=seq, flags=flags, mac=mac)
        elif kind == "udp":
            frame = wire.udp_frame(draw(st.sampled_from(DATAGRAMS)), source, target, sport, dport, mac=mac)
        else:
            version6 = ":" in source
            packet = (wire.ipv6 if version6 else wire.ipv4)(wire.icmp(), source, target, 58 if version6 else 1)
            frame = wire.ethernet(packet, src=mac)
        if draw(st.integers(0, 9)) == 0:
            frame = wire.ethernet(wire.ipv4(frame[14:], proto=41 if ":" in source else 4), src=mac)
        frames.append(Seen(now, frame, draw(st.sampled_from([65535, 65535, 65535, 70]))))
    return frames


places = st.sets(st.integers(0, 39), max_size=6)


@pytest.mark.parametrize("core", CORES)
@given(frames=traffic(), cuts=places, tidies=places, resumes=places)
def test_any_traffic_gives_the_same(
    core: CoreName, frames: list[Seen], cuts: set[int], tidies: set[int], resumes: set[int]
) -> None:
    expected = run("walk", frames, tidies=tidies)
    assert run(core, frames, tidies=tidies) == expected
    assert run(core, frames, cuts=cuts, tidies=tidies) == expected
    assert run(core, frames, cuts=cuts, tidies=tidies, resumes=resumes) == expected


def decoded(path: Path, core: CoreName) -> Facts:
    out = Gathered()
    with Source.open(path) as source:
        decoder = CaptureDecoder(source, core=core)
        for batch in decoder.batches():
            out.add(batch.facts, decoder.endpoints)
    return out.all()


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_captures_give_the_same(path: Path, core: CoreName) -> None:
    assert decoded(path, core) == decoded(path, "walk")


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no captures at {CORPUS}: HOMEPORT_CORPUS names their folder")
@pytest.mark.parametrize("core", CORES)
def test_corpus_gives_the_same(core: CoreName) -> None:
    compared = 0
    for path in sorted(CORPUS.iterdir()):
        try:
            expected = decoded(path, "walk")
        except DecodeError:
            continue  # not a capture: its own test says so
        assert decoded(path, core) == expected, path.name
        compared += 1
    assert compared


@native
def test_auto_is_the_fastest_there_is() -> None:
    assert type(make_core("auto", Endpoints(), FlowTable(Endpoints()).facts)[0]).__module__ == "daemon.flow._core"


@pytest.mark.skipif(NATIVE, reason="the core in C is built here")
def test_the_core_in_c_is_missed_by_name() -> None:
    with pytest.raises(RuntimeError, match="not built"):
        FlowTable(Endpoints(), core="c")
    assert len(FlowTable(Endpoints())) == 0
