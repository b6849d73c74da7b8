"""What the hunt for odd connections reads: streams of like connections, their moments, and what was known before.

Rule 1: a stream is all connections of one device to one destination and port by one protocol; crowds of short flows that
        are one row count as the connections they were.
Rule 2: the first query reads every flow of its time once and gives sums; single times are read for chosen ends only.
Rule 3: which verdict holds of what is read at once, and so are the verdicts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store.covers import SHOWN_NAME

_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
_FLOWS = f"""
    FROM capture k JOIN flow f ON f.id {_IDS}
    WHERE k.site_id = :site AND k.first_us < :until AND k.last_us >= :since AND f.first_us >= :since AND f.first_us < :until
"""
_COUNT = f"SELECT count(*) FROM (SELECT 1 {_FLOWS} LIMIT :most)"
# Refused: reset before anything could be said; unanswered: no packet came back.
_STREAMS = f"""
    SELECT coalesce(k.device_id, c.device_id), x.client_id, x.server_id, x.kind_id, n.id, n.text, s.address,
        w.protocol, w.ip_version, coalesce(w.service, ''), w.encrypted, x.port, x.rows, x.connections, x.begun, x.unanswered,
        x.refused, x.packets_up, x.packets_down, x.bytes_up, x.bytes_down, x.first_us, x.last_us
    FROM (
        SELECT k.id AS capture_id, client_id, server_id, server_port AS port, kind_id,
            {SHOWN_NAME} AS name_id,
            count(*) AS rows, sum(f.count) AS connections, sum(iif(f.begun, f.count, 0)) AS begun,
            sum(iif(f.begun AND packets_down = 0, f.count, 0)) AS unanswered,
            sum(iif(f.begun AND packets_down > 0 AND f.end = 'rst' AND packets_up <= 2 * f.count
                AND packets_down <= 2 * f.count, f.count, 0)) AS refused,
            sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,
            sum(bytes_down) AS bytes_down, min(f.first_us) AS first_us, max(f.last_us) AS last_us
        {_FLOWS} AND NOT f.turned GROUP BY client_id, server_id, server_port, kind_id, 6
    ) x JOIN capture k ON k.id = x.capture_id
    JOIN endpoint c ON c.id = x.client_id JOIN endpoint s ON s.id = x.server_id
    JOIN flow_kind w ON w.id = x.kind_id LEFT JOIN name n ON n.id = x.name_id
    WHERE NOT w.chatter AND NOT s.local AND s.scope = 0 AND (c.local OR k.device_id IS NOT NULL)
        AND coalesce(k.device_id, c.device_id) IS NOT NULL
"""
_MOMENTS = f"""
    SELECT f.client_id, f.server_id, f.server_port, f.kind_id, {SHOWN_NAME}, f.first_us, f.last_us,
        f.count, f.packets_up + f.packets_down, f.bytes_up, f.bytes_down, f.packets_down
    {_FLOWS} AND NOT f.turned AND f.server_id IN ({{servers}})
        AND f.client_id IN ({{clients}})
    ORDER BY f.first_us
"""
_SLICES = f"""
    SELECT f.client_id, f.server_id, f.server_port, f.kind_id, {SHOWN_NAME}, p.slot_us,
        sum(p.packets_up + p.packets_down), sum(p.bytes_up + p.bytes_down)
    FROM capture k JOIN flow_slice p ON p.flow_id {_IDS} JOIN flow f ON f.id = p.flow_id
    WHERE k.site_id = :site AND k.first_us < :until AND k.last_us >= :since AND p.slot_us >= :since - {SLOT_US}
        AND p.slot_us < :until AND f.server_id IN ({{servers}})
        AND f.client_id IN ({{clients}})
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_JUDGED = """
    SELECT j.device_id, j.name_id, coalesce(r.address, ''), j.verdict_id
    FROM judgement j LEFT JOIN remote r ON r.id = j.remote_id
    WHERE j.site_id = ? AND j.month BETWEEN ? AND ? ORDER BY j.month
"""
_VERDICTS = """
    SELECT id, party, organisation, purpose, country, country_confidence, called, registrable_domain FROM verdict
    WHERE id IN (SELECT verdict_id FROM judgement WHERE site_id = ? AND month BETWEEN ? AND ?)
"""
_SUBJECTS = """
    SELECT d.id, t.mac, t.address, d.kind, d.vendor, d.system, d.mac_random,
        (SELECT min(e.first_us) FROM endpoint e JOIN station o ON o.id = e.station_id WHERE o.device_id = d.id)
    FROM device d JOIN station t ON t.id = d.id WHERE d.site_id = ?
"""
_ASKED = """
    SELECT DISTINCT c.device_id FROM dns_message m JOIN capture k ON k.id = m.capture_id AND k.site_id = :site
    JOIN endpoint c ON c.id = m.client_id
    WHERE m.seen_us >= :since AND m.seen_us < :until AND NOT m.response AND m.transport IN ('udp', 'tcp')
        AND c.device_id IS NOT NULL
"""
_HOURS = """
    SELECT coalesce(t.device_id, 0), h.slot, sum(iif(w.scope = 'internet', h.bytes_up + h.bytes_down, 0))
    FROM station t JOIN hour_total h ON h.station_id = t.id AND h.slot >= :first AND h.slot < :last
    JOIN way w ON w.id = h.way_id WHERE t.site_id = :site GROUP BY t.id, h.slot
"""
_REQUESTS = f"""
    SELECT h.method, n.text, h.user_agent, count(*) FROM hello h LEFT JOIN name n ON n.id = h.name_id
    WHERE h.source = 'http' AND h.seen_us >= :since AND h.seen_us < :until AND h.flow_id IN (
        SELECT f.id {_FLOWS} AND f.server_id IN ({{servers}})
            AND f.client_id IN ({{clients}}))
    GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 20
"""


