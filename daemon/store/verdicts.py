"""Judgements about destinations: what there is to judge, month by month, and the verdicts as they are kept.

A verdict is stored once, whoever it is about; a judgement says which one holds for a (device, destination, month).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

from daemon.classify.vocabulary import Verdict

_DIGITS = 16  # of the bytes that stand before an address
_COLUMNS = tuple(field.name for field in fields(Verdict))  # the table calls them the same
_VALUES = attrgetter(*_COLUMNS)


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
    service: str | None
    verdict_id: int | None


# One row a way (service, source), most bytes first. The address that speaks for a destination is the one with most bytes
# in a day, over all ways; that is the same whether days are there one by one or as the sums of a month.
_DESTINATIONS = """
    SELECT coalesce(s.device_id, 0), d.name_id, d.remote_id, n.text, max(printf('%016d', d.main_bytes) || m.address),
        iif(w.name_source GLOB '-*', NULL, w.name_source), nullif(w.service, ''), j.verdict_id
    FROM (
        SELECT station_id, name_id, remote_id, way_id, main_id, main_bytes, bytes_up + bytes_down AS bytes
        FROM destination_day WHERE month = ?2 {only}
        UNION ALL
        SELECT station_id, name_id, remote_id, way_id, main_id, main_bytes, bytes_up + bytes_down
        FROM destination_month WHERE month = ?2 AND verdict_id = 0 {only}
    ) d JOIN way w ON w.id = d.way_id AND w.site_id = ?1
    JOIN remote m ON m.id = d.main_id
    LEFT JOIN station s ON s.id = d.station_id
    LEFT JOIN name n ON n.id = d.name_id
    LEFT JOIN judgement j ON j.month = ?2 AND j.device_id = coalesce(s.device_id, 0) AND j.site_id = ?1
        AND j.name_id = d.name_id AND j.remote_id = d.remote_id
    GROUP BY 1, 2, 3, 7, 6
    ORDER BY 1, 2, 3, sum(d.bytes) DESC, 6, 7
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


_ONLY = "AND (name_id, remote_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3))"


def read_destinations(
    db: sqlite3.Connection, site_id: int, month: int, only: Collection[tuple[int, int]] | None = None
) -> Iterator[Judged]:
    """What there is to judge in a month; each destination of each device once. `only` some (name, remote)."""
    if only is None:
        rows = db.execute(_DESTINATIONS.format(only=""), (site_id, month))
    else:
        rows = db.execute(_DESTINATIONS.format(only=_ONLY), (site_id, month, json.dumps(list(only))))
    for place, ways in groupby(rows, key=itemgetter(0, 1, 2)):
        every = list(ways)
        _, _, _, domain, _, source, service, verdict = every[0]
        address = max(row[4] for row in every)[_DIGITS:]
        yield Judged(Place(*place), domain, address, source, service, verdict)


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
            made = self._db.execute(
                f"INSERT INTO verdict ({', '.join(_COLUMNS)}, digest) VALUES ({'?, ' * len(_COLUMNS)}?)"
                " ON CONFLICT DO NOTHING RETURNING id",
                (*values, digest),
            ).fetchone()
            row = made or self._db.execute("SELECT id FROM verdict WHERE digest = ?", (digest,)).fetchone()
            known = self._numbers[verdict] = int(row[0])
        return known

    def read(self, number: int) -> Verdict:
        """The verdict of a number."""
        row = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM verdict WHERE id = ?", (number,)).fetchone()
        return Verdict(*row)


def write_judgements(
    db: sqlite3.Connection,
    site_id: int,
    month: int,
    judged: Iterable[tuple[Place, int]],
    there: Sequence[Place],
    only: Collection[tuple[int, int]] | None = None,
) -> None:
    """(destination, verdict) where that changed; judgements about destinations that are not `there` any more go.

    Where `only` some (name, remote) were looked for, all others stay.
    """
    kept = db.execute(
        "SELECT device_id, name_id, remote_id FROM judgement WHERE month = ? AND site_id = ?", (month, site_id)
    )
    gone = {place for place in kept if only is None or place[1:] in only}.difference(there)
    db.executemany(
        "DELETE FROM judgement WHERE month = ? AND site_id = ? AND device_id = ? AND name_id = ? AND remote_id = ?",
        [(month, site_id, *place) for place in gone],
    )
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
