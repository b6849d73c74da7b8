"""DNS answers as naming reads them. SQL only; which of them speaks for an address is judged elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from daemon.flow.facts import DAY_US

# In the order in which it is written: records first, since few of them are sought.
# An answer without an address says where to ask next: CNAMEs count only there, in all others the asker has its answer.
_ANSWERS = (
    "SELECT m.seen_us, n.text, r.ttl, coalesce(k.device_id, c.device_id, -c.id), r.type, r.value, m.name_id"
    " FROM {0} CROSS JOIN capture k ON k.id = m.capture_id CROSS JOIN endpoint c ON c.id = m.client_id"
    " CROSS JOIN name n ON n.id = m.name_id"
    " WHERE k.site_id = ?1 AND m.seen_us BETWEEN ?2 AND ?3 AND m.response AND m.transport IN ('udp', 'tcp')"
    " AND r.section = 'answer' AND CASE WHEN r.type IN ('A', 'AAAA') THEN r.value IN (SELECT address FROM temp.sought)"
    " WHEN r.type = 'CNAME' THEN NOT EXISTS (SELECT 1 FROM dns_record a WHERE a.message_id = m.id"
    " AND a.section = 'answer' AND a.type IN ('A', 'AAAA')) ELSE r.type IN ('HTTPS', 'SVCB') END"
)
_RECENT = _ANSWERS.format("dns_message m CROSS JOIN dns_record r ON r.message_id = m.id")
_LASTING = _ANSWERS.format("dns_record r CROSS JOIN dns_message m ON m.id = r.message_id") + " AND r.ttl > 86400"


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
    db: sqlite3.Connection, site_id: int, day_us: int, until_us: int, longest_us: int
) -> Iterator[tuple[int, str, int, int, str, str, int]]:
    """Answers that may name one of the `sought` addresses during the day that begins at `day_us`, in no order.

    (seen_us, name asked for, ttl, asker, type, value, name id): of that day up to `until_us` and of the one before, and
    of `longest_us` before it those with a TTL above a day. The asker is a device, or -endpoint.
    """
    yield from db.execute(_RECENT, (site_id, day_us - DAY_US, until_us))
    yield from db.execute(_LASTING, (site_id, day_us - longest_us, day_us - DAY_US - 1))
