"""Destinations of a day, or of a month whose days are gone, as columns: made here and read here.

Rule 1: a part says what its rows say (`destination_day`, `destination_month`), all ways to a destination taken together.
Rule 2: a part without columns is read from its rows, so that nothing is ever missing. The day and the month at hand have
        none: they change every minute, and are read quickly enough.
Rule 3: parts of months carry the judgements that hold for them, days do not: these are judged again and again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from daemon.decode.later import np
from daemon.decode.slots import SLOT_US
from daemon.store.calendar import Calendar
from daemon.store.columns import Ints, pack, read_columns, unpack
from daemon.store.window import Window

_OLDER = 0  # in the place of a day: what is left of those that are gone
_LINGERS_US = 3_600_000_000  # after a midnight flows still bring news of the day before
_MAIN_BITS, _WAY_BITS = 24, 32

_KEY = ("p.station_id", "iif(p.name_id, p.name_id, -p.remote_id)")
_SUMS = (
    "p.way_id", f"p.main_bytes << {_MAIN_BITS} | p.main_id", "p.flows", "p.packets_up", "p.packets_down", "p.bytes_up",
    "p.bytes_down", "p.first_us", "p.last_us",
)  # fmt: skip
_UNJUDGED, _JUDGED = "0", "iif(p.verdict_id, p.verdict_id, coalesce(j.verdict_id, 0))"
_OF_DAY = "destination_day p WHERE month = :month AND day = :day {of}"
_OF_MONTH = """
    (SELECT * FROM destination_month WHERE month = :month {of}) p
    JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
    LEFT JOIN judgement j ON j.month = p.month AND j.device_id = coalesce(t.device_id, 0) AND j.site_id = w.site_id
        AND j.name_id = p.name_id AND j.remote_id = p.remote_id AND p.verdict_id = 0
"""
# From one part to the next by the key.
_NEXT_DAY = "(SELECT min(n.day) FROM destination_day n WHERE n.month = {month} AND n.day > {day})"
_NEXT_MONTH = "(SELECT min(n.month) FROM destination_day n WHERE n.month > {month})"
_DAYS = f"""
    WITH RECURSIVE month_at (month) AS (
        SELECT {_NEXT_MONTH.format(month=":first_month - 1")}
        UNION ALL
        SELECT {_NEXT_MONTH.format(month="m.month")} FROM month_at m WHERE m.month < :last_month
    ), part (month, day) AS (
        SELECT month, {_NEXT_DAY.format(month="m.month", day=-1)} FROM month_at m WHERE month <= :last_month
        UNION ALL
        SELECT p.month, {_NEXT_DAY.format(month="p.month", day="p.day")} FROM part p WHERE p.day IS NOT NULL
    ) SELECT month, day FROM part WHERE day IS NOT NULL
"""
_MONTHS = """
    WITH RECURSIVE part (month) AS (
        SELECT min(month) FROM destination_month WHERE month >= :first_month
        UNION ALL
        SELECT (SELECT min(month) FROM destination_month n WHERE n.month > p.month) FROM part p WHERE p.month < :last_month
    ) SELECT month, 0 FROM part WHERE month <= :last_month
