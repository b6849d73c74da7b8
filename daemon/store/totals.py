"""Sums of traffic over a stretch of time, grouped as asked, from the coarsest tier that can tell.

Rule 1: a tier answers where it has all that is asked: quarters of an hour know remote ends and names but are kept for
        months only; hours know what kind of traffic it was and are kept for good, as days are.
Rule 2: up is sent by the device that a row is about. Of traffic between two devices the row is the asking one's, the
        other is its `peer`; `both_ends` gives the peer rows of its own, with up and down changed, so that the sums of
        one device are whole (and the sums of a house count such traffic twice).
Rule 3: what is grouped by is picked from a table: no text of a caller becomes SQL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from daemon.decode.slots import SLOT_US
from daemon.store.house_hours import summed_months
from daemon.store.house_sums import days_or_months
from daemon.store.window import Window

SLOTS, HOURS, DAYS, SCOPES = "slot_total", "hour_total", "day_total", "scope_total"  # scopes: days, all ways together
COUNTS = ("packets_up", "packets_down", "bytes_up", "bytes_down")

# What rows can be grouped by -> the expression, and the tiers that know it.
_KEYS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "device": ("coalesce(t.device_id, 0)", (SLOTS, HOURS, DAYS, SCOPES)),
        "peer": ("coalesce(p.device_id, 0)", (SLOTS, HOURS, DAYS, SCOPES)),
        "protocol": ("w.protocol", (SLOTS, HOURS, DAYS)),
        "ip_version": ("w.ip_version", (SLOTS, HOURS, DAYS)),
        "service": ("w.service", (SLOTS, HOURS, DAYS)),
        "encrypted": ("w.encrypted", (SLOTS, HOURS, DAYS)),
        "scope": ("w.scope", (SLOTS, HOURS, DAYS, SCOPES)),
        "remote": ("r.address", (SLOTS,)),
        "name": ("n.text", (SLOTS,)),
        "slot": ("x.slot", (SLOTS,)),
        "hour": ("x.slot", (HOURS,)),
        "day": ("x.day", (DAYS, SCOPES)),
    }
)
_TIME = MappingProxyType({SLOTS: "slot", HOURS: "slot", DAYS: "day", SCOPES: "day"})
_BETWEEN = "{time} >= :first AND {time} < :last"
_IN_MONTHS = "day IN (SELECT value FROM json_each(:days))"
_DAYS_AND_MONTHS = f"""(
    SELECT * FROM day_total WHERE {_IN_MONTHS}
    UNION ALL
    SELECT month, station_id, peer_id, way_id, 0, packets_up, packets_down, bytes_up, bytes_down FROM way_month
    WHERE month IN (SELECT value FROM json_each(:months))
)"""
# Hours of one station lie together: without its number every query would read the years of all.
_EVERY_STATION = " AND station_id IN (SELECT id FROM station UNION ALL SELECT 0)"
# Few stations talk to a device of the house, and days know which: of the others no hour needs to be read.
_TALKERS = (
    " AND station_id IN (SELECT station_id FROM scope_total WHERE day BETWEEN :first_day AND :last_day"
    " AND peer_id IN (SELECT id FROM station WHERE device_id = :device))"
)
# Added up by numbers before anything is joined: a year of days is a fifth as slow so.
_ROWS = (
    "SELECT {columns}, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,"
    " sum(bytes_down) AS bytes_down FROM {tier} WHERE {when}{seek} {whose} GROUP BY {numbers}"
)
_MIRRORED = (
    "SELECT {columns}, sum(packets_down), sum(packets_up), sum(bytes_down), sum(bytes_up) FROM {tier}"
    " WHERE {when}{seek} AND peer_id {whose} GROUP BY {numbers}"
)
# What is grouped by -> its number in a tier, and in the rows of the other end.
_NUMBERS = MappingProxyType(
    {
        "device": ("station_id", "peer_id AS station_id"),
        "peer": ("peer_id", "station_id AS peer_id"),
        "remote": ("remote_id", "remote_id"),
        "name": ("name_id", "name_id"),
        "slot": ("slot", "slot"),
        "hour": ("slot", "slot"),
        "day": ("day", "day"),
    }
)
_JOINS = MappingProxyType(
    {
        "device": "LEFT JOIN station t ON t.id = x.station_id",
        "peer": "LEFT JOIN station p ON p.id = x.peer_id",
        "remote": "LEFT JOIN remote r ON r.id = x.remote_id",
        "name": "LEFT JOIN name n ON n.id = x.name_id",
    }
)
_OF_SITE = "JOIN way w ON w.id = x.way_id AND w.site_id = :site"
_OF_DEVICE = "AND {} IN (SELECT id FROM station WHERE device_id = :device)"


def read_totals(
    db: sqlite3.Connection,
    window: Window,
    by: Sequence[str],
    *,
    scope: str | None = None,
    both_ends: bool = False,
    least: str = DAYS,
) -> list[tuple[Any, ...]]:
    """Rows (*by, packets_up, packets_down, bytes_up, bytes_down) of a window; by days, the window's days count whole.

    The tier is the coarsest that knows every word of `by` (see the table above), and none coarser than `least`. `scope`:
    internet, local or chatter alone. Raises KeyError for a word that is none, ValueError where no tier knows all of it.
    """
    tier, whose = _tier(by, least), window.device_id is not None
    keys = [_KEYS[word][0] for word in by]
    told = [word for word in by if word in _NUMBERS]
    # Stations of a device are of its site: where no word is about ways, theirs need not be looked at.
    ways = not whose or scope is not None or not told or len(told) < len(by)
    numbers, mirrored = ([*(("way_id",) if ways else ()), *(_NUMBERS[word][end] for word in told)] for end in (0, 1))
    by_day = tier in (DAYS, SCOPES)
    months = by_day and "day" not in by
    when = _IN_MONTHS if months or (by_day and whose) else _BETWEEN.format(time=_TIME[tier])
    filled = {
        "tier": _DAYS_AND_MONTHS if months and tier == DAYS else tier,
        "when": "true" if months and tier == DAYS else when,
        "seek": _EVERY_STATION if tier == HOURS and not whose else "",
        "numbers": ", ".join(str(number + 1) for number in range(len(numbers))),
    }
    rows = _ROWS.format(**filled, columns=", ".join(numbers), whose=_OF_DEVICE.format("station_id") if whose else "")
    if both_ends or whose:
        if whose and tier == HOURS:
            filled["seek"] = _TALKERS
        rows += " UNION ALL " + _MIRRORED.format(
            **filled, columns=", ".join(mirrored), whose=_OF_DEVICE.format("peer_id") if whose else ""
        )
    joins = " ".join([*((_OF_SITE,) if ways else ()), *(join for word, join in _JOINS.items() if word in by)])
    wanted = "WHERE w.scope = :scope" if scope is not None else ""
    grouped = ", ".join(str(number) for number in range(1, len(keys) + 1))
    query = (
        f"SELECT {', '.join([*keys, *(f'sum(x.{count})' for count in COUNTS)])} FROM ({rows}) x"
        f" {joins} {wanted}" + (f" GROUP BY {grouped} ORDER BY {grouped}" if keys else "")
    )
    days = window.days[0], window.days[1] + 1
    first, last = days if by_day else (window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    parts = days_or_months(window.days) if months else _days(db, first, last) if by_day and whose else []
    whole = summed_months(db, parts) if tier == DAYS else (parts, [])
    asked = {
        "site": window.site_id, "first": first, "last": last, "device": window.device_id, "scope": scope,
        "first_day": window.days[0], "last_day": window.days[1],
        "days": json.dumps(whole[0]), "months": json.dumps(whole[1]),
    }  # fmt: skip
    return [row for row in db.execute(query, asked) if row[-1] is not None]


def first_slot(db: sqlite3.Connection) -> int | None:
    """The first quarter of an hour, since the epoch, that is still known as such."""
    row = db.execute("SELECT min(slot) FROM slot_total").fetchone()
    return None if row[0] is None else int(row[0])


def _days(db: sqlite3.Connection, first: int, last: int) -> list[int]:
    """The days of a stretch that may have some: a device's rows are sought in each."""
    newest = db.execute("SELECT coalesce(max(day), -1) FROM scope_total").fetchone()[0]
    return list(range(max(first, 0), min(last, newest + 1)))


def _tier(by: Sequence[str], least: str) -> str:
    tiers = (SCOPES, DAYS, HOURS, SLOTS)
    for tier in tiers[0 if least == DAYS else tiers.index(least) :]:
        if all(tier in _KEYS[word][1] for word in by):
            return tier
    raise ValueError(f"no tier knows all of {', '.join(by)}")
