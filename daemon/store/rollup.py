"""The tiers: traffic by slot, hour, day and destination, summed from flows.

Rule 1: a day of the site's calendar is made anew as a whole from the flows that are there, so that no order of arrival
        and no number of passes shows.
Rule 2: sums of flows that were deleted are frozen: what is made anew stands beside them and never touches them.
Rule 3: tiers name stations, names, addresses and ways by number; whose they are is joined when they are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from daemon.decode.groups import SLOT_US
from daemon.store.aliases import write_aliases
from daemon.store.calendar import Calendar

_CHUNK_SLOTS = 96 * 8  # days rolled at a time: bounds the temporary tables

_IDLE_US = 180_000_000  # silence that ends a UDP flow

_WAY = "protocol, ip_version, service, encrypted, scope"

_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
_THERE = "k.site_id = :site AND k.first_us < :until_us AND k.last_us >= :since_us"
_TIMES = "BETWEEN :since_us AND :until_us - 1"

# What each flow moved in each slot.
SHARES = f"""
    SELECT f.id, f.first_us / {SLOT_US} AS slot, iif(f.turned, f.packets_down, f.packets_up) AS packets_up,
        iif(f.turned, f.packets_up, f.packets_down) AS packets_down, iif(f.turned, f.bytes_down, f.bytes_up) AS bytes_up,
        iif(f.turned, f.bytes_up, f.bytes_down) AS bytes_down
    FROM capture k JOIN flow f ON f.id {_IDS} WHERE {_THERE} AND NOT f.sliced AND f.first_us {_TIMES}
    UNION ALL
    SELECT p.flow_id, p.slot_us / {SLOT_US}, iif(f.turned, p.packets_down, p.packets_up),
        iif(f.turned, p.packets_up, p.packets_down), iif(f.turned, p.bytes_down, p.bytes_up),
        iif(f.turned, p.bytes_up, p.bytes_down)
    FROM capture k JOIN flow_slice p ON p.flow_id {_IDS} JOIN flow f ON f.id = p.flow_id
    WHERE {_THERE} AND p.slot_us {_TIMES}
"""

# The same as the station sees it. Where both ends are stations the client is the station and the server its peer; where
# only the server is one (`inward`), up and down change places, and the name is not the remote end's. Without a name its
# source says why there is none (`-ech`, ...). Before the capture began: a TCP connection whose opening was not seen; in
# other protocols nothing opens, so what was there while a flow of that time could still have been under way.
_SEEN = f"""
    SELECT x.slot, w.protocol, w.ip_version, coalesce(w.service, '') AS service, w.encrypted,
        coalesce(k.station_id, c.station_id, s.station_id, 0) AS station_id,
        iif(c.station_id IS NULL, 0, coalesce(s.station_id, 0)) AS peer_id,
        c.station_id IS NULL AND s.station_id IS NOT NULL AS inward, c.id AS client_id, s.id AS server_id,
        coalesce(f.name_id, f.label_id, 0) AS name_id,
        CASE WHEN coalesce(f.name_id, f.label_id) IS NOT NULL THEN coalesce(f.name_source, f.label_source, '')
            WHEN EXISTS (SELECT 1 FROM hello h WHERE h.flow_id = coalesce(f.head_id, f.id) AND h.ech IS NOT NULL) THEN '-ech'
            WHEN coalesce((SELECT h.begun FROM flow h WHERE h.id = f.head_id), f.begun) THEN '-'
            WHEN w.protocol = 'tcp' OR f.head_id IS NULL AND f.first_us < k.first_us + {_IDLE_US} THEN '-before'
            ELSE '-' END AS name_source,
        CASE WHEN w.chatter THEN 'chatter'
            WHEN (c.local OR c.scope IN (2, 3)) AND (s.local OR s.scope IN (2, 3)) THEN 'local'
            ELSE 'internet' END AS scope,
        iif(f.first_us / {SLOT_US} = x.slot, f.count, 0) AS flows,
        max(f.first_us, x.slot * {SLOT_US}) AS first_us, min(f.last_us, x.slot * {SLOT_US} + {SLOT_US - 1}) AS last_us,
        x.packets_up, x.packets_down, x.bytes_up, x.bytes_down
    FROM ({{shares}}) x
    JOIN flow f ON f.id = x.id
    JOIN flow_kind w ON w.id = f.kind_id
    JOIN capture k ON k.id = f.id >> 40
    JOIN endpoint c ON c.id = iif(f.turned, f.server_id, f.client_id)
    JOIN endpoint s ON s.id = iif(f.turned, f.client_id, f.server_id)
