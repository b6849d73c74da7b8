"""Ends that are new, and what the house was judged by when a pass saw it last. SQL only; judging is done elsewhere."""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from daemon.flow.local import GLOBAL


class HouseMemory(NamedTuple):
    """What the ends of a site were judged by. `announcements` and `routers` are JSON, to be compared."""

    announcements: str
    routers: str
    gateways: tuple[int, ...]  # MACs
    last_end: int  # ends with a greater id have not been judged


def read_house(db: sqlite3.Connection, site_id: int) -> HouseMemory | None:
    """What `write_house` kept; None where no pass has seen the site."""
    row = db.execute(
        "SELECT announcements, routers, gateways, last_end FROM house WHERE site_id = ?", (site_id,)
    ).fetchone()
    return None if row is None else HouseMemory(row[0], row[1], tuple(json.loads(row[2])), row[3])


def write_house(db: sqlite3.Connection, site_id: int, memory: HouseMemory) -> None:
    """Keep what the ends of a site were judged by."""
    db.execute(
        "INSERT OR REPLACE INTO house VALUES (?, ?, ?, ?, ?)",
        (site_id, memory.announcements, memory.routers, json.dumps(memory.gateways), memory.last_end),
    )


def last_end(db: sqlite3.Connection) -> int:
    """The greatest id of an end, of whatever site."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM endpoint").fetchone()[0])


def ends_since(
    db: sqlite3.Connection, site_id: int, since_us: int, last: int
) -> list[tuple[int, int, int, str, int, int | None, int | None, bool, int, int | None, str | None]]:
    """Ends that were seen since a time, or that came after `last`: as `labels.read_ends`, then as they are judged.

    That is: local, and MAC and address of the station, None where it has none.
    """
    return db.execute(
        "SELECT e.id, e.mac, e.version, e.address, e.scope, e.first_us, e.last_us, e.sent, e.local, s.mac, s.address"
        " FROM endpoint e LEFT JOIN station s ON s.id = e.station_id"
        " WHERE e.site_id = ?1 AND (e.last_us >= ?2 OR e.id > ?3) ORDER BY e.id",
        (site_id, since_us, last),
    ).fetchall()


def strange_ends(db: sqlite3.Connection, site_id: int, mac: int) -> list[tuple[int, int, str]]:
    """(end, version, address) of what a MAC sent from that is not local, as judged."""
    return db.execute(
        "SELECT id, version, address FROM endpoint WHERE site_id = ? AND mac = ? AND sent AND scope = ? AND NOT local",
        (site_id, mac, GLOBAL),
    ).fetchall()
