"""What a whole house moved, step by step: quarters of an hour from their tier, hours and days from their sums.

Reading only.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store.house_hours import read_days, read_hours
from daemon.store.totals import DAYS, HOURS
from daemon.store.window import Window

_STEPS = """
    SELECT slot, sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down),
        coalesce(sum(packets_up) FILTER (WHERE way_id IN ({asking})), 0)
    FROM slot_total WHERE slot >= :first AND slot < :last {ours} GROUP BY slot
"""
_TIME = {HOURS: "slot", DAYS: "day"}

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
    if tier == DAYS:
        return list(map(Step._make, read_days(db, window.site_id, window.days)))
    slots = window.since_us // SLOT_US, -(-window.until_us // SLOT_US)
    if tier == HOURS:
        return list(map(Step._make, read_hours(db, window.site_id, window.days, slots)))
    rows = db.execute(_STEPS.format(**_ways(db, window.site_id)), {"first": slots[0], "last": slots[1]})
    return [Step(*row) for row in rows]


def _ways(db: sqlite3.Connection, site: int) -> dict[str, str]:
    """Ways as lists of numbers in the query: looked up in a table for each of 200,000 rows they take half of the time."""
    rows = db.execute("SELECT id, site_id, service FROM way").fetchall()
    others = ", ".join(str(int(number)) for number, where, _ in rows if where != site)
    return {
        "asking": ", ".join(str(int(number)) for number, where, service in rows if where == site and service == "dns"),
        "ours": f"AND way_id NOT IN ({others})" if others else "",
    }


def read_lines(db: sqlite3.Connection, window: Window, tier: str, devices: Iterable[int]) -> dict[tuple[int, int], int]:
    """(device, number of the hour or day) -> bytes with the internet, both ways, of a few devices."""
    query = _LINES.format(time=_TIME[tier], tier=tier, order=_ORDER[tier])
    days = window.days[0], window.days[1] + 1
    first, last = days if tier == DAYS else (window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    asked = {"site": window.site_id, "first": first, "last": last, "devices": json.dumps(list(devices))}
    return {(device, at): octets for device, at, octets in db.execute(query, asked)}