"""
_FLOW_CELLS = f"""
    SELECT slot, station_id, peer_id, iif(inward, client_id, server_id) AS end_id, iif(inward, 0, name_id) AS name_id,
        iif(inward, '-', name_source) AS name_source, {_WAY}, flows, first_us, last_us,
        iif(inward, packets_down, packets_up) AS packets_up, iif(inward, packets_up, packets_down) AS packets_down,
        iif(inward, bytes_down, bytes_up) AS bytes_up, iif(inward, bytes_up, bytes_down) AS bytes_down
    FROM ({_SEEN})
"""
_FRAME_CELLS = f"""
    SELECT slot, station_id, peer_id, 0, 0, '', protocol, 0, '', 'no', 'chatter', 0, 0, 0,
        iif(inward, 0, packets), iif(inward, packets, 0), iif(inward, 0, bytes), iif(inward, bytes, 0)
    FROM (
        SELECT f.slot_us / {SLOT_US} AS slot, coalesce(k.station_id, a.id, b.id, 0) AS station_id,
            iif(a.id IS NULL, 0, coalesce(b.id, 0)) AS peer_id, a.id IS NULL AND b.id IS NOT NULL AS inward,
            f.protocol, f.packets, f.bytes
        FROM capture k JOIN frame_slot f ON f.capture_id = k.id
        LEFT JOIN station a ON a.site_id = k.site_id AND a.mac = f.src_mac AND f.src_mac >= 0
        LEFT JOIN station b ON b.site_id = k.site_id AND b.mac = f.dst_mac AND f.dst_mac >= 0
        WHERE {{frames}}
    )
"""
CELLS = f"CREATE TEMP TABLE cell AS {_FLOW_CELLS} UNION ALL {_FRAME_CELLS}"
_CELLS_OF_DAYS = CELLS.format(shares=SHARES, frames=f"{_THERE} AND f.slot_us {_TIMES}")

_LOOKED_UP = """
    FROM cell x JOIN slot_place d ON d.slot = x.slot
    JOIN way w ON w.site_id = :site AND w.protocol = x.protocol AND w.ip_version = x.ip_version AND w.service = x.service
        AND w.encrypted = x.encrypted AND w.scope = x.scope AND w.name_source = {}
    LEFT JOIN endpoint e ON e.id = x.end_id LEFT JOIN remote r ON r.address = e.address
"""
_SLOTS = f"""
    CREATE TEMP TABLE slot_sum AS
    SELECT x.slot, x.station_id, x.peer_id, coalesce(r.id, 0) AS remote_id, x.name_id, w.id AS way_id,
        sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,
        sum(bytes_down) AS bytes_down
    {_LOOKED_UP.format("''")} GROUP BY 1, 2, 3, 4, 5, 6
