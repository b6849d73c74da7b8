"""What recordings lack, and what they know of themselves, beside the facts. SQL only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def write_gaps(db: sqlite3.Connection, site_id: int, series: str, gaps: Iterable[tuple[int, int, str]]) -> int:
    """(from_us, to_us, reason); one that is known by its beginning is told anew. How many rows were written."""
    return db.executemany(
        "INSERT INTO capture_gap VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET to_us = excluded.to_us,"
        " reason = excluded.reason WHERE (to_us, reason) <> (excluded.to_us, excluded.reason)",
        [(site_id, series, *gap) for gap in gaps],
    ).rowcount


def write_drops(db: sqlite3.Connection, capture_id: int, kernel: int, interface: int) -> None:
    """Packets that never reached the file, of the whole capture."""
    db.execute(
        "UPDATE capture SET kernel_drops = ?1, interface_drops = ?2 WHERE id = ?3"
        " AND (kernel_drops, interface_drops) IS NOT (?1, ?2)",
        (kernel, interface, capture_id),
    )
