"""What the database knows about the packets behind its rows: in which captures they are, and between which ends.

Named queries, reading only. Times are microseconds, UTC; a time to begin at counts, one to end at does not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

_BEGINNING, _END = -(1 << 62), 1 << 62


class Held(NamedTuple):
    """A capture that may have packets of a time."""

    capture_id: int
    path: str
    head: str  # digest of the file header and the first record
    link_types: str
    status: str
    cursor: int
    packets: int
    first_us: int
    last_us: int
    offset_us: int  # what the times of its file have had added
    station_id: int | None  # all of it counts as this station
    closed: bool  # of a part of it only sums are left


class End(NamedTuple):
    """An address behind a MAC (-1: none), and when it was seen."""

    mac: int
    version: int
    address: str
    first_us: int
    last_us: int


class Ends(NamedTuple):
    """A flow as packets show it. `several`: a row for many like flows, from any port of the client."""

    protocol: str
    version: int
    client: str
    client_port: int | None
    server: str
    server_port: int | None
    several: bool
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Names, and judgements by month, under which flows went to what somebody means."""

    names: frozenset[int]
    judged: frozenset[tuple[int, int, int, str]]  # (month, device or 0, name or 0, address where unnamed)


def read_held(db: sqlite3.Connection, site_id: int, since_us: int | None, until_us: int | None) -> list[Held]:
    """The site's captures that may have packets of that time, by the time of their first."""
    rows = db.execute(
        "SELECT id, path, head, link_types, status, cursor, packets, first_us, last_us, clock_offset_us, station_id,"
        " state IS NULL FROM capture"
        " WHERE site_id = ? AND first_us < ? AND (last_us >= ? OR status = 'live') ORDER BY first_us, id",
        (site_id, _END if until_us is None else until_us, _BEGINNING if since_us is None else since_us),
    )
    return [Held._make((*row[:11], bool(row[11]))) for row in rows]


def read_station_ids(db: sqlite3.Connection, site_id: int, keys: Collection[tuple[int, str]]) -> list[int]:
    """The stations of these (MAC or -1, address where there is no MAC)."""
    found = (
        db.execute("SELECT id FROM station WHERE site_id = ? AND mac = ? AND address = ?", (site_id, *key)).fetchone()
        for key in keys
    )
    return [row[0] for row in found if row]


def read_ends(db: sqlite3.Connection, station: int) -> list[End]:
    """The ends that count as a station, and that are not groups."""
    rows = db.execute(
        "SELECT mac, version, address, first_us, last_us FROM endpoint"
        " WHERE station_id = ? AND scope < 2 AND first_us IS NOT NULL",
        (station,),
    )
    return [End(*row) for row in rows]


def find_destination(db: sqlite3.Connection, site_id: int, text: str) -> Destination:
    """Flows to a name or any below it, a registrable domain, or an organisation as reports call it."""
    wanted = text.strip().rstrip(".").lower()
    names = db.execute(
        "SELECT id FROM name WHERE text = ?1 OR substr(text, -length(?1) - 1) = '.' || ?1", (wanted,)
    ).fetchall()
    judged = db.execute(
        "SELECT j.month, j.device_id, j.name_id, coalesce(r.address, '') FROM judgement j"
        " JOIN verdict v ON v.id = j.verdict_id LEFT JOIN remote r ON r.id = j.remote_id"
        " WHERE j.site_id = ?1 AND (v.organisation = ?2 COLLATE NOCASE OR v.registrable_domain = ?2)",
        (site_id, wanted),
    )
    return Destination(frozenset(row[0] for row in names), frozenset(judged))


def like_destinations(db: sqlite3.Connection, text: str) -> list[str]:
    """Organisations and registrable domains that are written nearly so."""
    rows = db.execute(
        "SELECT DISTINCT organisation FROM verdict WHERE organisation IS NOT NULL"
        " UNION SELECT DISTINCT registrable_domain FROM verdict WHERE registrable_domain IS NOT NULL"
    )
    known = {row[0].lower(): row[0] for row in rows}
    return [known[near] for near in get_close_matches(text.strip().lower(), known, n=3, cutoff=0.7)]


_FLOWS = """
    SELECT f.protocol, f.ip_version, c.address, f.client_port, s.address, f.server_port, f.count > 1, f.first_us,
        f.last_us, f.name_id, c.station_id, s.station_id, coalesce(k.device_id, c.device_id, s.device_id)
    FROM flow_oriented f JOIN capture k ON k.id = f.id >> 40
    JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id
    WHERE f.id BETWEEN ?1 << 40 AND (?1 << 40 | 0xFFFFFFFFFF) AND f.last_us >= ?2 AND f.first_us < ?3
"""
_OF_ROW = """
    SELECT f.id >> 40, f.protocol, f.ip_version, c.address, f.client_port, s.address, f.server_port, f.count > 1,
        f.first_us, f.last_us
    FROM flow_oriented f JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id
    JOIN capture k ON k.id = f.id >> 40
    WHERE (f.id = ?2 OR f.crowd_id = ?2) AND k.site_id = ?1
"""


def read_flows_to(
    db: sqlite3.Connection,
    capture_id: int,
    span: tuple[int | None, int | None],
    meant: Callable[[int | None, int, list[int], str], bool],
    stations: Collection[int] | None,
) -> Iterator[Ends]:
    """A capture's flows of a time for which `meant(name, device or 0, months, server's address)`, of these stations.

    A station that the whole capture counts as is to be left to the caller, with `stations` None.
    """
    since, until = (_BEGINNING if span[0] is None else span[0]), (_END if span[1] is None else span[1])
    for row in db.execute(_FLOWS, (capture_id, since, until)).fetchall():
        first, last, name, client, server, device = row[7:]
        if stations is not None and client not in stations and server not in stations:
            continue
        if meant(name, device or 0, [first, last], row[4]):
            yield Ends._make((*row[:6], bool(row[6]), first, last))


def read_flow_row(db: sqlite3.Connection, site_id: int, flow_id: int) -> dict[int, list[Ends]]:
    """The flows that one row of the view `flows` stands for, by capture; empty where there is no such row."""
    found: dict[int, list[Ends]] = {}
    for row in db.execute(_OF_ROW, (site_id, flow_id)):
        found.setdefault(row[0], []).append(Ends._make((*row[1:7], bool(row[7]), *row[8:])))
    return found


def meaning(destination: Destination, zone: str) -> Callable[[int | None, int, list[int], str], bool]:
    """What `read_flows_to` asks of a flow: whether it went there, by name or as judged in its months."""
    clock = UTC if zone == "UTC" else ZoneInfo(zone)

    def month(time_us: int) -> int:
        local = datetime.fromtimestamp(time_us // 1_000_000, clock)
        return local.year * 12 + local.month - 1

    def meant(name: int | None, device: int, times: list[int], address: str) -> bool:
        if name in destination.names:
            return True
        if not destination.judged:
            return False
        where = (name, "") if name else (0, address)
        return any((month(each), device, *where) in destination.judged for each in times)

    return meant
