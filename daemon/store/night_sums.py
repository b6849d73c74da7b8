"""What went to the internet in some quarters of an hour, added up by number: who, with what, how, and whose that was.

Reading only but for `follow`, as far back as traffic is kept by slot.

Rule 1: the month of the last slot judges.
Rule 2: what is asked about again and again, the nights of days that are over, is kept a day in one piece (`follow`). A piece
        is taken only for the very slots that it was made of; what has none is read from its rows.
Rule 3: a day of which something is known to have changed, or whose slots began to go, has no piece.
Rule 4: days of a month that follow each other are kept once more as one, day -N for month N: a tenth of the rows. That holds
        while each of these days has its piece, as it is made anew with any of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.store.calendar import Calendar, month_of
from daemon.store.columns import Ints, Narrow, pack, read_columns, unpack
from daemon.store.judged import verdicts_of
from daemon.store.rollup import site_calendar
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_WAY_BITS = 24
_WAY = (1 << _WAY_BITS) - 1
_MOST_CELLS = 4_000_000  # up to which a place for every number that might be is quicker than to sort those that are
_LINGERS_US = 3_600_000_000  # after a midnight flows still bring news of the day before
_LEAST = 3  # days that are worth being one
# By numbers alone, and not added up: numpy is quicker at that.
_COLUMNS = (
    "iif(x.name_id, x.name_id, -x.remote_id)", f"(x.station_id << {_WAY_BITS}) | x.way_id", "x.packets_up",
    "x.packets_down", "x.bytes_up", "x.bytes_down", "x.slot",
)  # fmt: skip
_ROWS = """
    json_each(:slots) s CROSS JOIN slot_total x ON x.slot = s.value {of}
    WHERE x.way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')
