"""What only the core in C can do wrong: memory, references, columns that lie, hooks that raise."""

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
from daemon.flow.conversation import Conversation, FlowKey
from daemon.flow.core import CoreName, FlowCore, make_core
from daemon.flow.facts import Endpoints
from daemon.flow.table import FlowTable
from tests.daemon.flow.driver import CORES, Seen, chunk, native
from tests.support import packets as wire
from tests.support.packets import ACK, FIN, HOST, SERVER, START_US, SYN

SECOND = 1_000_000
Call = tuple[Any, ...]


class Recorder:
    """Hooks that note what they are told. `wants` is what a flow wants at first and after each payload."""

    def __init__(self, wants: int = 0, fail: str = "") -> None:
        self.wants, self.fail = wants, fail
        self.calls: list[Call] = []
        self.core: FlowCore | None = None

    def _note(self, *call: object) -> None:
        if call[0] == self.fail:
            raise LookupError(call[0])
        self.calls.append(call)

    def begin(self, key: FlowKey, side: int, time_us: int, src_mac: int, dst_mac: int) -> Conversation:
        self._note("begin", key, side, time_us, src_mac, dst_mac)
        flow = Conversation(len(self.calls), key, side, time_us)
        flow.wants = self.wants
        return flow

    def meet(self, flow: Conversation, side: int, src_mac: int, dst_mac: int) -> None:
        self._note("meet", flow.key, side, src_mac, dst_mac)

    def inspect(
        self, flow: Conversation, side: int, time_us: int, flags: int, seq: int, payload: bytes, missing: int
    ) -> int:
        self._note("inspect", flow.key, side, time_us, flags, seq, payload, missing)
        return self.wants

    def close(self, flow: Conversation, end: str) -> None:
        self._note("close", flow.key, end, flow.packets, flow.bytes, flow.first_us, flow.last_us)


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


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("wants", [0, 1, 2, 3])
def test_hooks_are_told_the_same(core: CoreName, wants: int) -> None:
    told = []
    names: tuple[CoreName, CoreName] = "walk", core
    for name in names:
        hooks = Recorder(wants)
        made = make_core(name, hooks)
        made.add(*chunk(starts()))
        told.append(by_flow(hooks.calls))
    assert told[0] == told[1]
    assert sum(call[0] == "inspect" for calls in told[0].values() for call in calls) > 40


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
        hooks = Recorder()
        make_core(core, hooks).add(*chunk([Seen(START_US, wire.tcp_frame(head))]))
        assert [call[6] for call in hooks.calls if call[0] == "inspect"] == [head] * shown


@native
def test_many_flows_are_found_again() -> None:
    hooks = Recorder()
    core = make_core("c", hooks)
    ports = range(1000, 7000)
    frames = [Seen(START_US, wire.tcp_frame(sport=port)) for port in ports]
    core.add(*chunk(frames))
    removed = [flow for flow in core.open() if flow.number % 3]
    for flow in removed:
        core.remove(flow, "cut")
    assert len(core) == 2000
    core.add(*chunk(frames))  # of those that stayed no second one begins
    assert len(core) == 6000
    assert sum(call[0] == "begin" for call in hooks.calls) == 10_000
    assert sorted(sum(flow.packets) for flow in core.open()) == [1] * 4000 + [2] * 2000
    first = next(iter(core.open()))
    assert first.key[2:] == (0, int.from_bytes(wire.address(HOST)), 1000 + 2, int.from_bytes(wire.address(SERVER)), 443)


@native
def test_silent_flows_are_told_by_time() -> None:
    core = make_core("c", Recorder())
    core.add(*chunk([*segments(1), Seen(START_US + SECOND, wire.udp_frame(b"x"))]))
    assert [flow.key[1] for flow in core.silent(START_US + 181 * SECOND)] == []
    assert [flow.key[1] for flow in core.silent(START_US + 182 * SECOND)] == [17]
    assert [flow.key[1] for flow in core.silent(2**63 - 1)] == [6, 17]
    assert core.silent(-(2**63)) == []


