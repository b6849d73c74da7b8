"""Destinations of a stretch of days as one query says them, row by row: the oracle of what is added up in columns.

Rule: days as long as there are any, else whole months; the newest month's verdict speaks for a destination, and of its
sources of names the last by its text.
"""

from __future__ import annotations

import json
import sqlite3

from daemon.store.calendar import month_of
from daemon.store.reached import Reached, asked_of
from daemon.store.window import Window

_OF_DEVICE = " AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_SUMS = (
    "sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,"
    " sum(bytes_down) AS bytes_down, min(first_us) AS first_us, max(last_us) AS last_us"
)
_KEY = "station_id, name_id, remote_id, way_id"
_COLUMNS = f"{_KEY}, flows, packets_up, packets_down, bytes_up, bytes_down, first_us, last_us"
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
"""  # noqa: S608  of constants of this file


def rows_reached(db: sqlite3.Connection, window: Window) -> list[Reached]:
    """What `read_reached` must say."""
    (first, last), oldest = window.days, db.execute(_FIRST_DAY).fetchone()
    days = [(month_of(day), day) for day in range(max(first, oldest[0]), last + 1)] if oldest else []
    query = _REACHED.format(of="" if window.device_id is None else _OF_DEVICE)
    return [Reached._make(row) for row in db.execute(query, {**asked_of(window), "days": json.dumps(days)})]
