"""What a database holds, in four tables, for somebody who sees it for the first time.

Rule: only the public views are read, so every number here can be had with `homeport export` too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance.console import LEFT, RIGHT, count, size, table

_ROWS = 12  # a table that fits on the screen beside the others


def _as_is(value: object) -> str:
    return "" if value is None else str(value)


def _count(value: object) -> str:
    return count(value) if isinstance(value, int) else ""


def _size(value: object) -> str:
    return size(value) if isinstance(value, int) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a query over public views, and for each of its columns a heading, a side and how a value is written."""

    title: str
    columns: tuple[tuple[str, str, Callable[[object], str]], ...]
    query: str


TABLES = (
    Table(
        "Devices, by traffic",
        (
            ("device", LEFT, _as_is),
            ("mac", LEFT, _as_is),
            ("address", LEFT, _as_is),
            ("sent", RIGHT, _size),
            ("received", RIGHT, _size),
        ),
        """
        SELECT coalesce(d.name,
                        (SELECT value FROM device_hints AS h
                         WHERE h.device_id = d.device_id AND h.key = 'hostname' ORDER BY last_seen_us DESC LIMIT 1),
                        '(no name seen)'),
               d.mac,
               (SELECT address FROM device_addresses AS a
                WHERE a.device_id = d.device_id ORDER BY a.address LIKE '%:%', a.last_seen_us DESC LIMIT 1),
               d.bytes_up, d.bytes_down
        FROM devices AS d ORDER BY d.bytes_up + d.bytes_down DESC, d.mac LIMIT ?
        """,
    ),
    Table(
        "Destinations, by traffic",
        (
            ("destination", LEFT, _as_is),
            ("devices", RIGHT, _count),
            ("flows", RIGHT, _count),
            ("sent there", RIGHT, _size),
            ("received", RIGHT, _size),
        ),
        """
        SELECT coalesce(domain, address) AS destination, count(DISTINCT device_id), sum(flows), sum(bytes_up),
               sum(bytes_down)
        FROM destinations GROUP BY destination ORDER BY sum(bytes_up) + sum(bytes_down) DESC, destination LIMIT ?
        """,
    ),
    Table(
        "Services, by traffic",
        (
            ("service", LEFT, _as_is),
            ("where", LEFT, _as_is),
            ("encrypted", LEFT, _as_is),
            ("packets", RIGHT, _count),
            ("bytes", RIGHT, _size),
        ),
        """
        SELECT coalesce(service, protocol) AS what, scope, encrypted, sum(packets_up + packets_down),
               sum(bytes_up + bytes_down) AS bytes
        FROM traffic GROUP BY what, scope, encrypted ORDER BY bytes DESC, what LIMIT ?
        """,
    ),
    Table(
        "Months",
        (
            ("month", LEFT, _as_is),
            ("devices", RIGHT, _count),
            ("destinations", RIGHT, _count),
            ("sent", RIGHT, _size),
            ("received", RIGHT, _size),
        ),
        """
        SELECT month, count(DISTINCT device_id), count(DISTINCT coalesce(domain, address)), sum(bytes_up),
               sum(bytes_down)
        FROM destinations GROUP BY month ORDER BY month DESC LIMIT ?
        """,
    ),
)


def rows(database: Path, wanted: Table) -> list[tuple[str, ...]]:
    """The cells of one table, as text."""
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        found: Sequence[tuple[object, ...]] = connection.execute(wanted.query, (_ROWS,)).fetchall()
    writers = [write for _, _, write in wanted.columns]
    return [tuple(write(value) for write, value in zip(writers, row, strict=True)) for row in found]


def show(database: Path) -> None:
    """Print all tables."""
    for wanted in TABLES:
        table(wanted.title, [(heading, side) for heading, side, _ in wanted.columns], rows(database, wanted))
