"""Who had to do with whom in the scope's time: the rows that lists of companies, destinations, countries are summed from.

Rule 1: a scope is narrowed by what is asked for alone (party, country, company); devices and times are narrowed by SQL.
Rule 2: of a destination that several devices see in different ways, the way with most bytes is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from daemon.report.scope import Scope
from daemon.store.columns import Ints, told
from daemon.store.station_devices import read_device_of_station
from daemon.store.whose import (
    UNJUDGED,
    Label,
    Met,
    read_labels,
    read_met_of_company,
)
from daemon.store.whose_columns import BITS
from daemon.store.whose_days import read_owned, read_share_columns
from daemon.store.window import Window

K = TypeVar("K", bound=Hashable)

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'

NOBODY = "-"  # in addresses: what belongs to no known company, or lies in no known country


class Contact(NamedTuple):
    """A destination of a station, and whose it is."""

    met: Met
    label: Label


@dataclass(slots=True)
class Tally(Generic[K]):
    """Contacts that have something in common, added up; each mapping says how many bytes are of what."""

    key: K
    flows: int = 0
    packets_up: int = 0
    packets_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    first_us: int = 1 << 62
    last_us: int = 0
    parties: dict[str, int] = field(default_factory=dict)
    devices: dict[int, int] = field(default_factory=dict)
    named: dict[int, int] = field(default_factory=dict)
    companies: dict[str | None, int] = field(default_factory=dict)
    countries: dict[str | None, int] = field(default_factory=dict)
    confidences: dict[str | None, int] = field(default_factory=dict)
    largest: int = -1  # bytes of the contact with most
    label: Label = UNJUDGED  # what is said of that one

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_up + self.packets_down

    @property
    def party(self) -> str:
        """The party of most of the bytes."""
        return most(self.parties) or "unknown"

    @property
    def company(self) -> str | None:
        """Whose most of it is."""
        return most(self.companies)

    @property
    def country(self) -> str | None:
        """Where most of it is, as far as anybody knows."""
        return most({country: octets for country, octets in self.countries.items() if country is not None})

    def add(self, contact: Contact) -> None:
        """One contact more."""
        met, label = contact
        octets = met.bytes_up + met.bytes_down
        self.flows += met.flows
        self.packets_up += met.packets_up
        self.packets_down += met.packets_down
        self.bytes_up += met.bytes_up
        self.bytes_down += met.bytes_down
        if met.first_us < self.first_us:
            self.first_us = met.first_us
        if met.last_us > self.last_us:
            self.last_us = met.last_us
        if octets > self.largest:
            self.largest, self.label = octets, label
        # Written out: a list is made of thousands of contacts, and a call costs as much as what it does here.
        parties, devices, named = self.parties, self.devices, self.named
        companies, countries, confidences = self.companies, self.countries, self.confidences
        parties[label.party] = parties.get(label.party, 0) + octets
        devices[met.device_id] = devices.get(met.device_id, 0) + octets
        named[met.named] = named.get(met.named, 0) + octets
        companies[label.organisation] = companies.get(label.organisation, 0) + octets
        countries[label.country] = countries.get(label.country, 0) + octets
        confidences[label.confidence] = confidences.get(label.confidence, 0) + octets

    def take(self, label: Label, devices: Sequence[int], octets: Sequence[int], up: int, down: int) -> None:
        """What devices exchanged of one label, and what of all that went up and down: as `add` of each, in a tenth of it."""
        whole, counts = up + down, self.devices
        for device, size in zip(devices, octets, strict=True):
            counts[device] = counts.get(device, 0) + size
        self.bytes_up += up
        self.bytes_down += down
        if (most_of := max(octets)) > self.largest:
            self.largest, self.label = most_of, label
        self.first_us = min(self.first_us, 0)
        _count(self.parties, label.party, whole)
        _count(self.companies, label.organisation, whole)
        _count(self.countries, label.country, whole)
        _count(self.confidences, label.confidence, whole)
        _count(self.named, 0, whole)


def _count(counts: dict[K, int], word: K, octets: int) -> None:
    counts[word] = counts.get(word, 0) + octets


def most(counts: Mapping[K, int]) -> K | None:
    """What has most; of several the first by its text."""
    return min(counts, key=lambda each: (-counts[each], str(each))) if counts else None


def read_of_company(scope: Scope, company: str) -> list[Contact]:
    """Those of one company, with reasons and whatever else a verdict says."""
    only = {**scope.only, "company": company}
    key = ("of company", scope.window, tuple(sorted(only.items())))
    return scope.remember(key, lambda: narrowed(_of_company(scope, company), only))


def _of_company(scope: Scope, company: str) -> list[Contact]:
    rows = read_met_of_company(scope.db, scope.window, None if company == NOBODY else company)
    labels = read_labels(scope.db, {met.verdict_id for met in rows})
    return [Contact(met, labels[met.verdict_id]) for met in rows]


def read_shares(scope: Scope) -> list[Contact]:
    """Bytes by device, party, company and country: no names, times and reasons, but of a year as quickly as of a day."""
    owned, device_of = owned_labels(scope), read_device_of_station(scope.db)
    rows = zip(*(column.tolist() for column in _shares(scope, owned)), strict=True)
    return [
        _new(Contact, (_new(Met, (device_of.get(station, 0), 0, 0, 0, 0, 0, up, down, 0, 0, 0)), owned[number]))
        for number, station, up, down in rows
    ]


def share_columns(scope: Scope) -> tuple[dict[int, Label], Ints, Ints, Ints, Ints]:
    """The same as columns: labels by number, and of each share this number, the device, bytes up and bytes down."""
    owned = owned_labels(scope)
    number, station, up, down = _shares(scope, owned)
    return owned, number, told(station, read_device_of_station(scope.db), 0), up, down


def share_bytes(scope: Scope) -> int:
    """The bytes of all of them."""
    return sum(int(column.sum()) for column in _shares(scope, owned_labels(scope))[2:])


def _shares(scope: Scope, owned: Mapping[int, Label]) -> tuple[Ints, Ints, Ints, Ints]:
    """Columns (number of `owned`, station, bytes up, bytes down), in order of the first."""
    fits = _fitting(scope.only)
    pairs, up, down = scope.remember(("pairs", scope.window), lambda: read_share_columns(scope.db, scope.window))
    station, number = pairs >> BITS, pairs & ((1 << BITS) - 1)
    order = np.argsort(number, kind="stable")
    if fits is not None:
        wanted = np.array([each for each, label in owned.items() if fits(label)], np.int64)
        order = order[np.isin(number[order], wanted)]
    return number[order], station[order], up[order], down[order]


def share_sums(scope: Scope, key: Callable[[Label], K]) -> list[Tally[K]]:
    """Sums by something of a label (company, country), most bytes first; without names."""
    owned, device_of = owned_labels(scope), read_device_of_station(scope.db)
    number, station, up, down = _shares(scope, owned)
    if not len(number):
        return []
    begins = np.flatnonzero(np.diff(number, prepend=-1))
    ends = np.append(begins[1:], len(number)).tolist()
    devices, octets = [device_of.get(at, 0) for at in station.tolist()], (up + down).tolist()
    whole = [np.add.reduceat(column, begins).tolist() for column in (up, down)]
    sums: dict[K, Tally[K]] = {}
    for whose, begin, end, sent, received in zip(number[begins].tolist(), begins.tolist(), ends, *whole, strict=True):
        word = key(owned[whose])
        tally = sums.setdefault(word, Tally(word))
        tally.take(owned[whose], devices[begin:end], octets[begin:end], sent, received)
    return sorted(sums.values(), key=lambda each: (-each.bytes, str(each.key)))


def company_sums(scope: Scope) -> list[Tally[str | None]]:
    """Companies, most bytes first; not to be changed."""
    key = ("companies", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: share_sums(scope, lambda label: label.organisation))


def companies_before(scope: Scope) -> frozenset[str | None]:
    """The companies of the span before the scope's, of the same length; empty where nothing was seen then."""
    window = scope.over(scope.span.before()).window
    return scope.remember(("companies before", window), lambda: _companies(scope, window))


