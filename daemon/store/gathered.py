"""What every device of a house had to do with every destination in a stretch of days: columns added up, without a row.

Rule 1: as in `reached`: single days as long as flows are kept, else whole months; the newest month's verdict speaks.
Rule 2: a destination that keeps no name has a verdict of its own, and is one row a verdict.
Rule 3: what rows are about is read first, of all parts, and what is added up then, part by part: the sums of three years
        would be a quarter of the memory that a box has.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.store.columns import Ints, Narrow
from daemon.store.destination_columns import KEYS, Columns, Part, Piece, Ways, read_parts, read_piece, read_ways
from daemon.store.judged import verdicts_of
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_SUMMED = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down")
_TOLD = (*_SUMMED, "first_us", "last_us", "main", "way")  # columns that can be left out
_MOST_CELLS = 4_000_000  # up to which a place for every pair that might be is quicker than to sort those that are
_NEVER = 1 << 62
_NOBODY = -1  # whose stations nobody has: what is no device is never asked for alone
_MONTH_BITS, _RANK_BITS = 47, 32  # below a month the place of a source of names, below that the number of a way
Slots = npt.NDArray[np.signedinteger]  # narrow, as there are many
_SO_JUDGED = """
    SELECT DISTINCT iif(name_id, name_id, -remote_id) FROM judgement
    WHERE month IN (SELECT value FROM json_each(?)) AND site_id = ? AND verdict_id IN (SELECT value FROM json_each(?))