class SubjectRow(NamedTuple):
    """A device: the station key by which owner's words know it, and what it is taken for."""

    device_id: int
    mac: int
    address: str
    kind: str | None
    vendor: str | None
    system: str | None
    mac_random: int | None
    first_us: int | None


class StreamRow(NamedTuple):
    """Connections that are alike; sums over them. Times in microseconds, UTC; `rows` are flows as they are kept."""

    device_id: int
    client_id: int
    server_id: int
    kind_id: int
    name_id: int | None
    name: str | None
    address: str
    protocol: str
    ip_version: int
    service: str
    encrypted: str
    port: int | None
    rows: int
    connections: int
    begun: int  # those whose opening was seen, which only TCP shows
    unanswered: int
    refused: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int


class Moment(NamedTuple):
    """One flow: when it began, of how many connections it stands."""

    client_id: int
    server_id: int
    port: int | None
    kind_id: int
    name_id: int | None
    first_us: int
    last_us: int
    connections: int
    packets: int
    bytes_up: int
    bytes_down: int
    packets_down: int


class Slice(NamedTuple):
    """What long flows of one stream moved in one quarter of an hour."""

    client_id: int
    server_id: int
    port: int | None
    kind_id: int
    name_id: int | None
    slot_us: int
    packets: int
    bytes: int


class Between(NamedTuple):
    """A stretch of time, and numbers of endpoints: who opened, and what was reached."""

    site_id: int
    since_us: int
    until_us: int
    clients: Collection[int]
    servers: Collection[int]


class VerdictRow(NamedTuple):
    """Whose a destination is for a device."""

    party: str
    organisation: str | None
    purpose: str | None
    country: str | None
    country_confidence: str | None
    called: str | None
    registrable_domain: str | None


def count_flows(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int, most: int) -> int:
    """How many flows began in a stretch of time, counted up to `most`."""
    asked = {"site": site_id, "since": since_us, "until": until_us, "most": most}
    return int(db.execute(_COUNT, asked).fetchone()[0])


def is_crowded(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int, most: int) -> bool:
    """Whether more than `most` flows began in a stretch of time."""
    return count_flows(db, site_id, since_us, until_us, most + 1) > most


def read_subjects(db: sqlite3.Connection, site_id: int) -> list[SubjectRow]:
    """Every device of a site."""
    return [SubjectRow(*row) for row in db.execute(_SUBJECTS, (site_id,))]


def read_streams(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> list[StreamRow]:
    """All streams of devices to the internet that began in a stretch of time."""
    return [StreamRow(*row) for row in db.execute(_STREAMS, {"site": site_id, "since": since_us, "until": until_us})]


def read_moments(db: sqlite3.Connection, between: Between) -> list[Moment]:
    """The flows between these ends, in order of time."""
    return [Moment(*row) for row in db.execute(*_asked(_MOMENTS, between))]


def read_slices(db: sqlite3.Connection, between: Between) -> list[Slice]:
    """What long flows between these ends moved by quarter of an hour."""
    return [Slice(*row) for row in db.execute(*_asked(_SLICES, between))]


def read_requests(db: sqlite3.Connection, between: Between) -> list[tuple[str | None, str | None, str | None, int]]:
    """(method, host, user agent, how often) of web requests in the open between these ends, most frequent first."""
    return db.execute(*_asked(_REQUESTS, between)).fetchall()


def read_judged(
    db: sqlite3.Connection, site_id: int, first_month: int, last_month: int
) -> dict[tuple[int, int, str], int]:
    """(device, name or 0, address where there is no name) -> verdict, the newest of these months."""
    asked = site_id, first_month, last_month
    return {(device, name, address): verdict for device, name, address, verdict in db.execute(_JUDGED, asked)}


def read_verdicts(db: sqlite3.Connection, site_id: int, first_month: int, last_month: int) -> dict[int, VerdictRow]:
    """The verdicts of some months, by number: all at once, as one by one takes ten times as long."""
    rows = db.execute(_VERDICTS, (site_id, first_month, last_month))
    return {number: VerdictRow(*row) for number, *row in rows}


def read_hours(db: sqlite3.Connection, site_id: int, slots: range) -> list[tuple[int, int, int]]:
    """(device, first slot of an hour, bytes with the internet) of all hours in which a station was heard of."""
    return db.execute(_HOURS, {"site": site_id, "first": slots.start, "last": slots.stop}).fetchall()


def read_askers(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> set[int]:
    """Devices whose questions for names could be read."""
    return {row[0] for row in db.execute(_ASKED, {"site": site_id, "since": since_us, "until": until_us})}


def _asked(query: str, between: Between) -> tuple[str, dict[str, int]]:
    times = {"site": between.site_id, "since": between.since_us, "until": between.until_us}
    return query.format(clients=_numbers(between.clients), servers=_numbers(between.servers)), times


def _numbers(rows: Collection[int]) -> str:
    """Row numbers as text for IN: a page's connection may not use `json_each`, and parameters are bounded in number."""
    return ", ".join(str(int(number)) for number in sorted(rows))
