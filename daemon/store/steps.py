"""What a whole house moved, step by step, as one pass over a tier. Reading only.

Rule: the tier's key begins with its time, so rows come in order and nothing has to be sorted; hours of years are kept by
station, so they are for spans that quarters of an hour no longer cover.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store.totals import DAYS, HOURS, SLOTS
from daemon.store.window import Window

_STEPS = """
    SELECT {time}, sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down),
        sum(iif(way_id IN (SELECT id FROM way WHERE service = 'dns'), packets_up, 0))
    FROM {tier} WHERE {time} >= :first AND {time} < :last {seek} AND way_id IN (SELECT id FROM way WHERE site_id = :site)
    GROUP BY {time}
"""
_TIME = {SLOTS: "slot", HOURS: "slot", DAYS: "day"}
_SEEK = {SLOTS: "", HOURS: "AND station_id IN (SELECT id FROM station UNION ALL SELECT 0)", DAYS: ""}

_LINES = """
    SELECT coalesce(t.device_id, 0), x.at, sum(x.bytes) FROM (
        SELECT station_id, {time} AS at, sum(bytes_up + bytes_down) AS bytes FROM {tier}
        WHERE {time} >= :first AND {time} < :last
            AND station_id IN (SELECT id FROM station WHERE device_id IN (SELECT value FROM json_each(:devices)))
            AND way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')
        GROUP BY {order}
    ) x JOIN station t ON t.id = x.station_id GROUP BY 1, 2
"""
_ORDER = {HOURS: "station_id, slot", DAYS: "day, station_id"}  # as the keys have it, so that nothing has to be sorted


class Step(NamedTuple):
    """What moved in one step; `at` is the number of its quarter of an hour, or of its day, since the epoch."""

    at: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    dns_packets_up: int


def read_steps(db: sqlite3.Connection, window: Window, tier: str) -> list[Step]:
    """Steps in which something moved, in order. The window's device is not looked at."""
    query = _STEPS.format(time=_TIME[tier], tier=tier, seek=_SEEK[tier])
    days = window.days[0], window.days[1] + 1
    first, last = days if tier == DAYS else (window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    return [Step(*row) for row in db.execute(query, {"site": window.site_id, "first": first, "last": last})]


def read_lines(db: sqlite3.Connection, window: Window, tier: str, devices: Iterable[int]) -> dict[tuple[int, int], int]:
    """(device, number of the hour or day) -> bytes with the internet, both ways, of a few devices."""
    query = _LINES.format(time=_TIME[tier], tier=tier, order=_ORDER[tier])
    days = window.days[0], window.days[1] + 1
    first, last = days if tier == DAYS else (window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    asked = {"site": window.site_id, "first": first, "last": last, "devices": json.dumps(list(devices))}
    return {(device, at): octets for device, at, octets in db.execute(query, asked)}
