"""Whole days summed at once: what `cells` and `rollup` ask of SQLite, for as many cells as memory may hold.

Rule 1: cells are what `cells` says they are, and the sums those that `rollup` makes in SQL. That stays the way for more
        cells than MOST, and where `tables` was not built in C; a test compares both.
Rule 2: SQLite reads, numbers and writes. To join, sort and add up tens of thousands of rows takes it ten times as long.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from daemon.store import flow_cells, tables
from daemon.store.calendar import Calendar, SlotDay
from daemon.store.cells import ENDS_IN_LIST, FRAMES_IN_DAYS, HIDDEN_IN_DAYS, KINDS, MOVED_IN_DAYS, number_cells
from daemon.store.fetched import Texts, fetched, texts_of
from daemon.store.flow_cells import CELL_WIDTH, CHATTER, FLOW_WIDTH, REASONS, SAID_BIT, SCOPES
from daemon.store.tables import Pick, Table

MOST = 1 << 16  # cells at once, for which there is room of 30 MiB

_CLIENT, _SERVER = 2, 3  # columns of flows; and of cells:
_SLOT, _STATION, _PEER, _END, _NAME, _PLACE, _FLOWS, *_COUNTED, _FIRST, _LAST, _MANNER = range(CELL_WIDTH)


class DaySums(NamedTuple):
    """Tables of the tiers, in the order of their keys. Counts are packets up and down, bytes up and down.

    slots: slot, station, peer, remote, name, way, counts; hours: station, slot, peer, way, counts; days: day, station, peer,
    way, counts; destinations: month, day, station, name, remote, way, main, its bytes, flows, counts, first, last.
    """

    slots: Table
    hours: Table
    days: Table
    destinations: Table


def sum_days(db: sqlite3.Connection, calendar: Calendar, bounds: Mapping[str, int]) -> DaySums | None:
    """The sums of the days of `bounds`; None where there are more than MOST cells. Addresses and ways have numbers then."""
    if not tables.NATIVE:
        return None
    said = texts_of(*REASONS)
    cells = _cells(db, bounds, said)
    if cells is None:
        return None
    numbered = _Numbered(db, bounds, cells, list(said))
    places = calendar.place(tables.numbers_in(cells, CELL_WIDTH, _SLOT))
    slots = _slots(cells, numbered)
    hours = _hours(slots, {place.slot: place.hour for place in places})
    days = _days(hours, {place.hour: place.day for place in places})
    return DaySums(slots, hours, days, _destinations(cells, numbered, places))


def _cells(db: sqlite3.Connection, bounds: Mapping[str, int], said: Texts) -> Table | None:
    """The cells of these days; what is said of them has the numbers of `said`."""
    kinds = fetched(db, KINDS, {}, 3)
    hidden = fetched(db, HIDDEN_IN_DAYS, bounds, 1)
    frames = fetched(db, f"{FRAMES_IN_DAYS} LIMIT {MOST + 1}", bounds, CELL_WIDTH, said)
    flows = fetched(db, f"{MOVED_IN_DAYS} LIMIT {MOST + 1}", bounds, FLOW_WIDTH, said)
    if tables.height(flows, FLOW_WIDTH) + tables.height(frames, CELL_WIDTH) > MOST:
        return None
    numbers = {end for column in (_CLIENT, _SERVER) for end in tables.numbers_in(flows, FLOW_WIDTH, column)}
    ends = fetched(db, ENDS_IN_LIST, {"ends": json.dumps([*numbers])}, 3)
    of_flows = flow_cells.cells(flows, ends, kinds, hidden)
    manners = {number: CHATTER | (-number - 1) << SAID_BIT for number in said.values()}
    return of_flows + tables.picked(frames, CELL_WIDTH, (*range(_MANNER), (_MANNER, manners)))


class _Numbered:
    """What numbers of cells stand for."""

    def __init__(self, db: sqlite3.Connection, bounds: Mapping[str, int], cells: Table, said: Sequence[str]) -> None:
        manners = tables.numbers_in(cells, CELL_WIDTH, _MANNER)
        apart = [(*divmod(manner & ((1 << SAID_BIT) - 1), len(SCOPES)), said[manner >> SAID_BIT]) for manner in manners]
        ends, ways = number_cells(db, bounds, tables.numbers_in(cells, CELL_WIDTH, _END), apart)
        by_text = sorted({(address, remote) for _, remote, address in ends})
        ranks = {remote: rank for rank, (_, remote) in enumerate(by_text)}
        self.ways = {manner: way for manner, (way, _) in zip(manners, ways, strict=True)}
        # With the source of the name; of manners on the internet alone.
        self.told = {manner: told for manner, (_, told) in zip(manners, ways, strict=True) if told is not None}
        self.remotes = {0: 0, **{end: remote for end, remote, _ in ends}}  # frames have no address
        self.ranks = {end: ranks[remote] for end, remote, _ in ends}  # of their addresses, by text
        self.ranked = {rank: remote for remote, rank in ranks.items()}


def _slots(cells: Table, numbered: _Numbered) -> Table:
    columns: tuple[Pick, ...] = (
        _SLOT, _STATION, _PEER, (_END, numbered.remotes), _NAME, (_MANNER, numbered.ways), *_COUNTED
    )  # fmt: skip
    return tables.grouped(tables.picked(cells, CELL_WIDTH, columns), 10, 6, "++++")


def _hours(slots: Table, hour_of: dict[int, int]) -> Table:
    slot, station, peer, _, _, way, *counts = range(10)
    return tables.grouped(tables.picked(slots, 10, (station, (slot, hour_of), peer, way, *counts)), 8, 4, "++++")


def _days(hours: Table, day_of: dict[int, int]) -> Table:
    station, hour, peer, way, *counts = range(8)
    return tables.grouped(tables.picked(hours, 8, ((hour, day_of), station, peer, way, *counts)), 8, 4, "++++")


def _destinations(cells: Table, numbered: _Numbered, places: Iterable[SlotDay]) -> Table:
    """First by address, so that of several addresses of one name the one with most bytes can be told; ties by its text."""
    days = {place.slot: place.day for place in places}
    columns: tuple[Pick, ...] = (
        (_SLOT, days), _STATION, _NAME, (_PLACE, numbered.remotes), (_MANNER, numbered.told), (_END, numbered.ranks),
        _FLOWS, *_COUNTED, _FIRST, _LAST,
    )  # fmt: skip
    by_address = tables.grouped(tables.picked(cells, CELL_WIDTH, columns), 13, 6, "+++++<>")
    *keys, rank, flows, up, down, bytes_up, bytes_down, first, last = range(13)
    moved = flows, up, down, bytes_up, bytes_down, first, last
    most = tables.grouped(
        tables.picked(by_address, 13, (*keys, (bytes_up, bytes_down), rank, *moved)), 14, 5, "$$+++++<>"
    )
    day, *keys, octets, rank, flows, up, down, bytes_up, bytes_down, first, last = range(14)
    months = {place.day: place.month for place in places}
    main: tuple[Pick, ...] = ((day, months), day, *keys, (rank, numbered.ranked), octets)
    return tables.picked(most, 14, (*main, flows, up, down, bytes_up, bytes_down, first, last))
