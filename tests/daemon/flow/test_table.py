"""The table of open flows: bounded, tidied, and able to go on elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from daemon.decode.columns import decode_columns
from daemon.decode.fragments import Fragments
from daemon.flow import table as table_module
from daemon.flow.core import CoreName
from daemon.flow.facts import Endpoints
from daemon.flow.table import OPEN, FlowTable
from tests.support import packets as p
from tests.support.flows import CORES, SECOND, Frame, chunk


def add(table: FlowTable, frames: Sequence[Frame]) -> None:
    buf, records = chunk(frames)
    table.add(buf, decode_columns(buf, records, Fragments()))


def datagrams(count: int, start_us: int = p.START_US, first: int = 0) -> list[Frame]:
    """As many flows as datagrams, a millisecond apart."""
    return [
        (
            start_us + 1000 * i,
            p.udp_frame(b"x", f"10.0.{(first + i) >> 8}.{(first + i) & 255}", sport=20000, dport=9999),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("core", CORES)
def test_tidy_lets_go_of_the_silent(core: CoreName) -> None:
    table = FlowTable(Endpoints(), core=core)
    add(table, [*datagrams(3), *datagrams(2, p.START_US + 181 * SECOND, first=3)])
    assert len(table) == 5
    table.tidy()
    assert len(table) == 2
    assert [flow.end for flow in table.take_facts().flows] == ["idle"] * 3
    assert not list(table.take_facts().flows)


@pytest.mark.parametrize("core", CORES)
def test_a_flood_is_bounded(core: CoreName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "OPEN", 8)
    monkeypatch.setattr(table_module, "_KEEP", 4)
    table = FlowTable(Endpoints(), core=core)
    add(table, datagrams(8))
    table.tidy()
    assert len(table) == 8
    add(table, [*datagrams(3, p.START_US + SECOND, first=8), *datagrams(1, p.START_US + 2 * SECOND)])
    table.tidy()
    assert len(table) == 4
    flows = table.take_facts().flows
    assert [flow.end for flow in flows] == ["cut"] * 7
    assert max(flow.last_us for flow in flows) == p.START_US + 7000  # the first flow spoke again, so it stays
    assert OPEN == 16384


@pytest.mark.parametrize("core", CORES)
def test_finish_writes_what_is_open_and_keeps_it(core: CoreName) -> None:
    table = FlowTable(Endpoints(), core=core)
    add(table, datagrams(2))
    for word in ("open", "cut"):
        table.finish(word)
        flows = table.take_facts().flows
        assert [(flow.end, flow.live, flow.packets_up) for flow in flows] == [(word, True, 1)] * 2
    assert len(table) == 2


@pytest.mark.parametrize("core", CORES)
def test_renumbering_forgets_the_ends_of_closed_flows(core: CoreName) -> None:
    table = FlowTable(Endpoints(), core=core)
    add(table, [*datagrams(50), *datagrams(1, p.START_US + 200 * SECOND, first=99)])
    table.tidy()
    table.take_facts()
    fresh = Endpoints()
    table.renumber(fresh)
    assert len(fresh) == 2
    table.finish()
    (flow,) = table.take_facts().flows
    assert (fresh.keys[flow.client].address, fresh.keys[flow.server].address) == (0x0A000063, 0xCB007105)
    add(table, [(p.START_US, p.ethernet(p.arp(), ethertype=p.ARP))])
    assert len(fresh) == 3


def test_state_is_json() -> None:
    table = FlowTable(Endpoints())
    add(table, datagrams(3))
    state = json.loads(json.dumps(table.state()))
    again = FlowTable(Endpoints())
    again.restore(state)
    assert (len(again), again.clock_us) == (3, table.clock_us)
    assert again.state() == table.state()
    add(again, datagrams(1, p.START_US + SECOND, first=7))
    again.finish()
    assert sorted(flow.number for flow in again.take_facts().flows) == [0, 1, 2, 3]


def test_nothing_in_nothing_out() -> None:
    table = FlowTable(Endpoints())
    add(table, [])
    table.tidy()
    table.finish()
    assert table.take_facts().size() == 0
    assert table.clock_us == 0
