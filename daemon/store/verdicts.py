"""Judgements about destinations: what there is to judge, month by month, and the verdicts as they are kept.

A verdict is stored once, whoever it is about; a judgement says which one holds for a (device, destination, month).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from daemon.classify.vocabulary import Verdict
from daemon.store import bulk
from daemon.store.calendar import month_days

_COLUMNS = Verdict._fields  # the table calls them the same
_ALWAYS = ("party", "rule_id", "reason")
_VERDICTS = f"INSERT INTO verdict (id, digest, whose_id, {', '.join(_COLUMNS)})"
_VERDICT = f"(?, ?, ?, {', '.join('?' if column in _ALWAYS else bulk.OR_NULL for column in _COLUMNS)})"
_VERDICT_WIDTH = 3 + len(_COLUMNS)
_OWNED = "party, organisation, country, country_confidence"
_JUDGEMENTS = "INSERT INTO judgement (month, device_id, site_id, name_id, remote_id, verdict_id)"  # in its key's order
_JUDGEMENT = "(?, ?, ?, ?, ?, ?)"
_PLACE = "device_id, name_id, remote_id"
_AT = "month = ? AND site_id = ? AND device_id = ? AND name_id = ? AND remote_id = ?"
_OTHERWISE = "ON CONFLICT DO UPDATE SET verdict_id = excluded.verdict_id"  # an update, that triggers may know of it

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'


class Place(NamedTuple):
    """Which destination of which device, by number; 0 for none."""

    device_id: int
    name_id: int
    remote_id: int


class Met(NamedTuple):
    """What a judgement about a destination looks at; many devices meet the same."""

    domain: str | None
    address: str | None  # the one with most bytes
    name_source: str | None
    service: str | None


# As they stand, in numbers and in any order: what is added up and sorted here in Python is little, and texts are read once
# each. The address that speaks for a destination is the one with most bytes in a day, over all ways; of two with as many
# that whose text is the later one. That is the same whether days are there one by one or as the sums of a month.
_PART = """
    SELECT d.station_id, d.name_id, d.remote_id, d.way_id, d.main_id, d.main_bytes, d.bytes_up + d.bytes_down
    FROM {} d WHERE d.month = ?2 AND d.way_id IN (SELECT id FROM way WHERE site_id = ?1) {}
