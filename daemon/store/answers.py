"""DNS answers as naming reads them. SQL only; which of them speaks for an address is judged elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from daemon.identify.answers import MOST_US

# In the order in which it is written: messages that still hold first, since they are few.
# An answer without an address says where to ask next: CNAMEs count only there, in all others the asker has its answer.
_ANSWERS = """
    SELECT m.seen_us, m.name_id, r.ttl, m.capture_id, m.client_id, r.value, r.type
    FROM dns_message m CROSS JOIN dns_record r ON r.message_id = m.id
    WHERE {} AND m.seen_us <= :until_us AND r.section = 'answer' AND ({})
"""
_LEADING = "m.leads AND (r.type IN ('HTTPS', 'SVCB') OR m.leads = 1 AND r.type = 'CNAME')"
_ASKED = "s.address = r.value AND m.lasts_us >= s.first_us AND m.seen_us <= s.last_us"
_HOLDING = _ANSWERS.format(
    f"m.lasts_us BETWEEN :since_us AND :until_us + {MOST_US}",  # the later bound spares all that came since
    f"r.type IN ('A', 'AAAA') AND EXISTS (SELECT 1 FROM temp.sought s WHERE {_ASKED}) OR {_LEADING}",
)
_EARLIER = _ANSWERS.format("m.lasts_us >= :first_us AND m.lasts_us < :since_us", _LEADING)
_ASKER = """
    SELECT coalesce(k.device_id, c.device_id, -c.id) FROM capture k CROSS JOIN endpoint c
    WHERE k.id = ? AND c.id = ? AND k.site_id = ?
"""


@contextmanager
def sought(db: sqlite3.Connection, addresses: Mapping[str, tuple[int, int]]) -> Iterator[None]:
    """The addresses for which answers are read as long as the block lasts, each with the first and the last time (us) at
    which somebody asks what it is called."""
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS sought (address TEXT PRIMARY KEY, first_us INTEGER, last_us INTEGER) WITHOUT ROWID"
    )
    try:
        rows = [(address, *times) for address, times in addresses.items()]
        db.executemany("INSERT OR IGNORE INTO temp.sought VALUES (?, ?, ?)", rows)
        yield
    finally:
        db.execute("DELETE FROM temp.sought")  # SQLite drops no table while flows are being read


class _Askers(dict[tuple[int, int], int | None]):
    """Who a client in a capture is, each looked up once: a device, or -endpoint; None for one of another site."""

    def __init__(self, db: sqlite3.Connection, site_id: int) -> None:
        self._db, self._site_id = db, site_id

    def __missing__(self, key: tuple[int, int]) -> int | None:
        row = self._db.execute(_ASKER, (*key, self._site_id)).fetchone()
        asker = self[key] = row[0] if row else None
        return asker


class _Names(dict[int, str]):
    """Names by number, each looked up once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __missing__(self, number: int) -> str:
        text = self[number] = str(self._db.execute("SELECT text FROM name WHERE id = ?", (number,)).fetchone()[0])
        return text


def read_answers(
    db: sqlite3.Connection, site_id: int, since_us: int, until_us: int
) -> Iterator[tuple[int, str, int, int, str, int, str]]:
    """Answers that may name one of the `sought` addresses when somebody asks, at some time of a stretch, in no order.

    (seen_us, name asked for, ttl, asker, value, name id, type). The asker is a device, or -endpoint. Those that hold in
    that time, and those that told where to ask next when the former were given.
    """
    bounds = {"since_us": since_us, "until_us": until_us}
    askers, names = _Askers(db, site_id), _Names(db)
    first_us = since_us
    for seen_us, name_id, ttl, capture, client, value, kind in db.execute(_HOLDING, bounds):
        asker = askers[capture, client]
        if asker is not None:
            first_us = min(first_us, seen_us)
            yield seen_us, names[name_id], ttl, asker, value, name_id, kind
    if first_us < since_us:
        for seen_us, name_id, ttl, capture, client, value, kind in db.execute(
            _EARLIER, {**bounds, "first_us": first_us}
        ):
            asker = askers[capture, client]
            if asker is not None:
                yield seen_us, names[name_id], ttl, asker, value, name_id, kind
