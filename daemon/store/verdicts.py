"""Judgements about destinations: what there is to judge, month by month, and the verdicts as they are kept.

A verdict is stored once, whoever it is about; a judgement says which one holds for a (device, destination, month).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import NamedTuple

from daemon.classify.vocabulary import Verdict

_VALUES = attrgetter(*(field.name for field in fields(Verdict)))


class Place(NamedTuple):
    """Which destination of which device, by number; 0 for none."""

    device_id: int
    name_id: int
    remote_id: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One destination of one device in one month, and the verdict that it has so far."""

    place: Place
    domain: str | None
    address: str | None  # the one with most bytes
    name_source: str | None
    alias_target: str | None
    service: str | None
    verdict_id: int | None


# One row a way (protocol, service, ...), most bytes first: the first row of a destination speaks for it.
_DESTINATIONS = """
    SELECT coalesce(s.device_id, 0), d.name_id, d.remote_id, n.text, m.address, iif(w.name_source GLOB '-*', NULL, w.name_source),
        (SELECT t.text FROM alias a JOIN name t ON t.id = a.target_id
         WHERE a.site_id = ?1 AND a.month = ?2 AND a.name_id = d.name_id ORDER BY a.last_us DESC, t.text LIMIT 1),
        nullif(w.service, ''), j.verdict_id
    FROM (
        SELECT station_id, name_id, remote_id, way_id, main_id, main_bytes, bytes_up + bytes_down AS bytes
        FROM destination_day WHERE month = ?2
        UNION ALL
        SELECT station_id, name_id, remote_id, way_id, main_id, main_bytes, bytes_up + bytes_down
        FROM destination_month WHERE month = ?2 AND verdict_id = 0
    ) d JOIN way w ON w.id = d.way_id AND w.site_id = ?1
    JOIN remote m ON m.id = d.main_id
    LEFT JOIN station s ON s.id = d.station_id
    LEFT JOIN name n ON n.id = d.name_id
    LEFT JOIN judgement j ON j.month = ?2 AND j.device_id = coalesce(s.device_id, 0) AND j.site_id = ?1
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id
    GROUP BY 1, 2, 3, 8, 6, 5
    ORDER BY 1, 2, 3, sum(d.bytes) DESC, max(d.main_bytes) DESC, 5, 6, 8
"""


def months_with_destinations(db: sqlite3.Connection, site_id: int) -> list[int]:
    """All months of the site in which something went to the internet."""
    rows = db.execute(
        "SELECT DISTINCT month FROM (SELECT DISTINCT month, way_id FROM destination_day"
        " UNION SELECT DISTINCT month, way_id FROM destination_month) d JOIN way w ON w.id = d.way_id AND w.site_id = ?"
        " ORDER BY month",
        (site_id,),
    )
    return [row[0] for row in rows]


def read_destinations(db: sqlite3.Connection, site_id: int, month: int) -> Iterator[Judged]:
    """What there is to judge in a month; each destination of each device once."""
    last: Place | None = None
    for device, name, remote, domain, address, source, alias, service, verdict in db.execute(
        _DESTINATIONS, (site_id, month)
    ):
        place = Place(device, name, remote)
        if place != last:
            yield Judged(place, domain, address, source, alias, service, verdict)
            last = place


class VerdictBook:
    """Verdicts by number, looked up or made; for one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers: dict[Verdict, int] = {}

    def number(self, verdict: Verdict) -> int:
        """The id of a verdict, made where it is new."""
        known = self._numbers.get(verdict)
        if known is None:
            values = _VALUES(verdict)
            digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]
            self._db.execute(
                "INSERT INTO verdict (party, organisation, purpose, rule_id, reason, registrable_domain, tenant,"
                " infrastructure, asn, country, country_confidence, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (*values, digest),
            )
            row = self._db.execute("SELECT id FROM verdict WHERE digest = ?", (digest,)).fetchone()
            known = self._numbers[verdict] = int(row[0])
        return known

    def read(self, number: int) -> Verdict:
        """The verdict of a number."""
        row = self._db.execute(
            "SELECT party, organisation, purpose, rule_id, reason, registrable_domain, tenant, infrastructure, asn, country,"
            " country_confidence FROM verdict WHERE id = ?",
            (number,),
        ).fetchone()
        return Verdict(*row)


def write_judgements(
    db: sqlite3.Connection, site_id: int, month: int, judged: Iterable[tuple[Place, int]], there: Sequence[Place]
) -> None:
    """(destination, verdict) where that changed; judgements about destinations that are not `there` any more go."""
    db.execute(
        "CREATE TEMP TABLE standing (device_id, name_id, remote_id, PRIMARY KEY (device_id, name_id, remote_id))"
    )
    try:
        db.executemany("INSERT INTO temp.standing VALUES (?, ?, ?)", there)
        db.execute(
            "DELETE FROM judgement WHERE month = ? AND site_id = ?"
            " AND (device_id, name_id, remote_id) NOT IN (SELECT device_id, name_id, remote_id FROM temp.standing)",
            (month, site_id),
        )
    finally:
        db.execute("DROP TABLE temp.standing")
    db.executemany(
        "INSERT OR REPLACE INTO judgement (month, site_id, device_id, name_id, remote_id, verdict_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(month, site_id, *place, verdict) for place, verdict in judged],
    )


def drop_unused(db: sqlite3.Connection) -> None:
    """Verdicts that nothing refers to any more go."""
    db.execute(
        "DELETE FROM verdict WHERE id NOT IN"
        " (SELECT verdict_id FROM judgement UNION SELECT verdict_id FROM destination_month)"
    )
