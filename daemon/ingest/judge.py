"""Whose is each destination: what the store has for a month, judged and written back."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict
from daemon.identify.answers import end_of_chain
from daemon.ingest.knowledge import Knowledge
from daemon.store.aliases import read_aliases
from daemon.store.calendar import month_text
from daemon.store.devices import read_profiles
from daemon.store.verdicts import (
    Asked,
    Met,
    Place,
    VerdictBook,
    devices_of_stations,
    drop_unused,
    judgements_of,
    read_destinations,
    read_judgements,
    write_judgements,
)

_NOBODY = DeviceProfile()
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
_MOST = 100_000  # questions that are remembered: bounds what is held in memory
_AT_ONCE = 2_000  # that are judged together: half of what the classifier remembers the parts of
_Known = dict[Hashable, dict[Hashable, Verdict]]  # by all of a device, then all of a destination, that they depend on


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
    known: _Known = defaultdict(dict)
    for month in sorted(months):
        if sum(map(len, known.values())) > _MOST:
            known.clear()
        text, aliases = month_text(month), read_aliases(db, site_id, month)
        ask = _Questions(knowledge, profiles, text, aliases, known)
        there, judged = scope.look(month, only.get(month) if only is not None else None)
        written: list[tuple[Place, int]] = []
        for (place, met), verdict in zip(there.items(), ask.verdicts(there), strict=True):
            number, before = book.number(verdict), judged.pop(place, None)
            if number != before:
                written.append((place, number))
                if before is not None:
                    device, destination = profiles.get(place[0], _NOBODY).name, met.domain or met.address or ""
                    changes.append(Change(text, device, destination, book.read(before), verdict))
        book.write()
        write_judgements(db, site_id, month, written, judged)
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

    def look(self, month: int, some: Some | None) -> tuple[dict[Place, Met], dict[Place, int]]:
        """Destinations that are there, in the order of devices, and the verdicts that they, and others before, have."""
        db, site_id = self._db, self._site_id
        if some is None:
            return read_destinations(db, site_id, month), read_judgements(db, site_id, month)
        there: dict[Place, Met] = {}
        judged: dict[Place, int] = {}
        if some.devices:
            stations = [station for device in some.devices for station in self._stations[device]]
            there = read_destinations(db, site_id, month, of=stations)
            judged = read_judgements(db, site_id, month, some.devices)
        if some.places:
            places = {Place(self._device.get(station, 0), name, remote) for station, name, remote in some.places}
            asked = [(one, name, remote) for device, name, remote in places for one in self._stations[device]]
            there |= read_destinations(db, site_id, month, only=asked)
            judged |= judgements_of(db, site_id, month, places)
        return there, judged


class _Questions:
    """The questions of one month. Devices of one maker, and months alike, ask the same ones; each is judged once.

    Many are taken together, one step after the other: an interpreter that does one thing many times takes a quarter less
    time for it.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        profiles: Mapping[int, DeviceProfile],
        month: str,
        aliases: Mapping[str, str],
        known: _Known,
    ) -> None:
        self._knowledge, self._profiles, self._known = knowledge, profiles, known
        self._month, self._aliases = month, aliases
        self._asked: dict[Met, tuple[Destination, Hashable]] = {}  # with all that an answer depends on

    def verdicts(self, there: Mapping[Place, Met]) -> Iterator[Verdict]:
        """The verdict on each of these."""
        places = iter(there.items())
        while some := list(islice(places, _AT_ONCE)):
            profiles = {device: self._profiles.get(device, _NOBODY) for device in {place[0] for place, _ in some}}
            about = {device: self._knowledge.classifier.about(profile) for device, profile in profiles.items()}
            questions = [(about[place[0]], met) for place, met in some]
            self._judge(questions, {about[device]: profile for device, profile in profiles.items()})
            yield from [self._known[asker][self._asked[met][1]] for asker, met in questions]

    def _judge(self, questions: Sequence[tuple[Hashable, Met]], profiles: Mapping[Hashable, DeviceProfile]) -> None:
        """`profiles`: one of those about which the answers are the same."""
        classifier = self._knowledge.classifier
        met = [met for met in dict.fromkeys([met for _, met in questions]) if met not in self._asked]
        destinations = [self._destination(each) for each in met]
        depends = [classifier.asked(destination) for destination in destinations]
        self._asked.update(zip(met, zip(destinations, depends, strict=True), strict=True))
        new: dict[Hashable, dict[Hashable, Destination]] = defaultdict(dict)
        for asker, each in questions:
            destination, asked = self._asked[each]
            if asked not in self._known[asker]:
                new[asker].setdefault(asked, destination)
        for asker, some in new.items():
            verdicts = classifier.judge_all(profiles[asker], some.values())
            self._known[asker].update(zip(some, verdicts, strict=True))

    def _destination(self, met: Met) -> Destination:
        name, address, source, service = met
        alias_target = end_of_chain(name, self._aliases) if name and name in self._aliases else None
        return _new(Destination, (name, address, source, alias_target, (), self._month, service))
