"""Where databases of addresses come from: a table of what may be fetched, under which licence, and how it is checked.

Rule 1: a source names what its file must be: kind, least and greatest size, and known answers of networks that have not
        moved for decades. Most of the answers must be right, not all: a single one may change on any day.
Rule 2: only what the owner asks for is fetched, and only from the source's own releases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from appliance.data.convert import clouds_mmdb, unpacked
from daemon.classify.address_files import ASN, CITY, CLOUD, COUNTRY

_MIB = 1 << 20
_RELEASES = "https://github.com/sapics/ip-location-db/releases/download"
_CLOUDIP = "https://raw.githubusercontent.com/rezmoss/cloudip-db/main/data"

Answer = tuple[str, str | int]  # an address, and its country, AS number or cloud region


@dataclass(frozen=True, slots=True)
class Source:
    """One file that can be fetched."""

    name: str
    kind: str  # of `daemon.classify.address_files`
    url: str  # `{month}` stands for `YYYY-MM`
    digest_url: str | None  # where its SHA-256 is published
    title: str
    licence: str
    attribution: str
    smallest: int  # bytes of the file as it is published
    largest: int
    answers: tuple[Answer, ...]
    convert: Callable[[bytes], bytes]  # what was published -> the bytes of a MaxMind DB file; raises ConvertError
    digest_of: Callable[[bytes], bytes]  # what was published -> the bytes whose digest is published
    usual: bool = True  # fetched when nobody names sources

    @property
    def file_name(self) -> str:
        """As it is published."""
        return self.url.rsplit("/", 1)[1]

    @property
    def target(self) -> str:
        """As Homeport calls it."""
        return f"{self.kind}.mmdb"

    def addresses(self, today: date) -> tuple[str, ...]:
        """Where it is to be had, best first: a monthly release appears some days into the month."""
        if "{month}" not in self.url:
            return (self.url,)
        before = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
        return tuple(self.url.format(month=f"{month:%Y-%m}") for month in (today, before))


COUNTRY_ANSWERS: tuple[Answer, ...] = (
    ("193.0.6.139", "NL"),  # RIPE NCC
    ("129.132.19.216", "CH"),  # ETH Zürich
    ("130.149.7.201", "DE"),  # TU Berlin
    ("133.11.93.81", "JP"),  # University of Tokyo
    ("128.112.128.15", "US"),  # Princeton
    ("2001:620::1", "CH"),  # SWITCH
    ("2001:638::1", "DE"),  # DFN
)
ASN_ANSWERS: tuple[Answer, ...] = (
    ("8.8.8.8", 15169),  # Google
    ("1.1.1.1", 13335),  # Cloudflare
    ("193.0.6.139", 3333),  # RIPE NCC
    ("129.132.19.216", 559),  # SWITCH
    ("2001:4860:4860::8888", 15169),
    ("2606:4700:4700::1111", 13335),
)
CLOUD_ANSWERS: tuple[Answer, ...] = (
    ("52.94.76.1", "us-west-2"),
    ("54.72.0.1", "eu-west-1"),
    ("3.122.0.1", "eu-central-1"),
    ("130.61.166.170", "eu-frankfurt-1"),
    ("20.50.2.1", "westeurope"),
    ("2a05:d018::1", "eu-west-1"),
)


def _as_it_is(octets: bytes) -> bytes:
    return octets


def _clouds(octets: bytes) -> bytes:
    return clouds_mmdb(unpacked(octets))[0]


_DBIP = "IP Geolocation by DB-IP (https://db-ip.com)"
_ALL = (
    Source(
        "country", COUNTRY, f"{_RELEASES}/latest/server-country.mmdb", f"{_RELEASES}/checksum/server-country.mmdb.sha256",
        "ip-location-db server-country: geofeeds of operators, registries, routes", "PDDL 1.0",
        "ip-location-db (https://github.com/sapics/ip-location-db)",
        _MIB, 64 * _MIB, COUNTRY_ANSWERS, _as_it_is, _as_it_is,
    ),
    Source(
        "asn", ASN, f"{_RELEASES}/latest/origin-asn.mmdb", f"{_RELEASES}/checksum/origin-asn.mmdb.sha256",
        "ip-location-db origin-asn: who announces which addresses", "PDDL 1.0",
        "ip-location-db (https://github.com/sapics/ip-location-db)",
        _MIB, 64 * _MIB, ASN_ANSWERS, _as_it_is, _as_it_is,
    ),
    Source(
        "cloud", CLOUD, f"{_CLOUDIP}/cloudip.msgpack.gz", f"{_CLOUDIP}/version.json",
        "cloudip-db: ranges and regions as cloud providers publish them", "MIT; upstream lists CC0 1.0",
        "cloudip-db and cloud-provider-ip-addresses by Rez Moss (https://github.com/rezmoss)",
        _MIB // 4, 16 * _MIB, CLOUD_ANSWERS, _clouds, unpacked,
    ),
    Source(
        "country-dbip", COUNTRY, "https://download.db-ip.com/free/dbip-country-lite-{month}.mmdb.gz", None,
        "DB-IP IP to Country Lite", "CC BY 4.0", _DBIP,
        _MIB, 64 * _MIB, COUNTRY_ANSWERS, unpacked, _as_it_is, usual=False,
    ),
    Source(
        "city-dbip", CITY, "https://download.db-ip.com/free/dbip-city-lite-{month}.mmdb.gz", None,
        "DB-IP IP to City Lite: coordinates", "CC BY 4.0", _DBIP,
        8 * _MIB, 200 * _MIB, COUNTRY_ANSWERS, unpacked, _as_it_is, usual=False,
    ),
)  # fmt: skip

SOURCES: Mapping[str, Source] = {source.name: source for source in _ALL}
