"""Facts as the core in C keeps them: a sequence of the NamedTuples that went in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings

from daemon.flow import core
from daemon.flow.core import DNS_SHAPE, FLOW_SHAPE, HELLO_SHAPE, fresh_facts
from daemon.flow.facts import DnsFact, Facts, FlowFact, HelloFact
from tests.support.facts import KINDS, batches
from tests.support.leaks import left_behind

if not core.NATIVE:
    pytest.skip("daemon/flow/_core.c is not built", allow_module_level=True)

NATIVE: Any = import_module("daemon.flow._core")  # its arguments are wrong on purpose below
FLOW: Any = FlowFact(0, KINDS[1], 0, 1, None, 2, "a.example", "tls", "fin", 1, 0, 0, 0, 0, 0, 0, 0, 0)
DNS: Any = DnsFact(1, 0, 1, "udp", *(True,), "a", "A", None, 0, ())


def flows(facts: Iterable[object] = ()) -> Any:  # noqa: ANN401  what only C has
    made = NATIVE.Packed(FlowFact, FLOW_SHAPE)
    made.extend(facts)
    return made


@settings(max_examples=25)
@given(facts=batches)
def test_what_goes_in_comes_out(facts: Facts) -> None:
    made = fresh_facts("c")
    for fact in facts.flows:
        made.flows.append(fact)
    made.hellos.extend(facts.hellos)
    made.dns.extend(iter(facts.dns))
    assert made == facts
    assert facts == made
    assert [len(each) for each in (made.flows, made.hellos, made.dns)] == [
        len(each) for each in (facts.flows, facts.hellos, facts.dns)
    ]
    for ours, theirs in ((made.flows, facts.flows), (made.hellos, facts.hellos), (made.dns, facts.dns)):
        assert list(map(type, ours)) == list(map(type, theirs))
        assert [list(map(type, fact)) for fact in ours] == [list(map(type, fact)) for fact in theirs]
    assert made.size() == facts.size()


def test_it_is_a_sequence() -> None:
    facts = [FLOW._replace(number=at) for at in range(300)]
    made = flows(facts)
    assert made[7] == facts[7]
    assert made[-1] == facts[-1]
    assert made == facts
    assert made != facts[:-1]
    assert made != flows()
    assert made != "facts"
    with pytest.raises(IndexError):
        made[300]
    with pytest.raises(IndexError):
        flows()[0]


def test_shapes_have_a_letter_a_field() -> None:
    for shape, fact in ((FLOW_SHAPE, FlowFact), (HELLO_SHAPE, HelloFact), (DNS_SHAPE, DnsFact)):
        assert len(shape) == len(fact._fields)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: NATIVE.Packed(FlowFact), TypeError),
        (lambda: NATIVE.Packed(FlowFact, shape=FLOW_SHAPE), TypeError),
        (lambda: NATIVE.Packed(int, "i"), TypeError),
        (lambda: NATIVE.Packed(FlowFact, ""), ValueError),
        (lambda: NATIVE.Packed(FlowFact, "ix"), ValueError),
        (lambda: NATIVE.Packed(FlowFact, "i" * 33), ValueError),
        (lambda: hash(flows()), TypeError),
        (lambda: flows([FLOW[:-1]]), TypeError),
        (lambda: flows([list(FLOW)]), TypeError),
        (lambda: flows().extend(7), TypeError),
        (lambda: flows([FLOW._replace(number="x")]), TypeError),
        (lambda: flows([FLOW._replace(number=None)]), TypeError),
        (lambda: flows([FLOW._replace(client_port="x")]), TypeError),
        (lambda: flows([FLOW._replace(bytes_up=1 << 63)]), OverflowError),
        (lambda: flows([FLOW._replace(client_port=-(1 << 63))]), OverflowError),  # which stands for None
    ],
)
def test_what_is_no_fact_is_refused(call: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_a_fact_that_is_refused_leaves_nothing() -> None:
    made = flows([FLOW])
    with pytest.raises(OverflowError):
        made.append(FLOW._replace(bytes_down=1 << 63))
    assert list(made) == [FLOW]


def test_nothing_is_leaked() -> None:
    messages = [DNS._replace(records=(("answer", "a", "A", at, "192.0.2.1"),)) for at in range(5)]

    def run(times: int) -> None:
        for _ in range(times):
            made, asked = flows([FLOW] * 100), NATIVE.Packed(DnsFact, DNS_SHAPE)
            asked.extend(messages)
            assert made[3] == FLOW
            assert asked == messages
            for bad in (FLOW._replace(bytes_down=1 << 63), FLOW[:3]):
                with pytest.raises((OverflowError, TypeError)):
                    made.append(bad)

    shared = [each for each in (*FLOW, *DNS, *messages, FlowFact, DnsFact) if not isinstance(each, (int, type(None)))]
    references, grown = left_behind(run, 20, shared)
    assert set(references) == {0}
    assert grown < 8000
