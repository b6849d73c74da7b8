"""Facts as rows of their tables: numbers for ends, names and kinds, and who writes them.

Rule 1: rows stand in the order of their keys, which is a quarter less work for SQLite; of what a batch tells twice, the
        later holds.
Rule 2: what a batch has many of is written by way of `daemon.store.image`, with the same result; what stands here is its
        oracle, and writes small batches, which an image does not pay for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from daemon.decode.dns import Record
from daemon.flow.facts import DnsFact, Facts, FlowFact, FlowKind, HelloFact
from daemon.identify.answers import holds_until

_F = TypeVar("_F")

_NEVER = (None, 0)
_UNICAST = ("udp", "tcp")
_ADDRESS, _ALIAS, _SERVICE = ("A", "AAAA"), "CNAME", ("HTTPS", "SVCB")

_FLOW_FACTS = (
    "kind_id", "client_id", "server_id", "client_port", "server_port", "name_id", "name_source", "end", "begun", "live",
    "sliced", "first_us", "last_us", "packets_up", "packets_down", "bytes_up", "bytes_down",
)  # fmt: skip
# Labels stay where they are, as they are judged anew where they may have changed; a row that is told as it was is not
# written, since of the flows that a live file leaves open few have moved within a minute.
RETELL = (
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in _FLOW_FACTS)}"
    f" WHERE ({', '.join(_FLOW_FACTS)}) IS NOT ({', '.join(f'excluded.{column}' for column in _FLOW_FACTS)})"
)


def _values(width: int) -> str:
    return ", ".join("?" * width)


_FLOW = f"INSERT INTO flow VALUES ({_values(18)}, 1, 0, NULL, NULL, NULL, NULL, 0) {RETELL}"
_HELLO = f"INSERT OR REPLACE INTO hello VALUES ({_values(18)})"
_MESSAGE = f"INSERT INTO dns_message VALUES ({_values(14)})"
_RECORD = f"INSERT INTO dns_record VALUES ({_values(7)})"


class Numbers(NamedTuple):
    """What stands for what in a batch: ids of kinds and names by what they are, of ends by their numbers."""

    capture: int
    message: int  # the id of the first DNS message
    kinds: dict[FlowKind, int]
    ends: list[int]
    names: dict[str, int]

    @property
    def base(self) -> int:
        """What is added to the number of a flow to make its id."""
        return self.capture << 40


def write_rows(db: sqlite3.Connection, facts: Facts, numbers: Numbers) -> None:
    """Write flows, hellos and DNS messages; in the caller's transaction."""
    db.executemany(_FLOW, flow_rows(facts.flows, numbers))
    db.executemany(_HELLO, hello_rows(facts.hellos, numbers))
    db.executemany(_MESSAGE, message_rows(facts.dns, numbers))
    db.executemany(_RECORD, record_rows(facts.dns, numbers))


def latest(facts: Iterable[_F], key: Callable[[_F], Any]) -> list[_F]:
    """Facts in the order of their keys; of those with the same key the last."""
    return sorted({key(fact): fact for fact in facts}.values(), key=key)


def flow_rows(flows: Iterable[FlowFact], numbers: Numbers) -> Iterator[tuple[Any, ...]]:
    """The facts of rows of `flow`, whose labels come behind them."""
    base, kinds, ends, names = numbers.base, numbers.kinds, numbers.ends, numbers.names
    for number, what, client, server, client_port, server_port, said, *others in latest(flows, itemgetter(0)):
        name = names[said] if said else None
        yield base + number, kinds[what], ends[client], ends[server], client_port, server_port, name, *others


def hello_rows(hellos: Iterable[HelloFact], numbers: Numbers) -> Iterator[tuple[Any, ...]]:
    """Rows of `hello`."""
    base, ends, names = numbers.base, numbers.ends, numbers.names
    for fact in latest(hellos, itemgetter(0, 1)):
        number, place, seen_us, client, client_port, server, server_port, source, said, *others = fact
        name = None if said is None else names[said]
        yield base + number, place, seen_us, ends[client], client_port, ends[server], server_port, source, name, *others


def message_rows(messages: Iterable[DnsFact], numbers: Numbers) -> Iterator[tuple[Any, ...]]:
    """Rows of `dns_message`."""
    ends, names = numbers.ends, numbers.names
    for at, fact in enumerate(messages, numbers.message):
        seen_us, client, resolver, transport, response, asked, kind, rcode, answers, records = fact
        held = _holds(seen_us, transport, records) if answers else _NEVER
        name = names[asked]
        target = _target(records) if answers and response else None
        yield (at, numbers.capture, seen_us, ends[client], ends[resolver], transport, int(response), name, kind, rcode,
               answers, *held, None if target is None else names[target])  # fmt: skip


def record_rows(messages: Iterable[DnsFact], numbers: Numbers) -> Iterator[tuple[Any, ...]]:
    """Rows of `dns_record`."""
    names = numbers.names
    for at, message in enumerate(messages, numbers.message):
        for number, (section, owner, kind, ttl, value) in enumerate(message.records):
            yield at, number, section, names[owner], kind, ttl, value


def _target(records: Sequence[Record]) -> str | None:
    """Where the chain of aliases of an answer ends: its last."""
    ends = (value for section, _, kind, _, value in reversed(records) if kind == _ALIAS and section == "answer")
    return next(ends, None)


def _holds(seen_us: int, transport: str, records: Iterable[Record]) -> tuple[int | None, int]:
    """Until when the answers of a message may name an address (None: never), and what in it tells where to ask next.

    As `daemon.store.answers` reads them: 1 aliases, as there is no address, and service records; 2 only the latter.
    """
    if transport not in _UNICAST:
        return _NEVER
    ttl, addresses, aliases, services = -1, False, False, False
    for section, _, kind, each, _ in records:
        if section != "answer":
            continue
        if kind in _ADDRESS:
            addresses = True
        elif kind == _ALIAS:
            aliases = True
        elif kind in _SERVICE:
            services = True
        else:
            continue
        ttl = max(ttl, each)
    if ttl < 0:
        return _NEVER
    leads = 1 if not addresses and (aliases or services) else 2 if services else 0
    return holds_until(seen_us, ttl), leads
