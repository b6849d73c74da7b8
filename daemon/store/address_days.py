"""Which addresses on the internet were met, and whether under a name; how much was moved there in each quarter of an hour.

Rule 1: of days that are over each is kept in a piece. It says what the day's rows of `slot_total` say, and is gone as soon
        as one of them changes (a trigger), or once it is older than what is kept by slot. What has none is read from its
        rows.
Rule 2: pieces are made with the look for findings, which an import does not wait for.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from daemon.decode.later import np
from daemon.decode.slots import SLOT_US
from daemon.store.calendar import Calendar, date_of, month_of
from daemon.store.columns import Ints, Narrow, distinct, pack, read_columns, unpack
from daemon.store.rollup import site_calendar
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_STATION_BITS = 40  # below a station `remote_id << 1 | named`
_MET = (1 << _STATION_BITS) - 1
_LINGERS_US = 3_600_000_000  # after a midnight flows still bring news of the day before
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_ROWS = """
    slot_total WHERE slot >= :begin AND slot < :end AND remote_id {of}
        AND way_id IN (SELECT id FROM way WHERE scope = 'internet' AND (:site IS NULL OR site_id = :site))
"""
_PAIRS = f"(station_id << {_STATION_BITS}) | (remote_id << 1) | (name_id <> 0)"
# In the order of the key, so that nothing is sorted.
_MOVED = """(
    SELECT slot - :begin AS at, station_id, sum(bytes_up + bytes_down) AS octets FROM slot_total
    WHERE slot >= :begin AND slot < :end AND way_id IN (SELECT id FROM way WHERE scope = 'internet' AND site_id = :site)
    GROUP BY slot, station_id
)"""
# One seek a slot: what is grouped in a query of its own needs no sorting.
_OUTSIDE = f"""
    SELECT s.value, (
        SELECT sum(x.bytes_up + x.bytes_down) FROM slot_total x WHERE x.slot = s.value {_OF_DEVICE}
            AND x.way_id IN (SELECT id FROM way WHERE scope = 'internet')
    ) AS octets FROM json_each(:slots) s
"""
_ADDRESSES, _QUARTERS = "packed", "moved"  # columns of a piece
_PIECE = "SELECT {} FROM address_column WHERE site_id = ? AND day = ?"
_DAYS = "SELECT day FROM address_column WHERE site_id = ? AND day BETWEEN ? AND ?"


def count_addresses(
    db: sqlite3.Connection, begin: int, end: int, site: int | None = None, device: int | None = None
) -> tuple[int, int]:
    """(named, unnamed) addresses on the internet in a range of slots, as far back as traffic is kept by slot."""
    days = list(_days(db, begin, end, site, device))
    if not days:
        return 0, 0
    station, met = (np.concatenate(column) for column in zip(*days, strict=True))
    if device is not None:
        met = met[read_device_column(db)[station] == device]
    met = distinct(met)
    named = met[met % 2 == 1] >> 1
    return len(named), len(np.setdiff1d(met >> 1, named))


def read_outside(db: sqlite3.Connection, window: Window) -> tuple[range, Ints]:
    """The slots of a window, and a device's bytes with the internet in each, as far back as these are kept."""
    slots = range(window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    octets, own = np.zeros(len(slots), np.int64), read_device_column(db) == window.device_id
    others: list[int] = []
    for begin, until, piece in _pieces(db, slots.start, slots.stop, window.site_id, _QUARTERS):
        if piece is None:
            others += range(begin, until)
        else:
            at, station, moved = piece
            ours = np.flatnonzero(own[station])
            np.add.at(octets, begin - slots.start + at[ours].astype(np.int64), moved[ours].astype(np.int64))
    for slot, moved_then in db.execute(_OUTSIDE, {"device": window.device_id, "slots": json.dumps(others)}):
        octets[slot - slots.start] = moved_then or 0
    return slots, octets


def _days(
    db: sqlite3.Connection, begin: int, end: int, site: int | None, device: int | None
) -> Iterator[tuple[Narrow, Narrow]]:
    """Stations and what they met, by days or what a range of slots has of them."""
    for first, until, piece in _pieces(db, begin, end, site, _ADDRESSES):
        station, met = piece or _split(_read(db, first, until, site, device))
        yield station, met


def _pieces(
    db: sqlite3.Connection, begin: int, end: int, site: int | None, column: str
) -> Iterator[tuple[int, int, Sequence[Narrow] | None]]:
    """Each day of a range of slots, or what the range has of it, and a column of its piece, if it has one."""
    first = _first_slot(db)
    if first is None:
        return
    begin, calendar = max(begin, first), Calendar("UTC") if site is None else site_calendar(db, site)
    while begin < end:
        day, morning, evening = calendar.span(begin)
        until = min(evening, end)
        row = None
        if site is not None and (begin, until) == (morning, evening):
            row = db.execute(_PIECE.format(column), (site, day)).fetchone()
        yield begin, until, None if row is None else unpack(row[0])
        begin = until


def follow(db: sqlite3.Connection, site_id: int, newest_us: int, most: int) -> int:
    """Keep the addresses of days that are over, at most so many more; how many. Within a transaction."""
    calendar, first = site_calendar(db, site_id), _first_slot(db)
    if first is None:
        return 0
    today = calendar.span((newest_us - _LINGERS_US) // SLOT_US)[0]
    oldest, begin, _ = calendar.span(first)
    days = range(oldest + (begin < first), today)  # but for one of which slots are gone
    db.execute("DELETE FROM address_column WHERE site_id = ? AND day < ?", (site_id, days.start))
    there = {day for (day,) in db.execute(_DAYS, (site_id, days.start, today))}
    changed = set(db.execute("SELECT month, day FROM whose_stale").fetchall())
    missing = [
        day for day in reversed(days)
        if day not in there and not changed & {(month_of(day), day), (month_of(day), 0)}
    ][:most]  # fmt: skip
    for day in missing:
        begin, end = (calendar.midnight(date_of(each)) for each in (day, day + 1))
        moved = read_columns(db, ("at", "station_id", "octets"), _MOVED, {"begin": begin, "end": end, "site": site_id})
        packed = (pack(each, compress=False) for each in (_split(_read(db, begin, end, site_id, None)), moved))
        db.execute("INSERT INTO address_column VALUES (?, ?, ?, ?, ?)", (site_id, month_of(day), day, *packed))
    return len(missing)


def _read(db: sqlite3.Connection, begin: int, end: int, site: int | None, device: int | None) -> Ints:
    """Each pair (station, what it met) of some slots once, as a number."""
    rows = _ROWS.format(of="" if device is None else _OF_DEVICE)
    (pairs,) = read_columns(db, (_PAIRS,), rows, {"begin": begin, "end": end, "site": site, "device": device})
    return distinct(pairs)


def _split(pairs: Ints) -> tuple[Ints, Ints]:
    return pairs >> _STATION_BITS, pairs & _MET


def _first_slot(db: sqlite3.Connection) -> int | None:
    """The oldest that is kept."""
    first: int | None = db.execute("SELECT min(slot) FROM slot_total").fetchone()[0]
    return first
