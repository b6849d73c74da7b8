"""Some of the packets of a scan: which of them somebody wants, by time, device, destination and filter.

Rule 1: what is chosen stays in file order, byte for byte as it was captured.
Rule 2: a device's packets are those that it sent or received by its MAC; where the link does not tell who sends or
        receives, its address at that time decides.
Rule 3: a flow's packets are those between its two ends, ports and protocol, from its first to its last.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.decode.columns import ETHERNET, Columns, decode_columns, link_addresses
from daemon.decode.fragments import Fragments
from daemon.decode.packet import IP, NO_MAC
from daemon.decode.records import Records

Mask = NDArray[np.bool_]
Span = tuple[int, int]  # microseconds, both included
Accepts = Callable[[int, bytes], bool]  # (link type, frame)

_MACS = 12  # bytes of an Ethernet frame with both MACs
_KEYS = [np.uint64(secrets.randbits(64) | 1) for _ in range(8)]  # anew in each process: nobody can aim at a collision
_HALF = np.uint64(29)


class Address(NamedTuple):
    """An address that somebody had from then to then."""

    version: int
    number: int
    span: Span


class Conversation(NamedTuple):
    """A flow to look for; a port is None where any will do (many like flows in one row), -1 where there is none."""

    version: int
    protocol: int
    client: int
    client_port: int | None
    server: int
    server_port: int
    span: Span


@dataclass(frozen=True, slots=True)
class Party:
    """A device by its MACs, and by its addresses where a link has no MACs."""

    macs: frozenset[int] = frozenset()
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a file; None: anything. Times in microseconds, half-open."""

    since_us: int | None = None
    until_us: int | None = None
    device: Party | None = None
    remotes: frozenset[tuple[int, int]] | None = None  # (IP version, address)
    flows: Flows | None = None
    accepts: Accepts | None = None


@dataclass(slots=True)
class Flows:
    """Conversations by their ends."""

    _exact: dict[tuple[int, ...], list[Span]] = field(default_factory=dict)
    _loose: dict[tuple[int, ...], list[Span]] = field(default_factory=dict)  # without the client's port

    @classmethod
    def of(cls, wanted: Iterable[Conversation]) -> Flows:
        """The flows among which packets are looked up."""
        flows = cls()
        for each in wanted:
            server = each.server, each.server_port
            if each.client_port is None:
                flows._loose.setdefault((each.version, each.protocol, each.client, *server), []).append(each.span)
            else:
                ends = sorted(((each.client, each.client_port), server))
                flows._exact.setdefault((each.version, each.protocol, *ends[0], *ends[1]), []).append(each.span)
        return flows

    def times(self) -> list[Span]:
        """When any of them ran, ascending and without overlap."""
        out: list[Span] = []
        for begin, end in sorted(
            span for table in (self._exact, self._loose) for spans in table.values() for span in spans
        ):
            if out and begin <= out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]))
            else:
                out.append((begin, end))
        return out

    def spans(self, version: int, protocol: int, one: tuple[int, int], other: tuple[int, int]) -> list[Span]:
        """When packets between these ends (address, port) are wanted."""
        low, high = (one, other) if one <= other else (other, one)
        found = self._exact.get((version, protocol, *low, *high), [])
        if self._loose:
            for (client, _), server in ((one, other), (other, one)):
                found = found + self._loose.get((version, protocol, client, *server), [])
        return found


