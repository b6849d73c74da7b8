"""Stations with their evidence as identification reads them, and the devices that it writes. SQL only."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from daemon.classify.vocabulary import DeviceProfile
from daemon.identify.vocabulary import Device, Hint, Station

_OF_SITE = "station_id IN (SELECT id FROM station WHERE site_id = ?1)"  # by index: nearly all ends are of nobody here
_TIMES = f"""
    SELECT station_id, min(first_us), max(last_us) FROM (
        SELECT station_id, first_us, last_us FROM endpoint WHERE {_OF_SITE}
        UNION ALL
        SELECT station_id, first_us, last_us FROM capture WHERE site_id = ?1 AND station_id IS NOT NULL
    ) GROUP BY station_id
"""
_ADDRESSES = f"SELECT DISTINCT station_id, address FROM endpoint WHERE {_OF_SITE} AND scope < 2 ORDER BY address"
_HINTS = """
    SELECT s.id, h.source, h.key, h.value, h.first_us, h.last_us
    FROM hint h JOIN station s ON s.site_id = h.site_id AND s.mac = h.mac AND (h.mac >= 0 OR s.address = h.address)
    WHERE h.site_id = ? ORDER BY h.source, h.key, h.value
"""
_MET = """
    SELECT d.station_id, d.name_id, d.bytes FROM {0} destination_sum d {2}
    UNION ALL
    SELECT d.station_id, d.name_id, d.bytes_up + d.bytes_down FROM {1} destination_month d {2}
"""
_MET_BY_MANY = _MET.format("", "", "WHERE d.station_id IN (SELECT value FROM json_each(:stations))")
# By key: of all months of either table, which are few.
_OF_MONTH = "json_each(:stations) s CROSS JOIN json_each({}) t CROSS JOIN"
_MET_BY_FEW = _MET.format(
    _OF_MONTH.format(":days"), _OF_MONTH.format(":months"), "ON d.month = t.value AND d.station_id = s.value"
)
_NAMES = "SELECT id, text FROM name WHERE id IN (SELECT name_id FROM ({}))"
_SIZES = """
    SELECT station_id, name_id, sum(bytes) AS bytes FROM ({})
    WHERE name_id IN (SELECT value FROM json_each(:names)) GROUP BY 1, 2
"""
_FEW = 40  # stations


def read_stations(db: sqlite3.Connection, site_id: int) -> list[Station]:
    """All stations of the site, in the order of their keys, without `makers`."""
    times = {row[0]: row[1:] for row in db.execute(_TIMES, (site_id,))}
    addresses: dict[int, list[str]] = defaultdict(list)
    for number, address in db.execute(_ADDRESSES, (site_id,)):
        addresses[number].append(address)
    hints: dict[int, list[Hint]] = defaultdict(list)
    for number, *hint in db.execute(_HINTS, (site_id,)):
        hints[number].append(Hint(*hint))
    rows = db.execute(
        "SELECT id, mac, address, folder FROM station WHERE site_id = ? ORDER BY mac, address", (site_id,)
    )
    stations = []
    for number, mac, address, folder in rows:
        first_us, last_us = times.get(number, (None, None))
        stations.append(
            Station(
                station_id=number,
                mac=mac,
                address=address,
                first_us=first_us or 0,
                last_us=last_us or 0,
                addresses=tuple(addresses[number]),
                hints=tuple(hints[number]),
                folder=folder,
            )
        )
    return stations


def read_names_of(db: sqlite3.Connection, stations: Iterable[int]) -> dict[int, str]:
    """The names of the destinations of some stations, by number."""
    return dict(_read_met(db, _NAMES, stations))


def read_sizes(db: sqlite3.Connection, stations: Iterable[int], names: Iterable[int]) -> list[tuple[int, int, int]]:
    """(station, number of a name, bytes exchanged with it) of some stations and names."""
    return _read_met(db, _SIZES, stations, names)


def _read_met(db: sqlite3.Connection, query: str, stations: Iterable[int], names: Iterable[int] = ()) -> list[Any]:
    wanted = sorted(stations)
    asked = {"stations": json.dumps(wanted), "names": json.dumps(list(names))}
    if len(wanted) > _FEW:
        return db.execute(query.format(_MET_BY_MANY), asked).fetchall()
    for word, table in (("days", "destination_sum"), ("months", "destination_month")):
        asked[word] = json.dumps(list(_months(db, table)))
    return db.execute(query.format(_MET_BY_FEW), asked).fetchall()


def _months(db: sqlite3.Connection, table: str) -> Iterator[int]:
    """The months of a table whose key begins with them, each found by key behind the one before it."""
    next_month = f"SELECT min(month) FROM {table} WHERE month > ?"
    month = -1
    while (row := db.execute(next_month, (month,)).fetchone())[0] is not None:
        yield (month := row[0])


def read_makers(db: sqlite3.Connection, site_id: int) -> dict[int, str]:
    """Station -> what `write_makers` kept of it, unless it has exchanged something with a name since."""
    rows = db.execute("SELECT id, makers FROM station WHERE site_id = ? AND makers IS NOT NULL", (site_id,))
    return dict(rows.fetchall())


def write_makers(db: sqlite3.Connection, makers: Iterable[tuple[int, str]]) -> None:
    """(station, whose own domains it talks to, as text)."""
    db.executemany("UPDATE station SET makers = ?2 WHERE id = ?1", makers)


def write_devices(db: sqlite3.Connection, site_id: int, devices: Iterable[Device], macs: dict[int, int]) -> None:
    """The site's devices in place of the earlier ones; `macs` are the stations' (-1: none). What stays is not written."""
    rows, reasons = [], []
    for device in devices:
        number = device.stations[0]
        random = None if device.mac_random is None else int(device.mac_random)
        rows.append(
            (
                number, site_id, device.name, device.name_source, device.owner, device.room, macs[number], random,
                device.vendor, device.model, device.kind, device.system,
            )
        )  # fmt: skip
        reasons += [(number, place, *evidence) for place, evidence in enumerate(device.evidence)]
    ours = "device_id IN (SELECT id FROM device WHERE site_id = ?)"
    if set(reasons) != set(db.execute(f"SELECT * FROM device_evidence WHERE {ours}", (site_id,))):
        db.execute(f"DELETE FROM device_evidence WHERE {ours}", (site_id,))
        db.executemany("INSERT INTO device_evidence VALUES (?, ?, ?, ?, ?, ?)", reasons)
    if set(rows) != set(db.execute("SELECT * FROM device WHERE site_id = ?", (site_id,))):
        db.execute("DELETE FROM device WHERE site_id = ?", (site_id,))
        db.executemany("INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def read_profiles(db: sqlite3.Connection, site_id: int) -> dict[int, DeviceProfile]:
    """Device -> what judgements may depend on."""
    rows = db.execute("SELECT id, vendor, name, kind, system FROM device WHERE site_id = ?", (site_id,))
    return {
        number: DeviceProfile(vendor=vendor, name=name, kind=kind, system=system)
        for number, vendor, name, kind, system in rows
    }
