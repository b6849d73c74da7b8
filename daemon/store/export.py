"""The public views, read as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daemon.store.database import read_database
from daemon.store.errors import explained

VIEWS = (
    "captures",
    "capture_gaps",
    "local_networks",
    "devices",
    "device_addresses",
    "device_hints",
    "flows",
    "hellos",
    "dns_queries",
    "dns_responses",
    "dns_answers",
    "traffic",
    "destinations",
)


def export_rows(database: Path, view: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The column names of a public view, and its rows as they come. ValueError if there is no such view."""
    if view not in VIEWS:
        raise ValueError(view)
    db = read_database(database)
    with explained(database):
        rows = db.execute(f"SELECT * FROM {view}")
    columns = [column[0] for column in rows.description]

    def read() -> Iterator[tuple[Any, ...]]:
        with explained(database):
            try:
                yield from rows
            finally:
                db.close()

    return columns, read()
