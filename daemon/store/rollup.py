"""The tiers: traffic by slot, hour, day and destination, summed from flows.

Rule 1: what is made anew is made from the flows that are there and replaces what was there, so that no order of arrival
        and no number of passes shows: whole days of the site's calendar or, where only a few flows have news, the slots
        in which they moved something and all that is summed from these.
Rule 2: sums of flows that were deleted are frozen: what is made anew stands beside them and never touches them.
Rule 3: tiers name stations, names, addresses and ways by number; whose they are is joined when they are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store import sums_image
from daemon.store.aliases import write_aliases
from daemon.store.busy_days import busy_spans
from daemon.store.calendar import Calendar
from daemon.store.cells import (
    CELLS_OF_DAYS,
    CELLS_OF_PLACES,
    CELLS_OF_SLOTS,
    DESTINATIONS,
    FLOWS_OF_DAYS,
    cells,
)
from daemon.store.day_sums import MOST, sum_days
from daemon.store.flow_cells import INTERNET
from daemon.store.in_memory import emptied
from daemon.store.tables import NATIVE
from daemon.store.tiers import OURS, Tier, replace

_CHUNK_DAYS = 8  # rolled at a time: bounds the temporary tables

_COUNTS = ("packets_up", "packets_down", "bytes_up", "bytes_down")
_SUMS = ", ".join(_COUNTS)
_SUMMED = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_BY_SLOT = "slot >= :begin AND slot < :end AND NOT frozen"
# By its key. Every station of these days is in `day_total`, which is made anew after the hours.
_BY_STATION = (
    f"station_id IN (SELECT station_id FROM day_total WHERE day BETWEEN :first_day AND :last_day) AND {_BY_SLOT}"
)
_SLOT_KEY = "slot, station_id, peer_id, remote_id, name_id, way_id, frozen"
_HOUR_KEY = "station_id, slot, peer_id, way_id, frozen"
_DAY_KEY = "day, station_id, peer_id, way_id, frozen"
_PLACE = "station_id, name_id, remote_id"
_PLACE_KEY = "month, day, station_id, name_id, remote_id, way_id"
_SLOT_SUM = f"SELECT slot, station_id, peer_id, remote_id, name_id, way_id, 0 AS frozen, {_SUMS} FROM temp.slot_sum"
_TOTALS = (
    Tier("slot_total", _SLOT_KEY, _BY_SLOT, _SLOT_SUM, (),
         ("slot", "station_id", "peer_id", "remote_id", "name_id", "way_id", *_COUNTS, "frozen")),
    Tier("hour_total", _HOUR_KEY, _BY_STATION,
         f"SELECT hour AS slot, station_id, peer_id, way_id, 0 AS frozen, {_SUMS} FROM temp.hour_sum", (),
         ("station_id", "slot", "peer_id", "way_id", *_COUNTS, "frozen")),
    Tier("day_total", _DAY_KEY, "day BETWEEN :first_day AND :last_day AND NOT frozen", f"""
    SELECT day, station_id, peer_id, way_id, 0 AS frozen, {_SUMMED} FROM temp.hour_sum GROUP BY 1, 2, 3, 4
    """, (), ("day", "station_id", "peer_id", "way_id", *_COUNTS, "frozen")),
)  # fmt: skip
_HOURS = """
    CREATE TEMP TABLE hour_sum AS
    SELECT d.day, d.hour, station_id, peer_id, way_id, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down,
        sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down
    FROM temp.slot_sum JOIN temp.slot_place d USING (slot) GROUP BY 3, 2, 4, 5
