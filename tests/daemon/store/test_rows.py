"""Facts as values to bind: what is written in C against what is written in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.dns import Record
from daemon.flow.facts import DnsFact, FlowFact, FlowKind, HelloFact
from daemon.identify.answers import LEAST_US, MOST_US, SECOND
from daemon.store import rows
from tests.support.leaks import left_behind

if not rows.NATIVE:
    pytest.skip("daemon/store/_rows.c is not built", allow_module_level=True)

BASE, FIRST, CAPTURE = 5 << 40, 77, 5
ENDS = [number * 7 + 1 for number in range(20)]
NATIVE: Any = import_module("daemon.store._rows")  # its arguments are wrong on purpose below


class Numbers(dict[Any, int]):
    """Numbers in order of appearance, as the writer makes them."""

    def __missing__(self, key: object) -> int:
        self[key] = number = len(self) + 1
        return number


KINDS = [FlowKind("tcp", 4, service, "yes", chatter=False, tunnel=None) for service in (None, "https", "doh", "ssh")]
end = st.integers(0, len(ENDS) - 1)
count = st.integers(0, 1 << 62)
port = st.none() | st.integers(0, 65535)
text = st.sampled_from(["", "a.example", "b.example", "xn--c.example", "d" * 300])
word = st.none() | text
flow = st.builds(
    FlowFact, st.integers(0, 1000), st.sampled_from(KINDS), end, end, port, port, word, word, st.just("fin"),
    st.integers(0, 1), st.integers(0, 1), st.integers(0, 1), count, count, count, count, count, count,
)  # fmt: skip
hello = st.builds(
    HelloFact, st.integers(0, 1000), st.integers(0, 9), count, end, port, end, port, text, word, word, word, word, word,
    word, word, word, word, word,
)  # fmt: skip
record = st.builds(
    Record, st.sampled_from(["answer", "authority", "additional"]), text,
    st.sampled_from(["A", "AAAA", "CNAME", "HTTPS", "SVCB", "TXT", ""]), st.integers(0, (1 << 32) - 1), text,
)  # fmt: skip
message = st.builds(
    DnsFact, st.integers(0, 1 << 60), end, end, st.sampled_from(["udp", "tcp", "mdns", "llmnr"]), st.booleans(), text, text,
    word, st.integers(0, 3), st.lists(record, max_size=5).map(tuple),
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> Iterator[None]:
    """Lists of a few facts fill several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "PIECE", 4)
        yield


@given(st.lists(flow, max_size=9))
def test_flows(flows: list[FlowFact]) -> None:
    one, other = (Numbers(), Numbers()), (Numbers(), Numbers())
    assert rows.flow_rows(flows, BASE, one[0], ENDS, one[1]) == rows.plain_flow_rows(
        flows, BASE, other[0], ENDS, other[1]
    )
    assert [list(each.items()) for each in one] == [list(each.items()) for each in other]


@given(st.lists(hello, max_size=9))
def test_hellos(hellos: list[HelloFact]) -> None:
    one, other = Numbers(), Numbers()
    assert rows.hello_rows(hellos, BASE, ENDS, one) == rows.plain_hello_rows(hellos, BASE, ENDS, other)
    assert list(one.items()) == list(other.items())


@given(st.lists(message, max_size=9))
def test_messages_and_records(messages: list[DnsFact]) -> None:
    one, other = Numbers(), Numbers()
    made = rows.dns_rows(messages, FIRST, CAPTURE, ENDS, one)
    assert made == rows.plain_dns_rows(messages, FIRST, CAPTURE, ENDS, other)
    assert list(one.items()) == list(other.items())
    assert {type(value) for piece in chain(*made) for value in piece} <= {int, str}  # a bool takes sqlite3 longer


