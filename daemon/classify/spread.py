"""Networks that answer from many places at once, so that a country is only a guess: anycast, content delivery, resolvers.

A country database has one country for such an address, mostly that of the owner's seat. The packets of a home end at
whichever site is nearest, and nobody outside can tell which one that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Autonomous systems of which most addresses answer from many countries.
SPREAD_SYSTEMS: Mapping[int, str] = {
    # content delivery
    13335: "Cloudflare",
    209242: "Cloudflare",
    20940: "Akamai",
    16625: "Akamai",
    12222: "Akamai",
    21342: "Akamai",
    32787: "Akamai",
    33905: "Akamai",
    35994: "Akamai",
    36183: "Akamai",
    54113: "Fastly",
    60068: "CDN77",
    212238: "CDN77",
    199524: "Gcore",
    200325: "Bunny",
    30148: "Sucuri",
    19551: "Imperva",
    55002: "F5 Distributed Cloud",
    22822: "Edgio",
    15133: "Edgio",
    34164: "Akamai",
    3856: "Packet Clearing House",
    42: "Packet Clearing House",
    54994: "Meteverse",
    36408: "CDNetworks",
    38107: "CDNetworks",
    32934: "Meta",
    54115: "Meta",
    63293: "Meta",
    2906: "Netflix",
    40027: "Netflix",
    55095: "Netflix",
    6185: "Apple's edge",
    714: "Apple",
    15169: "Google's front ends",
    36040: "YouTube",
    43515: "YouTube",
    19527: "Google",
    13414: "X",
    46489: "Twitch",
    396986: "ByteDance",
    138699: "TikTok",
    8068: "Microsoft's edge",
    8075: "Microsoft",
    # names and time
    19281: "Quad9",
    36692: "OpenDNS",
    212772: "AdGuard DNS",
    34939: "NextDNS",
    205157: "CleanBrowsing",
    26415: "Verisign",
    12041: "Afilias",
    62597: "NS1",
    12008: "UltraDNS",
    33517: "Dyn",
    16552: "Tiggee",
}

# Anycast inside networks that are otherwise in one place.
_PREFIXES4 = tuple(
    IPv4Network(prefix)
    for prefix in (
        "8.8.4.0/24",  # Google's resolver
        "8.8.8.0/24",
        "4.2.2.0/24",  # Lumen's resolver
        "64.6.64.0/23",  # Verisign's, now Vercara's resolver
        "76.76.2.0/24",  # Control D
        "94.140.14.0/23",  # AdGuard DNS
        "119.29.29.0/24",  # DNSPod's resolver
        "149.112.112.0/24",  # Quad9
        "180.76.76.0/24",  # Baidu's resolver
        "223.5.5.0/24",  # Alibaba's resolver
        "223.6.6.0/24",
        "77.88.8.0/24",  # Yandex's resolver
        "216.239.32.0/22",  # Google's name servers and time
        "192.88.99.0/24",  # RFC 7526: the retired relays of 6to4
        "192.175.48.0/24",  # AS112, RFC 7534
        "192.31.196.0/24",  # AS112, RFC 7535
    )
)
_PREFIXES6 = tuple(
    IPv6Network(prefix)
    for prefix in (
        "2001:4860:4860::/48",  # Google's resolver
        "2400:3200::/48",  # Alibaba's resolver
        "2402:4e00::/48",  # DNSPod's resolver
        "2606:1a40::/47",  # Control D
        "2620:fe::/48",  # Quad9
        "2a02:6b8::feed:0/112",  # Yandex's resolver
        "2a10:50c0::/32",  # AdGuard DNS
        "2620:4f:8000::/48",  # AS112, RFC 7534
    )
)
# A provider's ranges that belong to none of its regions: its edge.
_EDGE_PROVIDERS = frozenset({"cloudflare", "fastly", "akamai"})
_NO_PLACE = frozenset({"global"})


def is_spread(address: IPv4Address | IPv6Address, asn: int | None, provider: str | None, region: str | None) -> bool:
    """Whether the address probably answers from many places; `asn`, `provider`, `region` as far as they are known."""
    if asn in SPREAD_SYSTEMS or provider in _EDGE_PROVIDERS:
        return True
    if provider and region and region.lower() in _NO_PLACE:
        return True
    if isinstance(address, IPv4Address):
        return any(address in prefix for prefix in _PREFIXES4)
    return any(address in prefix for prefix in _PREFIXES6)
