"""Cells of flows: what is written in C against what is written in Python; `test_day_sums` compares their sums with SQL."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store import tables
from daemon.store.flow_cells import BEFORE, BEFORE_AS_TCP, CHATTER, INTERNET, NOT_BEFORE, SAID_BIT, plain_cells
from daemon.store.tables import rows_of, table_of
from tests.support.leaks import left_behind

needs_c = pytest.mark.skipif(not tables.NATIVE, reason="daemon/store/_tables.c is not built")
NATIVE: Any = (
    import_module("daemon.store._tables") if tables.NATIVE else None
)  # its arguments are wrong on purpose below

OURS, THEIRS, NEIGHBOUR = 1, 2, 3  # ends
ENDS = [(OURS, 70, 1), (THEIRS, 0, 0), (NEIGHBOUR, 71, 1)]
TCP, UDP, NOISE = 1, 2, 3  # kinds
KINDS = [(TCP, 0, 1), (UDP, 0, 0), (NOISE, 1, 0)]
FLOW = {
    "slot": 5, "kind": TCP, "client": OURS, "server": THEIRS, "turned": 0, "whole": 0, "name": 0, "said": NOT_BEFORE,
    "flow": 900, "flows": 1, "first": 10, "last": 20, "up": 1, "down": 2, "bytes_up": 100, "bytes_down": 200,
}  # fmt: skip
CELL = ("slot", "station", "peer", "end", "name", "place", "flows", "up", "down", "bytes_up", "bytes_down", "first", "last",
        "manner")  # fmt: skip

few = st.integers(0, 3)
flow = st.tuples(
    st.integers(0, 200),
    few,
    few,
    few,
    st.integers(0, 1),
    few,
    few,
    st.integers(-5, 2),
    few,
    *[st.integers(0, 1 << 50)] * 7,
)


def seen(hidden: tuple[int, ...] = (), **other: int) -> dict[str, int]:
    asked = [table_of(rows) for rows in ([(FLOW | other).values()], ENDS, KINDS, [hidden])]
    (made,) = rows_of(plain_cells(*asked), len(CELL))
    return dict(zip(CELL, made, strict=True))


def said(cell: dict[str, int]) -> str:
    texts = ("-", "-ech", "-before", "tls")
    return texts[cell["manner"] >> SAID_BIT]


def test_device_that_asks_sends_up() -> None:
    cell = seen(name=8, said=-4)
    assert (cell["station"], cell["peer"], cell["end"], cell["name"], cell["place"]) == (70, 0, THEIRS, 8, 0)
    assert (cell["up"], cell["down"], cell["bytes_up"], cell["bytes_down"]) == (1, 2, 100, 200)
    assert cell["manner"] & ((1 << SAID_BIT) - 1) == TCP * 3 + INTERNET
    assert said(cell) == "tls"


def test_device_that_is_asked_sends_what_went_down_and_the_name_is_its_own() -> None:
    cell = seen(client=THEIRS, server=OURS, name=8, said=-4)
    assert (cell["station"], cell["peer"], cell["end"], cell["name"], cell["place"]) == (70, 0, THEIRS, 0, THEIRS)
    assert (cell["up"], cell["down"], cell["bytes_up"], cell["bytes_down"]) == (2, 1, 200, 100)
    assert said(cell) == "-"


def test_flow_that_is_turned_was_counted_the_other_way() -> None:
    assert (seen(turned=1)["up"], seen(turned=1)["down"]) == (2, 1)
    twice = seen(client=THEIRS, server=OURS, turned=1)
    assert (twice["up"], twice["down"]) == (1, 2)


def test_capture_that_is_one_device_counts_as_it() -> None:
    assert seen(whole=99)["station"] == 99
    assert seen(server=NEIGHBOUR)["peer"] == 71


@pytest.mark.parametrize(
    ("other", "hidden", "why"),
    [
        ({"said": NOT_BEFORE}, (), "-"),
        ({"said": BEFORE}, (), "-before"),
        ({"said": BEFORE_AS_TCP}, (), "-before"),
        ({"said": BEFORE_AS_TCP, "kind": UDP}, (), "-"),
        ({"said": BEFORE}, (899, 900), "-ech"),
        ({"said": BEFORE, "server": NEIGHBOUR}, (900,), "-"),  # in the house nobody asks why
        ({"said": BEFORE, "kind": NOISE}, (900,), "-"),
    ],
)
def test_why_there_is_no_name(other: dict[str, int], hidden: tuple[int, ...], why: str) -> None:
    assert said(seen(hidden, **other)) == why


def test_chatter_is_chatter_wherever_it_goes() -> None:
    assert seen(kind=NOISE)["manner"] % 3 == CHATTER


@needs_c
@given(st.lists(flow, max_size=8), st.lists(st.tuples(few, few, st.integers(0, 1)), max_size=4), st.sets(few))
def test_flows_are_seen_alike(flows: list[tuple[int, ...]], ends: list[tuple[int, ...]], hidden: set[int]) -> None:
    asked = table_of(flows), table_of(ends), table_of(KINDS), table_of((each,) for each in hidden)
    assert NATIVE.cells(*asked) == plain_cells(*asked)


@needs_c
@pytest.mark.parametrize("wrong", [{"kind": -1}, {"kind": 1 << 39}, {"said": -(1 << 23)}, {"said": -(1 << 63)}])
def test_number_without_room_is_no_other_number(wrong: dict[str, int]) -> None:
    kinds = [*KINDS, (-1, 0, 0), (1 << 39, 0, 0)]
    with pytest.raises(OverflowError):
        NATIVE.cells(*(table_of(rows) for rows in ([(FLOW | wrong).values()], ENDS, kinds, [])))


@needs_c
@pytest.mark.parametrize("at", range(4))
def test_table_of_another_width_is_refused(at: int) -> None:
    asked: list[Any] = [b""] * 4
    for wrong in (bytes(7), "", None):
        with pytest.raises((ValueError, TypeError)):
            NATIVE.cells(*asked[:at], wrong, *asked[at + 1 :])


@needs_c
def test_nothing_is_left_behind() -> None:
    asked = [
        table_of(rows) for rows in ([(FLOW | {"slot": slot}).values() for slot in range(200)], ENDS, KINDS, [(900,)])
    ]
    wrong = table_of([(FLOW | {"said": -(1 << 30)}).values()])

    def run(times: int) -> None:
        for _ in range(times):
            NATIVE.cells(*asked)
            with pytest.raises(OverflowError):
                NATIVE.cells(wrong, *asked[1:])

    references, grown = left_behind(run, 200, [*asked, wrong])
    assert references == [0] * 5
    assert grown < 20_000
