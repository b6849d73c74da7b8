"""Which ends are local, and whose they are: judged anew from all evidence, or only those that are new.

Rule: a few new ends are judged by what the house was judged by, and only as long as all evidence leaves that as it is.
      A new announcement, another router, another gateway, or an old end that would be judged otherwise: then everything
      is judged anew. So both ways come to the same.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from daemon.flow.local import GLOBAL, address_number
from daemon.identify.house import Announcement, DeviceKey, End, House, furnish, internet_place
from daemon.store import ends as store
from daemon.store import labels
from daemon.store.stations import Span, write_ends, write_stations

_SECOND = 1_000_000


def judge_ends(db: sqlite3.Connection, site_id: int, since_us: int | None = None) -> list[Span]:
    """Write which ends are local and whose; the times of ends about which that has changed.

    `since_us`: all that is new was seen since then; None where nobody knows.
    """
    announcements = [Announcement(*row) for row in labels.read_announcements(db, site_id)]
    routers = labels.read_routers(db, site_id)
    memory = store.read_house(db, site_id) if since_us is not None else None
    if memory is not None and since_us is not None and _still_holds(memory, announcements, routers, since_us):
        spans = _judge_new(db, site_id, memory, announcements, since_us)
        if spans is not None:
            store.write_house(db, site_id, _memory(announcements, routers, memory.gateways, store.last_end(db)))
            return spans
    house = furnish(map(End._make, labels.read_ends(db, site_id)), announcements, routers)
    store.write_house(db, site_id, _memory(announcements, routers, sorted(house.gateways), store.last_end(db)))
    return write_stations(db, site_id, house.local, [(end, *key) for end, key in house.devices.items()])


def _memory(
    announcements: Sequence[Announcement], routers: Sequence[tuple[int, str]], gateways: Sequence[int], last_end: int
) -> store.HouseMemory:
    return store.HouseMemory(json.dumps(sorted(announcements)), json.dumps(sorted(routers)), tuple(gateways), last_end)


def _still_holds(
    memory: store.HouseMemory, announcements: Sequence[Announcement], routers: Sequence[tuple[int, str]], since_us: int
) -> bool:
    """Whether announcements say nothing new about the time before `since_us`, and routers nothing new at all.

    One that was repeated before it ran out speaks for a longer time, of which nothing is judged yet.
    """
    if memory.routers != json.dumps(sorted(routers)):
        return False
    before = {(each[0], each[1], each[2]): Announcement(*each) for each in json.loads(memory.announcements)}
    if before.keys() != {each[:3] for each in announcements}:
        return False
    return all(_goes_on(before[each[:3]], each, since_us) for each in announcements)


def _goes_on(before: Announcement, after: Announcement, since_us: int) -> bool:
    if before == after:
        return True
    ends = [each.last_us + each.lifetime_s * _SECOND for each in (before, after)]
    return since_us <= ends[0] <= ends[1]


def _judge_new(
    db: sqlite3.Connection,
    site_id: int,
    memory: store.HouseMemory,
    announcements: Sequence[Announcement],
    since_us: int,
) -> list[Span] | None:
    """Judge the ends that were seen since; None where that changes what others were judged by."""
    seen = store.ends_since(db, site_id, since_us, memory.last_end)
    ends = [End(*row[:8]) for row in seen]
    routers = [(mac, address) for mac, address in json.loads(memory.routers)]
    known = [(mac, "") for mac in memory.gateways]
    house = furnish(ends, announcements, [*routers, *known])
    if house.gateways != set(memory.gateways) or _more_gateways(db, site_id, ends, house):
        return None
    changed: list[tuple[int, bool, DeviceKey | None]] = []
    for end, (*_, was_local, mac, address) in zip(ends, seen, strict=True):
        local, key = end.end_id in house.local, house.devices.get(end.end_id)
        before = None if mac is None or address is None else DeviceKey(mac, address)
        if (local, key) != (bool(was_local), before):
            if end.end_id <= memory.last_end:
                return None
            changed.append((end.end_id, local, key))
    return write_ends(db, site_id, changed)


def _more_gateways(db: sqlite3.Connection, site_id: int, ends: Sequence[End], house: House) -> bool:
    """Whether one of these ends is the second place of the internet behind a MAC."""
    places: dict[int, set[tuple[int, int]]] = {}
    for end in ends:
        strange = end.sent and end.scope == GLOBAL and end.end_id not in house.local
        if end.mac >= 0 and strange and end.mac not in house.gateways:
            places.setdefault(end.mac, set()).add(_place(end.version, end.address))
    mine = {end.end_id for end in ends}
    for mac, found in places.items():
        others = [each for each in store.strange_ends(db, site_id, mac) if each[0] not in mine]
        if len(found | {_place(version, address) for _, version, address in others}) > 1:
            return True
    return False


def _place(version: int, address: str) -> tuple[int, int]:
    return internet_place(version, address_number(address)[1])
