"""What only the core in C can do wrong: memory, references, columns that lie, calls that raise."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from daemon.decode.columns import Columns
from daemon.decode.groups import MESSAGE_PORTS, REQUEST_STARTS
from daemon.decode.packet import UDP
from daemon.flow.conversation import Conversation
from daemon.flow.core import CoreName, make_core
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.table import FlowTable
from daemon.flow.tally import FlowKey
from daemon.flow.udp import MessageInspector, make_udp
from tests.daemon.flow.driver import CORES, Seen, chunk, native
from tests.daemon.flow.recorder import Call, Recorder, made
from tests.support import packets as wire
from tests.support.packets import ACK, FIN, HOST, SERVER, START_US, SYN

SECOND = 1_000_000


def segments(count: int, flags: int = ACK, port: int = 40000) -> list[Seen]:
    """Segments from HOST, a second apart."""
    return [Seen(START_US + i * SECOND, wire.tcp_frame(b"x", sport=port, flags=flags)) for i in range(count)]


def starts() -> list[Seen]:
    """Payloads that begin, nearly begin, and do not begin like messages."""
    heads = [*REQUEST_STARTS, *(start.lower() for start in REQUEST_STARTS), *(start[:3] for start in REQUEST_STARTS)]
    heads += [
        b"\x16\x03\x01\x02\x00\x01",
        b"\x16\x03\x01\x02\x00\x02",
        b"\x16\x03\x01\x02\x00",
        b"\x16\x02\x01\x02\x00\x01",
    ]
    heads += [b"\x17\x03\x03", bytes(6), b"GETS", b"ABCD"]
    frames = [wire.tcp_frame(head) for head in heads] + [wire.tcp_frame(head + b"more") for head in heads]
    ports = sorted({*MESSAGE_PORTS, *(port + 1 for port in MESSAGE_PORTS), 0, 65535})
    frames += [wire.udp_frame(b"x", sport=40000, dport=port) for port in ports]
    frames += [wire.udp_frame(b"x", sport=port, dport=40000) for port in ports]
    frames += [
        wire.udp_frame(bytes([first]) + bytes(size - 1), dport=9)
        for first in (0x00, 0x40, 0x80, 0xBF, 0xC0, 0xFF)
        for size in (1, 999, 1000, 1200)
    ]
    frames += [wire.ethernet(part) for part in wire.fragments4(wire.ipv4(wire.icmp(payload=bytes(64)), proto=1), 32)]
    return [Seen(START_US + i, frame) for i, frame in enumerate(frames)]


def by_flow(calls: list[Call]) -> dict[Any, list[Call]]:
    """The calls for each key, in their order: across flows the order is a core's own."""
    out: dict[Any, list[Call]] = {}
    for call in calls:
        out.setdefault(call[1], []).append(call)
    return out


def is_message(key: FlowKey) -> bool:
    """Whether the core in C has a reader for the flow without asking."""
    return key[1] == UDP and not {key[4], key[6]}.isdisjoint(MESSAGE_PORTS)


@native
def test_message_ports_have_the_reader_that_python_would_make() -> None:
    pairs = [
        (40000, 53),
        (53, 40000),
        (5353, 53),
        (67, 68),
        (546, 547),
        (1900, 1900),
        (5353, 5353),
        (137, 65535),
        (443, 40000),
    ]
    core = Recorder("c").core
    core.add(*chunk([Seen(START_US, wire.udp_frame(b"", sport=one, dport=other)) for one, other in pairs]))
    core.add(
        *chunk(
            [Seen(START_US, wire.tcp_frame(b"", sport=53)), Seen(START_US, wire.ethernet(wire.ipv4(b"x", proto=99)))]
        )
    )
    found = {flow.key: flow.inspector for flow in core.open()}
    assert len(found) == len(pairs) + 2
    for key, inspector in found.items():
        expected = make_udp((key[4], key[6]), (-1, -1)) if key[1] == UDP else None
        assert inspector is (expected if isinstance(expected, MessageInspector) else None)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("wants", [0, 1, 2, 3])
def test_conversations_are_told_the_same(core: CoreName, wants: int) -> None:
    told: list[dict[Any, list[Call]]] = []
    shown: list[dict[Any, list[Call]]] = []
    names: tuple[CoreName, CoreName] = "walk", core
    for name in names:
        seen = Recorder(name, wants)
        seen.core.add(*chunk(starts()))
        for flow in list(seen.core.open()):
            seen.core.remove(flow, "cut")
        told.append(by_flow([call[:-1] for call in seen.calls if call[0] == "release"]))  # but for the numbers of ends
        shown.append(by_flow([call for call in seen.calls if call[0] == "inspect" and not is_message(call[1])]))
    assert told[0] == told[1]
    assert shown[0] == shown[1]
    assert sum(map(len, shown[0].values())) > 20


