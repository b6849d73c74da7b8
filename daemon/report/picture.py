"""Who gets the data: one pass over a span, added up by device, party, company and country.

Rule 1: a company is what people call one; what belongs to nobody known is counted and called so.
Rule 2: places are those of servers and not of companies; where a place is a guess, that is said.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from daemon.report.scope import Scope
from daemon.store.stations_seen import devices_of_stations
from daemon.store.whose_days import Owned, read_owned, read_shares

_UNSURE = "low"


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
    met: list[tuple[int, int, int]] = field(default_factory=list)  # (station, number of `Owned`, bytes)

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
    places: dict[int, tuple[str, dict[int, int], dict[int, int]]] = {}  # what each number means is looked up once
    sums: dict[int, int] = defaultdict(int)
    for station, number, up, down in read_shares(scope.db, scope.window):
        device, octets = devices.get(station, 0), up + down
        if number not in places:
            places[number] = _place(picture, known[number])
        party, of_company, of_country = places[number]
        picture.devices[device][party] += octets
        of_company[device] += octets
        of_country[device] += octets
        sums[number] += octets
        picture.met.append((station, number, octets))
    for number, octets in sums.items():
        whose = known[number]
        picture.parties[whose.party] += octets
        picture.companies[whose.organisation].parties[whose.party] += octets
        if whose.confidence in (None, _UNSURE):
            picture.countries[whose.country].unsure += octets
    return picture


def _place(picture: Picture, whose: Owned) -> tuple[str, dict[int, int], dict[int, int]]:
    """The party, and where the bytes by device are counted: with a company, and with a country."""
    company = picture.companies.setdefault(whose.organisation, Company(whose.organisation))
    country = picture.countries.setdefault(whose.country, Country(whose.country))
    return whose.party, company.devices, country.devices
