"""How much of each device is recorded: the owner's levels as the recorder wants them (MACs), and as naming does (times:
see daemon.store.nameless).

Rule 1: a level is said about a device and kept about its stations. What the recorder leaves out are the MACs of all
        stations of the device as they are joined now; the strictest word about any of them holds for all.
Rule 2: a MAC through which others talk to the internet is never left out: with it everybody would be.
Rule 3: what was promised for a time holds for that time, also when it was taken back afterwards.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from daemon.decode.levels import Levels, levels_of
from daemon.identify.vocabulary import OwnerWords
from daemon.store.ends import read_house
from daemon.store.nameless import FOREVER_US, Span
from daemon.store.owner import owning, read_words
from daemon.store.roster import Resident, station_key
from daemon.store.words import NO_NAMES, OFF, RECORD, level_of, mac_key, station_of

_STATIONS = """
    SELECT t.mac, t.address, coalesce(t.device_id, -t.id), max(e.last_us) FROM station t
    LEFT JOIN endpoint e ON e.station_id = t.id WHERE t.site_id = ? GROUP BY t.id
"""
_SAID = "SELECT key, about, value, said_us, undone_us FROM word WHERE site = ? ORDER BY id"


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


def nameless_times(db: sqlite3.Connection, site: str) -> dict[tuple[int, str], list[Span]]:
    """For each station the times in which it was not to be recorded by name, or at all, by what was said of it.

    A station is its MAC, or -1, and its address where it has no MAC.
    """
    spoken: dict[str, list[tuple[str | None, int, int]]] = defaultdict(list)
    now_us = 0
    with owning(db):
        for key, about, value, said_us, undone_us in db.execute(_SAID, (site,)):
            now_us = max(now_us, said_us)  # a clock that was wrong when somebody spoke must not reach into the past
            if about == RECORD:
                spoken[key].append((value, now_us, FOREVER_US if undone_us is None else max(now_us, undone_us)))
    times = {key: _times(words) for key, words in spoken.items()}
    return {station_of(key): spans for key, spans in times.items() if spans}


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
