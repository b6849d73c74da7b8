"""How much of each device is recorded: the owner's levels as the recorder wants them (MACs), and as naming does (times).

Rule 1: a level is said about a device and kept about its stations. What the recorder leaves out are the MACs of all
        stations of the device as they are joined now; the strictest word about any of them holds for all.
Rule 2: a MAC through which others talk to the internet is never left out: with it everybody would be.
Rule 3: what was promised for a time holds for that time, also when it was taken back afterwards.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from daemon.decode.levels import Levels, levels_of
from daemon.identify.vocabulary import OwnerWords
from daemon.store.ends import read_house
from daemon.store.owner import owning, read_words
from daemon.store.roster import Resident, station_key
from daemon.store.words import NO_NAMES, OFF, RECORD, level_of, mac_key, station_of

FOREVER_US = 1 << 62

_STATIONS = """
    SELECT t.mac, t.address, coalesce(t.device_id, -t.id), max(e.last_us) FROM station t
    LEFT JOIN endpoint e ON e.station_id = t.id WHERE t.site_id = ? GROUP BY t.id
"""
_SAID = "SELECT key, about, value, said_us, undone_us FROM word WHERE site = ? ORDER BY id"

Span = tuple[int, int]  # from, until; us


class Kept(NamedTuple):
    """A device for which a level was said and cannot hold, by the key of one of its stations, and why."""

    key: str
    why: str


class Wanted(NamedTuple):
    """What the recorder is to do, and for whom it cannot."""

    levels: Levels
    impossible: tuple[Kept, ...] = ()


class _Station(NamedTuple):
    key: str
    last_us: int


def wanted_levels(db: sqlite3.Connection, site: str, words: OwnerWords) -> Wanted:
    """The MACs that are not to be recorded in full, those seen last first. A station nobody has seen counts by its key."""
    if not words.levels:
        return Wanted(Levels())
    row = db.execute("SELECT id FROM site WHERE name = ?", (site,)).fetchone()
    site_id = 0 if row is None else int(row[0])
    house = read_house(db, site_id)
    gateways = frozenset() if house is None else frozenset(house.gateways)
    macs: dict[str, list[tuple[int, bytes]]] = {NO_NAMES: [], OFF: []}
    impossible: list[Kept] = []
    for stations in _devices(db, site_id, words.levels):
        level = level_of(words, (each.key for each in stations))
        for each in stations:
            why = unrecordable(each.key, gateways)
            if why is None and level is not None:
                macs[level.level].append((-each.last_us, bytes.fromhex(each.key.replace(":", ""))))
            elif why is not None:
                impossible.append(Kept(each.key, why))
    off, no_names = ([mac for _, mac in sorted(macs[level])] for level in (OFF, NO_NAMES))
    return Wanted(levels_of(off, no_names), tuple(sorted(impossible)))


def unrecordable(key: str, gateways: Iterable[int]) -> str | None:
    """Why a station cannot be left out of a recording; None where it can."""
    if mac_key(key) is None:
        return "it has no MAC here, by which the recorder could tell its packets"
    if station_of(key)[0] in gateways:
        return "others reach the internet through it, and would be left out as well"
    return None


def with_level(resident: Resident, words: OwnerWords) -> Resident:
    """A device with how it is recorded, as the words say now."""
    said = level_of(words, resident.keys)
    return resident if said is None else resident._replace(level=said.level, level_since_us=said.since_us)


def wished(db: sqlite3.Connection) -> int:
    """How many stations of all sites are not to be recorded in full, by the owner's file. Raises StoreError."""
    with owning(db):
        sites = [row[0] for row in db.execute("SELECT DISTINCT site FROM word WHERE about = ?", (RECORD,))]
    return sum(len(read_words(db, site).levels) for site in sites)


def gateways_of(db: sqlite3.Connection, site: str) -> frozenset[int]:
    """The MACs through which a site reaches the internet."""
    row = db.execute("SELECT id FROM site WHERE name = ?", (site,)).fetchone()
    house = None if row is None else read_house(db, int(row[0]))
    return frozenset() if house is None else frozenset(house.gateways)


def _devices(db: sqlite3.Connection, site_id: int, said: Iterable[str]) -> list[list[_Station]]:
    """The stations of every device about which something was said; stations that are not there stand alone."""
    groups: dict[int, list[_Station]] = defaultdict(list)
    device: dict[str, int] = {}
    for mac, address, number, last_us in db.execute(_STATIONS, (site_id,)):
        key = station_key(mac, address)
        groups[number].append(_Station(key, last_us or 0))
        device[key] = number
    wanted = sorted({device[key] for key in said if key in device})
    return [groups[number] for number in wanted] + [[_Station(key, 0)] for key in sorted(said) if key not in device]


