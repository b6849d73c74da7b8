"""Labels: a pass over facts, after which nothing shows in which order the facts arrived.

One transaction. Judgements about the ends of a site are made anew from all evidence; names and continued flows where
new facts, or a judgement that changed, may have changed them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from daemon.flow.facts import DAY_US
from daemon.flow.stitch import Part, stitch
from daemon.identify.answers import MOST_US, Answer, AnswerBook, hinted_addresses
from daemon.identify.house import Announcement, End, furnish
from daemon.ingest.folders import settle_folders
from daemon.store import labels
from daemon.store.captures import site_number
from daemon.store.database import transaction
from daemon.store.errors import explained

_ADDRESS_TYPES = ("A", "AAAA")


def settle_site(db: sqlite3.Connection, database: Path, site: str, networks: Sequence[str] = ()) -> None:
    """Recompute what depends on more than one capture: gateways, devices, continued flows, names. Raises StoreError."""
    with explained(database), transaction(db):
        _settle(db, site_number(db, site), networks)


def _settle(db: sqlite3.Connection, site_id: int, networks: Sequence[str]) -> None:
    if networks:
        labels.write_configured(db, site_id, networks)
    fresh = labels.unsettled(db, site_id)
    if not fresh and not networks:
        return
    for capture in fresh:
        labels.fold_crowds(db, capture.capture_id)
    house = furnish(
        (End(*row) for row in labels.read_ends(db, site_id)),
        [Announcement(*row) for row in labels.read_announcements(db, site_id)],
        labels.read_routers(db, site_id),
    )
    spans = [(each.first_us, each.last_us) for each in fresh]
    spans += labels.write_devices(db, site_id, house.local, [(end, *key) for end, key in house.devices.items()])
    labels.write_hint_names(db, site_id)
    spans += settle_folders(db, site_id)
    for series in sorted({capture.series for capture in fresh}):
        _settle_series(db, site_id, series)
    if spans:
        _settle_names(db, site_id, min(span[0] for span in spans), max(span[1] for span in spans) + MOST_US)
    labels.mark_settled(db, site_id)


def _settle_series(db: sqlite3.Connection, site_id: int, series: str) -> None:
    """Link flows over the files of a series; of all that begin in the middle only those that a cut one fits are kept."""
    parts: list[Part] = []
    if labels.several_captures(db, site_id, series):
        parts = [_part(row) for row in labels.read_parts(db, site_id, series, tails=True)]
        keys = {part.key() for part in parts}
        others = (_part(row) for row in labels.read_parts(db, site_id, series, tails=False))
        parts += [part for part in others if part.key() in keys]
    labels.write_continued(db, site_id, series, stitch(parts))


def _part(row: tuple[Any, ...]) -> Part:
    return Part(row[0], (row[1], row[2]), (row[3], row[4]), *row[5:])


def _settle_names(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> None:
    """Name the flows of a stretch of time that have no name of their own."""
    labels.forget_local_names(db, site_id, since_us, until_us)
    certified = dict(labels.read_certified(db, site_id, since_us, until_us))
    unnamed = labels.read_unnamed(db, site_id, since_us, until_us)
    for day, flows in groupby(unnamed, key=lambda flow: flow[3] // DAY_US):
        book = AnswerBook(_answers(db, site_id, day * DAY_US))
        changes: list[tuple[int | None, str | None, int]] = []
        for flow_id, asker, address, first_us, label_id, label_source in flows:
            found: tuple[int | None, str | None] = book.name(asker, address, first_us) or (None, None)
            if found[0] is None and flow_id in certified:
                found = labels.name_number(db, _certificate_name(certified[flow_id])), "certificate"
            if found != (label_id, label_source):
                changes.append((*found, flow_id))
        labels.write_names(db, changes)


def _answers(db: sqlite3.Connection, site_id: int, day_us: int) -> Iterator[Answer]:
    """Address answers that may hold on that day."""
    for seen_us, name, ttl, asker, kind, value, name_id in labels.read_answers(db, site_id, day_us, MOST_US):
        for address in (value,) if kind in _ADDRESS_TYPES else hinted_addresses(value):
            yield Answer(seen_us, name, ttl, asker, address, name_id)


def _certificate_name(names: str) -> str:
    """The first name that is no pattern, else the first pattern's domain."""
    every = names.lower().split(" ")
    return next((name for name in every if not name.startswith("*")), every[0].removeprefix("*."))
