"""Named queries over destinations month by month. Reading only; a month is its number (`daemon.store.calendar`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

_ENCRYPTED_DNS = "'doh', 'dot', 'doq'"

# With two ends for the month, which is what the keys of all tables begin with. `{of}` is empty or `_OF_DEVICE`: asking of
# every row whether it matters takes as long as reading it.
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_PARTS = """
    SELECT month, station_id, name_id, remote_id, way_id, 0 AS verdict_id, flows, bytes
    FROM destination_sum WHERE month BETWEEN :since AND :until {of}
    UNION ALL
    SELECT month, station_id, name_id, remote_id, way_id, verdict_id, flows, bytes_up + bytes_down
    FROM destination_month WHERE month BETWEEN :since AND :until {of}
"""
_CONTACTS = f"""
    SELECT p.month, p.site_id, p.device_id, coalesce(v.registrable_domain, n.text, r.address) AS destination,
        v.organisation, v.party, v.country, v.country_confidence, sum(p.flows), sum(p.bytes)
    FROM (
        SELECT p.month, w.site_id, coalesce(t.device_id, 0) AS device_id, p.name_id, p.remote_id, p.verdict_id,
            sum(p.flows) AS flows, sum(p.bytes) AS bytes
        FROM ({_PARTS}) p JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
        WHERE :site IS NULL OR w.site_id = :site
        GROUP BY 1, 2, 3, 4, 5, 6
    ) p
    LEFT JOIN judgement j ON j.month = p.month AND j.device_id = p.device_id AND j.site_id = p.site_id
        AND j.name_id = p.name_id AND j.remote_id = p.remote_id AND p.verdict_id = 0
    LEFT JOIN verdict v ON v.id = iif(p.verdict_id, p.verdict_id, j.verdict_id)
    LEFT JOIN name n ON n.id = p.name_id
    LEFT JOIN remote r ON r.id = p.remote_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 1, 2, 3, sum(p.bytes) DESC, 4, 5, 6, 7, 8
"""
_NAMING = f"""
    WITH part AS MATERIALIZED (
        SELECT p.month, w.site_id, coalesce(t.device_id, 0) AS device, w.name_source, w.service, p.name_id, p.remote_id,
            p.flows, p.bytes
        FROM ({_PARTS}) p JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
        WHERE :site IS NULL OR w.site_id = :site
    ), hiding AS MATERIALIZED (
        SELECT DISTINCT month, site_id, device FROM part WHERE device AND service IN ({_ENCRYPTED_DNS})
    )
    SELECT p.month, p.site_id, p.device, p.name_source, h.device IS NOT NULL,
        count(DISTINCT iif(p.name_id, p.name_id, -p.remote_id)), sum(p.flows), sum(p.bytes)
    FROM part p LEFT JOIN hiding h ON h.month = p.month AND h.site_id = p.site_id AND h.device = p.device
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4
"""
_ADDRESSES = """
    SELECT named, count(*) FROM (
        SELECT max(met & 1) AS named FROM (
            SELECT DISTINCT (remote_id << 1) | (name_id <> 0) AS met FROM slot_total
            WHERE slot >= :begin AND slot < :end AND remote_id {of}
                AND way_id IN (SELECT id FROM way WHERE scope = 'internet' AND (:site IS NULL OR site_id = :site))
        ) GROUP BY met >> 1
    ) GROUP BY named
"""


_LAST_MET = """
    SELECT coalesce(t.device_id, 0), max(p.month) FROM (
        SELECT DISTINCT month, station_id, way_id FROM destination_day WHERE month < :before
        UNION ALL
        SELECT DISTINCT month, station_id, way_id FROM destination_month WHERE month < :before
    ) p JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
    WHERE (:site IS NULL OR w.site_id = :site) AND (:device IS NULL OR t.device_id = :device) GROUP BY 1
"""
# From one month to the next by the key: `DISTINCT` would read every row of years.
_EACH_MONTH = """
    {table}_at (month) AS (
        SELECT min(month) FROM {table}
        UNION ALL
        SELECT (SELECT min(d.month) FROM {table} d WHERE d.month > a.month) FROM {table}_at a WHERE a.month IS NOT NULL
    )
