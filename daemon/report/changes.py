"""What is new, gone or different between the months of a device, as rows and in words.

Rule: rows and sentences say what `turnover` found; texts are looked up for those that are shown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from daemon.report import turnover
from daemon.report.scope import Scope
from daemon.report.table import MOST_SHOWN, SIZE, Column, Report, Row, Rows
from daemon.report.turnover import Changes
from daemon.report.words import device_words, listed, month_words, party_words
from daemon.store.calendar import month_text
from daemon.store.contact_months import ContactMonths, last_met, read_contact_months
from daemon.store.months import Known, known_devices, last_months

NEW, GONE, CHANGED, BEGINS = "new", "gone", "changed", "begins"
KINDS = {turnover.BEGINS: BEGINS, turnover.NEW: NEW, turnover.CHANGED: CHANGED, turnover.GONE: GONE}
_MOST_NAMED = 3
_MANY = 5000  # rows, of whoever wants all
_PARTY_ORDER = ("third", "platform", "unknown", "support", "first", "local")

COLUMNS = (
    Column("month", "Month"),
    Column("device_id", "Number"),
    Column("device", "Device"),
    Column("change", "Change"),
    Column("destination", "Destination"),
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("country", "Country"),
    Column("before", "Before"),
    Column("bytes", "Data", SIZE),
)


class _Group(NamedTuple):
    """News of one month, device, kind and (of what came) party: how many, and the numbers of the first."""

    month: int
    device: int
    kind: int
    party: str
    many: int
    first: Sequence[int]


class _Named(NamedTuple):
    """What the destination of a row is called, and whose it is."""

    destination: str
    organisation: str | None

    def whole(self) -> str:
        """Both in words."""
        whose = self.organisation if self.organisation != self.destination else None
        return f"{self.destination} of {whose}" if whose else self.destination


def report(scope: Scope) -> Report:
    """The same of the months that a span touches, with devices called as the owner calls them."""
    since, until = scope.months
    devices = {
        number: known._replace(name=scope.names.get(number) or known.name)
        for number, known in known_devices(scope.db).items()
    }
    contacts = read_for(scope.db, scope.site_id, scope.device_id, since, until)
    return changes_report(contacts, devices, since, scope.newest_month)


def read_for(db: sqlite3.Connection, site: int, device: int | None, since: int, until: int) -> ContactMonths:
    """Contacts of these months, and of each device those of the last month before in which it had any."""
    every = last_months(db, site)
    last = last_met(db, since, every, site, device)
    months = {month for month in every if since <= month <= until} | set(last.values())
    contacts = read_contact_months(db, months, site, device)
    compared = np.zeros(max([*last, int(contacts.device.max(initial=0))]) + 1, np.int64)
    compared[list(last)] = list(last.values())
    wanted = (contacts.month >= since) | (contacts.month == compared[contacts.device])
    return contacts if wanted.all() else contacts.rows(wanted)


def changes_report(contacts: ContactMonths, devices: Mapping[int, Known], since: int, newest: int) -> Report:
    """The report `changes` of the months from `since` on."""
    changes = turnover.find(contacts, since, newest)
    called = {number: device_words(devices.get(number)) for number in np.unique(changes.device).tolist()}
    notes = (f"{month_words(newest)} may not be over: what has not been contacted yet is not called gone.",)
    sentences = tuple(tell(changes, called)) or ("Nothing changed between these months.",)
    rows = Rows(changes.many, lambda numbers: _rows(changes, called, numbers))
    return Report("Changes between months", COLUMNS, rows, sentences, notes, _weighty(changes))


def _weighty(changes: Changes) -> tuple[int, ...]:
    """The rows with most bytes that are shown, these first; of equals the one before."""
    octets = changes.bytes
    least = np.partition(octets, -MOST_SHOWN)[-MOST_SHOWN] if changes.many > MOST_SHOWN else 0
    heavy = np.flatnonzero(octets >= least)
    return tuple(heavy[np.argsort(-octets[heavy], kind="stable")][:MOST_SHOWN].tolist())


def _rows(changes: Changes, called: Mapping[int, str], numbers: Sequence[int]) -> Iterator[Row]:
    which = slice(numbers.start, numbers.stop) if isinstance(numbers, range) and numbers.step == 1 else list(numbers)
    if len(numbers) > _MANY:
        changes.places.learn(changes.place)
    months = {number: month_text(number) for number in np.unique(changes.month).tolist()}
    countries = [changes.country(owner) for owner in range(len(changes.owners))]
    texts = changes.places.texts(changes.place[which].tolist())
    columns = (
        getattr(changes, word)[which].tolist()
        for word in ("month", "device", "kind", "place", "party", "owner", "bytes")
    )
    for number, (month, device, kind, place, party, owner, octets) in zip(
        numbers, zip(*columns, strict=True), strict=True
    ):
        yield (
            months[month], device or None, called[device], KINDS[kind], texts[place],
            changes.owners[owner].organisation, changes.parties[party], countries[owner],
            changes.before(number) if kind == turnover.CHANGED else None, octets,
        )  # fmt: skip


def tell(changes: Changes, called: Mapping[int, str]) -> Iterator[str]:
    """One sentence or a few for each month and device with news."""
    told: dict[tuple[int, int], list[_Group]] = {}
    for group in _groups(changes):
        told.setdefault((group.month, group.device), []).append(group)
    numbers = [number for groups in told.values() for group in groups for number in group.first]
    places, owners = changes.place[numbers].tolist(), changes.owner[numbers].tolist()
    texts = changes.places.texts(places)
    named = {
        number: _Named(texts[place], changes.owners[owner].organisation)
        for number, place, owner in zip(numbers, places, owners, strict=True)
    }
    for (month, device), groups in told.items():
        yield f"{month_words(month)}, {called[device]}: {'; '.join(_parts(changes, named, groups))}."


def _groups(changes: Changes) -> Iterator[_Group]:
    """In order of month and device."""
    by_party = (changes.kind == turnover.BEGINS) | (changes.kind == turnover.NEW)
    kinds, parties = len(KINDS), len(changes.parties)
    width = int(changes.device.max(initial=0)) + 1
    keys = (changes.month.astype(np.int64) * width + changes.device) * kinds + changes.kind
    keys = keys * parties + np.where(by_party, changes.party, 0)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    many = np.diff(begins, append=len(ordered))
    for key, begin, number in zip(ordered[begins].tolist(), begins.tolist(), many.tolist(), strict=True):
        first = order[begin : begin + min(number, _MOST_NAMED)].tolist()
        (rest, party), when = divmod(key, parties), key // parties // kinds
        month, device = divmod(when, width)
        yield _Group(month, device, rest % kinds, changes.parties[party], number, first)


def _parts(changes: Changes, named: Mapping[int, _Named], groups: Sequence[_Group]) -> Iterator[str]:
    of = {(group.kind, group.party if group.kind in (turnover.BEGINS, turnover.NEW) else ""): group for group in groups}
    begins = [of[turnover.BEGINS, party] for party in _PARTY_ORDER if (turnover.BEGINS, party) in of]
    if any(group.kind == turnover.BEGINS for group in groups):
        parties = [f"{group.many} {party_words(group.party, group.many)}" for group in begins]
        yield f"seen for the first time, with {listed(parties, 9)}"
    for party in _PARTY_ORDER:
        if new := of.get((turnover.NEW, party)):
            names = [named[number].whole() for number in new.first]
            yield f"{new.many} new {party_words(party, new.many)} ({listed(names, _MOST_NAMED, new.many)})"
    if changed := of.get((turnover.CHANGED, "")):
        said = [f"{named[number].destination} (was {changes.before(number)})" for number in changed.first]
        yield f"different: {listed(said, _MOST_NAMED, changed.many)}"
    if gone := of.get((turnover.GONE, "")):
        names = [named[number].destination for number in gone.first]
        yield f"no longer contacted: {listed(names, _MOST_NAMED, gone.many)}"
