"""Who gets the data: one pass over a span, added up by device, party, company and country.

Rule 1: a company is what people call one; what belongs to nobody known is counted and called so.
Rule 2: places are those of servers and not of companies; where a place is a guess, that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from daemon.report.scope import Scope
from daemon.store.columns import Ints, told
from daemon.store.stations_seen import devices_of_stations
from daemon.store.whose_columns import BITS, Columns, columns_of
from daemon.store.whose_days import Owned, read_owned, read_share_columns

_UNSURE = "low"
_NUMBER = (1 << BITS) - 1


@dataclass(slots=True)
class Company:
    """A company, with bytes by device and by party."""

    name: str | None  # None: nobody knows
    devices: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    parties: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def bytes(self) -> int:
        """Both ways, of all devices."""
        return sum(self.devices.values())

    @property
    def party(self) -> str:
        """What it mostly is to the house."""
        return max(self.parties, key=lambda party: (self.parties[party], party))


@dataclass(slots=True)
class Country:
    """A country, with bytes by device; `unsure` of them lie there by a guess."""

    code: str | None  # None: nobody knows
    devices: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    unsure: int = 0

    @property
    def bytes(self) -> int:
        """Both ways, of all devices."""
        return sum(self.devices.values())


@dataclass(slots=True)
class Picture:
    """All of a span; bytes both ways, with the internet."""

    parties: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    devices: dict[int, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )  # by party
    companies: dict[str | None, Company] = field(default_factory=dict)
    countries: dict[str | None, Country] = field(default_factory=dict)
    met: Columns = field(default_factory=lambda: columns_of(()))  # pairs of stations and numbers of `Owned`

    @property
    def bytes(self) -> int:
        """All."""
        return sum(self.parties.values())

    def top_companies(self, most: int) -> list[Company]:
        """Those with most bytes, without those that nobody knows."""
        known = [company for name, company in self.companies.items() if name is not None]
        return sorted(known, key=lambda each: (-each.bytes, each.name or ""))[:most]

    def top_countries(self, most: int) -> list[Country]:
        """Those with most bytes, without what lies nobody knows where."""
        known = [country for code, country in self.countries.items() if code is not None]
        return sorted(known, key=lambda each: (-each.bytes, each.code or ""))[:most]


def read_picture(scope: Scope, owned: dict[int, Owned] | None = None) -> Picture:
    """The picture of the scope's span; days that it touches count whole."""
    known = read_owned(scope.db) if owned is None else owned
    devices = devices_of_stations(scope.db, scope.site_id)
    picture = Picture()
    picture.met = read_share_columns(scope.db, scope.window)
    pairs, up, down = picture.met
    number, octets, device = pairs & _NUMBER, up + down, told(pairs >> BITS, devices, 0)
    for at, _, much in _added(number, np.zeros(len(number), np.int64), octets):
        whose = known[at]
        picture.parties[whose.party] += much
        picture.companies.setdefault(whose.organisation, Company(whose.organisation)).parties[whose.party] += much
        country = picture.countries.setdefault(whose.country, Country(whose.country))
        country.unsure += much if whose.confidence in (None, _UNSURE) else 0
    for name, at, much in _by_device(known, "organisation", number, device, octets):
        picture.companies[name].devices[at] = much
    for code, at, much in _by_device(known, "country", number, device, octets):
        picture.countries[code].devices[at] = much
    for party, at, much in _by_device(known, "party", number, device, octets):
        picture.devices[at][party or ""] = much
    return picture


def _by_device(
    known: Mapping[int, Owned], word: str, number: Ints, device: Ints, octets: Ints
) -> Iterator[tuple[str | None, int, int]]:
    """Bytes by something of `Owned`, and by device."""
    words = list(dict.fromkeys(getattr(whose, word) for whose in known.values()))
    places = {each: at for at, each in enumerate(words)}
    kinds = told(number, {at: places[getattr(whose, word)] for at, whose in known.items()}, 0)
    return ((words[kind], at, much) for kind, at, much in _added(kinds, device, octets))


def _added(kinds: Ints, devices: Ints, octets: Ints) -> Iterator[tuple[int, int, int]]:
    """(kind, device, bytes) of each pair of these."""
    found, at = np.unique(kinds << BITS | devices, return_inverse=True)
    sums = np.bincount(at, octets, len(found)).astype(np.int64)  # exact up to 2**53
    return zip((found >> BITS).tolist(), (found & _NUMBER).tolist(), sums.tolist(), strict=True)
