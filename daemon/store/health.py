"""How recording is doing, in a few numbers a home: what came, what was lost, what is missing. Reading only."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_CAPTURED = """
    SELECT s.name, count(c.id), coalesce(sum(c.packets), 0), coalesce(sum(c.bytes), 0),
        coalesce(sum(c.undecoded_packets), 0), coalesce(sum(c.kernel_drops), 0), coalesce(sum(c.interface_drops), 0),
        max(c.last_us)
    FROM site s LEFT JOIN capture c ON c.site_id = s.id GROUP BY s.id ORDER BY s.name LIMIT ?
"""
_GAPS = """
    SELECT s.name, count(*), coalesce(sum(g.to_us - g.from_us), 0)
    FROM capture_gap g JOIN site s ON s.id = g.site_id GROUP BY s.id
"""
_DEVICES = "SELECT s.name, count(DISTINCT t.device_id) FROM station t JOIN site s ON s.id = t.site_id GROUP BY s.id"


class Captured(NamedTuple):
    """What was recorded of a home since its first capture; times in microseconds, UTC."""

    site: str
    captures: int
    packets: int
    bytes: int
    undecoded_packets: int
    kernel_drops: int
    interface_drops: int
    newest_us: int | None
    gaps: int
    gaps_us: int
    devices: int


def read_captured(db: sqlite3.Connection, most: int) -> list[Captured]:
    """One row a home, by name."""
    gaps = {site: (number, length) for site, number, length in db.execute(_GAPS)}
    devices = dict(db.execute(_DEVICES).fetchall())
    return [
        Captured(*row, *gaps.get(row[0], (0, 0)), devices.get(row[0], 0))  # type: ignore[call-arg]  # a row has eight
        for row in db.execute(_CAPTURED, (most,))
    ]
