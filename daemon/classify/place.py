"""Where an address is, and whose network it belongs to.

Rule 1: the region that a cloud provider publishes for its own range is ground truth: confidence `high`.
Rule 2: else a country database answers: `medium`; `low` where the network answers from many places at once (anycast,
        content delivery, public resolvers), because then any country is only one of many.
Rule 3: an address that is not one place on the internet (private, multicast, reserved) has no Place at all. Databases
        do answer for some of them.
Rule 4: coordinates come from the region, else from a city database that agrees on the country, else they are the middle
        of the country, and `coordinates_from` says which.
Rule 5: a file that turns out to be damaged is dropped and explained in `problems`; the others go on answering.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import NamedTuple

from daemon.classify.address_files import Address, AddressFile, AddressFileError, AddressFiles, AddressRow
from daemon.classify.countries import COUNTRIES
from daemon.classify.regions import Region, region_of
from daemon.classify.spread import is_spread
from daemon.flow.local import address_number

HIGH, MEDIUM, LOW = "high", "medium", "low"
FROM_REGION, FROM_CITY, FROM_COUNTRY = "region", "city", "country"
_MEMORY = 8192  # addresses whose answer is remembered: some 4 MB
# First octets below 224, and first 16 bits from 2000:: to 3000::, of all that is not plainly a place on the internet.
_SPECIAL_4 = frozenset((0, 10, 100, 127, 169, 172, 192, 198, 203))
_SPECIAL_6 = frozenset((0x2001, 0x2002))
_CARRIES_4 = frozenset((0, 0x64, 0x2002))  # the same of what IPv4 is carried in: mapped, NAT64, 6to4
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1


class Place(NamedTuple):
    """Where an address is. What nobody knows is None; without a country there is no confidence."""

    asn: int | None = None
    as_name: str | None = None
    provider: str | None = None  # of a cloud: `aws`, `azure`, `gcp`, `oracle`, ...
    region: str | None = None  # as the provider calls it: `eu-west-1`
    country: str | None = None  # ISO 3166-1 alpha-2
    country_name: str | None = None  # in English
    confidence: str | None = None  # `high`, `medium` or `low`: how sure the country is
    latitude: float | None = None  # degrees, north positive
    longitude: float | None = None  # degrees, east positive
    coordinates_from: str | None = None  # `region`, `city` or `country`
    source: str | None = None  # what told the country: `cloud.mmdb of 2026-10-26`


class Atlas:
    """Answers where an address is, from files that somebody has opened; `Atlas()` knows nothing and says so."""

    def __init__(self, files: AddressFiles | None = None) -> None:
        opened = files or AddressFiles()
        self._files = list(opened.usable)
        self.problems = [f"{refused.path}: {refused.reason}" for refused in opened.refused]
        self._remembered = lru_cache(_MEMORY)(self._locate)

    @property
    def files(self) -> tuple[AddressFile, ...]:
        """The files that answer, strongest first."""
        return tuple(self._files)

    def look_up(self, address: str) -> Place | None:
        """The place of an address in text form; None for a local one, for text that is none, and where nobody knows."""
        return self._remembered(address)

    def _locate(self, text: str) -> Place | None:
        address = public_address(text)
        if address is None:
            return None
        rows = list(self._rows(address))
        network = next((row for _, row in rows if row.asn is not None), None)
        cloud = next(((file, row) for file, row in rows if row.provider is not None), None)
        asn, as_name = (network.asn, network.as_name) if network else (None, None)
        provider, name = (cloud[1].provider, cloud[1].region) if cloud else (None, None)
        region = region_of(provider, name) if provider and name else None
        if region is not None and cloud is not None:
            return _in_region(asn, as_name, provider, name, region, _source(cloud[0]))
        told = next(((file, row) for file, row in rows if row.country in COUNTRIES), None)
        if told is None:
            return Place(asn, as_name, provider, name) if network or cloud else None
        country = told[1].country
        spread = any(row.anycast for _, row in rows) or is_spread(address, asn, provider, name)
        latitude, longitude, origin = _coordinates(country, rows)
        return Place(
            asn, as_name, provider, name, country, COUNTRIES[country].name if country else None, LOW if spread else MEDIUM,
            latitude, longitude, origin, _source(told[0]),
        )  # fmt: skip

    def _rows(self, address: Address) -> Iterator[tuple[AddressFile, AddressRow]]:
        """What each file says, the strongest first."""
        for file in self.files:
            try:
                row = file.find(address)
            except AddressFileError as error:
                self._files.remove(file)
                self.problems.append(f"{error}; it is left out")
                continue
            if row is not None:
                yield file, row


def public_address(text: str) -> Address | None:
    """The address of a place on the internet; None for any other, and for text that is no address.

    IPv4 inside IPv6 (mapped, NAT64, 6to4) is the IPv4 address: that is where the packets go.
    """
    try:
        version, number = address_number(text) if "%" not in text else (0, 0)
        zoned = None if version else IPv6Address(text)
    except ValueError:
        return None
    head = number >> (24 if version == 4 else 112)
    if version == 4:
        plain = head < 224 and head not in _SPECIAL_4
        return IPv4Address(number) if plain or _is_public(4, number) else None
    if zoned is None and head not in _CARRIES_4:
        plain = 0x2000 <= head < 0x3000 and head not in _SPECIAL_6
        return IPv6Address(number) if plain or _is_public(6, number) else None
    outer = zoned or IPv6Address(number)
    inner = outer.ipv4_mapped or outer.sixtofour
    if inner is None and outer in _NAT64:
        inner = IPv4Address(int(outer) & 0xFFFFFFFF)
    address: Address = inner or outer
    return address if _is_public(address.version, int(address)) else None


def _is_public(version: int, number: int) -> bool:
    """Whether an address is for all of the internet. Asked once of a block in which all addresses are alike: of 256, or
    of what one customer has; those that RFC 6890 takes apart further are asked for themselves."""
    alike = number >> 8 != 0xC00000 if version == 4 else number >> 96 & 0xFFFF >= 0x0200
    return _of_block(version, number >> (8 if version == 4 else 80)) if alike else _of_address(version, number)


@lru_cache(_MEMORY)
def _of_block(version: int, block: int) -> bool:
    return _of_address(version, block << (8 if version == 4 else 80))


def _of_address(version: int, number: int) -> bool:
    address: Address = IPv4Address(number) if version == 4 else IPv6Address(number)
    return address.is_global and not address.is_multicast


def _in_region(
    asn: int | None, as_name: str | None, provider: str | None, name: str | None, region: Region, source: str
) -> Place:
    return Place(
        asn, as_name, provider, name, region.country, COUNTRIES[region.country].name, HIGH,
        region.latitude, region.longitude, FROM_REGION if region.city else FROM_COUNTRY, source,
    )  # fmt: skip


def _coordinates(
    country: str | None, rows: list[tuple[AddressFile, AddressRow]]
) -> tuple[float | None, float | None, str | None]:
    if country is None:
        return None, None, None
    for _, row in rows:
        if row.latitude is not None and row.longitude is not None and row.country == country:
            return row.latitude, row.longitude, FROM_CITY
    middle = COUNTRIES[country]
    return middle.latitude, middle.longitude, FROM_COUNTRY


def _source(file: AddressFile) -> str:
    if not file.built:
        return file.path.name
    return f"{file.path.name} of {datetime.fromtimestamp(file.built, UTC):%Y-%m-%d}"