"""
# What triggers do of destinations that go. Of those that come, a trigger would take four times as long as to write them.
_COME = (
    """
    INSERT INTO destination_sum
    SELECT month, station_id, name_id, remote_id, way_id, 1, flows, bytes_up + bytes_down FROM {come} WHERE true
    ON CONFLICT DO UPDATE SET days = days + 1, flows = flows + excluded.flows, bytes = bytes + excluded.bytes
    """,
    "INSERT INTO whose_stale SELECT DISTINCT month, day, station_id FROM {come} WHERE true ON CONFLICT DO NOTHING",
    "UPDATE station SET makers = NULL WHERE makers IS NOT NULL AND +id IN (SELECT station_id FROM {come} WHERE name_id)",
)
_DAYS = Tier(
    "destination_day",
    _PLACE_KEY,
    "month = :month AND day BETWEEN :first_day AND :last_day",
    DESTINATIONS.format("day,"),
    _COME,
    ("month", "day", "station_id", "name_id", "remote_id", "way_id", "main_id", "main_bytes", "flows", *_COUNTS, "first_us",
     "last_us", "verdict_id"),
)  # fmt: skip
_OUTSIDE = "SELECT id FROM way WHERE site_id = :site AND scope = 'internet'"
# The same where only some slots of a day have news: its hours and its sum follow from what is there by slot and by hour.
_HOURS_OF = "slot IN (SELECT hour FROM temp.hour_wanted)"
_STATIONS_OF = "station_id IN (SELECT station_id FROM temp.busy)"
_SOME_SLOTS = Tier("slot_total", _SLOT_KEY, "slot IN (SELECT slot FROM temp.wanted) AND NOT frozen", _SLOT_SUM)
_SOME_TOTALS = (
    Tier("hour_total", _HOUR_KEY, f"{_STATIONS_OF} AND {_HOURS_OF} AND NOT frozen", f"""
    SELECT h.hour AS slot, station_id, peer_id, way_id, 0 AS frozen, {_SUMMED}
    FROM temp.hour_wanted h CROSS JOIN slot_total t ON t.slot >= h.hour AND t.slot < h.hour_end
    WHERE NOT t.frozen AND {OURS} AND {_STATIONS_OF} GROUP BY 2, 1, 3, 4
    """),
    Tier("day_total", _DAY_KEY, f"day = :first_day AND {_STATIONS_OF} AND NOT frozen", f"""
    SELECT :first_day AS day, station_id, peer_id, way_id, 0 AS frozen, {_SUMMED}
    FROM hour_total WHERE {_STATIONS_OF} AND slot >= :begin AND slot < :end AND NOT frozen AND {OURS} GROUP BY 2, 3, 4
    """),
)  # fmt: skip
_SOME_PLACES = Tier(
    "destination_day",
    _PLACE_KEY,
    "month = :month AND day = :first_day AND (station_id, name_id, remote_id) IN (SELECT * FROM temp.place)",
    f"SELECT * FROM ({DESTINATIONS.format('day,')}) WHERE (station_id, name_id, remote_id) IN (SELECT * FROM temp.place)",
    _COME,
)


class _Chunk(NamedTuple):
    """Days of one month, and the half-open range of their slots."""

    month: int
    first_day: int
    last_day: int
    begin: int
    end: int


def site_calendar(db: sqlite3.Connection, site_id: int) -> Calendar:
    """The calendar of the site's time zone."""
    return Calendar(db.execute("SELECT zone FROM site WHERE id = ?", (site_id,)).fetchone()[0])


Moved = dict[int, set[tuple[int, int, int]]]  # month -> (station, name, remote) of destinations


def roll(
    db: sqlite3.Connection,
    site_id: int,
    spans: Iterable[tuple[int, int]],
    moved: Moved | None = None,
    answers_since_us: int = 0,
) -> set[int]:
    """Make the tiers anew for all days that the times (first_us, last_us) touch. The months of those days.

    `moved` is told of the destinations whose rows are not what they were; where all are new, of FEW and one. The chains
    of earlier answers than `answers_since_us` have been noted.
    """
    calendar = site_calendar(db, site_id)
    months: set[int] = set()
    with emptied(db):
        for since, until in calendar.whole_days(busy_spans(db, site_id, spans)):
            for chunk in _fitting(db, site_id, calendar, since, until):
                changed = _roll_days(db, site_id, calendar, chunk)
                since_us = max(chunk.begin * SLOT_US, answers_since_us)
                write_aliases(db, site_id, chunk.month, since_us, chunk.end * SLOT_US)
                months.add(chunk.month)
                if moved is not None:
                    moved.setdefault(chunk.month, set()).update(changed)
    return months


