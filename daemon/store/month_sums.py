"""What went to whom in one month: sums by device, party and organisation. Named queries, reading only.

Rule: a month that is over changes only where devices are joined, rules are renewed or something is forgotten, so `stamp`
tells cheaply whether sums that somebody has kept still hold: it is read from the same rows.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import NamedTuple

_NAMED = "iif(name_id, name_id, -remote_id)"
_KEY = f"(station_id << 32) + {_NAMED} + 2147483648"
_COUNTS = ("packets_up", "packets_down", "bytes_up", "bytes_down")
_SUMS = ", ".join(f"sum({count}) AS {count}" for count in _COUNTS)
_OURS = "way_id IN (SELECT id FROM way WHERE site_id = :site)"
_MONTH = f"""
    SELECT coalesce(t.device_id, 0), coalesce(v.party, 'unknown'), v.organisation, count(DISTINCT p.key & 4294967295),
        {", ".join(f"sum(p.{count})" for count in _COUNTS)}
    FROM (
        SELECT {_KEY} AS key, 0 AS verdict_id, {_SUMS} FROM destination_day WHERE month = :month AND {_OURS} GROUP BY 1
        UNION ALL
        SELECT {_KEY}, verdict_id, {_SUMS} FROM destination_month WHERE month = :month AND {_OURS} GROUP BY 1, 2
    ) p
    LEFT JOIN station t ON t.id = p.key >> 32
    LEFT JOIN judgement j ON j.month = :month AND j.device_id = coalesce(t.device_id, 0) AND j.site_id = :site
        AND j.name_id = max((p.key & 4294967295) - 2147483648, 0) AND j.remote_id = max(2147483648 - (p.key & 4294967295), 0)
        AND p.verdict_id = 0
    LEFT JOIN verdict v ON v.id = iif(p.verdict_id, p.verdict_id, j.verdict_id)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_STAMP = """
    SELECT (SELECT count(*) || ',' || sum(bytes_up) || ',' || sum(bytes_down) || ',' || sum(name_id) || ',' || max(last_us)
            FROM destination_month WHERE month = ?1),
        (SELECT count(*) || ',' || sum(bytes_up) || ',' || sum(bytes_down) || ',' || sum(name_id) || ',' || max(last_us)
            FROM destination_day WHERE month = ?1),
        (SELECT count(*) || ',' || sum(verdict_id) || ',' || sum(device_id * name_id) FROM judgement WHERE month = ?1)
"""
_WHOSE = """
    SELECT (SELECT group_concat(id || ':' || digest) FROM (SELECT id, digest FROM verdict ORDER BY id)),
        (SELECT group_concat(id || ':' || coalesce(device_id, 0)) FROM (SELECT id, device_id FROM station ORDER BY id))
"""

Stamp = tuple[str | None, ...]


class MonthSum(NamedTuple):
    """What one device had to do with one organisation in one month, in one role. Bytes as the device sees them."""

    device_id: int  # 0: no end of it is a device
    party: str
    organisation: str | None
    destinations: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


def read_month_sums(db: sqlite3.Connection, site: int, month: int) -> list[MonthSum]:
    """All of a month; it is given by its number."""
    return [MonthSum._make(row) for row in db.execute(_MONTH, {"site": site, "month": month})]


def read_whose_stamp(db: sqlite3.Connection) -> str:
    """A digest of all verdicts, and of whose each station is."""
    row = db.execute(_WHOSE).fetchone()
    return hashlib.sha256(repr(row).encode()).hexdigest()


def read_stamp(db: sqlite3.Connection, month: int) -> Stamp:
    """What changes whenever the rows of a month do."""
    return tuple(db.execute(_STAMP, (month,)).fetchone())
