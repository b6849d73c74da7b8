"""Facts and labels of captures that are filed under a device's name."""

from __future__ import annotations

import sqlite3


def folder_names(db: sqlite3.Connection, site_id: int) -> list[str]:
    """The device names under which captures of the site are filed."""
    rows = db.execute(
        "SELECT DISTINCT folder_device FROM capture WHERE site_id = ? AND folder_device IS NOT NULL ORDER BY 1",
        (site_id,),
    )
    return [row[0] for row in rows]


def busiest(db: sqlite3.Connection, site_id: int, name: str) -> list[tuple[int, int, int]]:
    """(device, its MAC or -1, bytes exchanged with non-local addresses) over the folder's captures, most first."""
    return db.execute(
        "SELECT d.id, d.mac, sum(f.bytes_up + f.bytes_down) AS moved FROM capture k"
        " JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
        " JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id"
        " JOIN device d ON d.id = coalesce(c.device_id, s.device_id)"
        " WHERE k.site_id = ? AND k.folder_device = ? AND (c.device_id IS NULL) <> (s.device_id IS NULL)"
        " AND 0 IN (iif(c.device_id IS NULL, c.scope, 9), iif(s.device_id IS NULL, s.scope, 9))"
        " GROUP BY d.id ORDER BY moved DESC, d.mac, d.address",
        (site_id, name),
    ).fetchall()


def name_device(db: sqlite3.Connection, site_id: int, name: str, device_id: int) -> None:
    """The folder's name is this device's."""
    _clear(db, site_id, name)
    db.execute("UPDATE device SET name = ?, name_source = 'folder' WHERE id = ?", (name, device_id))


def whole_folder(db: sqlite3.Connection, site_id: int, name: str) -> None:
    """All of the folder's captures count as one device of its own."""
    key = f"folder:{name}"
    db.execute("INSERT INTO device (site_id, mac, address) VALUES (?, -1, ?) ON CONFLICT DO NOTHING", (site_id, key))
    db.execute(
        "UPDATE device SET name = ?, name_source = 'folder' WHERE site_id = ? AND address = ?", (name, site_id, key)
    )
    db.execute(
        "UPDATE capture SET device_id = (SELECT id FROM device WHERE site_id = ?1 AND address = ?3)"
        " WHERE site_id = ?1 AND folder_device = ?2",
        (site_id, name, key),
    )


def _clear(db: sqlite3.Connection, site_id: int, name: str) -> None:
    db.execute("UPDATE capture SET device_id = NULL WHERE site_id = ? AND folder_device = ?", (site_id, name))
    db.execute("DELETE FROM device WHERE site_id = ? AND mac = -1 AND address = ?", (site_id, f"folder:{name}"))