"""
_DESTINATIONS = f"{_PART.format('{} destination_day', '{}')} UNION ALL" + _PART.format(
    "{} destination_month", "AND d.verdict_id = 0 {}"
)
_NAMES = "SELECT n.id, n.text FROM json_each(?) j CROSS JOIN name n ON n.id = j.value"
_ADDRESSES = "SELECT r.id, r.address FROM json_each(?) j CROSS JOIN remote r ON r.id = j.value"
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
_Row = tuple[int, int, int, int, int, int, int]  # station, name, remote, way, main address, its bytes, all bytes


def read_destinations(
    db: sqlite3.Connection,
    site_id: int,
    month: int,
    only: Collection[Asked] | None = None,
    of: Collection[int] | None = None,
) -> dict[Place, Met]:
    """What there is to judge in a month, in the order of devices, names and addresses.

    `only` these, of all stations of a device; or those `of` these stations.
    """
    if only is None and of is None:
        return _met(db, site_id, db.execute(_ALL, (site_id, month)).fetchall())
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
        return _met(db, site_id, db.execute(query, (site_id, month)).fetchall())
    finally:
        db.execute("DROP TABLE temp.asked_day")
        db.execute("DROP TABLE temp.asked")


def _met(db: sqlite3.Connection, site_id: int, rows: Sequence[_Row]) -> dict[Place, Met]:
    """Each destination of a device once."""
    device = devices_of_stations(db, site_id)
    names, addresses = _texts(db, _NAMES, {row[1] for row in rows}), _texts(db, _ADDRESSES, {row[4] for row in rows})
    ways, ranks = _ranked(db, site_id)
    first: dict[tuple[int, int, int], _Row] = {}
    every: dict[tuple[int, int, int], list[_Row]] = {}  # of those that have several
    for row in rows:
        place = device.get(row[0], 0), row[1], row[2]
        one = first.setdefault(place, row)
        if one is not row:
            every.setdefault(place, [one]).append(row)
    alike: dict[tuple[int, int, int], Met] = {}
    found: dict[Place, Met] = {}
    for place in sorted(first):
        _, name, _, way, address, _, _ = first[place]
        rank = ranks[way]
        if place in every:
            rank, address = _most(every[place], ranks, addresses)
        met = alike.get((name, address, rank))
        if met is None:
            met = alike[name, address, rank] = _new(Met, (names.get(name), addresses[address], *ways[rank]))
        found[_new(Place, place)] = met
    return found


def _texts(db: sqlite3.Connection, query: str, numbers: Collection[int]) -> dict[int, str]:
    return dict(db.execute(query, (json.dumps(list(numbers)),)).fetchall())


def _ranked(db: sqlite3.Connection, site_id: int) -> tuple[list[_Way], dict[int, int]]:
    """The ways of a site in order, each once, and the place of each number among them."""
    ways = {number: (source, service) for number, source, service in db.execute(_WAYS, (site_id,))}
    order = sorted(set(ways.values()), key=lambda way: [(text is not None, text or "") for text in way])
    places = {way: place for place, way in enumerate(order)}
    return order, {number: places[way] for number, way in ways.items()}


def _most(rows: Sequence[_Row], ranks: Mapping[int, int], addresses: Mapping[int, str]) -> tuple[int, int]:
    """The way with most bytes, of several the first by source and service; and the address that speaks for all."""
    sizes: dict[int, int] = {}
    for row in rows:
        rank = ranks[row[3]]
        sizes[rank] = sizes.get(rank, 0) + row[6]
    way = min([(-size, rank) for rank, size in sizes.items()])[1]
    return way, max([(row[5], addresses[row[4]], row[4]) for row in rows])[2]


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
        self._whoses: dict[tuple[str, ...], int] = {}
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
            values += number, digest, self._whose(verdict)
            values += [0 if value is None else value for value in verdict] if None in verdict else verdict
        bulk.insert(self._db, _VERDICTS, _VERDICT, _VERDICT_WIDTH, values)
        self._new.clear()

    def _whose(self, verdict: Verdict) -> int:
        """What stands for whose that is in the sums that follow verdicts (`whose_days`)."""
        owned = verdict.party, verdict.organisation or "", verdict.country or "", verdict.country_confidence or ""
        number = self._whoses.get(owned)
        if number is None:
            self._db.execute(f"INSERT OR IGNORE INTO whose ({_OWNED}) VALUES (?, ?, ?, ?)", owned)
            found = self._db.execute(f"SELECT id FROM whose WHERE ({_OWNED}) = (?, ?, ?, ?)", owned)
            number = self._whoses[owned] = int(found.fetchone()[0])
        return number

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
    db.executemany(f"DELETE FROM judgement WHERE {_AT}", [(month, site_id, *place) for place in gone])
    values = [
        value for (device, name, remote), verdict in judged for value in (month, device, site_id, name, remote, verdict)
    ]
    bulk.insert(db, _JUDGEMENTS, _JUDGEMENT, 6, values, _OTHERWISE)


def read_judgements(
    db: sqlite3.Connection, site_id: int, month: int, of: Collection[int] | None = None
) -> dict[Place, int]:
    """The number of the verdict on each destination of a month that has one; `of` these devices."""
    some = "" if of is None else f"AND device_id IN ({', '.join(str(int(device)) for device in of)})"
    rows = db.execute(
        f"SELECT {_PLACE}, verdict_id FROM judgement WHERE month = ? AND site_id = ? {some}", (month, site_id)
    )
    return {Place(device, name, remote): verdict for device, name, remote, verdict in rows}


def judgements_of(db: sqlite3.Connection, site_id: int, month: int, places: Iterable[Place]) -> dict[Place, int]:
    """The same of these destinations."""
    query = f"SELECT verdict_id FROM judgement WHERE {_AT}"
    rows = {place: db.execute(query, (month, site_id, *place)).fetchone() for place in places}
    return {place: row[0] for place, row in rows.items() if row is not None}


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
