"""What the pages of devices ask beyond the sums: whose bytes a device's were, whom it met before, what it asked.

Reading only. Rule: what was reached by a device is judged by (device, month), as everywhere; a month that a span only
touches counts by its days where these are there, else whole.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta

from daemon.decode.slots import SLOT_US
from daemon.store.station_devices import read_device_of_station
from daemon.store.whose_days import read_owned, read_shares
from daemon.store.window import Window

# By whole keys: (month, station) and (month, day, station) are what those of both tables begin with.
_MET = """
    SELECT DISTINCT o.organisation FROM (
        SELECT x.whose_id FROM json_each(:months) m CROSS JOIN whose_month x
            ON x.month = m.value AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)
        UNION
        SELECT x.whose_id FROM json_each(:days) d CROSS JOIN whose_day x
            ON x.month = :month AND x.day = d.value AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)
    ) x JOIN whose o ON o.id = x.whose_id WHERE o.organisation <> ''
"""
_MOST_ASKED = 100_000  # messages, questions and answers alike, that are counted: the newest
_SINCE = """
    SELECT seen_us FROM dns_message WHERE seen_us >= :since AND seen_us < :until ORDER BY seen_us DESC LIMIT 1 OFFSET :most
"""
_ASKED = """
    SELECT coalesce(k.device_id, c.device_id, 0), sum(m.many) FROM (
        SELECT min(client_id) AS client_id, min(capture_id) AS capture_id, count(*) AS many FROM dns_message
        WHERE seen_us >= :since AND seen_us < :until AND NOT response GROUP BY (client_id << 24) + capture_id
    ) m JOIN capture k ON k.id = m.capture_id AND k.site_id = :site JOIN endpoint c ON c.id = m.client_id GROUP BY 1
"""
# One seek a slot: what is grouped in a query of its own needs no sorting.
_OUTSIDE = """
    SELECT (
        SELECT sum(x.bytes_up + x.bytes_down) FROM slot_total x WHERE x.slot = s.value
            AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)
            AND x.way_id IN (SELECT id FROM way WHERE scope = 'internet')
    ) FROM json_each(:slots) s
"""
# In the order of the key, so that nothing is sorted; what a device was asked by another one is not of its own accord.
_HOURS = """
    SELECT t.device_id, x.slot, max(x.way_id IN (SELECT id FROM way WHERE site_id = :site AND scope = 'internet')),
        sum(x.bytes_up), sum(x.bytes_down)
    FROM station t CROSS JOIN hour_total x ON x.station_id = t.id AND x.slot >= :first AND x.slot < :last
    WHERE t.site_id = :site AND t.device_id IS NOT NULL AND (:device IS NULL OR t.device_id = :device)
    GROUP BY t.id, x.slot
"""
_DAYS = """
    SELECT station_id, min(day), 0, sum(bytes_up), sum(bytes_down) FROM scope_total WHERE day BETWEEN :first AND :last
    GROUP BY ((day - :first) / :step << 32) + station_id
"""
_DEVICES = "SELECT id, device_id FROM station WHERE site_id = :site AND (:device IS NULL OR device_id = :device)"
_OF_DEVICE = "AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)"

# `+`: by the ends that are devices', of which there are few.
_DESCRIBED = """
    SELECT d.id, d.vendor, d.kind, d.room, d.owner, e.first_us, e.last_us FROM device d LEFT JOIN (
        SELECT device_id, min(first_us) AS first_us, max(last_us) AS last_us FROM (
            SELECT device_id, first_us, last_us FROM endpoint WHERE station_id IS NOT NULL AND +site_id = ?1
            UNION ALL SELECT device_id, first_us, last_us FROM capture WHERE station_id IS NOT NULL AND site_id = ?1
        ) GROUP BY device_id
    ) e ON e.device_id = d.id WHERE d.site_id = ?1
"""


def read_parties(db: sqlite3.Connection, window: Window) -> dict[tuple[int, str], tuple[int, int]]:
    """(device, party) -> (bytes up, bytes down) of what went to the internet."""
    owned, stations = read_owned(db), read_device_of_station(db)
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for station, number, up, down in read_shares(db, window):
        if station in stations:
            key = stations[station], owned[number].party
            before = found.get(key, (0, 0))
            found[key] = before[0] + up, before[1] + down
    return found


def read_met(db: sqlite3.Connection, device_id: int, until_day: int, months: int) -> set[str]:
    """Companies that a device had to do with before a day (days since the epoch), in its month and so many before it."""
    local = date(1970, 1, 1) + timedelta(days=until_day)
    month = local.year * 12 + local.month - 1
    asked = {
        "device": device_id, "month": month, "months": json.dumps(list(range(month - months, month))),
        "days": json.dumps(list(range(until_day - local.day + 1, until_day))),
    }  # fmt: skip
    return {row[0] for row in db.execute(_MET, asked)}


def read_hours(db: sqlite3.Connection, window: Window) -> list[tuple[int, int, int, int, int]]:
    """(device, first slot of an hour, whether with the internet, bytes up, bytes down) of what devices did themselves."""
    first, last = window.since_us // SLOT_US, -(-window.until_us // SLOT_US)
    asked = {"site": window.site_id, "device": window.device_id, "first": first, "last": last}
    return db.execute(_HOURS, asked).fetchall()


def read_days(db: sqlite3.Connection, window: Window, step: int) -> list[tuple[int, int, int, int, int]]:
    """The same by some days each (a day of them, since the epoch), without a look at where it went."""
    first, last = window.days
    asked = {"site": window.site_id, "device": window.device_id, "first": max(first, 0), "last": last, "step": step}
    devices = {station: device for station, device in db.execute(_DEVICES, asked) if device is not None}
    return [(devices[row[0]], *row[1:]) for row in db.execute(_DAYS, asked) if row[0] in devices]


def count_asked(db: sqlite3.Connection, window: Window) -> tuple[dict[int, int], int]:
    """Device or 0 -> DNS questions, and since when they are counted: single ones are kept for weeks, and are many."""
    asked = {"site": window.site_id, "since": window.since_us, "until": window.until_us, "most": _MOST_ASKED}
    oldest = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()[0]
    row = db.execute(_SINCE, asked).fetchone()
    since = max(window.since_us, oldest or window.until_us) if row is None else row[0] + 1
    return dict(db.execute(_ASKED, {**asked, "since": since}).fetchall()), since


def read_outside(db: sqlite3.Connection, window: Window) -> tuple[range, list[int]]:
    """The slots of a window, and a device's bytes with the internet in each, as far back as these are kept."""
    slots = range(window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    asked = {"device": window.device_id, "slots": json.dumps(list(slots))}
    return slots, [octets or 0 for (octets,) in db.execute(_OUTSIDE, asked)]


def first_recorded(db: sqlite3.Connection, site_id: int) -> int | None:
    """When recording of a home began: what was there from the first hour on is not new."""
    row = db.execute("SELECT min(first_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
    return None if row[0] is None else int(row[0])


def read_described(
    db: sqlite3.Connection, site_id: int
) -> list[tuple[int, str | None, str | None, str | None, str | None, int | None, int | None]]:
    """(device, vendor, kind, room, owner, first seen, last seen) of every device of a home."""
    return db.execute(_DESCRIBED, (site_id,)).fetchall()
