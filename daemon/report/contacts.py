"""Who had to do with whom in the scope's time: the rows that lists of companies, destinations, countries are summed from.

Rule 1: a scope is narrowed by what is asked for alone (party, country, company); devices and times are narrowed by SQL.
Rule 2: of a destination that several devices see in different ways, the way with most bytes is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from daemon.report.scope import Scope
from daemon.store.whose import (
    UNJUDGED,
    Label,
    Met,
    read_device_of_station,
    read_labels,
    read_met,
    read_met_of_company,
    read_whose_of,
)
from daemon.store.whose_days import read_owned
from daemon.store.whose_days import read_shares as read_shares_of
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

    def take(self, label: Label, rows: Iterable[tuple[int, int, int]]) -> None:
        """Rows (device, bytes up, bytes down) of one label: as `add` of each, in a fifth of the time."""
        whole, devices = 0, self.devices
        for device, up, down in rows:
            octets = up + down
            whole += octets
            self.bytes_up += up
            self.bytes_down += down
            devices[device] = devices.get(device, 0) + octets
            if octets > self.largest:
                self.largest, self.label = octets, label
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


def read_contacts(scope: Scope) -> list[Contact]:
    """All that the scope asks about; of whose it is the party, the company and the country."""
    return narrowed(_read(scope, brief=True), scope.only)


def read_packets(scope: Scope) -> list[Contact]:
    """The same with all that verdicts say, which takes longer."""
    return narrowed(scope.remember(("packets", scope.window), lambda: _read(scope, brief=False)), scope.only)


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
    return narrowed(scope.remember(("shares", scope.window), lambda: _shares(scope, scope.window)), scope.only)


def company_sums(scope: Scope) -> list[Tally[str | None]]:
    """Companies, most bytes first; not to be changed."""
    key = ("companies", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: _company_sums(scope))


def _company_sums(scope: Scope) -> list[Tally[str | None]]:
    """By what a company is and where first, of which there are hundreds: pairs with devices are many thousands."""
    owned, devices, fits = owned_labels(scope), read_device_of_station(scope.db), _fitting(scope.only)
    wanted = {number for number, label in owned.items() if fits is None or fits(label)}
    rows: dict[int, list[tuple[int, int, int]]] = {}
    for station, number, up, down in scope.remember(
        ("pairs", scope.window), lambda: read_shares_of(scope.db, scope.window)
    ):
        if number in wanted:
            rows.setdefault(number, []).append((devices.get(station, 0), up, down))
    sums: dict[str | None, Tally[str | None]] = {}
    for number, of in rows.items():
        label = owned[number]
        sums.setdefault(label.organisation, Tally(label.organisation)).take(label, of)
    return sorted(sums.values(), key=lambda each: (-each.bytes, str(each.key)))


def companies_before(scope: Scope) -> frozenset[str | None]:
    """The companies of the span before the scope's, of the same length; empty where nothing was seen then."""
    window = scope.over(scope.span.before()).window
    return scope.remember(("companies before", window), lambda: _companies(scope, window))


def _companies(scope: Scope, window: Window) -> frozenset[str | None]:
    owned = owned_labels(scope)
    numbers = {number for _, number, _, _ in read_shares_of(scope.db, window)}
    return frozenset(owned[number].organisation for number in numbers)


def _shares(scope: Scope, window: Window) -> list[Contact]:
    owned = owned_labels(scope)
    devices = read_device_of_station(scope.db)
    return [
        Contact(Met(devices.get(station, 0), 0, 0, 0, 0, 0, up, down, 0, 0, 0), owned[number])
        for station, number, up, down in scope.remember(("pairs", window), lambda: read_shares_of(scope.db, window))
    ]


def _read(scope: Scope, *, brief: bool) -> list[Contact]:
    rows = read_met(scope.db, scope.window)
    verdicts = {met.verdict_id for met in rows}
    labels = labels_of(scope, verdicts) if brief else read_labels(scope.db, verdicts)
    return [_new(Contact, (met, labels[met.verdict_id])) for met in rows]


def labels_of(scope: Scope, verdicts: set[int]) -> dict[int, Label]:
    """Labels with party, company and country alone: few are different, and reasons of thousands are slow to read."""
    owned = owned_labels(scope)
    numbers = read_whose_of(scope.db, verdicts)
    missing = read_labels(scope.db, verdicts - numbers.keys())
    return {**{verdict: owned[number] for verdict, number in numbers.items()}, **missing}


def owned_labels(scope: Scope) -> dict[int, Label]:
    """By number of `whose_days.Owned`: party, company and country as a label."""
    return {number: UNJUDGED._replace(**each._asdict()) for number, each in read_owned(scope.db).items()}


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
