"""Judgements that were put off: who joins two devices is not kept waiting for the years that have gone by. SQL only.

Rule: what is put off is kept with what made it necessary, in one transaction, so that no kill forgets it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable

NAMES = 0  # in the place of a month: the flows of these devices are to be named anew


def put_off(db: sqlite3.Connection, site_id: int, months: Iterable[int], devices: Collection[int]) -> None:
    """In these months (or `NAMES`) the destinations of these devices are to be judged anew."""
    db.executemany(
        "INSERT OR IGNORE INTO judgement_due VALUES (?, ?, ?)",
        [(site_id, month, device) for month in months for device in devices],
    )


def read_due(db: sqlite3.Connection, site_id: int) -> dict[int, set[int]]:
    """Month -> devices."""
    found: dict[int, set[int]] = defaultdict(set)
    for month, device in db.execute("SELECT month, device_id FROM judgement_due WHERE site_id = ?", (site_id,)):
        found[month].add(device)
    return dict(found)


def no_longer_due(db: sqlite3.Connection, site_id: int, months: Iterable[int]) -> None:
    """These months have been judged."""
    db.executemany("DELETE FROM judgement_due WHERE site_id = ? AND month = ?", [(site_id, month) for month in months])
