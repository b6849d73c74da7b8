"""Who asked which name server for which name. Named queries over DNS messages, reading only.

Rule 1: messages are kept for weeks and a home makes tens of thousands a day, so an answer reads the newest MOST of a span
        and says since when it counts.
Rule 2: questions to everybody in the house (mDNS, LLMNR) are no questions to a name server.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from daemon.flow.facts import RESOLVER
from daemon.store.columns import Ints, read_columns
from daemon.store.window import Window

MOST = 50_000  # messages, questions and answers alike
ENCRYPTED = ("doh", "dot", "doq")  # services

_SINCE = """
    SELECT seen_us FROM dns_message WHERE seen_us >= :since AND seen_us < :until ORDER BY seen_us DESC LIMIT 1 OFFSET :most
"""
_OLDEST = "SELECT min(seen_us) FROM dns_message"
# Who asked whom for what, in two numbers a question.
_NAME_BITS, _END_BITS = 28, 28
_KEYS = (
    f"(capture_id << {_END_BITS}) + client_id",
    f"((resolver_id * 2 + (transport = 'tcp')) << {_NAME_BITS}) + name_id",
)
_QUESTIONS = """
    dns_message WHERE seen_us >= :since AND seen_us < :until AND NOT response AND transport IN ('udp', 'tcp')
"""
_ENDS = "SELECT id, device_id FROM endpoint WHERE site_id = :site AND id IN (SELECT value FROM json_each(:ends))"
_RESOLVERS = "SELECT id, address, local, device_id FROM endpoint WHERE id IN (SELECT value FROM json_each(?))"
_NAMES = "SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))"
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


class Resolver(NamedTuple):
    """A name server."""

    address: str
    local: bool  # it stands in the house
    device_id: int | None  # the device that it is, if it is one


class Asked(NamedTuple):
    """Questions: a row each device, name server, transport and name, in that order."""

    device: Ints  # 0: of nobody who lives here
    resolver: Ints  # number of one of `resolvers`
    tcp: Ints  # 1: over TCP, 0: over UDP
    name: Ints  # number of a name
    queries: Ints
    resolvers: Mapping[int, Resolver]
    since_us: int | None  # from when on they are counted; None: from the beginning of the window


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


def read_asked(db: sqlite3.Connection, window: Window) -> Asked:
    """Names asked for."""
    since = counted_since(db, window)
    asked = {"until": window.until_us, "since": window.since_us if since is None else max(since, window.since_us)}
    who, what = read_columns(db, _KEYS, _QUESTIONS, asked)
    device = _devices(db, window.site_id, who)
    ours = device >= 0 if window.device_id is None else device == window.device_id
    devices, of = np.unique(device[ours], return_inverse=True)
    kinds, about = np.unique(what[ours], return_inverse=True)
    found, queries = np.unique(of * max(len(kinds), 1) + about, return_counts=True)
    kind = kinds[found % max(len(kinds), 1)]
    end = kind >> _NAME_BITS
    numbers = json.dumps(np.unique(end >> 1).tolist())
    resolvers = {
        number: Resolver(address, bool(local), at) for number, address, local, at in db.execute(_RESOLVERS, (numbers,))
    }
    return Asked(
        devices[found // max(len(kinds), 1)],
        end >> 1,
        end & 1,
        kind & ((1 << _NAME_BITS) - 1),
        queries,
        resolvers,
        since,
    )


def read_names(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Names by their numbers."""
    return dict(db.execute(_NAMES, (json.dumps(list(numbers)),)).fetchall())


def rootless(db: sqlite3.Connection, asked: Asked) -> Asked:
    """Those about a name: questions about the root have none."""
    root = db.execute("SELECT id FROM name WHERE text = ''").fetchone()
    if root is None:
        return asked
    named = asked.name != root[0]
    device, resolver, tcp, name, queries = (column[named] for column in asked[:5])
    return asked._replace(device=device, resolver=resolver, tcp=tcp, name=name, queries=queries)


def _devices(db: sqlite3.Connection, site_id: int, who: Ints) -> Ints:
    """The device of each who asked: 0 for none of the house, -1 for one of another home."""
    numbers, of = np.unique(who, return_inverse=True)
    pairs = [(number >> _END_BITS, number & ((1 << _END_BITS) - 1)) for number in numbers.tolist()]
    captures = dict(db.execute("SELECT id, device_id FROM capture").fetchall())
    ends = dict(db.execute(_ENDS, {"site": site_id, "ends": json.dumps(sorted({end for _, end in pairs}))}).fetchall())
    devices = [(captures.get(capture) or ends[end] or 0) if end in ends else -1 for capture, end in pairs]
    return np.array(devices, np.int64)[of]


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
