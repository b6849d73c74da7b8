"""Who had to do with whom in the scope's time: the rows that lists of companies, destinations, countries are summed from.

Rule 1: a scope is narrowed by what is asked for alone (party, country, company); devices and times are narrowed by SQL.
Rule 2: of a destination that several devices see in different ways, the way with most bytes is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
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


def most(counts: Mapping[K, int]) -> K | None:
    """What has most; of several the first by its text."""
    return min(counts, key=lambda each: (-counts[each], str(each))) if counts else None


def read_contacts(scope: Scope) -> list[Contact]:
    """All that the scope asks about; of whose it is the party, the company and the country."""
    return narrowed(scope.remember(("contacts", scope.window), lambda: _read(scope, packets=False)), scope.only)


def read_packets(scope: Scope) -> list[Contact]:
    """The same with packets, addresses and all that verdicts say, which takes longer."""
    return narrowed(scope.remember(("packets", scope.window), lambda: _read(scope, packets=True)), scope.only)


def read_of_company(scope: Scope, company: str) -> list[Contact]:
    """Those of one company, with reasons and whatever else a verdict says."""
    only = {**scope.only, "company": company}
    key = ("of company", scope.window, tuple(sorted(only.items())))
    return scope.remember(key, lambda: narrowed(_of_company(scope, company), only))


def _of_company(scope: Scope, company: str) -> list[Contact]:
    rows = read_met_of_company(scope.db, scope.window, None if company == NOBODY else company)
    if rows is None:
        every = read_contacts(replace(scope, only={"company": company}))
        rows = [each.met for each in every]
    labels = read_labels(scope.db, {met.verdict_id for met in rows})
    return [Contact(met, labels[met.verdict_id]) for met in rows]


def destination_sums(scope: Scope) -> list[Tally[int]]:
    """Names and addresses, most bytes first; not to be changed."""
    key = ("destinations", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: tally(read_contacts(scope), by_destination))


def read_shares(scope: Scope) -> list[Contact]:
    """Bytes by device, party, company and country: no names, times and reasons, but of a year as quickly as of a day."""
    rows = scope.remember(("shares", scope.window), lambda: _shares(scope, scope.window))
    return narrowed(rows, scope.only)


def company_sums(scope: Scope) -> list[Tally[str | None]]:
    """Companies, most bytes first; not to be changed."""
    key = ("companies", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: tally(read_shares(scope), by_company))


def companies_before(scope: Scope) -> frozenset[str | None]:
    """The companies of the span before the scope's, of the same length; empty where nothing was seen then."""
    window = scope.over(scope.span.before()).window
    return scope.remember(("companies before", window), lambda: _companies(scope, window))


def _companies(scope: Scope, window: Window) -> frozenset[str | None]:
    owned = _owned(scope)
    numbers = {number for _, number, _, _ in read_shares_of(scope.db, window)}
    return frozenset(owned[number].organisation for number in numbers)


def _shares(scope: Scope, window: Window) -> list[Contact]:
    owned = _owned(scope)
    devices = read_device_of_station(scope.db)
    return [
        Contact(Met(devices.get(station, 0), 0, 0, 0, 0, 0, up, down, 0, 0, 0), owned[number])
        for station, number, up, down in read_shares_of(scope.db, window)
    ]


def _read(scope: Scope, *, packets: bool) -> list[Contact]:
    rows = read_met(scope.db, scope.window, packets=packets)
    verdicts = {met.verdict_id for met in rows}
    labels = read_labels(scope.db, verdicts) if packets else _brief(scope, verdicts)
    return [Contact(met, labels[met.verdict_id]) for met in rows]


def _brief(scope: Scope, verdicts: set[int]) -> dict[int, Label]:
    """Labels with party, company and country alone: few are different, and reasons of thousands are slow to read."""
    owned = _owned(scope)
    numbers = read_whose_of(scope.db, verdicts)
    missing = read_labels(scope.db, verdicts - numbers.keys())
    return {**{verdict: owned[number] for verdict, number in numbers.items()}, **missing}


def _owned(scope: Scope) -> dict[int, Label]:
    return {number: UNJUDGED._replace(**each._asdict()) for number, each in read_owned(scope.db).items()}


def narrowed(contacts: list[Contact], only: Mapping[str, str]) -> list[Contact]:
    """Those of the party, the country and the company that are asked for."""
    asked = [(only[word], tell) for word, tell in _NARROWING if word in only]
    return (
        contacts
        if not asked
        else [each for each in contacts if all(tell(each.label) == wanted for wanted, tell in asked)]
    )


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
