"""Facts and labels of captures that are filed under a device's name."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping


def folder_names(db: sqlite3.Connection, site_id: int) -> list[str]:
    """The device names under which captures of the site are filed."""
    rows = db.execute(
        "SELECT DISTINCT folder_device FROM capture WHERE site_id = ? AND folder_device IS NOT NULL ORDER BY 1",
        (site_id,),
    )
    return [row[0] for row in rows]


def busiest(db: sqlite3.Connection, site_id: int, name: str) -> list[tuple[int, int, int]]:
    """(station, its MAC or -1, bytes exchanged with non-local addresses) over the folder's captures, most first."""
    return db.execute(
        "SELECT d.id, d.mac, sum(f.bytes_up + f.bytes_down) AS moved FROM capture k"
        " JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
        " JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id"
        " JOIN station d ON d.id = coalesce(c.station_id, s.station_id)"
        " WHERE k.site_id = ? AND k.folder_device = ? AND (c.station_id IS NULL) <> (s.station_id IS NULL)"
        " AND iif(c.station_id IS NULL, c.scope = 0 AND NOT c.local, s.scope = 0 AND NOT s.local)"
        " GROUP BY d.id ORDER BY moved DESC, d.mac, d.address",
        (site_id, name),
    ).fetchall()


def write_folder_names(db: sqlite3.Connection, site_id: int, names: Mapping[str, int]) -> None:
    """Folder -> the station that it names. Of several folders for one station the last by name wins."""
    db.execute("UPDATE station SET folder = NULL WHERE site_id = ? AND folder IS NOT NULL", (site_id,))
    db.executemany(
        "UPDATE station SET folder = ? WHERE id = ?", [(name, station) for name, station in sorted(names.items())]
    )


def write_whole(db: sqlite3.Connection, site_id: int, names: Iterable[str]) -> list[tuple[int, int]]:
    """The folders all of whose captures count as one station of its own; those of others count as none.

    The answer are the times (first_us, last_us) of captures for which that has changed.
    """
    keys = json.dumps([f"folder:{name}" for name in names])
    db.execute(
        "DELETE FROM station WHERE site_id = ?1 AND mac = -1 AND address LIKE 'folder:%'"
        " AND address NOT IN (SELECT value FROM json_each(?2))",
        (site_id, keys),
    )
    db.execute(
        "INSERT INTO station (site_id, mac, address) SELECT ?1, -1, value FROM json_each(?2) WHERE 1 ON CONFLICT DO NOTHING",
        (site_id, keys),
    )
    db.execute(
        "UPDATE station SET folder = substr(address, 8)"
        " WHERE site_id = ?1 AND mac = -1 AND address IN (SELECT value FROM json_each(?2))",
        (site_id, keys),
    )
    judged = db.execute(
        "SELECT d.id, k.id, k.first_us, k.last_us FROM capture k"
        " LEFT JOIN station d ON d.site_id = k.site_id AND d.mac = -1 AND d.address = 'folder:' || k.folder_device"
        " WHERE k.site_id = ? AND k.station_id IS NOT d.id AND k.first_us IS NOT NULL",
        (site_id,),
    ).fetchall()
    db.executemany("UPDATE capture SET station_id = ? WHERE id = ?", [row[:2] for row in judged])
    return [row[2:] for row in judged]
