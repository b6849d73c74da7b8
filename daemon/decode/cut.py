"""Some of the packets of a scan: which of them somebody wants, by time, device, destination and filter.

Rule 1: what is chosen stays in file order, byte for byte as it was captured.
Rule 2: a device's packets are those that it sent or received by its MAC; where the link does not tell who sends or
        receives, its address at that time decides.
Rule 3: what is asked about flows is asked of packets with IP; frames without it are chosen by their kind alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.decode.columns import ETHERNET, Columns, decode_columns, link_addresses
from daemon.decode.cut_flows import Flows, Mask, Span
from daemon.decode.fragments import Fragments
from daemon.decode.packet import FRAME, IP, NO_MAC
from daemon.decode.records import Records

Accepts = Callable[[int, bytes], bool]  # (link type, frame)
Timely = Callable[[NDArray[Any]], Mask]  # of times in microseconds

_MACS = 12  # bytes of an Ethernet frame with both MACs


class Address(NamedTuple):
    """An address that somebody had from then to then."""

    version: int
    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Party:
    """A device by its MACs, and by its addresses where a link has no MACs."""

    macs: frozenset[int] = frozenset()
    addresses: tuple[Address, ...] = ()


class Carried(NamedTuple):
    """How packets are carried; None: in any way. `frames`: by IEEE number, what is no IP; empty: none of those."""

    versions: frozenset[int] | None = None
    protocols: frozenset[int] | None = None  # behind all extension headers
    frames: frozenset[int] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a file; None: anything. Times in microseconds, half-open."""

    since_us: int | None = None
    until_us: int | None = None
    device: Party | None = None
    remotes: frozenset[tuple[int, int]] = frozenset()  # (IP version, address), each of which sent or received it
    flows: Flows | None = None
    messages: Flows | None = None  # single packets of flows, as flows of one moment
    accepts: Accepts | None = None
    carried: Carried | None = None
    timely: Timely | None = None


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
        if wish.timely is not None:
            marked &= wish.timely(records.time_us)
        if not marked.any():
            return marked
        columns = self._decoded(buf, records)
        if wish.device is not None:
            marked &= self._device(buf, records, columns, wish.device)
        if columns is not None:
            for remote in wish.remotes:
                marked &= _either(columns, remote)
        if columns is not None and marked.any():
            marked &= _carried(columns, wish)
        if wish.accepts is not None:
            _filter(buf, records, wish.accepts, marked)
        return marked

    def _decoded(self, buf: bytearray, records: Records) -> Columns | None:
        """The headers, where they decide."""
        wish = self._wish
        needed = bool(wish.remotes) or any(each is not None for each in (wish.flows, wish.messages, wish.carried))
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


def _either(columns: Columns, address: tuple[int, int]) -> Mask:
    """Rows that the address sent or received."""
    version, number = address
    marked = np.zeros(len(columns), bool)
    for high, low in _ends(columns):
        marked |= (columns.version == version) & (high == number >> 64) & (low == number & (1 << 64) - 1)
    return marked


def _carried(columns: Columns, wish: Wish) -> Mask:
    """Rows of the flows that are carried so, and the frames that are wanted besides."""
    carried, flows = wish.carried, [each for each in (wish.flows, wish.messages) if each is not None]
    if carried is None and not flows:
        return np.ones(len(columns), bool)
    marked: Mask = columns.kind == IP
    for each in flows:
        marked &= each.mark(columns)
    if carried is None:
        return marked
    for column, wanted in ((columns.version, carried.versions), (columns.protocol, carried.protocols)):
        if wanted is not None:
            marked &= np.isin(column, list(wanted))
    frames = columns.kind == FRAME
    if carried.frames is not None:
        frames &= np.isin(columns.ethertype, list(carried.frames))
    marked |= frames
    return marked


def _filter(buf: bytearray, records: Records, accepts: Accepts, marked: Mask) -> None:
    view = memoryview(buf)
    rows = np.flatnonzero(marked)
    take = (column[rows].tolist() for column in (records.offset, records.captured, records.link))
    for row, start, size, link in zip(rows.tolist(), *take, strict=True):
        marked[row] = accepts(link, bytes(view[start : start + size]))