def roll_slots(
    db: sqlite3.Connection,
    site_id: int,
    slots: Iterable[int],
    retold: Collection[int],
    moved: Moved,
    answers_since_us: int,
) -> set[int]:
    """Make the tiers anew for some slots, and what is summed from them, as `roll` would for their days; the months.

    Outside of these slots no flow may have moved anything new, or be seen otherwise. `retold` are flows with slots among
    them that are named otherwise than before, or for another reason.
    """
    calendar = site_calendar(db, site_id)
    months: set[int] = set()
    wanted = sorted(set(slots))
    while wanted:
        (chunk,) = _chunks(calendar, *calendar.span(wanted[0])[1:])
        here = [slot for slot in wanted if slot < chunk.end]
        wanted = wanted[len(here) :]
        changed = _roll_slots(db, site_id, calendar, chunk, here, retold)
        since_us = max(chunk.begin * SLOT_US, answers_since_us)
        write_aliases(db, site_id, chunk.month, since_us, chunk.end * SLOT_US)
        months.add(chunk.month)
        moved.setdefault(chunk.month, set()).update(changed)
    return months


def months_of(db: sqlite3.Connection, site_id: int, spans: Iterable[tuple[int, int]]) -> set[int]:
    """The months that `roll` would make anew for these times, in part."""
    calendar = site_calendar(db, site_id)
    return {chunk.month for since, until in calendar.whole_days(spans) for chunk in _chunks(calendar, since, until)}


def clear(db: sqlite3.Connection, site_id: int, spans: Iterable[tuple[int, int]]) -> None:
    """Remove what `roll` would make anew for these times, for a caller who rolls them in the same transaction."""
    calendar = site_calendar(db, site_id)
    for since, until in calendar.whole_days(spans):
        for chunk in _chunks(calendar, since, until):
            bounds = {"site": site_id, **chunk._asdict()}
            for tier in (*_TOTALS, _DAYS):
                db.execute(f"DELETE FROM {tier.table} WHERE {tier.where} AND {OURS}", bounds)


