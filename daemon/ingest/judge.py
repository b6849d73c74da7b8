"""Whose is each destination: what the store has for a month, judged and written back."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import NamedTuple

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict
from daemon.identify.answers import end_of_chain
from daemon.ingest.knowledge import Knowledge
from daemon.store.aliases import read_aliases
from daemon.store.calendar import month_text
from daemon.store.devices import read_profiles
from daemon.store.verdicts import (
    Asked,
    Judged,
    Place,
    VerdictBook,
    devices_of_stations,
    drop_unused,
    judged_places,
    read_destinations,
    write_judgements,
)

_NOBODY = DeviceProfile()
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
_MOST = 100_000  # questions that are remembered: bounds what is held in memory


class Change(NamedTuple):
    """A judgement that is not what it was."""

    month: str
    device: str | None
    destination: str
    before: Verdict
    after: Verdict


class Some(NamedTuple):
    """Destinations of a month that are to be judged: these of all devices, and all of some devices (0: of none)."""

    places: Collection[Asked] = ()
    devices: Collection[int] = ()


def judge_months(
    db: sqlite3.Connection,
    site_id: int,
    months: Iterable[int],
    knowledge: Knowledge,
    only: Mapping[int, Some] | None = None,
) -> list[Change]:
    """Judge every destination of these months anew; what changed, destinations that had no judgement left out.

    `only`: of a month that it has, these, as about the others nothing has changed on which a judgement depends.
    """
    profiles = read_profiles(db, site_id)
    scope = _Scope(db, site_id)
    book = VerdictBook(db)
    changes: list[Change] = []
    known = _Known()
    for month in sorted(months):
        ask = _Questions(book, knowledge, month_text(month), read_aliases(db, site_id, month), known)
        written: list[tuple[Place, int]] = []
        gone, judged_now = scope.look(month, only.get(month) if only is not None else None)
        for judged in judged_now:
            place, domain, address, _, _, before = judged
            profile = profiles.get(place[0], _NOBODY)
            number = ask.verdict(profile, judged)
            gone.discard(place)
            if number != before:
                written.append((place, number))
                if before is not None:
                    verdicts = book.read(before), book.read(number)
                    changes.append(Change(ask.month, profile.name, domain or address or "", *verdicts))
        book.write()
        write_judgements(db, site_id, month, written, gone)
    if changes and only is None:  # of a few the night takes care: it means a look at all judgements
        drop_unused(db)
    return changes


class _Scope:
    """What there is to judge of a site."""

    def __init__(self, db: sqlite3.Connection, site_id: int) -> None:
        self._db, self._site_id = db, site_id
        self._device = devices_of_stations(db, site_id)
        self._stations: dict[int, list[int]] = defaultdict(list)
        for station, device in self._device.items():
            self._stations[device].append(station)
        self._stations[0].append(0)  # in tiers: no end of it is in the house

    def look(self, month: int, some: Some | None) -> tuple[set[Place], Iterable[Judged]]:
        """Destinations of which there may be judgements though they are gone; and those that are there."""
        db, site_id = self._db, self._site_id
        if some is None:
            return judged_places(db, site_id, month), read_destinations(db, site_id, month)
        there: dict[Place, Judged] = {}
        gone: set[Place] = set()
        if some.devices:
            gone = judged_places(db, site_id, month, some.devices)
            stations = [station for device in some.devices for station in self._stations[device]]
            there = {judged.place: judged for judged in read_destinations(db, site_id, month, of=stations)}
        if some.places:
            places = {Place(self._device.get(station, 0), name, remote) for station, name, remote in some.places}
            asked = [(one, name, remote) for device, name, remote in places for one in self._stations[device]]
            gone |= places
            there |= {judged.place: judged for judged in read_destinations(db, site_id, month, only=asked)}
        return gone, there.values()


class _Questions:
    """The questions of one month. Devices of one maker, and months alike, ask the same ones; each is judged once."""

    def __init__(
        self, book: VerdictBook, knowledge: Knowledge, month: str, aliases: Mapping[str, str], known: _Known
    ) -> None:
        self.month = month
        self._book, self._knowledge, self._aliases, self._known = book, knowledge, aliases, known
        self._askers: dict[int, int] = {}
        self._asked: dict[tuple[str | None, ...], int] = {}
        known.bound()

    def verdict(self, profile: DeviceProfile, judged: Judged) -> int:
        """The number of the verdict on a destination of a device, which has this profile."""
        (device, _, _), domain, address, _, service, _ = judged
        asker = self._askers.get(device)
        if asker is None:
            asker = self._askers[device] = self._known.number(self._knowledge.classifier.about(profile))
        said = domain, address, service
        asked = self._asked.get(said)
        destination = None
        if asked is None:
            destination = self._destination(judged)
            asked = self._asked[said] = self._known.number(self._knowledge.classifier.asked(destination))
        known = self._known.verdicts.get((asker, asked))
        if known is None:
            verdict = self._knowledge.classifier.judge(profile, destination or self._destination(judged))
            known = self._known.verdicts[asker, asked] = self._book.number(verdict)
        return known

    def _destination(self, judged: Judged) -> Destination:
        _, name, address, source, service, _ = judged
        alias_target = end_of_chain(name, self._aliases) if name and name in self._aliases else None
        return _new(Destination, (name, address, source, alias_target, (), self.month, service))


class _Known:
    """Verdicts by what they depend on: of the device and of the destination, each looked up once and numbered."""

    def __init__(self) -> None:
        self.verdicts: dict[tuple[int, int], int] = {}
        self._numbers: dict[Hashable, int] = {}

    def number(self, depends: Hashable) -> int:
        """A number for all that a verdict depends on of one of the two."""
        return self._numbers.setdefault(depends, len(self._numbers))

    def bound(self) -> None:
        """Forget all of it, between two months, where it has become much."""
        if len(self.verdicts) > _MOST:
            self.verdicts.clear()
            self._numbers.clear()
