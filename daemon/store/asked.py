"""Who asked which name server for which name. Named queries over DNS messages, reading only.

Rule 1: messages are kept for weeks and a home makes tens of thousands a day, so an answer reads the newest MOST of a span
        and says since when it counts.
Rule 2: questions to everybody in the house (mDNS, LLMNR) are no questions to a name server.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from daemon.flow.facts import RESOLVER
from daemon.store.window import Window

MOST = 50_000  # messages, questions and answers alike
ENCRYPTED = ("doh", "dot", "doq")  # services

_SINCE = """
    SELECT seen_us FROM dns_message WHERE seen_us >= :since AND seen_us < :until ORDER BY seen_us DESC LIMIT 1 OFFSET :most
"""
_OLDEST = "SELECT min(seen_us) FROM dns_message"
_OURS = "c.site_id = :site AND (:device IS NULL OR coalesce(k.device_id, c.device_id) = :device)"
# Three numbers make a key of one, which SQLite sorts in half the time.
_QUERIES = """
    SELECT min(client_id) AS client_id, min(resolver_id) AS resolver_id, min(name_id) AS name_id, transport,
        min(capture_id) AS capture_id, count(*) AS queries
    FROM dns_message WHERE seen_us >= :since AND seen_us < :until AND NOT response AND transport IN ('udp', 'tcp')
    GROUP BY (client_id << 40) + (capture_id << 28) + name_id, resolver_id, transport
"""
_ASKED = f"""
    SELECT coalesce(k.device_id, c.device_id, 0), r.address, r.local, r.device_id, m.transport, n.text, m.queries
    FROM ({_QUERIES}) m JOIN capture k ON k.id = m.capture_id JOIN endpoint c ON c.id = m.client_id
    JOIN endpoint r ON r.id = m.resolver_id JOIN name n ON n.id = m.name_id
    WHERE {_OURS}
"""
_ANNOUNCED = """
    SELECT value, group_concat(DISTINCT source) FROM hint
    WHERE site_id = ? AND key = ? AND source IN ('dhcp', 'dhcpv6', 'ra') GROUP BY value
"""
_ROUTERS = """
    SELECT address FROM router WHERE site_id = :site AND address <> ''
    UNION SELECT e.address FROM endpoint e JOIN router r ON r.site_id = e.site_id AND r.mac = e.mac
    WHERE e.site_id = :site AND e.mac >= 0 AND e.local
"""
_WHO_HIDES = """
    SELECT DISTINCT x.station_id FROM day_total x WHERE x.day BETWEEN :first_day AND :last_day
        AND x.way_id IN (SELECT id FROM way WHERE site_id = :site AND service IN ('doh', 'dot', 'doq'))
"""
_HIDDEN = """
    SELECT x.device, coalesce(n.text, r.address), x.service, x.flows, x.bytes, v.organisation
    FROM (
        SELECT coalesce(t.device_id, 0) AS device, p.name_id, p.remote_id, w.service, max(p.month) AS month,
            sum(p.flows) AS flows, sum(p.bytes_up + p.bytes_down) AS bytes
        FROM (
            SELECT month, station_id, name_id, remote_id, way_id, flows, bytes_up, bytes_down FROM destination_day
            WHERE month BETWEEN :first_month AND :last_month AND day BETWEEN :first_day AND :last_day
            UNION ALL
            SELECT month, station_id, name_id, remote_id, way_id, flows, bytes_up, bytes_down FROM destination_month
            WHERE month BETWEEN :first_month AND :last_month
        ) p JOIN way w ON w.id = p.way_id AND w.site_id = :site AND w.service IN ('doh', 'dot', 'doq')
        LEFT JOIN station t ON t.id = p.station_id
        WHERE (p.name_id OR p.remote_id) AND (:device IS NULL OR t.device_id = :device) GROUP BY 1, 2, 3, 4
    ) x LEFT JOIN name n ON n.id = x.name_id LEFT JOIN remote r ON r.id = x.remote_id
    LEFT JOIN judgement j ON j.month = x.month AND j.device_id = x.device AND j.site_id = :site
        AND j.name_id = x.name_id AND j.remote_id = x.remote_id
    LEFT JOIN verdict v ON v.id = j.verdict_id
    ORDER BY x.bytes DESC, 1, 2
"""


class Asked(NamedTuple):
    """Questions of one device about one name to one name server."""

    device_id: int  # 0: of nobody who lives here
    resolver: str  # address
    local: bool  # the name server stands in the house
    resolver_device_id: int | None  # the device that it is, if it is one
    transport: str  # udp, tcp
    name: str
    queries: int


class Hidden(NamedTuple):
    """Conversations of a device with a name server that nobody can read."""

    device_id: int
    resolver: str  # name, else address
    service: str  # doh, dot, doq
    flows: int
    bytes: int
    run_by: str | None  # company


def counted_since(db: sqlite3.Connection, window: Window) -> int | None:
    """From when on messages of the window are counted; None where it is counted from its beginning."""
    asked = {"since": window.since_us, "until": window.until_us, "most": MOST}
    row = db.execute(_SINCE, asked).fetchone()
    if row is not None:
        return int(row[0])
    oldest = db.execute(_OLDEST).fetchone()[0]
    return int(oldest) if oldest is not None and oldest > window.since_us else None


def read_asked(db: sqlite3.Connection, window: Window) -> list[Asked]:
    """Names asked for, in no order; of a device with several addresses the same question may be more than one row."""
    return [Asked(*row) for row in db.execute(_ASKED, _asked(db, window))]


def read_hidden(db: sqlite3.Connection, window: Window) -> list[Hidden]:
    """Name servers asked over TLS or QUIC in the days and months that the window touches, most bytes first."""
    (first_day, last_day), (first_month, last_month) = window.days, window.months
    asked = {
        "site": window.site_id, "device": window.device_id, "first_day": first_day, "last_day": last_day,
        "first_month": first_month, "last_month": last_month,
    }  # fmt: skip
    if db.execute(_WHO_HIDES, asked).fetchone() is None:
        return []  # as in most homes: years of destinations need not be read
    return [Hidden(*row) for row in db.execute(_HIDDEN, asked)]


def read_announced(db: sqlite3.Connection, site_id: int) -> dict[str, str]:
    """Address -> who announced it as a name server: `dhcp`, `dhcpv6`, `ra`, with commas."""
    return dict(db.execute(_ANNOUNCED, (site_id, RESOLVER)))


def read_routers(db: sqlite3.Connection, site_id: int) -> frozenset[str]:
    """Addresses of the house's routers."""
    return frozenset(row[0] for row in db.execute(_ROUTERS, {"site": site_id}))


def _asked(db: sqlite3.Connection, window: Window) -> dict[str, int | None]:
    since = counted_since(db, window)
    return {
        "site": window.site_id, "device": window.device_id, "until": window.until_us,
        "since": window.since_us if since is None else max(since, window.since_us),
    }  # fmt: skip
