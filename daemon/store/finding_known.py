"""What devices had reached before the time that the hunt for odd connections looks at. Reading only."""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

import numpy as np

from daemon.store.calendar import month_days
from daemon.store.destination_columns import KEYS, read_parts, read_ways
from daemon.store.judged import verdicts_of
from daemon.store.station_devices import read_device_column
from daemon.store.window import Window

_WIDTH = 1 << 40  # of the numbers of names and, below 0, of addresses: far more than there may be
# Whom devices reached: by numbers first, as of thousands of destinations few differ in whose they are.
_KNOWN = """
    SELECT DISTINCT device_id, verdict_id FROM judgement WHERE site_id = :site AND month BETWEEN :first AND :last
"""
_OWNERS = """
    SELECT id, organisation, registrable_domain, country FROM verdict WHERE id IN (SELECT value FROM json_each(?))
"""


class KnownRow(NamedTuple):
    """Whom, and which country, a device reached."""

    device_id: int
    organisation: str | None
    registrable_domain: str | None
    country: str | None


def read_known(db: sqlite3.Connection, site_id: int, months: tuple[int, int], day: int) -> list[KnownRow]:
    """What devices reached in months, from the first to the last, and before a day of the month after these."""
    asked = {"site": site_id, "first": months[0], "last": months[1]}
    met = {*db.execute(_KNOWN, asked), *_met_before(db, site_id, months[1] + 1, day)}
    verdicts = json.dumps(sorted({verdict for _, verdict in met}))
    owners = {number: rest for number, *rest in db.execute(_OWNERS, (verdicts,))}
    return list({KnownRow(device, *owners[verdict]) for device, verdict in met if verdict in owners})


def _met_before(db: sqlite3.Connection, site_id: int, month: int, day: int) -> set[tuple[int, int]]:
    """(device, verdict) of all that devices met in the days of a month before a day, as far as these are kept."""
    ways, device_of = read_ways(db), read_device_column(db)
    pairs: set[tuple[int, int]] = set()
    for part in read_parts(db, Window(site_id, 0, 0, (month_days(month)[0], day - 1), (month, month)), ways, KEYS):
        if part.day:
            ours = ways.site[part.columns.way] == site_id
            who, named = device_of[part.columns.station[ours]], part.columns.named[ours].astype(np.int64)
            who, named = np.divmod(np.unique(who * _WIDTH + named + _WIDTH // 2), _WIDTH)
            pairs.update(zip(who.tolist(), (named - _WIDTH // 2).tolist(), strict=True))
    if not pairs:
        return set()
    device, named = np.array(sorted(pairs), np.int64).T
    verdict = verdicts_of(db, month, site_id, device, named)
    return {pair for pair in zip(device.tolist(), verdict.tolist(), strict=True) if pair[0] and pair[1]}
