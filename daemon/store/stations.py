"""Endpoints and stations: which ends are local, and whom they belong to, as judged; SQL only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_OF_MACS = "IN (SELECT value FROM json_each(?2))"
_FRAMES = (
    "SELECT min(f.slot_us), max(f.slot_us) FROM capture k JOIN frame_slot f ON f.capture_id = k.id"
    f" WHERE k.site_id = ?1 AND (f.src_mac {_OF_MACS} OR f.dst_mac {_OF_MACS})"
)
# Without a station there is no device, either.
_WRITE = "UPDATE endpoint SET local = ?1, station_id = ?2, device_id = iif(?2 IS NULL, NULL, device_id) WHERE id = ?3"

# Those that were local or somebody's, or are now: of a house few are, and without an index all are quicker to look at.
_JUDGED = """
    SELECT id, local, station_id, first_us, last_us FROM endpoint
    WHERE +site_id = ? AND (local OR station_id IS NOT NULL OR id IN (SELECT value FROM json_each(?)))
"""

Span = tuple[int, int]  # times (first_us, last_us) about which a judgement has changed


def write_stations(
    db: sqlite3.Connection, site_id: int, local: Iterable[int], owners: Iterable[tuple[int, int, str]]
) -> list[Span]:
    """Which endpoints are local, and the station of each: (endpoint, MAC or -1, address where there is no MAC).

    A station that nothing is left of goes, unless a tier remembers it. The answer are the times of endpoints about
    which the judgement has changed.
    """
    owners = list(owners)
    wanted = sorted({(mac, address) for _, mac, address in owners})
    spans = _add_stations(db, site_id, wanted)
    numbers = {
        (mac, address): number
        for number, mac, address in db.execute("SELECT id, mac, address FROM station WHERE site_id = ?", (site_id,))
    }
    kept = set(wanted)
    gone = [(number,) for key, number in numbers.items() if key not in kept and not key[1].startswith("folder:")]
    db.executemany(
        "DELETE FROM station WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM day_total t WHERE t.frozen AND (t.station_id = ?1 OR t.peer_id = ?1))",
        gone,
    )
    owned = {end: numbers[mac, address] for end, mac, address in owners}
    home = set(local)
    changes = []
    for end, was_local, was_owner, first_us, last_us in db.execute(_JUDGED, (site_id, json.dumps([*home, *owned]))):
        if was_local != int(end in home) or was_owner != owned.get(end):
            changes.append((int(end in home), owned.get(end), end))
            if first_us is not None:
                spans.append((first_us, last_us))
    db.executemany(_WRITE, changes)
    return spans


def write_ends(
    db: sqlite3.Connection, site_id: int, judged: Sequence[tuple[int, bool, tuple[int, str] | None]]
) -> list[Span]:
    """(end, local, station by MAC or -1 and address): of some ends, which have no station yet. The times of these."""
    spans = _add_stations(db, site_id, [key for _, _, key in judged if key is not None])
    for end, local, key in judged:
        station = None
        if key is not None:
            (station,) = db.execute(
                "SELECT id FROM station WHERE site_id = ? AND mac = ? AND address = ?", (site_id, *key)
            ).fetchone()
        db.execute(_WRITE, (int(local), station, end))
        first_us, last_us = db.execute("SELECT first_us, last_us FROM endpoint WHERE id = ?", (end,)).fetchone()
        if first_us is not None:
            spans.append((first_us, last_us))
    return spans


def _add_stations(db: sqlite3.Connection, site_id: int, keys: Sequence[tuple[int, str]]) -> list[Span]:
    """Number stations that are new; the times of frames that count for these, which may be older than all of their ends."""
    known = set(db.execute("SELECT mac, address FROM station WHERE site_id = ?", (site_id,)).fetchall())
    new = [key for key in dict.fromkeys(keys) if key not in known]
    db.executemany("INSERT INTO station (site_id, mac, address) VALUES (?, ?, ?)", [(site_id, *key) for key in new])
    macs = json.dumps([mac for mac, _ in new if mac >= 0])
    if macs == "[]":
        return []
    first_us, last_us = db.execute(_FRAMES, (site_id, macs)).fetchone()
    return [] if first_us is None else [(first_us, last_us)]


class Regrouped(NamedTuple):
    """What follows from stations that belong to another device than before."""

    spans: list[Span]  # times of endpoints and captures that change hands
    devices: set[int]  # that lost or won a station; 0: stations that belonged to none


def write_devices_of_stations(db: sqlite3.Connection, site_id: int, groups: Iterable[tuple[int, int]]) -> Regrouped:
    """(station, device): whose each station is."""
    before = dict(db.execute("SELECT id, device_id FROM station WHERE site_id = ?", (site_id,)))
    changed_hands = [(device, station) for station, device in groups if before.get(station) != device]
    db.executemany("UPDATE station SET device_id = ? WHERE id = ?", changed_hands)
    devices = {one or 0 for device, station in changed_hands for one in (device, before.get(station))}
    spans: list[Span] = []
    for table in ("endpoint", "capture"):
        told = f"(SELECT s.device_id FROM station s WHERE s.id = {table}.station_id)"  # NULL where it has no station
        # An end without a station has no device (`_WRITE`); a capture may have lost the one that it counted as.
        some = "AND endpoint.station_id IS NOT NULL" if table == "endpoint" else ""
        changed = f"{table}.site_id = ? {some} AND {table}.device_id IS NOT {told}"
        spans += db.execute(
            f"SELECT first_us, last_us FROM {table} WHERE {changed} AND first_us IS NOT NULL", (site_id,)
        )
        db.execute(f"UPDATE {table} SET device_id = {told} WHERE {changed}", (site_id,))
    return Regrouped(spans, devices)