"""


class Gathered(NamedTuple):
    """A row each device and destination, in order of these. Bytes as the device sees them, times in microseconds.

    Numbers are those of `destination_columns.Columns`; `device` 0: no end of it is a device; `verdict` 0: not judged.
    Columns that were not asked for are 0.
    """

    device: Ints
    named: Ints
    verdict: Ints
    flows: Ints
    packets_up: Ints
    packets_down: Ints
    bytes_up: Ints
    bytes_down: Ints
    first_us: Ints
    last_us: Ints
    main: Ints
    way: Ints

    @property
    def bytes(self) -> Ints:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    def rows(self, which: Ints | npt.NDArray[np.bool_] | slice) -> Gathered:
        """Some of the rows, by their numbers or by yes and no."""
        return Gathered._make(column[which] for column in self)


class _Numbers(NamedTuple):
    """Distinct numbers in order, and the place of each: they are dense, so that every number between may have one."""

    known: Ints
    least: int
    places: npt.NDArray[np.int32]

    def of(self, numbers: Narrow) -> npt.NDArray[np.int32]:
        """The places of numbers, of which all must be between the least and the greatest that are known."""
        at = numbers.astype(np.int64)  # a column may be narrower than the least of all
        at -= self.least
        return self.places.take(at)


class _Cells(NamedTuple):
    """A place for every device and destination that there may be: `device * width + destination`."""

    devices: _Numbers
    named: _Numbers  # below 0 addresses
    lonely: _Numbers  # verdicts of what keeps no name

    @property
    def width(self) -> int:
        return len(self.named.known) + len(self.lonely.known)

    def of(self, row: Ints, station: Narrow, named: Narrow, verdict: Narrow) -> Ints:
        """The cells of rows; `row`: the first cell of the device that each station is."""
        place = self.named.of(named)
        nameless = np.flatnonzero(named == 0)
        if len(nameless):
            place[nameless] = len(self.named.known) + self.lonely.of(verdict[nameless])
        cell = row.take(station)
        cell += place
        return cell

    def rows(self, device_of: Ints) -> Ints:
        """The first cell of each of these devices."""
        return self.devices.of(device_of) * np.int64(self.width)


def gather(
    db: sqlite3.Connection, window: Window, verdicts: Collection[int] | None = None, named: Ints | None = None,
    only: Collection[str] = _TOLD,
) -> Gathered:  # fmt: skip
    """Every destination of every device, or of one, in the days and months that a window touches.

    With `verdicts` only those of which one of these held in any of the months; with `named` only these. `only`: of the
    columns from `flows` on those that are wanted, as each takes time.
    """
    ways = read_ways(db)
    device_of = read_device_column(db)
    held = [_held(part, ways, window, device_of) for part in read_parts(db, window, ways, KEYS, runs=True)]
    if verdicts is not None:
        held = _sought(db, window.site_id, held, verdicts)
    if named is not None:
        held = [each.only(np.isin(each.named, named)) for each in held]
    cells = _cells(held, device_of)
    row = cells.rows(device_of)
    places = [cells.of(row, each.station, each.named, each.verdict) for each in held]
    found, slots = _slots(places, len(cells.devices.known) * cells.width)
    sums = _added(db, len(found), held, slots, ways, only)
    device, destination = np.divmod(found, max(cells.width, 1))
    nameless = np.zeros(len(cells.lonely.known), np.int64)
    gathered = Gathered(
        cells.devices.known[device], np.concatenate([cells.named.known, nameless])[destination],
        np.zeros(len(found), np.int64), *sums,
    )  # fmt: skip
    return gathered._replace(verdict=_judged(db, window.site_id, held, slots, gathered))


class _Held(NamedTuple):
    """What is held of a part until all are known: who and what; of one that is not packed all."""

    month: int
    day: int
    station: Narrow
    named: Narrow
    verdict: Narrow
    columns: Columns | Piece  # or where they are
    which: npt.NDArray[np.bool_] | None  # of its rows; None: all

    def only(self, fits: npt.NDArray[np.bool_]) -> _Held:
        """Some of the rows that are held."""
        which = fits
        if self.which is not None:
            which = self.which.copy()
            which[self.which] = fits
        return self._replace(
            station=self.station[fits], named=self.named[fits], verdict=self.verdict[fits], which=which
        )

    def rows(self, db: sqlite3.Connection, only: Collection[str]) -> Mapping[str, Narrow]:
        """Columns of the rows that are held."""
        columns = self.columns if isinstance(self.columns, Columns) else read_piece(db, self.columns, only)
        told = {word: getattr(columns, word) for word in only}
        return told if self.which is None else {word: column[self.which] for word, column in told.items()}


def _held(part: Part, ways: Ways, window: Window, device_of: Ints) -> _Held:
    columns = part.columns
    held = _Held(part.month, part.day, *columns[:3], part.piece or columns, None)
    ours = ways.site[columns.way] == window.site_id
    if window.device_id is not None:
        ours &= (device_of == (window.device_id or _NOBODY))[columns.station]
    return held if ours.all() else held.only(ours)


def _sought(db: sqlite3.Connection, site: int, held: Sequence[_Held], verdicts: Collection[int]) -> list[_Held]:
    """The rows of what was judged so in some month."""
    asked = np.array(sorted(verdicts), np.int64)
    months = sorted({each.month for each in held if each.day})
    rows = db.execute(_SO_JUDGED, (json.dumps(months), site, json.dumps(asked.tolist()))).fetchall()
    named = [each.named[np.isin(each.verdict, asked)] for each in held if not each.day]
    wanted = np.unique(np.concatenate([np.array(rows, np.int64).reshape(-1), *named]).astype(np.int64))
    return [
        each.only(np.isin(each.named, wanted[wanted != 0]) | ((each.named == 0) & np.isin(each.verdict, asked)))
        for each in held
    ]


def _cells(rows: Sequence[_Held], device_of: Ints) -> _Cells:
    nameless = [each.named == 0 for each in rows]
    return _Cells(
        _numbers([device_of]),
        _numbers([each.named[~less] for each, less in zip(rows, nameless, strict=True)]),
        _numbers([each.verdict[less] for each, less in zip(rows, nameless, strict=True)]),
    )


def _numbers(columns: Sequence[Narrow]) -> _Numbers:
    least = min((0, *(int(each.min()) for each in columns if len(each))))
    most = max((0, *(int(each.max()) for each in columns if len(each))))
    there = np.zeros(most - least + 1, bool)
    for each in columns:
        there[each.astype(np.int64) - least] = True
    known, places = _numbered(there)
    return _Numbers(known + least, least, places)


def _numbered(there: npt.NDArray[np.bool_]) -> tuple[Ints, npt.NDArray[np.int32]]:
    """The places that have something, and of each of these its number; of others nothing is told."""
    known = np.flatnonzero(there)
    number = np.empty(len(there), np.int32)
    number[known] = np.arange(len(known), dtype=np.int32)
    return known, number


def _slots(places: Sequence[Ints], size: int) -> tuple[Ints, Sequence[Slots]]:
    """The cells that have something, and for each part which of these its rows belong to."""
    if size <= _MOST_CELLS:
        there = np.zeros(size, bool)
        for place in places:
            there[place] = True
        found, number = _numbered(there)
        return found, [number.take(place) for place in places]
    found = np.unique(np.concatenate([np.unique(place) for place in places]))
    return found, [np.searchsorted(found, place) for place in places]


def _added(
    db: sqlite3.Connection, many: int, held: Sequence[_Held], slots: Sequence[Slots], ways: Ways, only: Collection[str]
) -> list[Ints]:
    """The columns from `flows` on; those that nobody wants are 0."""
    out = {word: np.full(many, _NEVER if word == "first_us" else 0) for word in _TOLD if word in only}
    joined = {"first_us": np.minimum, "last_us": np.maximum, "main": np.maximum, "way": np.maximum}
    for each, narrow in zip(held, slots, strict=True):
        if not len(narrow):
            continue
        slot = narrow.astype(np.int64)  # of one kind: ten times as quick
        for word, column in each.rows(db, list(out)).items():
            wide = column.astype(np.int64)
            if word == "way":  # the newest month's, and of its ways that whose source of names is last
                wide |= (each.month << _MONTH_BITS) | (ways.rank[wide] << _RANK_BITS)
            joined.get(word, np.add).at(out[word], slot, wide)
    if "way" in out:
        out["way"] &= (1 << _RANK_BITS) - 1
    nothing = np.zeros(many, np.int64)
    return [out.get(word, nothing) for word in _TOLD]


def _judged(
    db: sqlite3.Connection, site: int, parts: Sequence[_Held], slots: Sequence[Slots], gathered: Gathered
) -> Ints:
    """The verdict of the newest month in which each was met: earlier ones are asked only about what is left."""
    out = np.zeros(len(gathered.device), np.int64)
    left = np.ones(len(out), bool)
    for month in sorted({part.month for part in parts}, reverse=True):
        met = [(part, slot) for part, slot in zip(parts, slots, strict=True) if part.month == month]
        here = np.zeros(len(out), bool)
        for part, slot in met:
            if part.day:
                here[slot] = True
        asked = np.flatnonzero(here & left)
        if len(asked):
            out[asked] = verdicts_of(db, month, site, gathered.device[asked], gathered.named[asked])
        for part, slot in met:
            if not part.day:
                mine = left.take(slot)
                out[slot[mine]] = part.verdict[mine]
                here[slot] = True
        left &= ~here
    return out