"""
_OF_SITE = """
    SELECT month FROM {table}_at a WHERE EXISTS (
        SELECT 1 FROM {table} d JOIN way w ON w.id = d.way_id
        WHERE d.month = a.month AND (:site IS NULL OR w.site_id = :site)
    )
"""
_TIERS = ("destination_day", "destination_month")
_ALL_MONTHS = (
    f"WITH RECURSIVE {', '.join(_EACH_MONTH.format(table=table) for table in _TIERS)}"
    f" {' UNION '.join(_OF_SITE.format(table=table) for table in _TIERS)} ORDER BY month"
)


def _query(text: str, device: int | None) -> str:
    """A query about one device, or about all."""
    return text.format(of="" if device is None else _OF_DEVICE)


class Contact(NamedTuple):
    """What one device had to do with one destination in one month."""

    month: int
    site_id: int
    device_id: int  # 0: no end of it is a device
    destination: str | None  # registrable domain, else name or address; None where only the organisation is kept
    organisation: str | None
    party: str | None
    country: str | None
    country_confidence: str | None
    flows: int
    bytes: int


class Naming(NamedTuple):
    """How the destinations of one device in one month got their names, or why they have none."""

    month: int
    site_id: int
    device_id: int
    name_source: str  # as in the tiers: the source, or `-` and a reason
    hides: bool  # the device asked an encrypted resolver in that month
    destinations: int
    flows: int
    bytes: int


class Known(NamedTuple):
    """A device as reports call it."""

    device_id: int
    site_id: int
    name: str | None
    vendor: str | None
    mac: int


def read_contacts(
    db: sqlite3.Connection, since: int, until: int, site: int | None = None, device: int | None = None
) -> list[Contact]:
    """Contacts of the months from `since` to `until`, in order, of one month and device those with most bytes first."""
    rows = db.execute(_query(_CONTACTS, device), {"since": since, "until": until, "site": site, "device": device})
    return [Contact(*row) for row in rows]


def read_earlier(
    db: sqlite3.Connection, before: int, site: int | None = None, device: int | None = None
) -> list[Contact]:
    """Contacts of each device in the last month before `before` in which it had any; few months, whatever the age."""
    asked = {"before": before, "site": site, "device": device}
    last: dict[int, int] = dict(db.execute(_LAST_MET, asked).fetchall())
    out: list[Contact] = []
    for month in sorted(set(last.values())):
        out += [
            contact for contact in read_contacts(db, month, month, site, device) if last[contact.device_id] == month
        ]
    return out


def read_naming(
    db: sqlite3.Connection, since: int, until: int, site: int | None = None, device: int | None = None
) -> list[Naming]:
    """How names came about in these months."""
    rows = db.execute(_query(_NAMING, device), {"since": since, "until": until, "site": site, "device": device})
    return [Naming(*row) for row in rows]


def count_addresses(
    db: sqlite3.Connection, begin: int, end: int, site: int | None = None, device: int | None = None
) -> tuple[int, int]:
    """(named, unnamed) addresses on the internet in a range of slots, as far back as traffic is kept by slot."""
    rows: Sequence[tuple[int, int]] = db.execute(
        _query(_ADDRESSES, device), {"begin": begin, "end": end, "site": site, "device": device}
    ).fetchall()
    counts = dict(rows)
    return counts.get(1, 0), counts.get(0, 0)


def known_devices(db: sqlite3.Connection) -> dict[int, Known]:
    """All devices by number."""
    rows = db.execute("SELECT id, site_id, name, vendor, mac FROM device")
    return {row[0]: Known(*row) for row in rows}


def last_months(db: sqlite3.Connection, site: int | None = None) -> list[int]:
    """Every month in which something went to the internet, in order."""
    return [row[0] for row in db.execute(_ALL_MONTHS, {"site": site})]


def sites(db: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    """Name -> (number, time zone)."""
    return {name: (number, zone) for number, name, zone in db.execute("SELECT id, name, zone FROM site")}
