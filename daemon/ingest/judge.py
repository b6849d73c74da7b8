"""Whose is each destination: what the store has for a month, judged and written back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict
from daemon.identify.answers import end_of_chain
from daemon.ingest.knowledge import Knowledge
from daemon.store.aliases import read_aliases
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

_NOBODY = DeviceProfile()


@dataclass(frozen=True, slots=True)
class Change:
    """A judgement that is not what it was."""

    month: str
    device: str | None
    destination: str
    before: Verdict
    after: Verdict


def judge_months(
    db: sqlite3.Connection,
    site_id: int,
    months: Iterable[int],
    knowledge: Knowledge,
    only: Mapping[int, Collection[tuple[int, int]]] | None = None,
) -> list[Change]:
    """Judge every destination of these months anew; what changed, destinations that had no judgement left out.

    `only`: of a month that it has, these (name, remote), as nothing else has changed.
    """
    profiles = {
        device: DeviceProfile(vendor=vendor, name=name, kind=kind, system=system)
        for device, (vendor, name, kind, system) in read_profiles(db, site_id).items()
    }
    book = VerdictBook(db)
    changes: list[Change] = []
    for month in sorted(months):
        ask = _Questions(book, knowledge, month_text(month), read_aliases(db, site_id, month))
        written: list[tuple[Place, int]] = []
        there: list[Place] = []
        some = None if only is None else only.get(month)
        for judged in read_destinations(db, site_id, month, some):
            profile = profiles.get(judged.place.device_id, _NOBODY)
            number = ask.verdict(profile, judged)
            there.append(judged.place)
            if number != judged.verdict_id:
                written.append((judged.place, number))
                if judged.verdict_id is not None:
                    verdicts = book.read(judged.verdict_id), book.read(number)
                    changes.append(Change(ask.month, profile.name, judged.domain or judged.address or "", *verdicts))
        write_judgements(db, site_id, month, written, there, some)
    if changes:
        drop_unused(db)
    return changes


class _Questions:
    """The questions of one month. Devices of one maker ask the same ones; each is judged once."""

    def __init__(self, book: VerdictBook, knowledge: Knowledge, month: str, aliases: Mapping[str, str]) -> None:
        self.month = month
        self._book, self._knowledge, self._aliases = book, knowledge, aliases
        self._known: dict[Hashable, int] = {}

    def verdict(self, profile: DeviceProfile, judged: Judged) -> int:
        """The number of the verdict on a destination of a device."""
        destination = Destination(
            domain=judged.domain,
            address=judged.address,
            name_source=judged.name_source,
            alias_target=end_of_chain(judged.domain, self._aliases) if judged.domain else None,
            month=self.month,
            service=judged.service,
        )
        classifier = self._knowledge.classifier
        question = classifier.question(profile, destination)
        known = self._known.get(question)
        if known is None:
            known = self._known[question] = self._book.number(classifier.judge(profile, destination))
        return known
