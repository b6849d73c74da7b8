"""What chains of aliases led to, month by month and for good: which cloud carries a service."""

from __future__ import annotations

import sqlite3

# The end of the chain of each answer: its last CNAME. In the order of their times, as they are found, so that they need not
# be sorted. No record is looked up where none is a CNAME: of one alone `leads` tells, unless it came by multicast.
_MAYBE = "(m.answers > 1 OR m.answers AND (m.leads = 1 OR m.transport NOT IN ('udp', 'tcp')))"
_ENDS = f"""
    SELECT name_id, target, max(seen_us) AS last_us FROM (
        SELECT m.name_id, m.seen_us, r.value AS target, max(r.number)
        FROM dns_message m CROSS JOIN dns_record r ON r.message_id = m.id
        WHERE m.seen_us BETWEEN :since_us AND :until_us - 1 AND m.response AND {_MAYBE} AND r.type = 'CNAME'
            AND r.section = 'answer' AND m.capture_id IN (SELECT id FROM capture WHERE site_id = :site)
        GROUP BY m.seen_us, m.id
    ) GROUP BY name_id, target
"""
_ALIASES = """
    INSERT INTO alias SELECT :site, :month, e.name_id, n.id, e.last_us FROM temp.chain_end e JOIN name n ON n.text = e.target
    WHERE true ON CONFLICT DO UPDATE SET last_us = max(last_us, excluded.last_us)
"""


def write_aliases(db: sqlite3.Connection, site_id: int, month: int, since_us: int, until_us: int) -> None:
    """Note the chains of the answers of a stretch of time (half-open) that lies in one month."""
    bounds = {"site": site_id, "month": month, "since_us": since_us, "until_us": until_us}
    db.execute(f"CREATE TEMP TABLE chain_end AS {_ENDS}", bounds)
    try:
        # A chain may end at a name of which nothing else is known: its addresses were not asked for.
        db.execute("INSERT OR IGNORE INTO name (text) SELECT DISTINCT target FROM temp.chain_end ORDER BY target")
        db.execute(_ALIASES, bounds)
    finally:
        db.execute("DROP TABLE temp.chain_end")


def read_aliases(db: sqlite3.Connection, site_id: int, month: int) -> dict[str, str]:
    """Name -> the end of its latest chain in that month; of two in one instant the earlier by its text."""
    rows = db.execute(
        "SELECT n.text, t.text FROM alias a JOIN name n ON n.id = a.name_id JOIN name t ON t.id = a.target_id"
        " WHERE a.site_id = ? AND a.month = ? ORDER BY a.last_us, t.text DESC",
        (site_id, month),
    )
    return dict(rows.fetchall())
