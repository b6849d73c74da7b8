"""What the pages of devices ask beyond the sums: whose bytes a device's were, whom it met first when, what it asked.

Reading only. Rule: what was reached by a device is judged by (device, month), as everywhere; a month that a span only
touches counts by its days where these are there, else whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from daemon.decode.groups import SLOT_US
from daemon.store.window import Window

_WHOSE = "(:device IS NULL OR station_id IN (SELECT id FROM station WHERE device_id = :device))"
_PARTS = f"""
    SELECT month, station_id, name_id, remote_id, way_id, 0 AS verdict_id, sum(bytes_up) AS up, sum(bytes_down) AS down
    FROM destination_day WHERE month BETWEEN :first_month AND :last_month AND day BETWEEN :first_day AND :last_day
        AND {_WHOSE} GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT month, station_id, name_id, remote_id, way_id, verdict_id, bytes_up, bytes_down
    FROM destination_month WHERE month BETWEEN :first_month AND :last_month AND {_WHOSE}
"""
_PARTIES = f"""
    SELECT d.device_id, coalesce(v.party, 'unknown'), sum(d.up), sum(d.down) FROM (
        SELECT p.month, w.site_id, coalesce(t.device_id, 0) AS device_id, p.name_id, p.remote_id, p.verdict_id,
            sum(p.up) AS up, sum(p.down) AS down
        FROM ({_PARTS}) p JOIN way w ON w.id = p.way_id AND w.site_id = :site
        LEFT JOIN station t ON t.id = p.station_id GROUP BY 1, 2, 3, 4, 5, 6
    ) d
    LEFT JOIN judgement j ON j.month = d.month AND j.device_id = d.device_id AND j.site_id = d.site_id
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id AND d.verdict_id = 0
    LEFT JOIN verdict v ON v.id = iif(d.verdict_id, d.verdict_id, j.verdict_id)
    GROUP BY 1, 2
"""
# All months there are, so that somebody who came back after a year is not new.
_MET = """
    SELECT v.organisation, min(d.first_us) FROM (
        SELECT month, name_id, remote_id, verdict_id, min(first_us) AS first_us
        FROM destination_part WHERE station_id IN (SELECT id FROM station WHERE device_id = ?1)
        GROUP BY month, name_id, remote_id, verdict_id
    ) d
    LEFT JOIN judgement j ON j.month = d.month AND j.device_id = ?1 AND j.site_id = ?2
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id AND d.verdict_id = 0
    JOIN verdict v ON v.id = iif(d.verdict_id, d.verdict_id, j.verdict_id)
    WHERE v.organisation IS NOT NULL GROUP BY 1
"""
_ASKED = """
    SELECT coalesce(k.device_id, c.device_id, 0), count(*) FROM dns_message m
    JOIN capture k ON k.id = m.capture_id AND k.site_id = :site JOIN endpoint c ON c.id = m.client_id
    WHERE m.seen_us >= :since AND m.seen_us < :until AND NOT m.response GROUP BY 1
"""
_WITHIN = """
    SELECT coalesce(t.device_id, 0), coalesce(n.text, r.address), w.protocol, w.service, w.encrypted, w.scope,
        sum(x.packets_up), sum(x.packets_down), sum(x.bytes_up), sum(x.bytes_down), max(x.slot)
    FROM json_each(:slots) s CROSS JOIN slot_total x ON x.slot = s.value {whose}
    JOIN way w ON w.id = x.way_id AND w.site_id = :site LEFT JOIN station t ON t.id = x.station_id
    LEFT JOIN name n ON n.id = x.name_id LEFT JOIN remote r ON r.id = x.remote_id
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_QUARTERS = """
    SELECT x.slot, w.scope = 'internet', sum(x.packets_up + x.packets_down), sum(x.bytes_up), sum(x.bytes_down)
    FROM json_each(:slots) s CROSS JOIN slot_total x ON x.slot = s.value
        AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)
    JOIN way w ON w.id = x.way_id GROUP BY 1, 2
"""
_OF_DEVICE = "AND x.station_id IN (SELECT id FROM station WHERE device_id = :device)"