@pytest.mark.parametrize("ttl", [0, LEAST_US // SECOND, MOST_US // SECOND - 1, MOST_US // SECOND + 1, (1 << 63) - 1])
def test_answers_hold_as_long_as_naming_says(ttl: int) -> None:
    messages = [DNS._replace(seen_us=10**15, records=(Record("answer", "a", "A", ttl, "b"),))]
    assert rows.dns_rows(messages, 1, 1, ENDS, Numbers()) == rows.plain_dns_rows(messages, 1, 1, ENDS, Numbers())


def test_rows_come_in_pieces() -> None:
    facts = [FlowFact(at, KINDS[0], 0, 1, 1, 2, None, None, "fin", 1, 0, 0, 0, 0, 0, 0, 0, 0) for at in range(11)]
    made = rows.flow_rows(facts[::-1], BASE, Numbers(), ENDS, Numbers())
    assert [len(piece) for piece in made] == [4 * 18, 4 * 18, 3 * 18]
    assert [piece[at] - BASE for piece in made for at in range(0, len(piece), 18)] == list(range(11))


NOTHING: Any = (1,)  # where a fact should be
FLOW: Any = FlowFact(0, KINDS[1], 0, 1, 1, 2, "a.example", "tls", "fin", 1, 0, 0, 0, 0, 0, 0, 0, 0)
HELLO: Any = HelloFact(0, 0, 1, 0, 1, 1, 2, "tls", "a.example", *(None,) * 9)
DNS: Any = DnsFact(1, 0, 1, "udp", *(True,), "a", "A", "NOERROR", 1, (Record("answer", "a", "A", 60, "192.0.2.1"),))


class Unnumbered(dict[str, int]):
    def __missing__(self, key: str) -> int:
        raise RuntimeError(key)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: NATIVE.flows([(1, 2)], 20, BASE, Numbers(), ENDS, Numbers()), TypeError),
        (lambda: NATIVE.flows((FLOW,), 20, BASE, Numbers(), ENDS, Numbers()), TypeError),
        (lambda: NATIVE.flows([FLOW], 0, BASE, Numbers(), ENDS, Numbers()), ValueError),
        (lambda: NATIVE.flows([FLOW], 10**9, BASE, Numbers(), ENDS, Numbers()), ValueError),
        (lambda: NATIVE.flows([FLOW, FLOW], 20, BASE, Numbers(), ENDS[:1], Numbers()), IndexError),
        (lambda: NATIVE.flows([FLOW._replace(client=-1)], 20, BASE, Numbers(), ENDS, Numbers()), IndexError),
        (lambda: NATIVE.flows([FLOW._replace(client="x")], 20, BASE, Numbers(), ENDS, Numbers()), TypeError),
        (lambda: NATIVE.flows([FLOW._replace(number=1 << 63)], 20, BASE, Numbers(), ENDS, Numbers()), OverflowError),
        (lambda: NATIVE.flows([FLOW._replace(number=(1 << 63) - 1)], 20, BASE, Numbers(), ENDS, {}), OverflowError),
        (lambda: NATIVE.flows([FLOW], 20, BASE, {}, ENDS, Numbers()), KeyError),
        (lambda: NATIVE.flows([FLOW], 20, BASE, Numbers(), ENDS, Unnumbered()), RuntimeError),
        (lambda: NATIVE.flows([FLOW._replace(name=[1])], 20, BASE, Numbers(), ENDS, Numbers()), TypeError),
        (lambda: NATIVE.hellos([HELLO, FLOW[:9]], 20, BASE, ENDS, Numbers()), TypeError),
        (lambda: NATIVE.hellos([HELLO], 20, BASE, [], Numbers()), IndexError),
        (lambda: NATIVE.hellos([HELLO], 20, BASE, ENDS, Unnumbered()), RuntimeError),
        (lambda: NATIVE.dns([DNS, HELLO], 20, 1, 1, ENDS, Numbers(), (1, 2, 3)), TypeError),
        (lambda: NATIVE.dns([DNS._replace(records=[])], 20, 1, 1, ENDS, Numbers(), (1, 2, 3)), TypeError),
        (lambda: NATIVE.dns([DNS._replace(records=((1,),))], 20, 1, 1, ENDS, Numbers(), (1, 2, 3)), TypeError),
        (
            lambda: NATIVE.dns([DNS._replace(records=((1,),), answers=0)], 20, 1, 1, ENDS, Numbers(), (1, 2, 3)),
            TypeError,
        ),
        (lambda: NATIVE.dns([DNS], 20, 1, 1, [], Numbers(), (1, 2, 3)), IndexError),
        (lambda: NATIVE.dns([DNS], 20, 1, 1, ENDS, Numbers(), (1, 2, 0)), ValueError),
        (lambda: NATIVE.dns([DNS], 20, -1, 1, ENDS, Numbers(), (1, 2, 3)), ValueError),
        (lambda: NATIVE.dns([DNS], 20, 1, 1, ENDS, Unnumbered(), (1, 2, 3)), RuntimeError),
        (
            lambda: NATIVE.dns([DNS._replace(seen_us=(1 << 63) - 1)], 20, 1, 1, ENDS, Numbers(), (1, 2, 3)),
            OverflowError,
        ),
    ],
)
def test_what_is_no_fact_is_refused(call: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_facts_may_go_while_names_are_numbered() -> None:
    """Nobody does that; the interpreter must live through it."""
    facts: list[Any] = []

    class Emptying(dict[str, int]):
        def __missing__(self, key: str) -> int:
            facts.clear()
            return 1

    facts += [FLOW._replace(number=at, name=f"{at}.example") for at in range(50)]
    assert len(NATIVE.flows(facts, 20, BASE, Numbers(), ENDS, Emptying())[0]) == 18
    facts += [HELLO._replace(number=at, name=f"{at}.example") for at in range(50)]
    assert len(NATIVE.hellos(facts, 20, BASE, ENDS, Emptying())[0]) == 18
    facts += [DNS._replace(name=f"{at}.example") for at in range(50)]
    messages, records = NATIVE.dns(facts, 20, 1, 1, ENDS, Emptying(), (1, 2, 3))
    assert (len(messages[0]), records) == (13, [])


def test_nothing_is_leaked() -> None:
    names = {text: at for at, text in enumerate(["a.example", "a"])}
    kinds = {kind: at for at, kind in enumerate(KINDS)}
    bad = FLOW._replace(name="b"), HELLO._replace(name="b"), DNS._replace(records=(*DNS.records, NOTHING))

    def run(times: int) -> None:
        for _ in range(times):
            NATIVE.flows([FLOW] * 45, 20, BASE, kinds, ENDS, names)
            NATIVE.hellos([HELLO] * 45, 20, BASE, ENDS, names)
            NATIVE.dns([DNS] * 45, 20, 1, 1, ENDS, names, (1, 2, 3))
            failing: list[tuple[list[Any], Callable[[list[Any]], object]]] = [
                ([FLOW] * 30 + [bad[0]], lambda it: NATIVE.flows(it, 20, BASE, kinds, ENDS, names)),
                ([HELLO] * 30 + [bad[1]], lambda it: NATIVE.hellos(it, 20, BASE, ENDS, names)),
                ([DNS] * 30 + [bad[2]], lambda it: NATIVE.dns(it, 20, 1, 1, ENDS, names, (1, 2, 3))),
            ]
            for facts, call in failing:
                with suppress(KeyError, TypeError):
                    raise AssertionError(call(facts))

    shared = [
        each for each in (*KINDS, *FLOW, *HELLO, *DNS) if isinstance(each, (str, tuple))
    ]  # small numbers are everywhere
    references, grown = left_behind(run, 50, shared)
    assert set(references) == {0}
    assert grown < 4000
