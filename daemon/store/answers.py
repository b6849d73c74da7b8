"""DNS answers as naming reads them. SQL only; which of them speaks for an address is judged elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from daemon.identify.answers import MOST_US, Answer

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'

# In the order in which it is written: messages that still hold first, since they are few.
_ANSWERS = """
    SELECT m.seen_us, m.name_id, r.ttl, m.capture_id, m.client_id, r.value
    FROM dns_message m CROSS JOIN dns_record r ON r.message_id = m.id
    WHERE m.lasts_us BETWEEN :since_us AND :last_us AND m.seen_us <= :until_us AND {} AND r.section = 'answer' AND {}
"""
_ADDRESSES = _ANSWERS.format(
    "true",
    "r.type IN ('A', 'AAAA') AND EXISTS (SELECT 1 FROM temp.sought s"
    " WHERE s.address = r.value AND m.lasts_us >= s.first_us AND m.seen_us <= s.last_us)",
)
# The same by way of the records, where most of a run of them may be wanted: they are met in their order, and of the messages
# only those that answer for somebody who is sought.
_ADDRESSES_OF_RUN = """
    SELECT m.seen_us, m.name_id, r.ttl, m.capture_id, m.client_id, r.value
    FROM dns_record r CROSS JOIN temp.sought s ON s.address = r.value CROSS JOIN dns_message m ON m.id = r.message_id
    WHERE r.message_id BETWEEN :first AND :last AND r.type IN ('A', 'AAAA') AND r.section = 'answer'
        AND m.lasts_us BETWEEN :since_us AND :last_us AND m.seen_us <= :until_us
        AND m.lasts_us >= s.first_us AND m.seen_us <= s.last_us
"""
_SEEK = """
    INSERT INTO temp.sought VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
    first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)
"""
_RUN = "SELECT min(id), max(id), count(*) FROM dns_message WHERE lasts_us BETWEEN :since_us AND :last_us"
_SERVICES = _ANSWERS.format("m.leads", "r.type IN ('HTTPS', 'SVCB')")
# An answer without an address says where to ask next: aliases count only there, in all others the asker has its answer.
_ALIASES = _ANSWERS.format("m.leads = 1", "r.type = 'CNAME' AND r.value IN (SELECT value FROM json_each(:targets))")
_MOST_BETWEEN = 4  # questions have no time until which they hold, and other captures may be read at the same time
_ASKER = """
    SELECT coalesce(k.device_id, c.device_id, -c.id) FROM capture k CROSS JOIN endpoint c
    WHERE k.id = ? AND c.id = ? AND k.site_id = ?
"""


@contextmanager
def sought(db: sqlite3.Connection, asked: Iterable[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    """The addresses for which answers are read as long as the block lasts, each with the first and the last time (us) at
    which somebody asks what it is called; an address may come several times. Its value are those times of all."""
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS sought (address TEXT PRIMARY KEY, first_us INTEGER, last_us INTEGER) WITHOUT ROWID"
    )
    try:
        db.executemany(_SEEK, asked)
        yield db.execute("SELECT coalesce(min(first_us), 0), coalesce(max(last_us), 0) FROM temp.sought").fetchone()
    finally:
        db.execute("DELETE FROM temp.sought")  # SQLite drops no table while flows are being read


def is_run(first: int | None, last: int | None, count: int) -> bool:
    """Whether messages lie together, as those do that one capture told, so that others between them cost little."""
    return first is not None and last is not None and last - first < _MOST_BETWEEN * count


class _Askers(dict[tuple[int, int], int | None]):
    """Who a client in a capture is, each looked up once: a device, or -endpoint; None for one of another site."""

    def __init__(self, db: sqlite3.Connection, site_id: int) -> None:
        self._db, self._site_id = db, site_id

    def __missing__(self, key: tuple[int, int]) -> int | None:
        row = self._db.execute(_ASKER, (*key, self._site_id)).fetchone()
        asker = self[key] = row[0] if row else None
        return asker


class Answers:
    """Answers that may say something when somebody asks at some time of a stretch, in no order. Those that hold then."""

    def __init__(self, db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> None:
        # The later bound spares all that came since.
        self._bounds = {"since_us": since_us, "until_us": until_us, "last_us": until_us + MOST_US}
        self._db, self._askers = db, _Askers(db, site_id)

    def addresses(self) -> list[Answer]:
        """One of the `sought` addresses for a name."""
        first, last, count = self._db.execute(_RUN, self._bounds).fetchone()
        if is_run(first, last, count):
            return self._read(_ADDRESSES_OF_RUN, {**self._bounds, "first": first, "last": last})
        return self._read(_ADDRESSES, self._bounds)

    def services(self) -> list[Answer]:
        """Service records (RFC 9460), whose values may have addresses, or another name at which to go on."""
        return self._read(_SERVICES, self._bounds)

    def services_since(self, first_us: int) -> list[Answer]:
        """Those that held before, but not after `first_us`."""
        return self._read(_SERVICES, {**self._bounds, "since_us": first_us, "last_us": self._bounds["since_us"] - 1})

    def aliases(self, targets: Iterable[str], first_us: int) -> list[Answer]:
        """Aliases of some names for those who had to ask on, also those that only held since `first_us`."""
        since_us = min(first_us, self._bounds["since_us"])
        return self._read(_ALIASES, {**self._bounds, "since_us": since_us, "targets": json.dumps(list(targets))})

    def _read(self, query: str, bounds: Mapping[str, int | str]) -> list[Answer]:
        rows = self._db.execute(query, bounds).fetchall()
        numbers = json.dumps(list({row[1] for row in rows}))
        names: dict[int, str] = dict(
            self._db.execute("SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))", (numbers,))
        )
        askers = self._askers
        return [
            _new(Answer, (seen_us, names[name_id], ttl, asker, value, name_id))
            for seen_us, name_id, ttl, capture, client, value in rows
            if (asker := askers[capture, client]) is not None
        ]
