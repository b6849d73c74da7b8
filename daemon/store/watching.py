"""How much of a span went to destinations that were judged to be for certain purposes: by device and company.

Reading only. Rule: whole days, and whole months of which the days are gone; the verdict of each month speaks for that month,
so that no part is more than the whole that `whose_days` tells.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from daemon.store.columns import Ints
from daemon.store.destination_columns import Columns, Part, read_parts, read_ways
from daemon.store.judged import Judged, read_judged
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_WANTED = ("station", "named", "verdict", "bytes_up", "bytes_down")
_VERDICTS = """
    SELECT id, organisation FROM verdict
    WHERE party = ? AND purpose IN (SELECT value FROM json_each(?)) ORDER BY id
"""


class Watched(NamedTuple):
    """What a device exchanged with one company for these purposes, bytes both ways. Device 0: none of the house."""

    device_id: int
    organisation: str | None
    bytes: int


class _Companies(NamedTuple):
    """Those of the verdicts that are wanted; `of_verdict`: 1 more than the place of each, 0 for others and at the end."""

    names: Sequence[str | None]
    of_verdict: Ints


def read_watched(db: sqlite3.Connection, window: Window, party: str, purposes: Collection[str]) -> list[Watched]:
    """Of one party, what was for one of these purposes; most bytes first."""
    organisation_of: dict[int, str | None] = dict(
        db.execute(_VERDICTS, (party, json.dumps(sorted(purposes)))).fetchall()
    )
    if not organisation_of:
        return []
    companies, device_of = _companies(organisation_of), read_device_column(db)
    devices, place_of = np.unique(device_of, return_inverse=True)
    wide = len(companies.names) + 1  # the first is for what is none of these
    months: dict[int, Judged] = {}
    sums = np.zeros(len(devices) * wide, np.int64)
    for part, columns in _parts(db, window):
        if part.day:
            if part.month not in months:
                months[part.month] = read_judged(db, part.month, window.site_id, organisation_of)
            verdict = months[part.month].of(device_of[columns.station], columns.named)
        else:
            verdict = columns.verdict
        company = companies.of_verdict.take(verdict, mode="clip")
        hit = np.flatnonzero(company)
        octets = columns.bytes_up[hit].astype(np.int64) + columns.bytes_down[hit]
        place = place_of[columns.station[hit]] * wide + company[hit]
        sums += np.bincount(place, octets, len(sums)).astype(np.int64)  # bytes of a part: exact
    found = np.flatnonzero(sums)
    whose = zip(devices[found // wide].tolist(), (found % wide - 1).tolist(), sums[found].tolist(), strict=True)
    rows = (Watched(device, companies.names[company], octets) for device, company, octets in whose)
    return sorted(rows, key=lambda row: (-row.bytes, row.device_id, row.organisation or ""))


def _companies(organisation_of: Mapping[int, str | None]) -> _Companies:
    names = list(dict.fromkeys(organisation_of.values()))
    place = {name: at for at, name in enumerate(names, 1)}
    of_verdict = np.zeros(max(organisation_of) + 2, np.int64)
    of_verdict[list(organisation_of)] = [place[name] for name in organisation_of.values()]
    return _Companies(names, of_verdict)


def _parts(db: sqlite3.Connection, window: Window) -> Iterator[tuple[Part, Columns]]:
    """Of each part the rows of the site; of what nobody asks for there are none."""
    ways = read_ways(db)
    alone = not np.setdiff1d(ways.site, (0, window.site_id)).size  # no other site: nothing to be sifted
    for part in read_parts(db, window, ways, _WANTED if alone else (*_WANTED, "way")):
        if alone or (ours := ways.site[part.columns.way] == window.site_id).all():
            yield part, part.columns
        else:
            yield part, Columns._make(column[ours] if len(column) else column for column in part.columns)