"""
_SUMS = "packets_up, packets_down, bytes_up, bytes_down"
_SUMMED = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_BY_SLOT = "slot >= :begin AND slot < :end AND NOT frozen"
# By its key. Every station of these days is in `day_total`, which is made anew after the hours.
_BY_STATION = (
    f"station_id IN (SELECT station_id FROM day_total WHERE day BETWEEN :first_day AND :last_day) AND {_BY_SLOT}"
)
# Table, its key, which rows are made anew, and what they are.
_TOTALS = (
    ("slot_total", "slot, station_id, peer_id, remote_id, name_id, way_id, frozen", _BY_SLOT,
     f"SELECT slot, station_id, peer_id, remote_id, name_id, way_id, 0 AS frozen, {_SUMS} FROM temp.slot_sum"),
    ("hour_total", "station_id, slot, peer_id, way_id, frozen", _BY_STATION, f"""
    SELECT d.hour AS slot, station_id, peer_id, way_id, 0 AS frozen, {_SUMMED}
    FROM temp.slot_sum JOIN temp.slot_place d USING (slot) GROUP BY 1, 2, 3, 4
    """),
    ("day_total", "day, station_id, peer_id, way_id, frozen", "day BETWEEN :first_day AND :last_day AND NOT frozen", f"""
    SELECT d.day AS day, station_id, peer_id, way_id, 0 AS frozen, {_SUMMED}
    FROM temp.slot_sum JOIN temp.slot_place d USING (slot) GROUP BY 1, 2, 3, 4
    """),
)  # fmt: skip
# By address first, so that of several addresses of one name the one with most bytes can be told; ties by its text.
DESTINATIONS = f"""
    SELECT y.month, {{0}} y.station_id, y.name_id, y.remote_id, y.way_id, 0 AS verdict_id, m.id AS main_id,
        y.main_bytes, y.flows, y.packets_up, y.packets_down, y.bytes_up, y.bytes_down, y.first_us, y.last_us
    FROM (
        SELECT month, {{0}} station_id, name_id, iif(name_id, 0, remote_id) AS remote_id, way_id,
            max(printf('%016d', bytes_up + bytes_down) || address) AS main, max(bytes_up + bytes_down) AS main_bytes,
            sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down,
            sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, min(first_us) AS first_us, max(last_us) AS last_us
        FROM (
            SELECT d.month, d.day, x.station_id, x.name_id, r.id AS remote_id, r.address, w.id AS way_id,
                sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down,
                sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, min(x.first_us) AS first_us,
                max(x.last_us) AS last_us
            {_LOOKED_UP.format("x.name_source")} WHERE x.scope = 'internet' GROUP BY 1, 2, 3, 4, 5, 7
        ) GROUP BY month, {{0}} station_id, name_id, iif(name_id, 0, remote_id), way_id
    ) y JOIN remote m ON m.address = substr(y.main, 17)
