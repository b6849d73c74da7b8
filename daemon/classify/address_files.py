"""The words between whoever reads files of addresses and whoever asks where an address is."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

Address = IPv4Address | IPv6Address

CLOUD, COUNTRY, CITY, ASN = "cloud", "country", "city", "asn"  # kinds of files, strongest first


class AddressRow(NamedTuple):
    """What one file says of one address; None where it says nothing. Coordinates in degrees, codes in upper case."""

    country: str | None = None  # two letters; not necessarily of ISO 3166
    asn: int | None = None
    as_name: str | None = None
    provider: str | None = None  # of a cloud: `aws`, `azure`, ...
    region: str | None = None  # as the provider calls it
    latitude: float | None = None
    longitude: float | None = None
    anycast: bool = False  # the file says that the address is answered from many places


class AddressFileError(Exception):
    """A file of addresses cannot be read; the message is a sentence that names it."""


class AddressFile(NamedTuple):
    """One usable file. `find` returns None where it knows nothing, and raises AddressFileError where it is damaged."""

    path: Path
    kind: str
    schema: str  # `maxmind` or `flat`
    database_type: str
    built: int  # seconds since the epoch, by the file's own word; 0 where it says nothing
    size: int  # bytes
    ip_versions: tuple[int, ...]
    find: Callable[[Address], AddressRow | None]


class Refused(NamedTuple):
    """A file that was left out, and why."""

    path: Path
    reason: str


class AddressFiles(NamedTuple):
    """What a folder holds: usable files, strongest first, and those that were left out."""

    usable: tuple[AddressFile, ...] = ()
    refused: tuple[Refused, ...] = ()
