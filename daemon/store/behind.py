"""What the database knows about the packets behind its rows: in which captures they are, and between which ends.

Named queries, reading only. Times are microseconds, UTC; a time to begin at counts, one to end at does not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

BEGINNING, END = -(1 << 62), 1 << 62  # of all times


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


def read_held(db: sqlite3.Connection, site_id: int, since_us: int | None, until_us: int | None) -> list[Held]:
    """The site's captures that may have packets of that time, by the time of their first."""
    rows = db.execute(
        "SELECT id, path, head, link_types, status, cursor, packets, first_us, last_us, clock_offset_us, station_id,"
        " state IS NULL FROM capture"
        " WHERE site_id = ? AND first_us < ? AND (last_us >= ? OR status = 'live') ORDER BY first_us, id",
        (site_id, END if until_us is None else until_us, BEGINNING if since_us is None else since_us),
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


_OF_ROW = """
    SELECT f.id >> 40, f.protocol, f.ip_version, c.address, f.client_port, s.address, f.server_port, f.count > 1,
        f.first_us, f.last_us
    FROM flow_oriented f JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id
    JOIN capture k ON k.id = f.id >> 40
    WHERE (f.id = ?2 OR f.crowd_id = ?2) AND k.site_id = ?1
"""


def read_flow_row(db: sqlite3.Connection, site_id: int, flow_id: int) -> dict[int, list[Ends]]:
    """The flows that one row of the view `flows` stands for, by capture; empty where there is no such row."""
    found: dict[int, list[Ends]] = {}
    for row in db.execute(_OF_ROW, (site_id, flow_id)):
        found.setdefault(row[0], []).append(Ends._make((*row[1:7], bool(row[7]), *row[8:])))
    return found