"""
_DAYS = (
    "destination_day",
    "month, day, station_id, name_id, remote_id, way_id",
    "month = :month AND day BETWEEN :first_day AND :last_day",
    DESTINATIONS.format("day,"),
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


Moved = dict[int, set[tuple[int, int]]]  # month -> (name, remote) of destinations


def roll(
    db: sqlite3.Connection,
    site_id: int,
    spans: Iterable[tuple[int, int]],
    moved: Moved | None = None,
    answers_since_us: int = 0,
) -> set[int]:
    """Make the tiers anew for all days that the times (first_us, last_us) touch. The months of those days.

    `moved` is told of the destinations whose rows are not what they were. The chains of earlier answers than
    `answers_since_us` have been noted.
    """
    calendar = site_calendar(db, site_id)
    months: set[int] = set()
    for since, until in calendar.whole_days(spans):
        for chunk in _chunks(calendar, since, until):
            changed = _roll_days(db, site_id, calendar, chunk)
            since_us = max(chunk.begin * SLOT_US, answers_since_us)
            write_aliases(db, site_id, chunk.month, since_us, chunk.end * SLOT_US)
            months.add(chunk.month)
            if moved is not None:
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
            _clear(db, site_id, chunk)


def _chunks(calendar: Calendar, since: int, until: int) -> Iterator[_Chunk]:
    """Some days of one month at a time."""
    begin = since
    while begin < until:
        (start,) = calendar.place((begin,))
        end, last = begin, start.day
        while end < until and end - begin < _CHUNK_SLOTS:
            (place,) = calendar.place((end,))
            if place.month != start.month:
                break
            last, end = place.day, calendar.span(end)[2]
        yield _Chunk(start.month, start.day, last, begin, end)
        begin = end


def _roll_days(db: sqlite3.Connection, site_id: int, calendar: Calendar, chunk: _Chunk) -> Iterable[tuple[int, int]]:
    bounds = {"site": site_id, "since_us": chunk.begin * SLOT_US, "until_us": chunk.end * SLOT_US, **chunk._asdict()}
    with cells(db, site_id, calendar, _CELLS_OF_DAYS, bounds):
        for table in _TOTALS:
            _replace(db, *table, bounds)
        return _replace(db, *_DAYS, bounds, changed="name_id, remote_id")


def _replace(
    db: sqlite3.Connection,
    table: str,
    key: str,
    where: str,
    select: str,
    bounds: Mapping[str, int],
    changed: str = "1",
) -> list[tuple[int, int]]:
    """Put rows in the place of those that `where` finds; the columns `changed` of those that are not what they were.

    Only what changed is written: of a day that goes on, few sums move within a minute. A way belongs to one site, so it
    tells whose rows these are.
    """
    ours = f"{table} WHERE {where} AND way_id IN (SELECT id FROM way WHERE site_id = :site)"
    if db.execute(f"SELECT 1 FROM {ours} LIMIT 1", bounds).fetchone() is None:
        db.execute(f"INSERT INTO {table} {select}", bounds)
        return db.execute(f"SELECT DISTINCT {changed} FROM {ours}", bounds).fetchall() if changed != "1" else []
    db.execute(f"CREATE TEMP TABLE made AS {select}", bounds)
    db.execute(f"CREATE TEMP TABLE gone AS SELECT * FROM {ours} EXCEPT SELECT * FROM temp.made", bounds)
    db.execute(f"CREATE TEMP TABLE come AS SELECT * FROM temp.made EXCEPT SELECT * FROM {ours}", bounds)
    try:
        db.execute(f"DELETE FROM {table} WHERE {where} AND ({key}) IN (SELECT {key} FROM temp.gone)", bounds)
        db.execute(f"INSERT INTO {table} SELECT * FROM temp.come")
        return db.execute(f"SELECT {changed} FROM temp.gone UNION SELECT {changed} FROM temp.come").fetchall()
    finally:
        for one in ("made", "gone", "come"):
            db.execute(f"DROP TABLE temp.{one}")


def _clear(db: sqlite3.Connection, site_id: int, chunk: _Chunk) -> None:
    """Remove what is to be made anew. A way belongs to one site, so it tells whose rows these are."""
    bounds = {"site": site_id, **chunk._asdict()}
    for table, _, where, _ in (*_TOTALS, _DAYS):
        db.execute(
            f"DELETE FROM {table} WHERE {where} AND way_id IN (SELECT id FROM way WHERE site_id = :site)", bounds
        )


@contextmanager
def cells(
    db: sqlite3.Connection, site_id: int, calendar: Calendar, statement: str, bounds: Mapping[str, int]
) -> Iterator[None]:
    """What flows moved, in temporary tables as long as the block lasts.

    `cell` as `statement` makes it, `slot_place` the calendar of its slots, `slot_sum` the sums by slot; addresses and
    ways that are new have numbers.
    """
    db.execute(statement, bounds)
    try:
        _place_slots(db, calendar)
        _number_cells(db, site_id)
        db.execute(_SLOTS, bounds)
        yield
    finally:
        for table in ("cell", "slot_place", "slot_sum"):
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _place_slots(db: sqlite3.Connection, calendar: Calendar) -> None:
    """The calendar of the slots at hand, as a table to join."""
    db.execute("CREATE TEMP TABLE slot_place (slot INTEGER PRIMARY KEY, hour INTEGER, day INTEGER, month INTEGER)")
    slots = [row[0] for row in db.execute("SELECT DISTINCT slot FROM temp.cell")]
    db.executemany("INSERT INTO temp.slot_place VALUES (?, ?, ?, ?)", calendar.place(slots))


def _number_cells(db: sqlite3.Connection, site_id: int) -> None:
    """Numbers for addresses and ways that are new."""
    db.execute(
        "INSERT OR IGNORE INTO remote (address) SELECT e.address FROM endpoint e"
        " WHERE e.id IN (SELECT DISTINCT end_id FROM temp.cell) ORDER BY e.id"
    )
    for source in ("''", "name_source"):
        only = "" if source == "''" else "WHERE scope = 'internet'"
        db.execute(
            f"INSERT OR IGNORE INTO way (site_id, {_WAY}, name_source)"
            f" SELECT DISTINCT ?, {_WAY}, {source} FROM temp.cell {only}",
            (site_id,),
        )