def _fitting(db: sqlite3.Connection, site_id: int, calendar: Calendar, since: int, until: int) -> Iterator[_Chunk]:
    """Days of one month, fewer at a time where there are more flows than `sum_days` takes."""
    for chunk in _chunks(calendar, since, until):
        days = chunk.last_day - chunk.first_day + 1
        if days > 1 and NATIVE:
            flows = db.execute(FLOWS_OF_DAYS, _bounds(site_id, chunk)).fetchone()[0]
            days = max(min(days, days * MOST // (flows + flows // 8 + 1)), 1)
        yield from _chunks(calendar, chunk.begin, chunk.end, days)


def _chunks(calendar: Calendar, since: int, until: int, days: int = _CHUNK_DAYS) -> Iterator[_Chunk]:
    """Some days of one month at a time."""
    begin = since
    while begin < until:
        (start,) = calendar.place((begin,))
        end, last = begin, start.day
        while end < until:
            (place,) = calendar.place((end,))
            if place.month != start.month or place.day - start.day >= days:
                break
            last, end = place.day, calendar.span(end)[2]
        yield _Chunk(start.month, start.day, last, begin, end)
        begin = end


def _bounds(site_id: int, chunk: _Chunk) -> dict[str, int]:
    return {"site": site_id, "since_us": chunk.begin * SLOT_US, "until_us": chunk.end * SLOT_US, **chunk._asdict()}


def _roll_days(db: sqlite3.Connection, site_id: int, calendar: Calendar, chunk: _Chunk) -> list[Any]:
    bounds = _bounds(site_id, chunk)
    sums = sum_days(db, calendar, bounds)
    if sums is None:
        return _roll_many(db, calendar, bounds)
    shown = sums_image.show(db, sums)
    changed: list[Any] = []
    for tier, made in zip((*_TOTALS, _DAYS), sums, strict=True):
        told = _PLACE if tier is _DAYS else "1"
        changed = replace(db, tier, bounds, told, None if shown else made, shown=shown)
    return changed


def _roll_many(db: sqlite3.Connection, calendar: Calendar, bounds: Mapping[str, int]) -> list[Any]:
    """Days with more cells than memory may hold."""
    with cells(db, calendar, CELLS_OF_DAYS, bounds):
        db.execute(_HOURS)
        try:
            for tier in _TOTALS:
                replace(db, tier, bounds)
        finally:
            db.execute("DROP TABLE temp.hour_sum")
        return replace(db, _DAYS, bounds, changed=_PLACE)


def _roll_slots(
    db: sqlite3.Connection,
    site_id: int,
    calendar: Calendar,
    chunk: _Chunk,
    slots: list[int],
    retold: Collection[int],
) -> list[Any]:
    """Slots of one day; the destinations with other sums than before."""
    bounds = _bounds(site_id, chunk)
    narrow = {**bounds, "since_us": slots[0] * SLOT_US, "until_us": (slots[-1] + 1) * SLOT_US}
    with _some(db, calendar, slots, retold):
        with cells(db, calendar, CELLS_OF_SLOTS, narrow):
            told = "station_id, name_id, iif(name_id, 0, remote_id)"
            changed = replace(db, _SOME_SLOTS, bounds, changed=f"{told}, way_id")
            db.executemany("INSERT OR IGNORE INTO temp.busy VALUES (?)", [row[:1] for row in changed])
            outside = {row[0] for row in db.execute(_OUTSIDE, bounds)}
            places = [row[:3] for row in changed if row[3] in outside]
            db.executemany("INSERT OR IGNORE INTO temp.place VALUES (?, ?, ?)", places)
            db.execute(
                f"INSERT OR IGNORE INTO temp.place SELECT {told} FROM temp.cell JOIN temp.end_remote USING (end_id)"
                f" WHERE scope = {INTERNET} AND flow_id IN (SELECT id FROM temp.retold_here)"
            )
        for tier in _SOME_TOTALS:
            replace(db, tier, bounds)
        db.execute(
            "INSERT INTO temp.place_end SELECT id FROM endpoint WHERE site_id = ? AND address IN"
            " (SELECT r.address FROM temp.place p JOIN remote r ON r.id = p.remote_id)",
            (site_id,),
        )
        with cells(db, calendar, CELLS_OF_PLACES, bounds, sums=False):
            return replace(db, _SOME_PLACES, bounds, changed=_PLACE)


_SOME = {
    "wanted": "slot INTEGER PRIMARY KEY",
    "hour_wanted": "hour INTEGER PRIMARY KEY, hour_end INTEGER",
    "retold_here": "id INTEGER PRIMARY KEY",
    "busy": "station_id INTEGER PRIMARY KEY",  # stations with other sums than before
    "place": "station_id INTEGER, name_id INTEGER, remote_id INTEGER, PRIMARY KEY (station_id, name_id, remote_id)",
    "place_end": "id INTEGER PRIMARY KEY",  # ends at the addresses of places without a name
}


@contextmanager
def _some(db: sqlite3.Connection, calendar: Calendar, slots: list[int], retold: Collection[int]) -> Iterator[None]:
    """What is to be made anew of a day, in temporary tables as long as the block lasts."""
    for table, columns in _SOME.items():
        db.execute(f"CREATE TEMP TABLE {table} ({columns})")
    try:
        db.executemany("INSERT INTO temp.wanted VALUES (?)", [(slot,) for slot in slots])
        hours = {place.hour for place in calendar.place(slots)}
        db.executemany(
            "INSERT INTO temp.hour_wanted VALUES (?, ?)", [(hour, calendar.next_hour(hour)) for hour in hours]
        )
        db.executemany("INSERT INTO temp.retold_here VALUES (?)", [(flow,) for flow in retold])
        yield
    finally:
        for table in _SOME:
            db.execute(f"DROP TABLE temp.{table}")