_DESCRIBED = """
    SELECT d.id, d.vendor, d.kind, d.room, d.owner, e.first_us, e.last_us FROM device d LEFT JOIN (
        SELECT device_id, min(first_us) AS first_us, max(last_us) AS last_us FROM (
            SELECT device_id, first_us, last_us FROM endpoint WHERE station_id IS NOT NULL AND site_id = ?1
            UNION ALL SELECT device_id, first_us, last_us FROM capture WHERE station_id IS NOT NULL AND site_id = ?1
        ) GROUP BY device_id
    ) e ON e.device_id = d.id WHERE d.site_id = ?1
"""


class Within(NamedTuple):
    """What a device exchanged with one end in some slots; `place` None for frames without IP."""

    device_id: int
    place: str | None
    protocol: str
    service: str
    encrypted: str
    scope: str
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    last_slot: int


class Quarter(NamedTuple):
    """What a device moved in a quarter of an hour; `outside`: with the internet."""

    slot: int
    outside: int
    packets: int
    bytes_up: int
    bytes_down: int


def read_parties(db: sqlite3.Connection, window: Window) -> list[tuple[int, str, int, int]]:
    """(device or 0, party, bytes up, bytes down) of what went to the internet."""
    (first_day, last_day), (first_month, last_month) = window.days, window.months
    asked = {
        "site": window.site_id, "device": window.device_id, "first_day": first_day, "last_day": last_day,
        "first_month": first_month, "last_month": last_month,
    }  # fmt: skip
    return db.execute(_PARTIES, asked).fetchall()


def read_met(db: sqlite3.Connection, site_id: int, device_id: int) -> dict[str, int]:
    """Company -> when the device first had to do with it, as far back as anything is kept."""
    return dict(db.execute(_MET, (device_id, site_id)).fetchall())


def count_asked(db: sqlite3.Connection, window: Window) -> dict[int, int]:
    """Device or 0 -> DNS questions, as far back as single ones are kept."""
    asked = {"site": window.site_id, "since": window.since_us, "until": window.until_us}
    return dict(db.execute(_ASKED, asked).fetchall())


def read_within(db: sqlite3.Connection, window: Window, slots: Sequence[int]) -> list[Within]:
    """What went on in these slots, as far back as traffic is kept by slot."""
    whose = "" if window.device_id is None else _OF_DEVICE
    asked = {"site": window.site_id, "device": window.device_id, "slots": json.dumps(list(slots))}
    return [Within(*row) for row in db.execute(_WITHIN.format(whose=whose), asked)]


def read_quarters(db: sqlite3.Connection, window: Window) -> list[Quarter]:
    """The slots of a window in which a device did something of its own accord, as far back as they are kept."""
    slots = range(window.since_us // SLOT_US, -(-window.until_us // SLOT_US))
    asked = {"device": window.device_id, "slots": json.dumps(list(slots))}
    return [Quarter(*row) for row in db.execute(_QUARTERS, asked)]


def first_recorded(db: sqlite3.Connection, site_id: int) -> int | None:
    """When recording of a home began: what was there from the first hour on is not new."""
    row = db.execute("SELECT min(first_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
    return None if row[0] is None else int(row[0])


def read_described(
    db: sqlite3.Connection, site_id: int
) -> list[tuple[int, str | None, str | None, str | None, str | None, int | None, int | None]]:
    """(device, vendor, kind, room, owner, first seen, last seen) of every device of a home."""
    return db.execute(_DESCRIBED, (site_id,)).fetchall()


def oldest_question(db: sqlite3.Connection) -> int | None:
    """When the oldest DNS message was seen that is kept."""
    row = db.execute("SELECT min(seen_us) FROM dns_message").fetchone()
    return None if row[0] is None else int(row[0])
