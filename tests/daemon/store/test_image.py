"""A batch as a database, made in C, against its rows written one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from daemon.decode.dns import Record
from daemon.flow.core import fresh_facts
from daemon.flow.facts import DnsFact, Facts, FlowFact, HelloFact
from daemon.identify.answers import LEAST_US, MOST_US, SECOND
from daemon.store import image
from daemon.store.database import open_database, transaction
from daemon.store.image import COPY_FLOWS, COPY_MESSAGES, SCHEMA, beside, copy_rows, image_of
from daemon.store.rows import Numbers, write_rows
from tests.support.facts import CAPTURE, ENDS, FIRST, KINDS, batches, numbers
from tests.support.leaks import left_behind

if not image.NATIVE:
    pytest.skip("daemon/store/_rows.c is not built", allow_module_level=True)

NATIVE: Any = import_module("daemon.store._rows")  # its arguments are wrong on purpose below
TABLES = ("flow", "hello", "dns_message", "dns_record", "retold")

Writes = Callable[[sqlite3.Connection, Facts, Numbers], None]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path_factory.mktemp("image") / "h.db")) as opened:
        yield opened


def by_image(db: sqlite3.Connection, facts: Facts, known: Numbers) -> None:
    made = image_of(facts, known)
    assert made is not None
    copy_rows(db, made)


def written(db: sqlite3.Connection, write: Writes, *batches: Facts) -> tuple[list[object], list[object]]:
    """What the tables hold after these batches, and the names and kinds in the order of their numbers; then it is undone."""
    known = numbers()
    with beside(db):
        db.execute("BEGIN IMMEDIATE")
        try:
            for at, batch in enumerate(batches):
                last = write if at == len(batches) - 1 else write_rows  # a transaction has one image
                last(db, batch, known._replace(message=FIRST + 1000 * at))
            for table in TABLES:
                assert db.execute(f"PRAGMA main.integrity_check({table})").fetchall() == [("ok",)]
            rows = [db.execute(f"SELECT * FROM main.{table}").fetchall() for table in TABLES]  # noqa: S608  of this list
            return list(rows), [list(known.kinds.items()), list(known.names.items())]
        finally:
            db.execute("ROLLBACK")


def packed(facts: Facts) -> Facts:
    """The same as the core in C keeps them."""
    made = fresh_facts("c")
    made.flows.extend(facts.flows)
    made.hellos.extend(facts.hellos)
    made.dns.extend(facts.dns)
    return made


@settings(max_examples=25)
@given(facts=batches)
def test_an_image_has_the_rows(db: sqlite3.Connection, facts: Facts) -> None:
    rows = written(db, write_rows, facts)
    assert written(db, by_image, facts) == rows
    assert written(db, by_image, packed(facts)) == rows


@settings(max_examples=25)
@given(before=batches, facts=batches)
def test_what_is_told_again_replaces_what_was_told(db: sqlite3.Connection, before: Facts, facts: Facts) -> None:
    rows = written(db, write_rows, before, facts)
    assert written(db, by_image, before, facts) == rows
    assert written(db, by_image, before, packed(facts)) == rows


FLOW: Any = FlowFact(0, KINDS[1], 0, 1, 1, 2, "a.example", "tls", "fin", 1, 0, 0, 0, 0, 0, 0, 0, 0)
HELLO: Any = HelloFact(0, 0, 1, 0, 1, 1, 2, "tls", "a.example", *(None,) * 9)
DNS: Any = DnsFact(1, 0, 1, "udp", *(True,), "a", "A", "NOERROR", 1, (Record("answer", "a", "A", 60, "192.0.2.1"),))


def many() -> Facts:
    """So many that each tree has several leaves, with times that do not stand in order."""
    value = "v" * 90
    return Facts(
        flows=[FLOW._replace(number=(at * 7919) % 12_000, first_us=at) for at in range(12_000)],
        hellos=[HELLO._replace(number=(at * 7919) % 3000, user_agent=value) for at in range(3000)],
        dns=[
            DNS._replace(seen_us=(at * 7919) % 6000, records=(DNS.records[0]._replace(ttl=at, value=value),) * (at % 3))
            for at in range(6000)
        ],
    )


def test_trees_have_several_pages(db: sqlite3.Connection) -> None:
    facts = many()
    rows = written(db, write_rows, facts)
    assert written(db, by_image, facts) == rows
    assert written(db, by_image, packed(facts)) == rows


def test_an_image_is_a_whole_database() -> None:
    made = image_of(many(), numbers())
    assert made is not None
    with closing(sqlite3.connect(":memory:")) as other:
        other.deserialize(made)
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert [row[0] for row in other.execute("SELECT name FROM sqlite_schema")] == [row[1] for row in SCHEMA]


def test_the_tables_of_an_image_are_those_of_the_database(db: sqlite3.Connection) -> None:
    made = image_of(Facts(), numbers())
    assert made is not None
    with closing(sqlite3.connect(":memory:")) as other:
        other.deserialize(made)
        for kind, name, _, _ in SCHEMA:
            about = f"PRAGMA {kind}_xinfo({name})"
            assert other.execute(about).fetchall() == db.execute(about).fetchall(), name


@pytest.mark.parametrize("statement", [COPY_FLOWS, COPY_MESSAGES])
def test_sqlite_copies_rows_without_looking_into_them(db: sqlite3.Connection, statement: str) -> None:
    made = image_of(Facts(), numbers())
    assert made is not None
    with beside(db), transaction(db):
        copy_rows(db, made)
        steps = {row[1] for row in db.execute(f"EXPLAIN {statement}")}
    assert steps & {"RowData", "RowCell"}
    assert not steps & {"Column", "MakeRecord"}


@pytest.mark.parametrize(
    "facts",
    [
        Facts(flows=[FLOW._replace(name_source="x" * 20_000)]),
        Facts(hellos=[HELLO._replace(certificate_names="x" * 20_000)]),
        Facts(dns=[DNS._replace(records=(DNS.records[0]._replace(value="é" * 10_000),))]),
        Facts(hellos=[HELLO._replace(number=at, user_agent="x" * 15_000) for at in range(30)]),  # many inner cells
    ],
)
def test_what_no_image_can_hold(facts: Facts) -> None:
    assert image_of(facts, numbers()) is None


def test_an_image_that_is_open_is_let_go(tmp_path: Path) -> None:
    made = image_of(Facts(flows=[FLOW]), numbers())
    assert made is not None
    with closing(open_database(tmp_path / "h.db")) as db:
        with suppress(RuntimeError), beside(db), transaction(db):
            copy_rows(db, made.copy())
            raise RuntimeError
        assert [name for _, name, _ in db.execute("PRAGMA database_list")] == ["main"]
        assert db.execute("SELECT count(*) FROM flow").fetchone() == (0,)
        with beside(db), transaction(db):
            copy_rows(db, made)
        assert db.execute("SELECT count(*) FROM flow").fetchone() == (1,)


class Unnumbered(dict[str, int]):
    def __missing__(self, key: str) -> int:
        raise RuntimeError(key)


def raw(
    flows: object = (), hellos: object = (), dns: object = (), *, kinds: object = None, ends: object = ENDS,
    names: object = None, at: object = (CAPTURE << 40, FIRST, CAPTURE), hold: object = (LEAST_US, MOST_US, SECOND),
    schema: object = SCHEMA,
) -> object:  # fmt: skip
    """The function in C; a tuple of facts is made a list, which it wants."""
    lists = tuple(list(each) if isinstance(each, tuple) else each for each in (flows, hellos, dns))
    known = numbers()
    given = known.kinds if kinds is None else kinds, ends, known.names if names is None else names
    return NATIVE.image(schema, lists, at, given, hold)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: raw(((1, 2),)), TypeError),
        (lambda: raw(iter(())), TypeError),
        (lambda: raw(fresh_facts("c").dns), TypeError),
        (lambda: raw((FLOW, FLOW._replace(number=1)), ends=ENDS[:1]), IndexError),
        (lambda: raw((FLOW._replace(client=-1),)), IndexError),
        (lambda: raw((FLOW._replace(client="x"),)), TypeError),
        (lambda: raw((FLOW._replace(number=1 << 63),)), OverflowError),
        (lambda: raw((FLOW._replace(number=(1 << 63) - 1),)), OverflowError),
        (lambda: raw((FLOW._replace(number=-1),)), OverflowError),
        (lambda: raw((FLOW._replace(number=2), FLOW)), ValueError),
        (lambda: raw((FLOW._replace(end=None),)), TypeError),
        (lambda: raw((FLOW._replace(end="\ud800"),)), UnicodeEncodeError),
        (lambda: raw((FLOW._replace(live=None),)), TypeError),
        (lambda: raw((FLOW._replace(bytes_up=1 << 63),)), OverflowError),
        (lambda: raw((FLOW._replace(client_port="x"),)), TypeError),
        (lambda: raw((FLOW,), kinds={}), KeyError),
        (lambda: raw((FLOW,), names=Unnumbered()), RuntimeError),
        (lambda: raw((FLOW,), names={"a.example": "x"}), TypeError),
        (lambda: raw((FLOW._replace(name=[1]),)), TypeError),
        (lambda: raw((), (HELLO, FLOW[:9])), TypeError),
        (lambda: raw((), (HELLO,), ends=[]), IndexError),
        (lambda: raw((), (HELLO,), names=Unnumbered()), RuntimeError),
        (lambda: raw((), (HELLO._replace(source=None),)), TypeError),
        (lambda: raw((), (HELLO._replace(ja4=b"x"),)), TypeError),
        (lambda: raw((), (), (DNS, HELLO)), TypeError),
        (lambda: raw((), (), (DNS._replace(records=[]),)), TypeError),
        (lambda: raw((), (), (DNS._replace(records=((1,),)),)), TypeError),
        (lambda: raw((), (), (DNS._replace(records=((1,),), answers=0),)), TypeError),
        (lambda: raw((), (), (DNS._replace(seen_us=None),)), TypeError),
        (lambda: raw((), (), (DNS._replace(seen_us=(1 << 63) - 1),)), OverflowError),
        (lambda: raw((), (), (DNS,), ends=[]), IndexError),
        (lambda: raw((), (), (DNS,), names=Unnumbered()), RuntimeError),
        (lambda: raw((), (), (DNS,), hold=(1, 2, 0)), ValueError),
        (lambda: raw((), (), (DNS,), at=(0, -1, 1)), ValueError),
        (lambda: raw(schema=SCHEMA[:-1]), ValueError),
        (lambda: raw(schema=(*SCHEMA[:-1], "x")), TypeError),
        (lambda: raw(schema=(*SCHEMA[:-1], ("table", "x"))), TypeError),
    ],
)
def test_what_is_no_fact_is_refused(call: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


class Emptying(dict[str, int]):
    """Whoever asks for a name makes the facts go."""

    def __init__(self, facts: list[Any]) -> None:
        self._facts = facts

    def __missing__(self, key: str) -> int:
        self._facts.clear()
        return 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_facts_may_go_while_names_are_numbered(place: int) -> None:
    """Nobody does that; the interpreter must live through it."""
    lists: list[list[Any]] = [[], [], []]
    numbered = ({"number": at} for at in range(50))
    facts = [(FLOW, HELLO, DNS)[place]._replace(**({} if place == 2 else each)) for each in numbered]
    lists[place] += [fact._replace(name=f"{at}.example") for at, fact in enumerate(facts)]
    assert isinstance(raw(*lists, names=Emptying(lists[place])), bytearray)
    assert lists == [[], [], []]


def test_packed_facts_stay_while_they_are_read() -> None:
    facts = fresh_facts("c")
    facts.flows.append(FLOW)

    class Adding(dict[str, int]):
        def __missing__(self, key: str) -> int:
            facts.flows.append(FLOW)
            return 1

    with pytest.raises(BufferError):
        raw(facts.flows, names=Adding())
    facts.flows.append(FLOW)  # afterwards they may come
    assert list(facts.flows) == [FLOW, FLOW]


def test_nothing_is_leaked() -> None:
    names = {text: at for at, text in enumerate(["a.example", "a"])}
    kinds = {kind: at for at, kind in enumerate(KINDS)}
    facts = [[FLOW._replace(number=at) for at in range(40)], [HELLO._replace(place=at) for at in range(40)], [DNS] * 40]
    bad = FLOW._replace(number=99, name="b"), HELLO._replace(place=99, name="b"), DNS._replace(records=((1,),))
    lists: list[Any] = [tuple(facts)]
    lists += [tuple([*each, bad[at]] if place == at else each for place, each in enumerate(facts)) for at in range(3)]
    rows = [packed(Facts(flows=flows, hellos=hellos, dns=dns)) for flows, hellos, dns in lists]
    lists += [(each.flows, each.hellos, each.dns) for each in rows]
    rest = (CAPTURE << 40, FIRST, CAPTURE), (kinds, ENDS, names), (LEAST_US, MOST_US, SECOND)

    def run(times: int) -> None:
        for _ in range(times):
            for each in lists:
                with suppress(KeyError, TypeError):
                    NATIVE.image(SCHEMA, each, *rest)

    shared = [
        each for each in chain(KINDS, FLOW, HELLO, DNS) if isinstance(each, (str, tuple))
    ]  # numbers are everywhere
    references, grown = left_behind(run, 50, shared)
    assert set(references) == {0}
    assert grown < 4000