@native
def test_times_at_the_ends_of_64_bits_do_not_wrap() -> None:
    hooks = Recorder()
    core = make_core("c", hooks)
    buf, columns = chunk(segments(3))
    columns.time_us[:] = [-(2**63), 2**63 - 1, -(2**63)]
    core.add(buf, columns)
    assert [call[0] for call in hooks.calls] == ["begin", "close", "begin"]


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
    core = make_core("c", Recorder(wants=3))
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
        make_core("c", Recorder()).add(buf, columns)


@native
@pytest.mark.parametrize("fail", ["begin", "meet", "inspect", "close"])
def test_exceptions_pass_and_leave_the_table_whole(fail: str) -> None:
    hooks = Recorder(wants=3, fail=fail)
    core = make_core("c", hooks)
    back = wire.tcp_frame(b"y", SERVER, HOST, 443, 40000)
    frames = [*segments(2), Seen(START_US + 3 * SECOND, back), Seen(START_US + 9000 * SECOND, back)]
    with pytest.raises(LookupError, match=fail):
        core.add(*chunk(frames))
    assert len(core) == (fail in ("meet", "inspect"))
    hooks.fail = ""
    core.add(*chunk(frames[3:]))
    for flow in core.open():
        core.remove(flow, "cut")
    assert hooks.calls[-1][0] == "close"
    assert not len(core)


@native
def test_hooks_that_change_the_table_are_refused() -> None:
    class Meddler(Recorder):
        def meet(self, flow: Conversation, side: int, src_mac: int, dst_mac: int) -> None:
            super().meet(flow, side, src_mac, dst_mac)
            assert self.core is not None
            self.core.remove(flow, "cut")

    hooks = Meddler(wants=3)
    hooks.core = make_core("c", hooks)
    with pytest.raises(RuntimeError, match="taking rows"):
        hooks.core.add(*chunk([*segments(1), Seen(START_US, wire.tcp_frame(b"y", SERVER, HOST, 443, 40000))]))
    assert len(hooks.core) == 1


@native
def test_remove_and_insert_refuse_what_they_do_not_know() -> None:
    core = make_core("c", Recorder())
    flow = Conversation(0, (4, 6, 0, 1, 2, (1 << 128) - 1, 4), 0, START_US)
    with pytest.raises(KeyError):
        core.remove(flow, "cut")
    core.insert(flow)
    with pytest.raises(ValueError, match="already"):
        core.insert(flow)
    core.remove(flow, "cut")
    for key in [
        (4, 6, 0, 1 << 128, 2, 3, 4),
        (4, 6, 0, -1, 2, 3, 4),
        (4, 6, 300, 1, 2, 3, 4),
        (4, 1 << 20, 0, 1, 2, 3, 4),
    ]:
        with pytest.raises((OverflowError, ValueError)):
            core.insert(Conversation(0, key, 0, START_US))
    assert not len(core)


@native
def test_key_of_a_restored_flow_is_that_of_its_packets() -> None:
    frames = [
        wire.tcp_frame(),
        wire.tcp_frame(src="2001:db8::ffff", dst="ffff::1", sport=65535, dport=0),
        wire.ethernet(wire.ipv6(wire.icmp(), next_header=58)),
        wire.ethernet(wire.ipv4(wire.ipv6(wire.udp(b"x")), proto=41)),
    ]
    before = make_core("c", Recorder())
    before.add(*chunk([Seen(START_US, frame) for frame in frames]))
    hooks = Recorder()
    after = make_core("c", hooks)
    for flow in before.open():
        after.insert(flow)
    after.add(*chunk([Seen(START_US + 1, frame) for frame in frames]))
    assert {call[0] for call in hooks.calls} == {"inspect"}  # of the tunnelled datagram, which the slow path read
    assert [flow.packets for flow in after.open()] == [flow.packets for flow in before.open()]
    assert len(after) == 4


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
    core = make_core("c", hooks := Recorder(wants=3))
    frames = [frame for port in range(2000, 2100) for frame in segments(2, SYN, port) + segments(1, FIN, port)]
    prepared = chunk([frame._replace(time_us=START_US) for frame in frames])

    def once() -> int:
        core.add(*prepared)
        for flow in core.open():
            core.remove(flow, "cut")
        hooks.calls.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        sizes = [once() for _ in range(30)]
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[5] < 5_000  # one number forgotten a flow would be 70,000 bytes, a flow itself a million