@pytest.mark.parametrize("core", CORES)
def test_only_whole_starts_are_notable(core: CoreName) -> None:
    frames = {
        b"GET ": True,
        b"GET": False,
        b"get ": False,
        b"\x16\x03\x03\x00\x09\x01": True,
        b"\x16\x03\x03\x00\x09\x02": False,
    }
    for head, shown in frames.items():
        seen = Recorder(core)
        seen.core.add(*chunk([Seen(START_US, wire.tcp_frame(head, flags=SYN))]))  # a flow that nobody looks into
        for flow in seen.core.open():
            flow.wants = 0
        seen.calls.clear()
        seen.core.add(*chunk([Seen(START_US, wire.tcp_frame(head))]))
        assert [call[6] for call in seen.calls if call[0] == "inspect"] == [head] * shown


@native
def test_many_flows_are_found_again() -> None:
    core = Recorder("c").core
    ports = range(1000, 7000)
    frames = [Seen(START_US, wire.tcp_frame(sport=port)) for port in ports]
    core.add(*chunk(frames))
    removed = [flow for flow in core.open() if flow.number % 3]
    for flow in removed:
        core.remove(flow, "cut")
    assert len(core) == 2000
    core.add(*chunk(frames))  # of those that stayed no second one begins
    assert len(core) == 6000
    assert core.begun == 10_000
    assert sorted(sum(flow.packets) for flow in core.open()) == [1] * 4000 + [2] * 2000
    first = next(iter(core.open()))
    assert first.key[2:] == (0, int.from_bytes(wire.address(HOST)), 1000, int.from_bytes(wire.address(SERVER)), 443)


@native
def test_more_ends_than_are_remembered_keep_their_numbers() -> None:
    seen = Recorder("c")
    frames = [Seen(START_US, wire.tcp_frame(src=f"10.1.{i >> 8}.{i & 255}", sport=port))
              for port in (1000, 2000) for i in range(5000)]  # fmt: skip
    seen.core.add(*chunk(frames))
    for flow in seen.core.open():
        assert [seen.endpoints.keys[end].address for end in flow.ends] == [flow.key[3], flow.key[5]]
    assert len(seen.endpoints) == 5001


@native
def test_silent_flows_end_by_time() -> None:
    frames = [*segments(1), Seen(START_US + SECOND, wire.udp_frame(b"x"))]
    for clock_us, ended in (
        (START_US + 181 * SECOND, []),
        (START_US + 182 * SECOND, [17]),
        (2**63 - 1, [6, 17]),
        (-(2**63), []),
    ):
        seen = Recorder("c")
        seen.core.add(*chunk(frames))
        seen.calls.clear()
        seen.core.expire(clock_us)
        assert [(call[0], call[1][1], call[2]) for call in seen.calls] == [("release", each, "idle") for each in ended]
        assert len(seen.core) == 2 - len(ended)


@native
def test_times_at_the_ends_of_64_bits_do_not_wrap() -> None:
    seen = Recorder("c")
    buf, columns = chunk(segments(3))
    columns.time_us[:] = [-(2**63), 2**63 - 1, -(2**63)]
    seen.core.add(buf, columns)
    assert [call[0] for call in seen.calls if call[0] != "inspect"] == ["release"]
    assert (seen.core.begun, len(seen.core)) == (2, 1)


def damage(name: str, value: object) -> Callable[[Columns], None]:
    def do(columns: Columns) -> None:
        if callable(value):
            setattr(columns, name, value(getattr(columns, name)))
        else:
            getattr(columns, name)[1] = value

    return do


LIES = {
    "payload behind the buffer": (damage("payload_offset", 1 << 40), ValueError),
    "payload before the buffer": (damage("payload_offset", -1), ValueError),
    "payload longer than the buffer": (damage("payload_size", 1 << 62), ValueError),
    "payload over its end": (damage("payload_size", 400), ValueError),
    "another number of rows": (damage("wire", lambda column: column[:2].copy()), ValueError),
    "another type": (damage("time_us", lambda column: column.astype(np.float64)), TypeError),
    "another width": (damage("wire", lambda column: column.astype(np.int32)), TypeError),
    "another byte order": (damage("wire", lambda column: column.astype(">i8")), TypeError),
    "two dimensions": (damage("wire", lambda column: column.reshape(3, 1).copy()), TypeError),
    "gaps between elements": (damage("wire", lambda column: np.repeat(column, 2)[::2]), ValueError),
    "payload of no row": (damage("payloads", lambda _: {3: b""}), ValueError),
    "payload that is no bytes": (damage("payloads", lambda _: {0: "text"}), ValueError),
    "payloads that are no dict": (damage("payloads", lambda _: []), TypeError),
    "a column missing": (lambda columns: delattr(columns, "link"), AttributeError),
}


@native
@pytest.mark.parametrize("lie", LIES)
def test_columns_that_lie_are_refused(lie: str) -> None:
    apply, error = LIES[lie]
    core = Recorder("c", wants=3).core
    buf, columns = chunk(segments(3))
    apply(columns)
    with pytest.raises(error):
        core.add(buf, columns)
    buf += b"the buffer is not held any longer"
    for flow in core.open():
        core.remove(flow, "cut")
    assert not len(core)


