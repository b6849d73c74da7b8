"""A small set of databases for the sample home's addresses, in the shape of the real ones, so that a demo shows countries.

Rule: it knows the blocks of `places.OPERATORS` and nothing else, and the same blocks give the same bytes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from appliance.data.mmdb import AddressRange, Record, layered, prefix_range, write_mmdb
from appliance.sample.places import OPERATORS

BUILT = 1_767_225_600  # 2026-01-01, UTC: a date that does not depend on the day of the demo


class Network(NamedTuple):
    """Who announces an operator's blocks, and the country that a database would tell."""

    asn: int
    name: str
    country: str
    provider: str = ""
    region: str = ""


_AMAZON = "Amazon.com, Inc."
NETWORKS: Mapping[str, Network] = {
    "aws-eu1": Network(16509, _AMAZON, "IE", "aws", "eu-west-1"),
    "aws-eu2": Network(16509, _AMAZON, "DE", "aws", "eu-central-1"),
    "aws-us1": Network(14618, _AMAZON, "US", "aws", "us-east-1"),
    "s3-us1": Network(16509, _AMAZON, "US", "aws", "us-east-1"),
    "s3-eu1": Network(16509, _AMAZON, "IE", "aws", "eu-west-1"),
    "amazon": Network(16509, _AMAZON, "IE", "aws", "eu-west-1"),
    "cloudfront": Network(16509, _AMAZON, "US", "aws", "GLOBAL"),
    "google": Network(15169, "Google LLC", "US"),
    "google-cloud": Network(396982, "Google LLC", "US", "gcp", "global"),
    "google-dns": Network(15169, "Google LLC", "US"),
    "cloudflare": Network(13335, "Cloudflare, Inc.", "US", "cloudflare"),
    "akamai": Network(20940, "Akamai International B.V.", "NL"),
    "fastly": Network(54113, "Fastly, Inc.", "US"),
    "apple": Network(714, "Apple Inc.", "US"),
    "microsoft": Network(8075, "Microsoft Corporation", "US"),
    "netflix": Network(2906, "Netflix Streaming Services Inc.", "US"),
    "meta": Network(32934, "Facebook, Inc.", "US"),
    "samsung": Network(6619, "SamsungSDS Inc.", "KR"),
    "comscore": Network(3561, "CenturyLink Communications, LLC", "US"),
    "xandr": Network(29990, "AppNexus, Inc", "NL"),
    "alibaba-eu": Network(45102, "Alibaba (US) Technology Co., Ltd.", "DE"),
    "tencent": Network(45090, "Shenzhen Tencent Computer Systems Company Limited", "CN"),
    "hp": Network(71, "HP Inc.", "US"),
    "roku": Network(15169, "Google LLC", "US", "gcp", "us-east4"),
    "hetzner": Network(24940, "Hetzner Online GmbH", "DE"),
    "mullvad": Network(39351, "31173 Services AB", "SE"),
    "alibaba-sg": Network(45102, "Alibaba (US) Technology Co., Ltd.", "SG"),
    "twitch": Network(46489, "Twitch Interactive Inc.", "DE"),
    "proton": Network(62371, "Proton AG", "CH"),
    "bbc": Network(2818, "BBC Internet Services, UK", "GB"),
    "nict": Network(9355, "National Institute of Information and Communications Technology", "JP"),
    "nic-br": Network(22548, "Nucleo de Inf. e Coord. do Ponto BR - NIC.BR", "BR"),
    "ovh": Network(16276, "OVH SAS", "FR"),
    "1984": Network(44925, "1984 ehf", "IS"),
    "root-lu": Network(5577, "root SA", "LU"),
    "go-malta": Network(15735, "GO p.l.c.", "MT"),
    "hetzner-fi": Network(24940, "Hetzner Online GmbH", "FI"),
    "telekom": Network(3320, "Deutsche Telekom AG", "DE"),
    "linode": Network(63949, "Akamai Connected Cloud", "US"),
}


def write_atlas(folder: Path) -> list[Path]:
    """Write the databases into a folder, made if need be; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (database_type, record_of) in _FILES.items():
        ranges = sorted(_ranges(record_of), key=lambda found: (found.first, -found.last))
        path = folder / name
        path.write_bytes(write_mmdb(layered(ranges), database_type, "Homeport's sample home", BUILT))
        written.append(path)
    return written


def _ranges(record_of: Callable[[Network], Record | None]) -> list[AddressRange]:
    found = []
    for operator, network in NETWORKS.items():
        record = record_of(network)
        if record is None:
            continue
        blocks = (*OPERATORS[operator].blocks4, OPERATORS[operator].block6)
        found += [prefix_range(ipaddress.ip_network(block), record) for block in blocks if block]
    return found


def _country(network: Network) -> Record:
    return {"country_code": network.country}


def _asn(network: Network) -> Record:
    return {"autonomous_system_number": network.asn, "autonomous_system_organization": network.name}


def _cloud(network: Network) -> Record | None:
    if not network.provider:
        return None
    return {"provider": network.provider} | ({"region": network.region} if network.region else {})


_FILES: Mapping[str, tuple[str, Callable[[Network], Record | None]]] = {
    "country.mmdb": ("country ipvAll", _country),
    "asn.mmdb": ("asn ipvAll", _asn),
    "cloud.mmdb": ("Homeport-Cloud", _cloud),
}
