"""Which destinations were reached in a stretch of days: by whom, how much, and whose they are.

Rule 1: single days are there as long as flows are; what is older is known by month, and a month that the span only
        touches counts whole.
Rule 2: a destination is a name, or an address where no name is known; where a person's device keeps no single names,
        it is the organisation alone.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from daemon.store.calendar import month_of
from daemon.store.window import Window

_OF_DEVICE = " AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_SUMS = (
    "sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,"
    " sum(bytes_down) AS bytes_down, min(first_us) AS first_us, max(last_us) AS last_us"
)
_KEY = "station_id, name_id, remote_id, way_id"
_COLUMNS = f"{_KEY}, flows, packets_up, packets_down, bytes_up, bytes_down, first_us, last_us"
# Of the house a stretch of the key is read; of one device its own rows, wherever they are in it.
_STRETCH = {
    "days": "month BETWEEN :first_month AND :last_month AND day BETWEEN :first_day AND :last_day",
    "months": "month BETWEEN :first_month AND :last_month",
}
_OWN = {
    "days": "month IN (SELECT value FROM json_each(:months)) AND day IN (SELECT value FROM json_each(:days))"
    + _OF_DEVICE,
    "months": "month IN (SELECT value FROM json_each(:months))" + _OF_DEVICE,
}
_FIRST_DAY = "SELECT day FROM destination_day ORDER BY month, day LIMIT 1"
# The newest month's verdict speaks for a span, so that a destination is one row; of its sources of names the last by its
# text. Everything is added up once, by numbers: months have five digits, so that `newest` sorts as they do.
# CROSS JOIN: each row looks for its way; SQLite would rather index thousands of rows anew for the few ways there are.
_REACHED = f"""
    SELECT d.device_id, n.text, r.address, v.registrable_domain, v.infrastructure, v.party, v.organisation, v.purpose,
        v.country, v.country_confidence, v.asn, v.rule_id, v.reason, substr(d.newest, 6), d.flows, d.packets_up,
        d.packets_down, d.bytes_up, d.bytes_down, d.first_us, d.last_us
    FROM (
        SELECT coalesce(t.device_id, 0) AS device_id, p.name_id, p.remote_id,
            iif(p.name_id OR p.remote_id, 0, p.verdict_id) AS verdict_id, max(p.month || w.name_source) AS newest, {_SUMS}
        FROM (
            SELECT x.month, 0 AS verdict_id, {_KEY}, {_SUMS} FROM json_each(:days) d
            CROSS JOIN destination_day x ON x.month = d.value ->> 0 AND x.day = d.value ->> 1 {{of}}
            GROUP BY x.month, x.name_id, x.remote_id, x.station_id, x.way_id
            UNION ALL
            SELECT x.month, verdict_id, {_COLUMNS} FROM json_each(:months) m
            CROSS JOIN destination_month x ON x.month = m.value {{of}}
        ) p CROSS JOIN way w ON w.id = p.way_id AND w.site_id = :site LEFT JOIN station t ON t.id = p.station_id
        GROUP BY 1, 2, 3, 4
    ) d
    LEFT JOIN judgement j ON j.month = substr(d.newest, 1, 5) + 0 AND j.device_id = d.device_id AND j.site_id = :site
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id AND d.verdict_id = 0
    LEFT JOIN verdict v ON v.id = iif(d.verdict_id, d.verdict_id, j.verdict_id)
    LEFT JOIN name n ON n.id = d.name_id LEFT JOIN remote r ON r.id = d.remote_id
    ORDER BY d.bytes_up + d.bytes_down DESC, 1, 2, 3
"""


class Reached(NamedTuple):
    """One destination of one device in a span. Bytes as the device sees them; times in microseconds, UTC."""

    device_id: int  # 0: no end of it is a device
    domain: str | None
    address: str | None  # where unnamed
    registrable_domain: str | None
    infrastructure: str | None
    party: str | None
    organisation: str | None
    purpose: str | None
    country: str | None  # ISO 3166-1 alpha-2
    country_confidence: str | None
    asn: int | None
    rule_id: str | None
    reason: str | None
    name_source: str  # how it got its name; `-`, `-ech`, `-before`: why it has none
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    @property
    def place(self) -> str:
        """What people call the destination."""
        return self.domain or self.address or self.organisation or "name not kept"


def read_reached(db: sqlite3.Connection, window: Window) -> list[Reached]:
    """All destinations of the days and months that a window touches, those with most bytes first."""
    (first, last), oldest = window.days, db.execute(_FIRST_DAY).fetchone()
    days = [(month_of(day), day) for day in range(max(first, oldest[0]), last + 1)] if oldest else []
    query = _REACHED.format(of="" if window.device_id is None else _OF_DEVICE)
    return [Reached._make(row) for row in db.execute(query, {**asked_of(window), "days": json.dumps(days)})]


def keys_of(window: Window) -> dict[str, str]:
    """How a window is said of the keys of `destination_day` (`days`) and `destination_month` (`months`)."""
    return _STRETCH if window.device_id is None else _OWN


def asked_of(window: Window) -> dict[str, object]:
    """What these and `device`, `site` stand for."""
    (first_day, last_day), (first_month, last_month) = window.days, window.months
    return {
        "site": window.site_id, "device": window.device_id, "first_day": first_day, "last_day": last_day,
        "first_month": first_month, "last_month": last_month,
        "days": json.dumps(list(range(first_day, last_day + 1))),
        "months": json.dumps(list(range(first_month, last_month + 1))),
    }  # fmt: skip
