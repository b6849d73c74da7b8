"""What the core in C remembers for a while (ends, names, words, ports): it says the same where that is full as without."""

from __future__ import annotations

import struct

import pytest

from daemon.decode.packet import TCP, UDP
from daemon.flow.conversation import server_port_of
from daemon.flow.core import NATIVE, make_core
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.resolvers import DOH_NAMES
from daemon.flow.services import PORTS, SERVES
from tests.daemon.decode import hellos as h
from tests.daemon.flow.driver import Seen, chunk, native, run
from tests.support import packets as p

pytestmark = native

ENDS = 8192  # whose spans the core keeps by itself (PENDING), and more names and words than it remembers
NAMES = 1300


CORES = [make_core(name, Endpoints(), Facts())[1] for name in ("c", "walk")] if NATIVE else []


def address(number: int) -> str:
    return f"198.18.{number >> 8}.{number & 255}"


def test_spans_of_more_ends_than_are_kept() -> None:
    frames = [
        Seen(p.START_US + 1000 * turn, p.udp_frame(b"", p.HOST, address(at), 40000, 9))
        for turn, at in enumerate([*range(ENDS + 200), *range(0, ENDS + 200, 7)])
    ]
    later = [frame._replace(time_us=frame.time_us + 400_000_000) for frame in frames[::11]]
    taken = run("c", [*frames, *later], tidies=[3000, len(frames), len(frames) + 99])
    assert taken == run("walk", [*frames, *later], tidies=[3000, len(frames), len(frames) + 99])


def test_spans_are_whole_once_the_facts_are_taken() -> None:
    endpoints, facts = Endpoints(), Facts()
    core, _ = make_core("c", endpoints, facts)
    core.add(*chunk([Seen(p.START_US, p.udp_frame(b"", p.HOST, p.SERVER, 40000, 9))]))
    core.expire(p.START_US + 1_000_000_000)
    core.facts = Facts()
    assert facts.seen == {0: [p.START_US, p.START_US, 1], 1: [p.START_US, p.START_US, 0]}
    core.facts = Facts()
    assert facts.seen == {0: [p.START_US, p.START_US, 1], 1: [p.START_US, p.START_US, 0]}  # and told once


def test_spans_go_to_the_numbering_that_they_are_of() -> None:
    core, _ = make_core("c", Endpoints(), Facts())
    core.add(*chunk([Seen(p.START_US, p.udp_frame(b"", p.HOST, p.SERVER, 40000, 9))]))
    core.expire(p.START_US + 1_000_000_000)
    core.renumber(Endpoints())
    assert sorted(core.facts.seen) == [0, 1]


def test_facts_that_have_no_spans_are_not_let_go() -> None:
    core, _ = make_core("c", Endpoints(), Facts())
    core.add(*chunk([Seen(p.START_US, p.udp_frame(b"", p.HOST, p.SERVER, 40000, 9))]))
    core.expire(p.START_US + 1_000_000_000)
    facts, core.facts.seen = core.facts, 1  # type: ignore[assignment]  # no spans at all
    with pytest.raises(SystemError):
        core.facts = Facts()
    assert core.facts is facts


def server_hello(version: int, cipher: int) -> bytes:
    body = struct.pack(">H", 0x0303) + bytes(32) + b"\0" + struct.pack(">HB", cipher, 0)
    body += h.vector(2, h.extension(43, h.codes(version)))
    return h.records(b"\2" + struct.pack(">I", len(body))[1:] + body)


def test_names_and_words_of_more_hellos_than_are_kept() -> None:
    names = sorted(DOH_NAMES)
    frames = []
    for at in range(NAMES):
        name = names[at // 9 % len(names)] if at % 9 == 0 else f"host-{at % 1200}.example.com"
        hello = h.records(h.client_hello(h.sni(name.encode()) + h.versions(0x0303 + at % 97)))
        answer = server_hello(0x7F00 + at % 101, at * 37 & 0xFFFF)
        ends = (p.HOST, address(at), 2000 + at, 443), (address(at), p.HOST, 443, 2000 + at)
        frames += [p.tcp_frame(hello, *ends[0], seq=1, flags=p.ACK), p.tcp_frame(answer, *ends[1], seq=1, flags=p.ACK)]
    seen = [Seen(p.START_US + 1000 * turn, frame) for turn, frame in enumerate(frames)]
    taken = run("c", seen)
    assert taken == run("walk", seen)


def test_what_is_known_of_ports() -> None:
    assert len(PORTS) == 65536
    ports = [0, 1, 53, 123, 443, 853, 1023, 1024, 1883, 3478, 5353, 8443, 9999, 32767, 32768, 40000, 51820, 65535]
    for protocol in (TCP, UDP):
        for one in ports:
            for other in ports:
                key = 4, protocol, 0, 1, one, 2, other
                facts = [Facts(), Facts()]
                for core, told in zip(CORES, facts, strict=True):
                    made = core(0, key, 1, p.START_US)
                    made.ends = 0, 1
                    made.release(told, "idle", live=False)
                assert facts[0].flows == facts[1].flows
                known = [bool(PORTS[port] & SERVES[protocol]) for port in (one, other)]
                if known[0] != known[1]:
                    assert server_port_of(protocol, one, other) == known.index(True)
