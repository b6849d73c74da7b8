"""Judgements about destinations: what there is to judge, month by month, and the verdicts as they are kept.

A verdict is stored once, whoever it is about; a judgement says which one holds for a (device, destination, month).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import Any, NamedTuple

from daemon.classify.vocabulary import Verdict
from daemon.store import bulk
from daemon.store.calendar import month_days

_COLUMNS = Verdict._fields  # the table calls them the same
_ALWAYS = ("party", "rule_id", "reason")
_VERDICTS = f"INSERT INTO verdict (id, digest, {', '.join(_COLUMNS)})"
_VERDICT = f"(?, ?, {', '.join('?' if column in _ALWAYS else bulk.OR_NULL for column in _COLUMNS)})"
_VERDICT_WIDTH = 2 + len(_COLUMNS)
_JUDGEMENTS = "INSERT INTO judgement (month, device_id, site_id, name_id, remote_id, verdict_id)"  # in its key's order
_JUDGEMENT = "(?, ?, ?, ?, ?, ?)"
_OTHERWISE = "ON CONFLICT DO UPDATE SET verdict_id = excluded.verdict_id"  # an update, that triggers may know of it

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'


class Place(NamedTuple):
    """Which destination of which device, by number; 0 for none."""

    device_id: int
    name_id: int
    remote_id: int


class Judged(NamedTuple):
    """One destination of one device in one month, and the verdict that it has so far."""

    place: Place
    domain: str | None
    address: str | None  # the one with most bytes
    name_source: str | None
    service: str | None
    verdict_id: int | None


# As they stand, in numbers: what is added up here in Python is little, and texts that are read once each, not with every
# row, make the rows sort in no time. The address that speaks for a destination is the one with most bytes in a day, over
# all ways; of two with as many that whose text is the later one. That is the same whether days are there one by one or as
# the sums of a month.
_PART = "d.station_id, d.name_id, d.remote_id, d.way_id, d.main_id, d.main_bytes, d.bytes_up + d.bytes_down AS bytes"
_DESTINATIONS = f"""
    SELECT coalesce(s.device_id, 0), d.name_id, d.remote_id, d.way_id, d.bytes, d.main_bytes, d.main_id, j.verdict_id
    FROM (
        SELECT {_PART} FROM {{0}} destination_day d WHERE d.month = ?2 {{1}}
        UNION ALL
        SELECT {_PART} FROM {{2}} destination_month d WHERE d.month = ?2 AND d.verdict_id = 0 {{3}}
    ) d
    LEFT JOIN station s ON s.id = d.station_id
    LEFT JOIN judgement j ON j.month = ?2 AND j.device_id = coalesce(s.device_id, 0) AND j.site_id = ?1
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id
    WHERE d.way_id IN (SELECT id FROM way WHERE site_id = ?1)
    ORDER BY 1, 2, 3
"""
_NAMES = "SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))"
_ADDRESSES = "SELECT id, address FROM remote WHERE id IN (SELECT value FROM json_each(?))"
_WAYS = "SELECT id, iif(name_source GLOB '-*', NULL, name_source), nullif(service, '') FROM way WHERE site_id = ?"
_ALL = _DESTINATIONS.format("", "", "", "")
_THESE = "AND d.station_id = p.station_id AND d.name_id = p.name_id AND d.remote_id = p.remote_id"
_FEW = _DESTINATIONS.format(  # by their keys: most rows of a month are others
    "temp.asked p CROSS JOIN temp.asked_day y CROSS JOIN",
    f"AND d.day = y.day {_THESE}",
    "temp.asked p CROSS JOIN",
    _THESE,
)
_AMONG = "AND (d.station_id, d.name_id, d.remote_id) IN (SELECT * FROM temp.asked)"
_MANY = _DESTINATIONS.format("", _AMONG, "", _AMONG)
_OF = "AND d.station_id IN (SELECT station_id FROM temp.asked)"
_OF_STATIONS = _DESTINATIONS.format("", _OF, "", _OF)
_SEEKS = 20_000  # after which it is quicker to look at all rows of a month


# From month to month by the keys: there are a million rows after some years, and some forty months.
_NEXT = "SELECT min(month) FROM (SELECT {0} AS month UNION ALL SELECT {1})"
_THERE = "EXISTS (SELECT 1 FROM {} d JOIN way w ON w.id = d.way_id AND w.site_id = ?1 WHERE d.month = m.month)"
_LEAST = "(SELECT min(month) FROM destination_{} {})"
_LATER = "WHERE month > m.month"
_MONTHS = f"""
    WITH RECURSIVE m (month) AS (
        {_NEXT.format(_LEAST.format("day", ""), _LEAST.format("month", ""))}
        UNION ALL
        SELECT ({_NEXT.format(_LEAST.format("day", _LATER), _LEAST.format("month", _LATER))}) FROM m WHERE month IS NOT NULL
    )
    SELECT month FROM m WHERE {_THERE.format("destination_day")} OR {_THERE.format("destination_month")} ORDER BY month