"""
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
# Those of days go with their flows, those of months are there for good.
_TABLES = {False: "destination_day_column", True: "destination_month_column"}
_KEPT = " UNION ALL ".join(f"SELECT month, day FROM {table}" for table in _TABLES.values())
_RUN_TABLE = "destination_run_column"
_RUNS = f"SELECT month, first, last, rowid FROM {_RUN_TABLE} WHERE first >= ? AND last <= ?"
_EVER = {"first_month": 0, "last_month": 1 << 30}
KEYS = ("station", "named", "verdict", "way")  # columns that tell what a row is about; they are the first of a piece


class Columns(NamedTuple):
    """Destinations of stations, a row each. Bytes as the station sees them, times in microseconds.

    `named`: the number of a name; below 0 that of an address; 0 where neither is kept. `verdict` 0: not judged here.
    `main`: the address with most bytes, below these bytes. `way`: one of the ways, that whose source of names is last by
    its text.
    """

    station: Ints
    named: Ints
    verdict: Ints
    way: Ints
    main: Ints
    flows: Ints
    packets_up: Ints
    packets_down: Ints
    bytes_up: Ints
    bytes_down: Ints
    first_us: Ints
    last_us: Ints


class Piece(NamedTuple):
    """Where columns are kept."""

    table: str
    row: int


class Part(NamedTuple):
    """A day, or (day 0) what is left of the days of a month that are gone."""

    month: int
    day: int
    columns: Columns
    piece: Piece | None = None  # of which `read_piece` gives the columns again


class Run(NamedTuple):
    """Days of a month that are kept as one (`day_runs`), and where."""

    first: int
    last: int
    piece: Piece


class Ways(NamedTuple):
    """By the number of a way: its site, and the place of its source of names among all of them by their texts."""

    site: Ints
    rank: Ints


def follow(db: sqlite3.Connection) -> None:
    """Make the columns of all parts that have none but the ones at hand. Within the caller's transaction."""
    missing = _missing(db, _EVER) - _at_hand(db)
    ways = read_ways(db) if missing else None
    for month, day in sorted(missing):
        made = _made(db, month, day, ways or read_ways(db))
        lasting = day == _OLDER
        db.execute(f"INSERT INTO {_TABLES[lasting]} VALUES (?, ?, ?)", (month, day, pack(made, compress=lasting)))


def read_parts(
    db: sqlite3.Connection, window: Window, ways: Ways, only: Collection[str] | None = None, *, runs: bool = False
) -> Iterator[Part]:
    """All parts that a window touches, in order of time; of a month that it touches what its gone days left whole.

    `only`: the columns that are wanted; others may be empty. `runs`: days that are kept as one come as their first, and
    what is read from pieces is of all devices, also where one is asked about.
    """
    first, last = window.days
    span = {"first_month": window.months[0], "last_month": window.months[1]}
    there, rows, of = _there(db, span), _missing(db, span), window.device_id
    if of is not None:  # its rows are few, and quicker to find than to sift out, but where days come as one
        rows |= {(month, day) for month, day in there if day == _OLDER or not runs}
    joined = read_runs(db, first, last) if runs else {}
    for month, day in sorted(there):
        if day != _OLDER and not first <= day <= last:
            continue
        run = joined.get(month)
        if run is not None and run.first < day <= run.last:
            continue
        if run is not None and run.first != day:
            run = None
        if run is None and (month, day) in rows:
            yield Part(month, day, _made(db, month, day, ways, of))
        else:
            piece = _piece(db, month, day) if run is None else run.piece
            yield Part(month, day, read_piece(db, piece, only), piece)


def read_piece(db: sqlite3.Connection, piece: Piece, only: Collection[str] | None = None) -> Columns:
    """The columns of a part that has some; `only` as above."""
    places = None if only is None else [Columns._fields.index(word) for word in only]
    with db.blobopen(piece.table, "packed", piece.row, readonly=True) as packed:
        return Columns._make(unpack(packed, places))


def days_with_columns(db: sqlite3.Connection) -> dict[int, dict[int, Piece]]:
    """The days of each month, in order, and where their columns are; none of a month where one before others has none."""
    found: dict[int, dict[int, Piece]] = {}
    broken = set[int]()
    rows = {(month, day): row for month, day, row in db.execute(f"SELECT month, day, rowid FROM {_TABLES[False]}")}
    for month, day in sorted(_there(db, _EVER), reverse=True):
        if day == _OLDER:
            continue
        if (month, day) in rows:
            found.setdefault(month, {})[day] = Piece(_TABLES[False], rows[month, day])
        elif month in found:
            broken.add(month)
    return {month: dict(sorted(days.items())) for month, days in found.items() if month not in broken}


def _piece(db: sqlite3.Connection, month: int, day: int) -> Piece:
    table = _TABLES[day == _OLDER]
    return Piece(table, *db.execute(f"SELECT rowid FROM {table} WHERE month = ? AND day = ?", (month, day)).fetchone())