def nameless_times(db: sqlite3.Connection, site: str) -> dict[str, list[Span]]:
    """For each station the times in which it was not to be recorded by name, or at all, by what was said of it."""
    spoken: dict[str, list[tuple[str | None, int, int]]] = defaultdict(list)
    now_us = 0
    with owning(db):
        for key, about, value, said_us, undone_us in db.execute(_SAID, (site,)):
            now_us = max(now_us, said_us)  # a clock that was wrong when somebody spoke must not reach into the past
            if about == RECORD:
                spoken[key].append((value, now_us, FOREVER_US if undone_us is None else max(now_us, undone_us)))
    times = {key: _times(words) for key, words in spoken.items()}
    return {key: spans for key, spans in times.items() if spans}


def _times(words: Sequence[tuple[str | None, int, int]]) -> list[Span]:
    """When one of the two levels held, of words (value, from, until) of which the last one counts."""
    borders = sorted({time_us for _, from_us, until_us in words for time_us in (from_us, until_us)} | {FOREVER_US})
    spans: list[Span] = []
    for from_us, until_us in pairwise(borders):
        holds = [value for value, said_us, undone_us in words if said_us <= from_us < undone_us]
        if holds and holds[-1] in (NO_NAMES, OFF):
            if spans and spans[-1][1] == from_us:
                spans[-1] = (spans[-1][0], until_us)
            else:
                spans.append((from_us, until_us))
    return spans


class Nameless:
    """Which devices of a site had no names when. Devices by number, as grouped when this was made."""

    def __init__(self, db: sqlite3.Connection, site_id: int, times: Mapping[str, Sequence[Span]]) -> None:
        self._times: dict[int, list[Span]] = {}
        for key, spans in times.items():
            row = db.execute(
                "SELECT device_id FROM station WHERE site_id = ? AND mac = ? AND address = ?",
                (site_id, *station_of(key)),
            ).fetchone()
            if row is not None and row[0] is not None:
                self._times[row[0]] = _united([*self._times.get(row[0], ()), *spans])

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._times)

    def at(self, device: int, time_us: int) -> bool:
        """Whether a device had no names at a time."""
        spans = self._times.get(device)
        if spans is None:
            return False
        row = bisect_right(spans, (time_us, FOREVER_US)) - 1
        return row >= 0 and time_us < spans[row][1]

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """(device, from, until), us."""
        return [(device, *span) for device, spans in sorted(self._times.items()) for span in spans]


def nameless_flows(db: sqlite3.Connection, nameless: Nameless, flows: Iterable[int]) -> set[int]:
    """Those of these flows that began when one of their ends had no names."""
    if not nameless:
        return set()
    rows = db.execute(
        "SELECT f.id, f.first_us, coalesce(k.device_id, c.device_id, 0), coalesce(k.device_id, s.device_id, 0)"
        " FROM json_each(?) t CROSS JOIN flow f ON f.id = t.value CROSS JOIN capture k ON k.id = f.id >> 40"
        " CROSS JOIN endpoint c ON c.id = f.client_id CROSS JOIN endpoint s ON s.id = f.server_id",
        (json.dumps(sorted(flows)),),
    )
    return {flow for flow, first_us, *ends in rows if any(nameless.at(device, first_us) for device in ends)}


def take_names(db: sqlite3.Connection, site_id: int, nameless: Nameless) -> list[Span]:
    """Names that others lent to flows that were to have none go; the times of these flows."""
    taken: list[Span] = []
    for device, from_us, until_us in nameless.spans:
        taken += db.execute(
            "UPDATE flow SET label_id = NULL, label_source = NULL WHERE id IN (SELECT f.id FROM capture k"
            " JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
            " JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id"
            " WHERE k.site_id = ?1 AND k.last_us >= ?3 AND k.first_us < ?4 AND f.first_us >= ?3 AND f.first_us < ?4"
            " AND f.name_id IS NULL AND f.label_id IS NOT NULL AND ?2 IN (k.device_id, c.device_id, s.device_id)"
            " AND f.id NOT IN (SELECT flow_id FROM kept_label)) RETURNING first_us, last_us",
            (site_id, device, from_us, until_us),
        ).fetchall()
    return taken


def _united(spans: Iterable[Span]) -> list[Span]:
    out: list[Span] = []
    for span in sorted(spans):
        if out and span[0] <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], span[1]))
        else:
            out.append(span)
    return out