"""


def months_with_destinations(db: sqlite3.Connection, site_id: int) -> list[int]:
    """All months of the site in which something went to the internet."""
    return [row[0] for row in db.execute(_MONTHS, (site_id,))]


Asked = tuple[int, int, int]  # station, name, remote
_Way = tuple[str | None, str | None]  # source of the name, service
_Row = tuple[Any, ...]  # device, name, remote, way, bytes, most bytes of an address, that address, verdict
_PLACE = itemgetter(0, 1, 2)


def read_destinations(
    db: sqlite3.Connection,
    site_id: int,
    month: int,
    only: Collection[Asked] | None = None,
    of: Collection[int] | None = None,
) -> Iterator[Judged]:
    """What there is to judge in a month; each destination of each device once.

    `only` these, of all stations of a device; or those `of` these stations.
    """
    ways = {number: (source, service) for number, source, service in db.execute(_WAYS, (site_id,))}
    if only is None and of is None:
        yield from _judged(db, db.execute(_ALL, (site_id, month)).fetchall(), ways)
        return
    db.execute("CREATE TEMP TABLE asked (station_id INTEGER, name_id INTEGER, remote_id INTEGER)")
    db.execute(
        "CREATE TEMP TABLE asked_day AS SELECT DISTINCT day FROM day_total WHERE day BETWEEN ? AND ?", month_days(month)
    )
    try:
        if of is not None:
            db.executemany("INSERT INTO temp.asked VALUES (?, 0, 0)", [(station,) for station in of])
            query = _OF_STATIONS
        else:
            db.executemany("INSERT INTO temp.asked VALUES (?, ?, ?)", only or ())
            query = _FEW if 31 * len(only or ()) <= _SEEKS else _MANY
        yield from _judged(db, db.execute(query, (site_id, month)).fetchall(), ways)
    finally:
        db.execute("DROP TABLE temp.asked_day")
        db.execute("DROP TABLE temp.asked")


def _judged(db: sqlite3.Connection, rows: Sequence[_Row], ways: Mapping[int, _Way]) -> Iterator[Judged]:
    """Each destination once, of rows in the order of devices, names and addresses."""
    names = _texts(db, _NAMES, {row[1] for row in rows})
    addresses = _texts(db, _ADDRESSES, {row[6] for row in rows})
    for place, found in groupby(rows, _PLACE):
        every = list(found)
        _, name, _, way_id, _, _, address, verdict = every[0]
        way, text = ways[way_id], addresses[address]
        if len(every) > 1:
            way, text = _most(every, ways, addresses)
        yield _new(Judged, (_new(Place, place), names.get(name), text, *way, verdict))


def _texts(db: sqlite3.Connection, query: str, numbers: Collection[int]) -> dict[int, str]:
    return dict(db.execute(query, (json.dumps(list(numbers)),)).fetchall())


def _most(rows: Sequence[_Row], ways: Mapping[int, _Way], addresses: Mapping[int, str]) -> tuple[_Way, str]:
    """The way with most bytes, of several the first by source and service; and the address that speaks for all."""
    sizes: dict[_Way, int] = {}
    for row in rows:
        way = ways[row[3]]
        sizes[way] = sizes.get(way, 0) + row[4]
    if len(sizes) > 1:
        way = min(sizes, key=lambda each: (-sizes[each], *((text is not None, text or "") for text in each)))
    return way, max([(row[5], addresses[row[6]]) for row in rows])[1]


def _digest(verdict: Verdict) -> str:
    """Tells one verdict from another: of its values as a list in JSON, written here in a third of the time."""
    values = [
        "null" if value is None else encode_basestring_ascii(value) if isinstance(value, str) else str(value)
        for value in verdict
    ]
    return hashlib.sha256(f"[{', '.join(values)}]".encode()).hexdigest()[:32]


class VerdictBook:
    """Verdicts by number, looked up or made; for one transaction, in which nobody else makes any. `write` the new ones."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers: dict[Verdict, int] = {}
        self._new: dict[int, tuple[Verdict, str]] = {}
        self._last = self._written = int(db.execute("SELECT coalesce(max(id), 0) FROM verdict").fetchone()[0])

    def number(self, verdict: Verdict) -> int:
        """The id of a verdict, made where it is new."""
        known = self._numbers.get(verdict)
        if known is None:
            digest = _digest(verdict)
            row = None
            if self._written:
                row = self._db.execute("SELECT id FROM verdict WHERE digest = ?", (digest,)).fetchone()
            if row is None:
                self._last += 1
                self._new[self._last] = verdict, digest
            known = self._numbers[verdict] = row[0] if row else self._last
        return known

    def write(self) -> None:
        """Put the verdicts into the database that came since the last time."""
        values: list[Any] = []
        for number, (verdict, digest) in self._new.items():
            values += number, digest
            values += [0 if value is None else value for value in verdict] if None in verdict else verdict
        bulk.insert(self._db, _VERDICTS, _VERDICT, _VERDICT_WIDTH, values)
        self._new.clear()

    def read(self, number: int) -> Verdict:
        """The verdict of a number."""
        if number in self._new:
            return self._new[number][0]
        row = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM verdict WHERE id = ?", (number,)).fetchone()
        return Verdict(*row)


