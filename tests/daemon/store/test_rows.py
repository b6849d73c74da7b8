"""Facts as rows: which values stand in them, and in which order."""

from __future__ import annotations

import pytest

from daemon.decode.dns import Record
from daemon.flow.facts import DnsFact, FlowFact, HelloFact
from daemon.identify.answers import LEAST_US, MOST_US, SECOND
from daemon.store.rows import flow_rows, hello_rows, message_rows, record_rows
from tests.support.facts import CAPTURE, ENDS, FIRST, KINDS, numbers

BASE = CAPTURE << 40
FLOW = FlowFact(3, KINDS[1], 0, 1, 1, None, "a.example", "tls", "fin", 1, 0, 0, 11, 12, 13, 14, 15, 16)
HELLO = HelloFact(3, 1, 9, 0, 1, 1, 2, "tls", "a.example", "h2", *(None,) * 8)
ANSWER = Record("answer", "a.example", "A", 60, "192.0.2.1")
SEEN_US = 10**15
MESSAGE = DnsFact(SEEN_US, 0, 1, "udp", *(True,), "a.example", "A", "NOERROR", 1, (ANSWER,))


def test_flow_has_the_ids_of_its_kind_its_ends_and_its_name() -> None:
    (row,) = flow_rows([FLOW], numbers())
    assert row == (BASE + 3, 1, ENDS[0], ENDS[1], 1, None, 1, "tls", "fin", 1, 0, 0, 11, 12, 13, 14, 15, 16)
    for unnamed in (None, ""):
        (row,) = flow_rows([FLOW._replace(name=unnamed)], numbers())
        assert row[6] is None


def test_rows_stand_in_the_order_of_their_numbers_and_the_later_of_two_holds() -> None:
    flows = [FLOW._replace(number=number, end=end) for number, end in [(7, "a"), (2, "b"), (7, "c"), (1, "d")]]
    assert [(row[0] - BASE, row[8]) for row in flow_rows(flows, numbers())] == [(1, "d"), (2, "b"), (7, "c")]
    hellos = [HELLO._replace(number=n, place=p, alpn=alpn) for n, p, alpn in [(2, 0, "a"), (1, 1, "b"), (1, 1, "c")]]
    assert [(row[0] - BASE, row[1], row[9]) for row in hello_rows(hellos, numbers())] == [(1, 1, "c"), (2, 0, "a")]


def test_hello_without_a_name_is_not_one_with_an_empty_name() -> None:
    names = [next(hello_rows([HELLO._replace(name=name)], numbers()))[8] for name in ("a.example", "", None)]
    assert names == [1, 1, None]


def test_messages_and_their_records_are_numbered() -> None:
    known = numbers()
    rows = list(message_rows([MESSAGE._replace(response=False, rcode=None, answers=0, records=()), MESSAGE], known))
    assert rows[0] == (FIRST, CAPTURE, SEEN_US, ENDS[0], ENDS[1], "udp", 0, 1, "A", None, 0, None, 0, None)
    assert rows[1][:11] == (FIRST + 1, CAPTURE, SEEN_US, ENDS[0], ENDS[1], "udp", 1, 1, "A", "NOERROR", 1)
    records = list(record_rows([MESSAGE, MESSAGE._replace(records=(ANSWER, ANSWER))], known))
    assert [row[:2] for row in records] == [(FIRST, 0), (FIRST + 1, 0), (FIRST + 1, 1)]
    assert records[0][2:] == ("answer", 1, "A", 60, "192.0.2.1")


@pytest.mark.parametrize(
    ("ttl", "holds_us"),
    [
        (0, LEAST_US),
        (LEAST_US // SECOND, LEAST_US),
        (MOST_US // SECOND - 1, MOST_US - SECOND),
        (MOST_US // SECOND + 1, MOST_US),
        ((1 << 63) - 1, MOST_US),
    ],
)
def test_answers_hold_as_long_as_naming_says(ttl: int, holds_us: int) -> None:
    (row,) = message_rows([MESSAGE._replace(records=(ANSWER._replace(ttl=ttl),))], numbers())
    assert row[11:13] == (SEEN_US + holds_us, 0)


@pytest.mark.parametrize(
    ("types", "leads"),
    [
        (["A"], 0),
        (["CNAME"], 1),
        (["CNAME", "AAAA"], 0),
        (["HTTPS"], 1),
        (["A", "SVCB"], 2),
        (["TXT"], None),
        ([], None),
    ],
)
def test_what_leads_on(types: list[str], leads: int | None) -> None:
    records = tuple(ANSWER._replace(type=each) for each in types)
    (row,) = message_rows([MESSAGE._replace(records=records)], numbers())
    assert (row[12] if row[11] else None) == leads
    (elsewhere,) = message_rows([MESSAGE._replace(records=records, transport="mdns")], numbers())
    assert elsewhere[11:13] == (None, 0)


@pytest.mark.parametrize(
    ("told", "target"),
    [
        ([("answer", "CNAME"), ("answer", "CNAME"), ("answer", "A")], 1),
        ([("answer", "CNAME"), ("additional", "CNAME")], 0),
        ([("authority", "CNAME"), ("answer", "A")], None),
    ],
)
def test_a_message_keeps_the_end_of_its_chain(told: list[tuple[str, str]], target: int | None) -> None:
    records = tuple(
        ANSWER._replace(section=section, type=kind, value=f"{place}.example")
        for place, (section, kind) in enumerate(told)
    )
    known = numbers()
    for transport in ("udp", "mdns"):
        (row,) = message_rows([MESSAGE._replace(transport=transport, records=records)], known)
        assert row[13] == (None if target is None else known.names[f"{target}.example"])
    (row,) = message_rows([MESSAGE._replace(response=False, records=records)], known)
    assert row[13] is None