def read_runs(db: sqlite3.Connection, first: int, last: int) -> dict[int, Run]:
    """The run of each month that has one which lies between two days."""
    rows = db.execute(_RUNS, (first, last)).fetchall()
    return {month: Run(begin, end, Piece(_RUN_TABLE, row)) for month, begin, end, row in rows}


def read_ways(db: sqlite3.Connection) -> Ways:
    """The ways of all sites."""
    rows = db.execute("SELECT id, site_id, name_source FROM way").fetchall()
    sources = sorted({source for _, _, source in rows})
    site, rank = (np.zeros(max((row[0] for row in rows), default=0) + 1, np.int64) for _ in range(2))
    for number, where, source in rows:
        site[number], rank[number] = where, sources.index(source)
    return Ways(site, rank)


def _missing(db: sqlite3.Connection, span: Mapping[str, int]) -> set[tuple[int, int]]:
    """The parts of some months that have rows but no columns."""
    return _there(db, span) - set(db.execute(_KEPT).fetchall())


def _there(db: sqlite3.Connection, span: Mapping[str, int]) -> set[tuple[int, int]]:
    """The parts of some months that have rows."""
    return {*db.execute(_DAYS, span).fetchall(), *db.execute(_MONTHS, span).fetchall()}


def _at_hand(db: sqlite3.Connection) -> set[tuple[int, int]]:
    """The parts that the newest packets of any site belong to."""
    out: set[tuple[int, int]] = set()
    newest = "SELECT s.zone, max(k.last_us) FROM capture k JOIN site s ON s.id = k.site_id GROUP BY s.id"
    for zone, last_us in db.execute(newest):
        if last_us is not None:
            slots = {max(last_us - ago, 0) // SLOT_US for ago in (0, _LINGERS_US)}
            places = Calendar(zone).place(slots)
            out |= {(place.month, place.day) for place in places} | {(place.month, _OLDER) for place in places}
    return out


def _made(db: sqlite3.Connection, month: int, day: int, ways: Ways, device: int | None = None) -> Columns:
    """The columns of a part, from its rows: sorted by site, station, destination. Of all devices, or of one."""
    judged, rows = (_JUDGED, _OF_MONTH) if day == _OLDER else (_UNJUDGED, _OF_DAY)
    asked = {"month": month, "day": day, "device": device}
    of = "" if device is None else _OF_DEVICE
    return together(read_columns(db, (*_KEY, judged, *_SUMS), rows.format(of=of), asked), ways)


def together(columns: Sequence[Ints], ways: Ways) -> Columns:
    """Rows of a part, in any order and maybe several of one destination, as `Columns` in order."""
    table = np.stack(columns, axis=1)
    station, named, verdict, way = columns[:4]
    lonely = np.where(named == 0, verdict, 0)
    site = ways.site[way]
    order = np.lexsort((lonely, named, station, site))
    keys = np.stack([each[order] for each in (site, station, named, lonely)])
    begins = np.flatnonzero(np.concatenate(([True], (keys[:, 1:] != keys[:, :-1]).any(axis=0))))[: len(table)]
    table = table[order]
    table[:, 3] |= ways.rank[table[:, 3]] << _WAY_BITS
    ends: list[Ints] = [table[begins, column] for column in range(3)]
    highest = np.maximum.reduceat(table[:, (3, 4, 11)], begins, axis=0).T if len(table) else table[:, (3, 4, 11)].T
    sums = np.add.reduceat(table[:, 5:10], begins, axis=0).T if len(table) else table[:, 5:10].T
    first = np.minimum.reduceat(table[:, 10], begins) if len(table) else table[:, 10]
    way = highest[0] & ((1 << _WAY_BITS) - 1)
    return Columns._make([*ends, way, highest[1], *sums, first, highest[2]])


def main_of(main: Ints) -> Ints:
    """The numbers of addresses in a column `main`."""
    return main & ((1 << _MAIN_BITS) - 1)
