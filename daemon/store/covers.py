"""Hellos that may show a cover, the configurations that devices were told of, and the label. SQL only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# What a flow `f` is called.
SHOWN_NAME = "iif(f.cover, f.label_id, coalesce(f.name_id, f.label_id))"

_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
_HELLOS = f"""
    FROM capture k CROSS JOIN hello h ON h.flow_id {_IDS} CROSS JOIN flow f ON f.id = h.flow_id {{}}
    WHERE k.site_id = :site AND k.first_us <= :until_us AND k.last_us >= :since_us AND h.ech = 'ech'
        AND h.name_id = f.name_id AND f.last_us >= :since_us AND f.first_us <= :until_us
        AND f.id NOT IN (SELECT flow_id FROM kept_label)
"""
_HIDDEN = f"SELECT min(h.seen_us), max(h.seen_us) {_HELLOS.format('')}"
_ENDS = """
    CROSS JOIN endpoint c ON c.id = h.client_id CROSS JOIN endpoint s ON s.id = h.server_id
    CROSS JOIN name n ON n.id = f.name_id
"""
_HIDING = f"""
    SELECT f.id, coalesce(k.device_id, c.device_id, -c.id), s.address, n.id, n.text, NOT s.local AND s.scope = 0,
        min(h.seen_us), f.first_us, f.last_us, f.cover, f.label_id, f.label_source
    {_HELLOS.format(_ENDS)}
        AND (f.cover OR f.name_id IN (SELECT id FROM name WHERE text IN (SELECT value FROM json_each(:names))))
    GROUP BY f.id
"""
_CONFIGURED = """
    SELECT m.seen_us, r.ttl, coalesce(k.device_id, c.device_id, -c.id), n.text, r.value
    FROM dns_message m CROSS JOIN dns_record r ON r.message_id = m.id CROSS JOIN capture k ON k.id = m.capture_id
    CROSS JOIN endpoint c ON c.id = m.client_id CROSS JOIN name n ON n.id = m.name_id
    WHERE m.lasts_us >= :since_us AND m.seen_us <= :until_us AND m.leads AND k.site_id = :site
        AND r.section = 'answer' AND r.type IN ('HTTPS', 'SVCB') AND instr(r.value, ' ech=')
"""


class Hiding(NamedTuple):
    """A flow that is named by a hello with an encrypted part; times in microseconds."""

    flow_id: int
    asker: int  # device, or -endpoint
    address: str
    name_id: int
    name: str
    elsewhere: bool  # its server is not at home
    asked_us: int
    first_us: int
    last_us: int
    cover: bool
    label_id: int | None
    label_source: str | None


def when_hidden(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> tuple[int, int] | None:
    """The times (us) of the first and the last hello by which a flow of a stretch of time is named though it hides
    something; None where there is none. Flows whose labels are kept do not count."""
    first_us, last_us = db.execute(_HIDDEN, {"site": site_id, "since_us": since_us, "until_us": until_us}).fetchone()
    return None if first_us is None else (first_us, last_us)


def read_hiding(
    db: sqlite3.Connection, site_id: int, since_us: int, until_us: int, names: Iterable[str]
) -> list[Hiding]:
    """Those flows, by number, of which the name is one of these, or counts as a cover so far."""
    bounds = {"site": site_id, "since_us": since_us, "until_us": until_us, "names": json.dumps(sorted(names))}
    return [Hiding(*row) for row in db.execute(_HIDING, bounds)]


def read_configured(
    db: sqlite3.Connection, site_id: int, since_us: int, until_us: int
) -> Iterator[tuple[int, int, int, str, str]]:
    """(seen_us, ttl, asker, name asked for, record as text) of answers with a configuration that hold in some stretch."""
    return db.execute(_CONFIGURED, {"site": site_id, "since_us": since_us, "until_us": until_us})


def write_covers(db: sqlite3.Connection, labels: Iterable[tuple[bool, int | None, str | None, int]]) -> None:
    """(cover, name, source, flow)."""
    db.executemany("UPDATE flow SET cover = ?, label_id = ?, label_source = ? WHERE id = ?", labels)