def write_judgements(
    db: sqlite3.Connection,
    site_id: int,
    month: int,
    judged: Iterable[tuple[Place, int]],
    gone: Iterable[Place],
) -> None:
    """(destination, verdict) where that changed; judgements about destinations that are `gone` go."""
    db.executemany(
        "DELETE FROM judgement WHERE month = ? AND site_id = ? AND device_id = ? AND name_id = ? AND remote_id = ?",
        [(month, site_id, *place) for place in gone],
    )
    values = [
        value for (device, name, remote), verdict in judged for value in (month, device, site_id, name, remote, verdict)
    ]
    bulk.insert(db, _JUDGEMENTS, _JUDGEMENT, 6, values, _OTHERWISE)


def judged_places(db: sqlite3.Connection, site_id: int, month: int, of: Collection[int] | None = None) -> set[Place]:
    """The destinations of a month about which there is a judgement; `of` these devices."""
    some = "" if of is None else f"AND device_id IN ({', '.join(str(int(device)) for device in of)})"
    rows = db.execute(
        f"SELECT device_id, name_id, remote_id FROM judgement WHERE month = ? AND site_id = ? {some}", (month, site_id)
    )
    return {Place(*row) for row in rows}


def devices_of_stations(db: sqlite3.Connection, site_id: int) -> dict[int, int]:
    """Station -> its device, 0 for none."""
    rows = db.execute("SELECT id, coalesce(device_id, 0) FROM station WHERE site_id = ?", (site_id,))
    return dict(rows.fetchall())


def drop_unused(db: sqlite3.Connection) -> None:
    """Verdicts that nothing refers to any more go."""
    db.execute(
        "DELETE FROM verdict WHERE id NOT IN"
        " (SELECT verdict_id FROM judgement UNION SELECT verdict_id FROM destination_month)"
    )
