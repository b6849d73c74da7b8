"""Facts as the values that statements take: numbers for ends, names and kinds, several rows one behind the other.

Rule 1: a statement takes PIECE rows at a time, or what is left: beginning and ending one takes as long as writing a row.
Rule 2: 0 stands for None where a column may be empty: sqlite3 takes a number as it is, but asks around for more than half
        a microsecond what a None or a bool could be. The statement turns it back.
Rule 3: what is written in C (`_rows.c`), where it could be built, gives the same as what stands here, which is its oracle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from daemon.decode.dns import Record
from daemon.flow.facts import DnsFact, FlowFact, FlowKind, HelloFact
from daemon.identify.answers import LEAST_US, MOST_US, SECOND, holds_until

try:
    from daemon.store import _rows
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

PIECE = 20  # rows: of twice as many a statement is no quicker

Piece = tuple[Any, ...]  # the values of PIECE rows, or of fewer at the end

_NEVER = (0, 0)
_UNICAST = ("udp", "tcp")
_ADDRESS, _ALIAS, _SERVICE = ("A", "AAAA"), "CNAME", ("HTTPS", "SVCB")


def pieces(rows: Sequence[Sequence[Any]]) -> list[Piece]:
    """Rows, PIECE in one."""
    return [tuple(chain.from_iterable(rows[at : at + PIECE])) for at in range(0, len(rows), PIECE)]


def plain_flow_rows(
    flows: Iterable[FlowFact], base: int, kinds: Mapping[FlowKind, int], ends: Sequence[int], names: Mapping[str, int]
) -> list[Piece]:
    """Flows in the order of their numbers, hence of their ids (`base` + number): a quarter less work for SQLite."""
    return pieces([
        (base + number, kinds[what], ends[client], ends[server], client_port, server_port,
         names[said] if said else 0, 0 if source is None else source, *others)
        for number, what, client, server, client_port, server_port, said, source, *others
        in sorted(flows, key=itemgetter(0))
    ])  # fmt: skip


def plain_hello_rows(
    hellos: Iterable[HelloFact], base: int, ends: Sequence[int], names: Mapping[str, int]
) -> list[Piece]:
    """Hellos as they come."""
    return pieces([
        (base + number, place, seen_us, ends[client], client_port, ends[server], server_port, source,
         0 if said is None else names[said], *[0 if each is None else each for each in others])
        for number, place, seen_us, client, client_port, server, server_port, source, said, *others in hellos
    ])  # fmt: skip


def plain_dns_rows(
    messages: Sequence[DnsFact], first: int, capture: int, ends: Sequence[int], names: Mapping[str, int]
) -> tuple[list[Piece], list[Piece]]:
    """Messages, numbered from `first`, and the records in them."""
    said = [
        (at, capture, seen_us, ends[client], ends[resolver], transport, int(response), names[asked], kind,
         0 if rcode is None else rcode, answers, *(_holds(seen_us, transport, records) if answers else _NEVER))
        for at, (seen_us, client, resolver, transport, response, asked, kind, rcode, answers, records)
        in enumerate(messages, first)
    ]  # fmt: skip
    told = [
        (at, number, section, names[owner], kind, ttl, value)
        for at, message in enumerate(messages, first)
        if message.records
        for number, (section, owner, kind, ttl, value) in enumerate(message.records)
    ]
    return pieces(said), pieces(told)


def _holds(seen_us: int, transport: str, records: Iterable[Record]) -> tuple[int, int]:
    """Until when the answers of a message may name an address (0: never), and what in it tells where to ask next.

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


def flow_rows(
    flows: list[FlowFact], base: int, kinds: dict[FlowKind, int], ends: list[int], names: dict[str, int]
) -> list[Piece]:
    """As `plain_flow_rows`, in C where it was built."""
    if not NATIVE:
        return plain_flow_rows(flows, base, kinds, ends, names)
    return _rows.flows(sorted(flows, key=itemgetter(0)), PIECE, base, kinds, ends, names)


def hello_rows(hellos: list[HelloFact], base: int, ends: list[int], names: dict[str, int]) -> list[Piece]:
    """As `plain_hello_rows`, in C where it was built."""
    if not NATIVE:
        return plain_hello_rows(hellos, base, ends, names)
    return _rows.hellos(hellos, PIECE, base, ends, names)


def dns_rows(
    messages: list[DnsFact], first: int, capture: int, ends: list[int], names: dict[str, int]
) -> tuple[list[Piece], list[Piece]]:
    """As `plain_dns_rows`, in C where it was built."""
    if not NATIVE:
        return plain_dns_rows(messages, first, capture, ends, names)
    return _rows.dns(messages, PIECE, first, capture, ends, names, (LEAST_US, MOST_US, SECOND))