def _companies(scope: Scope, window: Window) -> frozenset[str | None]:
    owned = read_owned(scope.db)
    numbers = np.unique(read_share_columns(scope.db, window).pairs & ((1 << BITS) - 1))
    return frozenset(owned[number].organisation for number in numbers.tolist())


def owned_labels(scope: Scope) -> dict[int, Label]:
    """By number of `whose_days.Owned`: party, company and country as a label."""
    nothing = (None,) * 5  # what a verdict says besides
    return {
        number: _new(Label, (each.party, each.organisation, None, None, each.country, each.confidence, *nothing))
        for number, each in read_owned(scope.db).items()
    }


def narrowed(contacts: list[Contact], only: Mapping[str, str]) -> list[Contact]:
    """Those of the party, the country and the company that are asked for."""
    fits = _fitting(only)
    return contacts if fits is None else [each for each in contacts if fits(each.label)]


def narrowing(labels: Mapping[int, Label], only: Mapping[str, str]) -> set[int] | None:
    """The verdicts of the party, the country and the company that are asked for; None: all."""
    fits = _fitting(only)
    return None if fits is None else {number for number, label in labels.items() if fits(label)}


def _fitting(only: Mapping[str, str]) -> Callable[[Label], bool] | None:
    asked = [(only[word], tell) for word, tell in _NARROWING if word in only]
    return (lambda label: all(tell(label) == wanted for wanted, tell in asked)) if asked else None


_NARROWING: Collection[tuple[str, Callable[[Label], str]]] = (
    ("party", lambda label: label.party),
    ("country", lambda label: label.country or NOBODY),
    ("company", lambda label: label.organisation or NOBODY),
)


def tally(contacts: Iterable[Contact], key: Callable[[Contact], K]) -> list[Tally[K]]:
    """Contacts with the same key added up, most bytes first."""
    sums: dict[K, Tally[K]] = {}
    for contact in contacts:
        word = key(contact)
        known = sums.get(word)
        if known is None:
            known = sums[word] = Tally(word)
        known.add(contact)
    return sorted(sums.values(), key=lambda each: (-each.bytes, str(each.key)))


def by_company(contact: Contact) -> str | None:
    """The key for sums by company."""
    return contact.label.organisation


def by_destination(contact: Contact) -> int:
    """The key for sums by name or address."""
    return contact.met.named


def by_country(contact: Contact) -> str | None:
    """The key for sums by country."""
    return contact.label.country
