"""Rewritten capture files that wait to take the place of the old ones; see daemon.ingest.replacement."""

from __future__ import annotations

import sqlite3


def add_replacement(db: sqlite3.Connection, capture_id: int, path: str, partial: str) -> None:
    """A rewritten file waits to take its place."""
    db.execute("INSERT OR REPLACE INTO replacement VALUES (?, ?, ?)", (capture_id, path, partial))


def read_replacements(db: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """(capture, its path, the rewritten file) of those that wait."""
    return db.execute("SELECT capture_id, path, partial FROM replacement ORDER BY capture_id").fetchall()


def drop_replacement(db: sqlite3.Connection, capture_id: int) -> None:
    """It took its place."""
    db.execute("DELETE FROM replacement WHERE capture_id = ?", (capture_id,))