class Choice:
    """Marks what is wanted, chunk by chunk of one file: fragments are attributed as long as their first part came by."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._fragments = Fragments()
        macs = [] if wish.device is None else [mac.to_bytes(6, "big") for mac in wish.device.macs]
        self._macs = np.array([int.from_bytes(mac, "little") for mac in macs], np.uint64)

    def mark(self, buf: bytearray, records: Records) -> Mask:
        """Which records of a scan are wanted. `buf` holds `columns.SPARE` bytes behind the last."""
        wish = self._wish
        marked = np.ones(len(records.offset), bool)
        if wish.since_us is not None:
            marked &= records.time_us >= wish.since_us
        if wish.until_us is not None:
            marked &= records.time_us < wish.until_us
        if not marked.any():
            return marked
        columns = self._decoded(buf, records)
        if wish.device is not None:
            marked &= self._device(buf, records, columns, wish.device)
        if columns is not None and wish.remotes is not None:
            marked &= _either(columns, wish.remotes)
        if columns is not None and wish.flows is not None and marked.any():
            marked &= _flows(columns, wish.flows)
        if wish.accepts is not None:
            _filter(buf, records, wish.accepts, marked)
        return marked

    def _decoded(self, buf: bytearray, records: Records) -> Columns | None:
        """The headers, where they decide."""
        wish = self._wish
        needed = wish.remotes is not None or wish.flows is not None
        if not needed and (wish.device is None or bool((records.link == ETHERNET).all())):
            return None
        return decode_columns(buf, records, self._fragments)

    def _device(self, buf: bytearray, records: Records, columns: Columns | None, device: Party) -> Mask:
        marked = np.zeros(len(records.offset), bool)
        rows = np.flatnonzero((records.link == ETHERNET) & (records.captured >= _MACS))
        if len(self._macs) and len(rows):
            words = np.ndarray((len(buf) - 7,), "<u8", buf, strides=(1,))
            mask = np.uint64((1 << 48) - 1)
            for place in (0, 6):
                marked[rows] |= np.isin(words[records.offset[rows] + place] & mask, self._macs)
        if columns is not None:
            for row in np.flatnonzero(records.link != ETHERNET).tolist():
                macs = link_addresses(buf, columns, row)
                marked[row] = any(mac in device.macs for mac in macs)
            _by_address(buf, columns, device.addresses, marked)
        return marked


def _by_address(buf: bytearray, columns: Columns, addresses: tuple[Address, ...], marked: Mask) -> None:
    for version, number, (first, last) in addresses:
        timely = (columns.version == version) & (columns.time_us >= first) & (columns.time_us <= last) & ~marked
        timely &= columns.link != ETHERNET
        for side, (high, low) in enumerate(_ends(columns)):
            for row in np.flatnonzero(timely & (high == number >> 64) & (low == number & (1 << 64) - 1)).tolist():
                marked[row] = marked[row] or link_addresses(buf, columns, row)[side] == NO_MAC


def _ends(columns: Columns) -> tuple[tuple[NDArray[Any], NDArray[Any]], ...]:
    return (columns.source_hi, columns.source_lo), (columns.destination_hi, columns.destination_lo)


def _either(columns: Columns, addresses: frozenset[tuple[int, int]]) -> Mask:
    """Rows that one of the addresses sent or received."""
    marked = np.zeros(len(columns), bool)
    for version, number in addresses:
        for high, low in _ends(columns):
            marked |= (columns.version == version) & (high == number >> 64) & (low == number & (1 << 64) - 1)
    return marked


def _flows(columns: Columns, flows: Flows) -> Mask:
    """Rows of the flows: each pair of ends is looked up once a chunk."""
    marked = np.zeros(len(columns), bool)
    rows = np.flatnonzero(columns.kind == IP)
    if not len(rows):
        return marked
    _, first, kind = np.unique(_digest(columns, rows), return_index=True, return_inverse=True)
    times = columns.time_us[rows]
    for number, row in enumerate(rows[first].tolist()):
        one, other = (int(high[row]) << 64 | int(low[row]) for high, low in _ends(columns))
        spans = flows.spans(
            int(columns.version[row]),
            int(columns.protocol[row]),
            (one, int(columns.source_port[row])),
            (other, int(columns.destination_port[row])),
        )
        if spans:
            chosen = np.flatnonzero(kind == number)
            at = times[chosen]
            wanted = np.zeros(len(chosen), bool)
            for begin, end in spans:
                wanted |= (at >= begin) & (at <= end)
            marked[rows[chosen]] = wanted
    return marked


def _digest(columns: Columns, rows: NDArray[Any]) -> NDArray[Any]:
    """A number that is equal for the rows with the same ends, ports and protocol."""
    unsigned = np.uint64
    out = np.zeros(len(rows), unsigned)
    parts = (
        columns.source_hi, columns.source_lo, columns.destination_hi, columns.destination_lo, columns.source_port,
        columns.destination_port, columns.protocol, columns.version,
    )  # fmt: skip
    for key, part in zip(_KEYS, parts, strict=True):
        out += part[rows].astype(np.int64).astype(unsigned) if part.dtype != unsigned else part[rows]
        out *= key
        out ^= out >> _HALF
    return out


def _filter(buf: bytearray, records: Records, accepts: Accepts, marked: Mask) -> None:
    view = memoryview(buf)
    rows = np.flatnonzero(marked)
    take = (column[rows].tolist() for column in (records.offset, records.captured, records.link))
    for row, start, size, link in zip(rows.tolist(), *take, strict=True):
        marked[row] = accepts(link, bytes(view[start : start + size]))