"""
_OF_DEVICE = "AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)"


class SlotSums(NamedTuple):
    """A row each device, destination and way; those of stations that are no device are left out."""

    device: Ints
    named: Ints  # the number of a name; below 0 that of an address; 0 where neither is kept
    way: Ints
    verdict: Ints  # 0: not judged
    packets_up: Ints
    packets_down: Ints
    bytes_up: Ints
    bytes_down: Ints
    last_slot: Ints


def read_slot_sums(db: sqlite3.Connection, window: Window, slots: Sequence[int]) -> SlotSums:
    """The sums of these slots, of one device or of all."""
    device_of = read_device_column(db)
    tables, others = _kept(db, window.site_id, slots)
    if window.device_id is not None:
        own = device_of == window.device_id
        tables = [[column[own[table[1] >> _WAY_BITS]] for column in table] for table in tables]
    table = _added([*tables, _read(db, window.site_id, others, window.device_id)])
    device = device_of[table[1] >> _WAY_BITS]
    ours = device != 0
    named, rest, packets_up, packets_down, bytes_up, bytes_down, last = (column[ours] for column in table)
    device, way = device[ours], rest & _WAY
    verdict = _judged(db, window, device, named, last)
    return SlotSums(device, named, way, verdict, packets_up, packets_down, bytes_up, bytes_down, last)


def follow(db: sqlite3.Connection, site_id: int, slots: Sequence[int], newest_us: int, most: int) -> int:
    """Keep the sums of these slots by days that are over, at most so many more; how many. Within a transaction."""
    calendar = site_calendar(db, site_id)
    first, today = _first_slot(db), calendar.span((newest_us - _LINGERS_US) // SLOT_US)[0]
    days = {
        day: asked for day, asked in _by_day(calendar, slots).items() if day < today and _whole(calendar, asked, first)
    }
    texts = {day: _runs(asked) for day, asked in days.items()}
    db.execute(
        "DELETE FROM slot_sum_column WHERE site_id = ? AND day >= 0 AND NOT EXISTS"
        " (SELECT 1 FROM json_each(?) d WHERE d.value ->> 0 = day AND d.value ->> 1 = slots)",
        (site_id, json.dumps(list(texts.items()))),
    )
    there = {day for day in _there(db, site_id) if day >= 0}
    changed = set(db.execute("SELECT month, day FROM whose_stale").fetchall())
    missing = [
        day for day in sorted(days, reverse=True)
        if day not in there and not changed & {(month_of(day), day), (month_of(day), 0)}
    ][:most]  # fmt: skip
    for day in missing:
        _keep(db, site_id, month_of(day), day, texts[day], [_read(db, site_id, days[day], None)])
    _join(db, site_id, {day: texts[day] for day in {*there, *missing}}, {month_of(day) for day in missing})
    return len(missing)


def _join(db: sqlite3.Connection, site_id: int, kept: Mapping[int, str], changed: Set[int]) -> None:
    """Keep the days of months as one; `changed`: of these months some were made anew."""
    there, wanted = _there(db, site_id), _joined(kept)
    gone = [of for of in there if of < 0 and of not in wanted]
    db.execute(
        "DELETE FROM slot_sum_column WHERE site_id = ? AND day IN (SELECT value FROM json_each(?))",
        (site_id, json.dumps(gone)),
    )
    for of, (days, text) in wanted.items():
        if there.get(of) != text or -of in changed:
            _keep(db, site_id, -of, of, text, [_piece(db, site_id, day) for day in days])


def _keep(
    db: sqlite3.Connection, site_id: int, month: int, day: int, text: str, tables: Sequence[Sequence[Narrow]]
) -> None:
    packed = pack(_added(tables), compress=False)
    db.execute("INSERT OR REPLACE INTO slot_sum_column VALUES (?, ?, ?, ?, ?)", (site_id, month, day, text, packed))


def _kept(db: sqlite3.Connection, site_id: int, slots: Sequence[int]) -> tuple[list[Sequence[Narrow]], list[int]]:
    """The sums of days that are kept, and the slots of the others."""
    calendar, first, there = site_calendar(db, site_id), _first_slot(db), _there(db, site_id)
    days = _by_day(calendar, slots)
    texts = {day: _runs(asked) for day, asked in days.items() if _whole(calendar, asked, first)}
    kept = {day: text for day, text in texts.items() if there.get(day) == text}
    others = [slot for day, asked in days.items() if day not in kept for slot in asked]
    pieces = set(kept)
    for of, (joined, text) in _joined(kept).items():
        if there.get(of) == text:
            pieces = (pieces - {*joined}) | {of}
    return [_piece(db, site_id, day) for day in sorted(pieces)], others


def _joined(kept: Mapping[int, str]) -> dict[int, tuple[list[int], str]]:
    """Of each month, by -month, the days that are kept up to the first that is not, and the slots of them all."""
    out = {}
    for month, days in groupby(sorted(kept), month_of):
        first, *rest = days
        run = [first, *(day for at, day in enumerate(rest, first + 1) if day == at)]
        if len(run) >= _LEAST:
            out[-month] = run, ";".join(kept[day] for day in run)
    return out


def _there(db: sqlite3.Connection, site_id: int) -> dict[int, str]:
    """The slots of every piece that is kept."""
    return dict(db.execute("SELECT day, slots FROM slot_sum_column WHERE site_id = ?", (site_id,)).fetchall())


def _piece(db: sqlite3.Connection, site_id: int, day: int) -> list[Narrow]:
    query = "SELECT packed FROM slot_sum_column WHERE site_id = ? AND day = ?"
    return unpack(db.execute(query, (site_id, day)).fetchone()[0])


def _read(db: sqlite3.Connection, site_id: int, slots: Sequence[int], device: int | None) -> list[Ints]:
    """Columns (destination, station and way, packets up and down, bytes up and down, slot), not added up."""
    of = "" if device is None else _OF_DEVICE
    asked = {"slots": json.dumps(list(slots)), "site": site_id, "device": device}
    return read_columns(db, _COLUMNS, _ROWS.format(of=of), asked)


def _added(tables: Sequence[Sequence[Narrow]]) -> list[Ints]:
    """Tables as one, each destination, station and way once, in order of the last two."""
    named, rest = (np.concatenate([table[place] for table in tables]).astype(np.int64) for place in (0, 1))
    names, destination = _numbered(named)
    most_ways = int((rest & _WAY).max(initial=0)) + 1
    ways, way = _numbered((rest >> _WAY_BITS) * most_ways + (rest & _WAY))
    keys, at = _numbered(way * len(names) + destination)
    which, whither = np.divmod(keys, max(len(names), 1))
    station, number = np.divmod(ways[which], most_ways)
    out = [names[whither], (station << _WAY_BITS) | number]
    for place in range(2, 6):  # bytes of months stay below 2**53, up to which a float is exact
        column = np.concatenate([table[place] for table in tables])
        out.append(np.bincount(at, column, len(keys)).astype(np.int64))
    last = np.zeros(len(keys), np.int64)
    np.maximum.at(last, at, np.concatenate([table[6] for table in tables]).astype(np.int64))
    return [*out, last]


def _numbered(numbers: Ints) -> tuple[Ints, Ints]:
    """Each of them once, in order, and the place of every one. What is dense needs no sorting."""
    least, most = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    if most - least >= _MOST_CELLS:
        known, at = np.unique(numbers, return_inverse=True)
        return known, at
    there = np.zeros(most - least + 1, bool)
    there[numbers - least] = True
    known = np.flatnonzero(there)
    place = np.empty(len(there), np.int32)
    place[known] = np.arange(len(known))
    return known + least, place[numbers - least].astype(np.int64)


def _by_day(calendar: Calendar, slots: Iterable[int]) -> Mapping[int, list[int]]:
    """The slots of each day of the site."""
    out: dict[int, list[int]] = {}
    end = -1
    for slot in slots:
        if slot >= end:
            day, _, end = calendar.span(slot)
        out.setdefault(day, []).append(slot)
    return out


def _whole(calendar: Calendar, slots: Sequence[int], first: int | None) -> bool:
    """Whether nothing of their day is gone."""
    return first is not None and calendar.span(slots[0])[1] >= first


def _runs(slots: Sequence[int]) -> str:
    """`first-after` of each run of slots in a row."""
    ends = [at for at, (one, other) in enumerate(pairwise(slots), 1) if other != one + 1]
    return ",".join(f"{slots[begin]}-{slots[end - 1] + 1}" for begin, end in pairwise([0, *ends, len(slots)]))


def _first_slot(db: sqlite3.Connection) -> int | None:
    """The oldest that is kept."""
    first: int | None = db.execute("SELECT min(slot) FROM slot_total").fetchone()[0]
    return first


def _judged(db: sqlite3.Connection, window: Window, device: Ints, named: Ints, last: Ints) -> Ints:
    calendar, out = site_calendar(db, window.site_id), np.zeros(len(device), np.int64)
    for month in range(window.months[0], window.months[1] + 1):
        begin, end = calendar.month(month)
        within = np.flatnonzero((last >= begin) & (last < end))
        if len(within):
            out[within] = verdicts_of(db, month, window.site_id, device[within], named[within], only=window.device_id)
    return out
