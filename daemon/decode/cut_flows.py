"""Many flows to look packets up among, in a few bytes each.

Rule 1: a flow's packets are those between its two ends, ports and protocol, from its first to its last.
Rule 2: of a flow a number of 64 bits and its two times are kept, 24 bytes: a question may mean every flow of a day. The
        number depends on keys that each process draws anew, so that nobody can aim at another flow's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.decode.columns import Columns
from daemon.decode.packet import IP

Mask = NDArray[np.bool_]
Span = tuple[int, int]  # microseconds, both included
Words = NDArray[np.uint64]
Times = NDArray[np.int64]

_KEYS = [np.uint64(secrets.randbits(64) | 1) for _ in range(8)]  # anew in each process: nobody can aim at a collision
_HALF = np.uint64(29)
_LOW = (1 << 64) - 1
_ANY_PORT = -2
_AT_ONCE = 1 << 14  # flows that are Python objects at the same time


class Conversation(NamedTuple):
    """A flow to look for; a port is None where any will do (many like flows in one row), -1 where there is none."""

    version: int
    protocol: int
    client: int
    client_port: int | None
    server: int
    server_port: int
    span: Span


class _Ends(NamedTuple):
    """One side of each row."""

    high: Words
    low: Words
    port: Words


class _Table(NamedTuple):
    """Flows by number, of like ones by when they began."""

    keys: Words
    begin: Times
    end: Times


class Flows:
    """Conversations by their ends."""

    def __init__(self, exact: _Table, loose: _Table) -> None:
        self._exact, self._loose = exact, loose  # loose: without the client's port

    def __len__(self) -> int:
        return len(self._exact.keys) + len(self._loose.keys)

    @classmethod
    def of(cls, wanted: Iterable[Conversation]) -> Flows:
        """The flows among which packets are looked up."""
        exact: list[_Table] = []
        loose: list[_Table] = []
        for some in _pieces(wanted):
            exact.append(_numbered([each for each in some if each.client_port is not None]))
            loose.append(_numbered([each for each in some if each.client_port is None]))
        return cls(_sorted(exact), _sorted(loose))

    def times(self) -> list[Span]:
        """When any of them ran, ascending and without overlap."""
        begin, end = (
            np.concatenate((getattr(self._exact, side), getattr(self._loose, side))) for side in ("begin", "end")
        )
        if not len(begin):
            return []
        order = np.argsort(begin, kind="stable")
        begin, reach = begin[order], np.maximum.accumulate(end[order])
        starts = np.flatnonzero(np.append(True, begin[1:] > reach[:-1]))
        stops = np.append(starts[1:], len(begin)) - 1
        return list(zip(begin[starts].tolist(), reach[stops].tolist(), strict=True))

    def mark(self, columns: Columns) -> Mask:
        """The rows of the flows."""
        marked = np.zeros(len(columns), bool)
        rows = np.flatnonzero(columns.kind == IP)
        if not len(rows):
            return marked
        kind = (columns.version[rows], columns.protocol[rows])
        source = _side(columns.source_hi, columns.source_lo, columns.source_port, rows)
        target = _side(columns.destination_hi, columns.destination_lo, columns.destination_port, rows)
        times = columns.time_us[rows].astype(np.int64)
        wanted = _among(self._exact, np.minimum(_digest(source, target, kind), _digest(target, source, kind)), times)
        if len(self._loose.keys):
            for client, server in ((source, target), (target, source)):
                wanted |= _among(self._loose, _digest(_anywhere(client), server, kind), times)
        marked[rows] = wanted
        return marked


def _pieces(wanted: Iterable[Conversation]) -> Iterator[list[Conversation]]:
    each = iter(wanted)
    while some := list(islice(each, _AT_ONCE)):
        yield some


def _numbered(flows: Sequence[Conversation]) -> _Table:
    """All exact, or all loose."""
    client = _given(
        [each.client for each in flows],
        [_ANY_PORT if each.client_port is None else each.client_port for each in flows],
    )
    server = _given([each.server for each in flows], [each.server_port for each in flows])
    kind = (np.array([each.version for each in flows], np.int64), np.array([each.protocol for each in flows], np.int64))
    keys = _digest(client, server, kind)
    if any(each.client_port is not None for each in flows):
        keys = np.minimum(keys, _digest(server, client, kind))
    begin, end = (np.array([each.span[at] for each in flows], np.int64) for at in (0, 1))
    return _Table(keys, begin, end)


def _given(addresses: Sequence[int], ports: Sequence[int]) -> _Ends:
    return _Ends(_words([each >> 64 for each in addresses]), _words(addresses), _words(ports))


def _words(numbers: Sequence[int]) -> Words:
    return np.array([number & _LOW for number in numbers], np.uint64)


def _sorted(tables: Sequence[_Table]) -> _Table:
    if not tables:
        return _Table(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    keys, begin, end = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    order = np.lexsort((begin, keys))
    return _Table(keys[order], begin[order], end[order])


def _side(high: NDArray[Any], low: NDArray[Any], port: NDArray[Any], rows: NDArray[Any]) -> _Ends:
    return _Ends(high[rows], low[rows], port[rows].astype(np.int64).astype(np.uint64))


def _anywhere(side: _Ends) -> _Ends:
    return side._replace(port=np.full(len(side.port), _ANY_PORT & _LOW, np.uint64))


def _digest(one: _Ends, other: _Ends, kind: tuple[NDArray[Any], NDArray[Any]]) -> Words:
    """A number that is equal for the rows with the same ends, ports and protocol, in this direction."""
    unsigned = np.uint64
    parts = (*one[:2], *other[:2], one.port, other.port, *(each.astype(np.int64).astype(unsigned) for each in kind))
    out = np.zeros(len(one.port), unsigned)
    for key, part in zip(_KEYS, parts, strict=True):
        out += part
        out *= key
        out ^= out >> _HALF
    return out


def _among(table: _Table, keys: Words, times: Times) -> Mask:
    """Which rows are of a flow that ran then. Rows with the same ends are looked up once."""
    wanted = np.zeros(len(keys), bool)
    if not len(table.keys):
        return wanted
    first = np.searchsorted(table.keys, keys)
    there = np.flatnonzero(table.keys[np.minimum(first, len(table.keys) - 1)] == keys)
    if not len(there):
        return wanted
    order = there[np.argsort(first[there], kind="stable")]
    starts = np.flatnonzero(np.append(True, np.diff(first[order]) > 0))
    for rows in np.split(order, starts[1:]):
        begins_at = int(first[rows[0]])
        ends_at = int(np.searchsorted(table.keys, keys[rows[0]], "right"))
        begun = np.searchsorted(table.begin[begins_at:ends_at], times[rows], "right")
        reach = np.maximum.accumulate(table.end[begins_at:ends_at])
        wanted[rows] = (begun > 0) & (times[rows] <= reach[np.maximum(begun - 1, 0)])
    return wanted
