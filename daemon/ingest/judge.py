"""Whose is each destination: what the store has for a month, judged and written back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict
from daemon.ingest.knowledge import Knowledge
from daemon.store.calendar import month_text
from daemon.store.devices import read_profiles
from daemon.store.verdicts import (
    Judged,
    Place,
    VerdictBook,
    drop_unused,
    read_destinations,
    write_judgements,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A judgement that is not what it was; `before` is None for a destination that had none."""

    month: str
    device: str | None
    destination: str
    before: Verdict | None
    after: Verdict


def judge_months(db: sqlite3.Connection, site_id: int, months: Iterable[int], knowledge: Knowledge) -> list[Change]:
    """Judge every destination of these months anew; what changed, destinations that had no judgement left out."""
    profiles = {
        device: DeviceProfile(vendor=vendor, name=name, kind=kind, system=system)
        for device, (vendor, name, kind, system) in read_profiles(db, site_id).items()
    }
    book = VerdictBook(db)
    changes: list[Change] = []
    for month in sorted(months):
        written: list[tuple[Place, int]] = []
        there: list[Place] = []
        for judged in read_destinations(db, site_id, month):
            profile = profiles.get(judged.place.device_id, DeviceProfile())
            verdict = knowledge.classifier.judge(profile, _destination(judged, month))
            number = book.number(verdict)
            there.append(judged.place)
            if number != judged.verdict_id:
                written.append((judged.place, number))
                if judged.verdict_id is not None:
                    changes.append(_change(book, profile, judged, month, verdict))
        write_judgements(db, site_id, month, written, there)
    if changes:
        drop_unused(db)
    return changes


def _destination(judged: Judged, month: int) -> Destination:
    return Destination(
        domain=judged.domain,
        address=judged.address,
        name_source=judged.name_source,
        alias_target=judged.alias_target,
        month=month_text(month),
        service=judged.service,
    )


def _change(book: VerdictBook, profile: DeviceProfile, judged: Judged, month: int, after: Verdict) -> Change:
    before = book.read(judged.verdict_id) if judged.verdict_id is not None else None
    return Change(month_text(month), profile.name, judged.domain or judged.address or "", before, after)
