"""What is said of flows that end, many at a time: in C as with numpy."""

from __future__ import annotations

import gc

import pytest

from daemon.decode.packet import UDP
from daemon.flow import core
from daemon.flow.conversation import MAKERS
from daemon.flow.facts import FlowFact
from tests.daemon.flow.driver import Seen, native, run
from tests.support import packets as wire
from tests.support.leaks import left_behind
from tests.support.packets import START_US

SECOND = 1_000_000
LIVE = (False,)  # as `tell` takes it
LATER = Seen(START_US + 4000 * SECOND, wire.udp_frame(b"later", sport=39999))


def talks(count: int) -> list[Seen]:
    """Datagrams of one end to many others, of which each fourth answers."""
    out = []
    for i in range(count):
        other = f"198.51.{i // 250}.{i % 250 + 1}"
        out.append(Seen(START_US + i * 7, wire.udp_frame(b"?", dst=other, sport=41000 + i, dport=9)))
        if i % 4 == 0:
            answer = wire.udp_frame(b"!", other, wire.HOST, 9, 41000 + i, wire.ROUTER_MAC)
            out.append(Seen(START_US + SECOND - i * 3, answer))
    return out


@native
def test_the_ends_of_many_flows_were_seen() -> None:
    frames = [*talks(700), LATER]
    said = {which: run(which, frames, tidies=[len(frames) - 1]) for which in ("c", "numpy")}
    assert said["c"] == said["numpy"]


@native
def test_the_client_port_tells_the_same() -> None:
    """Where the payload shows no service, the ports decide: the server's, else one of the client's that says something."""
    ports = (0, 1, 53, 123, 1023, 1024, 1900, 5353, 5355, 9999, 40000, 57621, 65535)
    frames = [
        Seen(START_US, wire.udp_frame(b"\x00", sport=sport, dport=dport, dst=f"198.51.100.{i + 1}"))
        for i, sport in enumerate((40000, *ports, 40001))
        for dport in (9, 443, 30000, 65535)
    ]
    frames.append(LATER)
    assert run("c", frames, tidies=[len(frames) - 1]) == run("numpy", frames, tidies=[len(frames) - 1])


@native
def test_ending_flows_leaves_nothing_behind() -> None:
    frames = [*talks(20), LATER]

    def often(times: int) -> None:
        for _ in range(times):
            run("c", frames, tidies=[len(frames) - 1])
        gc.collect()  # a table and its conversations are in cycles

    references, grown = left_behind(often, 20, [FlowFact, *MAKERS[1:3], MAKERS[-1]])
    assert references == [0, 0, 0, 0]
    assert grown < 20_000


@native
@pytest.mark.parametrize("wrong", [(int, *MAKERS[1:]), (*MAKERS[:4], int, *MAKERS[5:]), (*MAKERS[:-1], b"few")])
def test_makers_of_something_else_are_refused(wrong: tuple[object, ...]) -> None:
    flow = core.NativeConversation(0, (4, UDP, 0, 1, 2, 3, 4), 0, START_US)
    with pytest.raises(TypeError, match="facts are tuples"):
        flow.tell([], {}, "idle", *LIVE, wrong)
    assert flow.tell([], {}, "idle", *LIVE, MAKERS)
