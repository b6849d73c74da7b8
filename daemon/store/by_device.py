"""What the pages of devices ask beyond the sums: whose bytes a device's were, whom it met before, what it asked.

Reading only. Rule: what was reached by a device is judged by (device, month), as everywhere; a month that a span only
touches counts by its days where these are there, else whole.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta

from daemon.decode.later import np
from daemon.decode.slots import SLOT_US
from daemon.store.columns import read_columns, told
from daemon.store.station_devices import read_device_column
from daemon.store.whose_columns import BITS
from daemon.store.whose_days import read_owned, read_share_columns
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
_QUESTIONS = "dns_message WHERE seen_us >= :since AND seen_us < :until AND NOT response"
_CAPTURES = "SELECT id, device_id FROM capture WHERE site_id = ?"
_CLIENTS = "SELECT id, device_id FROM endpoint WHERE id IN (SELECT value FROM json_each(?))"
_BITS = 24  # of the number of a capture, in that of a client in it
# By a stretch of the key each, so that nothing is grouped.
_HOURS = """
    SELECT t.device_id, b.key, (
        SELECT sum(x.bytes_up + x.bytes_down) FROM hour_total x
        WHERE x.station_id = t.id AND x.slot >= b.value AND x.slot < min(b.value + :step, :last)
    ) AS moved
    FROM station t CROSS JOIN json_each(:begins) b
    WHERE t.site_id = :site AND t.device_id IS NOT NULL AND (:device IS NULL OR t.device_id = :device)
"""
_DAYS = """
    SELECT station_id, (min(day) - :first) / :step, sum(bytes_up + bytes_down) FROM scope_total
    WHERE day BETWEEN :first AND :last GROUP BY ((day - :first) / :step << 32) + station_id
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
    owned = read_owned(db)
    parties = sorted({each.party for each in owned.values()})
    party_of = {number: parties.index(each.party) for number, each in owned.items()}
    pairs, up, down = read_share_columns(db, window)
    device, party = read_device_column(db)[pairs >> BITS], told(pairs & ((1 << BITS) - 1), party_of, 0)
    keys, at = np.unique(device * len(parties) + party, return_inverse=True)
    sums = [np.bincount(at, column, len(keys)).astype(np.int64) for column in (up, down)]  # as `whose_columns.added`
    found = zip(*(column.tolist() for column in (*np.divmod(keys, len(parties)), *sums)), strict=True)
    return {(number, parties[place]): (sent, received) for number, place, sent, received in found if number}


def read_met(db: sqlite3.Connection, device_id: int, until_day: int, months: int) -> set[str]:
    """Companies that a device had to do with before a day (days since the epoch), in its month and so many before it."""
    local = date(1970, 1, 1) + timedelta(days=until_day)
    month = local.year * 12 + local.month - 1
    asked = {
        "device": device_id, "month": month, "months": json.dumps(list(range(month - months, month))),
        "days": json.dumps(list(range(until_day - local.day + 1, until_day))),
    }  # fmt: skip
    return {row[0] for row in db.execute(_MET, asked)}


def read_hours(db: sqlite3.Connection, window: Window, step: int) -> list[tuple[int, int, int]]:
    """(device, how many times `step` slots after the window's first, bytes); a device may have several of a time."""
    first, last = window.since_us // SLOT_US, -(-window.until_us // SLOT_US)
    begins = json.dumps(list(range(first, last, step)))
    asked = {"site": window.site_id, "device": window.device_id, "begins": begins, "step": step, "last": last}
    return [row for row in db.execute(_HOURS, asked) if row[-1] is not None]


def read_days(db: sqlite3.Connection, window: Window, step: int) -> list[tuple[int, int, int]]:
    """The same of `step` days each."""
    first, last = window.days
    asked = {"site": window.site_id, "device": window.device_id, "first": max(first, 0), "last": last, "step": step}
    devices = {station: device for station, device in db.execute(_DEVICES, asked) if device is not None}
    return [(devices[station], *row) for station, *row in db.execute(_DAYS, asked) if station in devices]


def count_asked(db: sqlite3.Connection, window: Window) -> tuple[dict[int, int], int]:
    """Device or 0 -> DNS questions, and since when they are counted: single ones are kept for weeks, and are many."""
    asked = {"since": window.since_us, "until": window.until_us, "most": _MOST_ASKED}
    oldest = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()[0]
    row = db.execute(_SINCE, asked).fetchone()
    since = max(window.since_us, oldest or window.until_us) if row is None else row[0] + 1
    (pairs,) = read_columns(db, (f"(client_id << {_BITS}) + capture_id",), _QUESTIONS, {**asked, "since": since})
    known, many = np.unique(pairs, return_counts=True)
    captures = dict(db.execute(_CAPTURES, (window.site_id,)).fetchall())
    clients = dict(db.execute(_CLIENTS, (json.dumps((known >> _BITS).tolist()),)).fetchall())
    found: dict[int, int] = {}
    for pair, number in zip(known.tolist(), many.tolist(), strict=True):
        client, capture = pair >> _BITS, pair & ((1 << _BITS) - 1)
        if capture in captures and client in clients:
            device = captures[capture] or clients[client] or 0
            found[device] = found.get(device, 0) + number
    return found, since


def first_recorded(db: sqlite3.Connection, site_id: int) -> int | None:
    """When recording of a home began: what was there from the first hour on is not new."""
    row = db.execute("SELECT min(first_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
    return None if row[0] is None else int(row[0])


def read_described(
    db: sqlite3.Connection, site_id: int
) -> list[tuple[int, str | None, str | None, str | None, str | None, int | None, int | None]]:
    """(device, vendor, kind, room, owner, first seen, last seen) of every device of a home."""
    return db.execute(_DESCRIBED, (site_id,)).fetchall()