@native
def test_frame_outside_of_the_buffer_is_refused() -> None:
    buf, columns = chunk(segments(1))
    columns.frame_offset = np.array([len(buf) - 11], np.int64)
    with pytest.raises(ValueError, match="outside"):
        Recorder("c").core.add(buf, columns)


@native
@pytest.mark.parametrize("fail", ["number", "inspect", "release"])
def test_exceptions_pass_and_leave_the_table_whole(fail: str) -> None:
    seen = Recorder("c", wants=3, fail=fail)
    core = seen.core
    back = wire.tcp_frame(b"y", SERVER, HOST, 443, 40000)
    frames = [*segments(2), Seen(START_US + 3 * SECOND, back), Seen(START_US + 9000 * SECOND, back)]
    with pytest.raises(LookupError, match=fail):
        core.add(*chunk(frames))
    assert len(core) == (fail == "inspect")
    seen.fail = ""
    core.add(*chunk(frames[3:]))
    for flow in core.open():
        core.remove(flow, "cut")
    assert seen.calls[-1][0] == "release"
    assert not len(core)


@native
def test_who_is_called_must_not_change_the_table() -> None:
    class Meddler(Recorder):
        def note(self, *call: object) -> None:
            super().note(*call)
            for flow in self.core.open():
                self.core.remove(flow, "cut")

    seen = Meddler("c", wants=3)
    with pytest.raises(RuntimeError, match="taking rows"):
        seen.core.add(*chunk(segments(1)))
    assert len(seen.core) == 1


@native
def test_remove_and_insert_refuse_what_they_do_not_know() -> None:
    seen = Recorder("c")
    core, key = seen.core, (4, 6, 0, 1, 2, (1 << 128) - 1, 4)
    flow = made(seen, 0, key)
    with pytest.raises(KeyError):
        core.remove(flow, "cut")
    core.insert(flow)
    with pytest.raises(ValueError, match="already"):
        core.insert(flow)
    with pytest.raises(KeyError):
        core.remove(made(seen, 1, key), "cut")  # of the same key, but another
    core.remove(flow, "cut")
    with pytest.raises(TypeError, match="not a conversation"):
        core.insert(Conversation(0, key, 0, START_US))
    for wrong in [
        (4, 6, 0, 1 << 128, 2, 3, 4),
        (4, 6, 0, -1, 2, 3, 4),
        (4, 6, 300, 1, 2, 3, 4),
        (4, 1 << 20, 0, 1, 2, 3, 4),
    ]:
        with pytest.raises((OverflowError, ValueError)):
            made(seen, 0, wrong)
    assert not len(core)
    with pytest.raises(TypeError, match="Tally"):
        make_core("c", Endpoints(), Facts(), Conversation)


@native
def test_key_of_a_restored_flow_is_that_of_its_packets() -> None:
    frames = [
        wire.tcp_frame(),
        wire.tcp_frame(src="2001:db8::ffff", dst="ffff::1", sport=65535, dport=0),
        wire.ethernet(wire.ipv6(wire.icmp(), next_header=58)),
        wire.ethernet(wire.ipv4(wire.ipv6(wire.udp(b"x")), proto=41)),
    ]
    before, after = Recorder("c"), Recorder("c")
    before.core.add(*chunk([Seen(START_US, frame) for frame in frames]))
    for flow in before.core.open():
        again = made(after, flow.number, flow.key)
        again.packets = flow.packets
        after.core.insert(again)
    after.core.add(*chunk([Seen(START_US + 1, frame) for frame in frames]))
    assert after.core.begun == 0
    assert [flow.packets for flow in after.core.open()] == [(2 * a, 2 * b) for a, b in
                                                            (flow.packets for flow in before.core.open())]  # fmt: skip
    assert len(after.core) == 4


@native
def test_a_table_that_nobody_holds_goes_away() -> None:
    table = FlowTable(Endpoints(), core="c")
    table.add(*chunk(segments(2)))
    gone = weakref.ref(table)
    del table
    gc.collect()
    assert gone() is None


@native
def test_flows_that_come_and_go_leave_nothing() -> None:
    seen = Recorder("c", wants=3)
    core = seen.core
    frames = [frame for port in range(2000, 2100) for frame in segments(2, SYN, port) + segments(1, FIN, port)]
    prepared = chunk([frame._replace(time_us=START_US + i % 3 * 900 * SECOND) for i, frame in enumerate(frames)])

    def once() -> int:
        core.add(*prepared)
        for flow in core.open():
            assert flow.key
            assert flow.slices
            flow.seen(core.facts.seen)
            core.remove(flow, "cut")
        seen.calls.clear()
        core.facts = Facts()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        sizes = [once() for _ in range(30)]
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[5] < 5_000  # one number forgotten a flow would be 70,000 bytes, a flow itself a million
