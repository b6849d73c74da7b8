"""What chains of aliases led to, month by month and for good: which cloud carries a service."""

from __future__ import annotations

import sqlite3

_ALIASES = """
    INSERT INTO alias SELECT :site, :month, name_id, target_id, max(seen_us) FROM dns_message
    WHERE seen_us BETWEEN :since_us AND :until_us - 1 AND target_id IS NOT NULL
        AND capture_id IN (SELECT id FROM capture WHERE site_id = :site)
    GROUP BY name_id, target_id ON CONFLICT DO UPDATE SET last_us = max(last_us, excluded.last_us)
"""


def write_aliases(db: sqlite3.Connection, site_id: int, month: int, since_us: int, until_us: int) -> None:
    """Note the chains of the answers of a stretch of time (half-open) that lies in one month."""
    db.execute(_ALIASES, {"site": site_id, "month": month, "since_us": since_us, "until_us": until_us})


def read_aliases(db: sqlite3.Connection, site_id: int, month: int) -> dict[str, str]:
    """Name -> the end of its latest chain in that month; of two in one instant the earlier by its text."""
    rows = db.execute(
        "SELECT n.text, t.text FROM alias a JOIN name n ON n.id = a.name_id JOIN name t ON t.id = a.target_id"
        " WHERE a.site_id = ? AND a.month = ? ORDER BY a.last_us, t.text DESC",
        (site_id, month),
    )
    return dict(rows.fetchall())
