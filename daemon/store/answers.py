"""DNS answers as naming reads them. SQL only; which of them speaks for an address is judged elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from daemon.identify.answers import MOST_US

# In the order in which it is written: messages that still hold first, since they are few.
# An answer without an address says where to ask next: CNAMEs count only there, in all others the asker has its answer.
_ANSWERS = """
    SELECT m.seen_us, n.text, r.ttl, coalesce(k.device_id, c.device_id, -c.id), r.value, m.name_id, r.type
    FROM dns_message m CROSS JOIN dns_record r ON r.message_id = m.id CROSS JOIN capture k ON k.id = m.capture_id
    CROSS JOIN endpoint c ON c.id = m.client_id CROSS JOIN name n ON n.id = m.name_id
    WHERE {} AND m.seen_us <= :until_us AND k.site_id = :site AND r.section = 'answer' AND ({})
"""
_LEADING = "m.leads AND (r.type IN ('HTTPS', 'SVCB') OR m.leads = 1 AND r.type = 'CNAME')"
_HOLDING = _ANSWERS.format(
    f"m.lasts_us BETWEEN :since_us AND :until_us + {MOST_US}",  # the later bound spares all that came since
    f"r.type IN ('A', 'AAAA') AND r.value IN (SELECT address FROM temp.sought) OR {_LEADING}",
)
_EARLIER = _ANSWERS.format("m.lasts_us >= :first_us AND m.lasts_us < :since_us", _LEADING)


@contextmanager
def sought(db: sqlite3.Connection, addresses: Iterable[str]) -> Iterator[None]:
    """The addresses for which answers are read as long as the block lasts."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS sought (address TEXT PRIMARY KEY) WITHOUT ROWID")
    try:
        db.executemany("INSERT OR IGNORE INTO temp.sought VALUES (?)", [(address,) for address in addresses])
        yield
    finally:
        db.execute("DELETE FROM temp.sought")  # SQLite drops no table while flows are being read


def read_answers(
    db: sqlite3.Connection, site_id: int, since_us: int, until_us: int
) -> Iterator[tuple[int, str, int, int, str, int, str]]:
    """Answers that may name one of the `sought` addresses at some time of a stretch, in no order.

    (seen_us, name asked for, ttl, asker, value, name id, type). The asker is a device, or -endpoint. Those that hold in
    that time, and those that told where to ask next when the former were given.
    """
    bounds = {"site": site_id, "since_us": since_us, "until_us": until_us}
    first_us = since_us
    for row in db.execute(_HOLDING, bounds):
        first_us = min(first_us, row[0])
        yield row
    if first_us < since_us:
        yield from db.execute(_EARLIER, {**bounds, "first_us": first_us})
