"""The cast of a busy day: forty devices and fourteen hundred names, for the bench. Made from a seed; nobody real.

Rules: servers live in the benchmark network (RFC 2544) and the documentation prefix (RFC 3849), names under reserved
domains (RFC 2606), so that the day can be told from anybody's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

from appliance.sample import dns, lan
from appliance.sample.chance import chance

GATEWAY_MAC = bytes.fromhex("02005e000001")
GATEWAY4 = bytes([192, 168, 7, 1])
PREFIX = bytes.fromhex("20010db800070000")
GATEWAY6 = PREFIX + bytes(7) + b"\1"
_WORDS = (
    "api", "cdn", "img", "push", "sync", "video", "log", "mail", "feed", "store", "maps", "play",
    "chat", "ads", "beacon", "auth", "edge", "live", "graph", "static", "news", "time", "cloud", "home",
)  # fmt: skip
_ENDS = ("example", "example.com", "example.net", "example.org", "test")


class Member(NamedTuple):
    """A device of the crowd; `address6` is empty where it has none."""

    mac: bytes
    address4: bytes
    address6: bytes
    link_local: bytes
    stack: str
    stamps: bool


class Site(NamedTuple):
    """A name with its CNAME chain and addresses."""

    name: str
    chain: tuple[str, ...]
    addresses4: tuple[bytes, ...]
    addresses6: tuple[bytes, ...]
    quic: bool
    ttl: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody: devices and names, each list with weights that make a few of them busy."""

    members: tuple[Member, ...]
    sites: tuple[Site, ...]
    member_weights: tuple[float, ...]  # cumulative, as `random.choices` wants them
    site_weights: tuple[float, ...]


def gather(seed: int) -> Crowd:
    """The crowd of a seed."""
    members = tuple(_member(seed, number) for number in range(40))
    rng = chance("sites", seed)
    companies = [f"{rng.choice(_WORDS)}{rng.choice(_WORDS)}{number}" for number in range(170)]
    names: dict[str, None] = {}
    while len(names) < 1400:
        left = rng.choice((rng.choice(_WORDS), f"{rng.choice(_WORDS)}-{rng.randrange(50)}", rng.randbytes(5).hex()))
        names[f"{left}.{rng.choice(companies)}.{rng.choice(_ENDS)}"] = None
    sites = tuple(_site(seed, name) for name in names)
    return Crowd(
        members,
        sites,
        tuple(itertools.accumulate(1 / (rank + 2) for rank in range(len(members)))),
        tuple(itertools.accumulate(1 / (rank + 4) ** 0.9 for rank in range(len(sites)))),
    )


def _member(seed: int, number: int) -> Member:
    rng = chance("member", seed, number)
    mac = bytes([0x02 if number % 3 else 0xA4]) + rng.randbytes(5)
    address6 = lan.private_address(rng, PREFIX) if rng.random() < 0.8 else b""
    stack = rng.choice(("chrome", "chrome", "apple", "openssl3", "openssl1", "mbedtls"))
    link_local = lan.eui64(mac, bytes.fromhex("fe80000000000000"))
    return Member(mac, bytes([192, 168, 7, 10 + number]), address6, link_local, stack, rng.random() < 0.7)


def _site(seed: int, name: str) -> Site:
    rng = chance("site", seed, name)
    chain = tuple(
        f"{rng.randbytes(6).hex()}.edge{rng.randrange(9)}.example.net" for _ in range(rng.choice((0, 0, 0, 1, 2)))
    )
    addresses4 = tuple(bytes([198, rng.choice((18, 19))]) + rng.randbytes(2) for _ in range(rng.choice((1, 1, 2, 4))))
    count6 = rng.choice((0, 1, 1, 2))
    addresses6 = tuple(bytes.fromhex("20010db8f000") + rng.randbytes(10) for _ in range(count6))
    return Site(name, chain, addresses4, addresses6, rng.random() < 0.4, rng.choice((20, 60, 300, 3600)))


class Resolver:
    """Questions and answers about the crowd's names; a message is built once and gets a fresh identifier each time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[bytes, bytes]] = {}

    def exchange(self, site: Site, kind: int, ident: int) -> tuple[bytes, bytes]:
        """The query and the answer of record type `kind`, with the two-byte identifier `ident`."""
        both = self._known.get((site.name, kind))
        if both is None:
            both = self._known[site.name, kind] = _messages(site, kind)
        first = ident.to_bytes(2, "big")
        return first + both[0], first + both[1]


def _messages(site: Site, kind: int) -> tuple[bytes, bytes]:
    owner, records = site.name, []
    for target in site.chain:
        records.append(dns.Record(owner, dns.CNAME, 300, (target,)))
        owner = target
    found: list[tuple[bytes | str, ...]] = []
    if kind == dns.HTTPS:
        found = [dns.https(("h3", "h2"), site.addresses4)] if site.quic else []
    else:
        found = [(address,) for address in (site.addresses4 if kind == dns.A else site.addresses6)]
    records += [dns.Record(owner, kind, site.ttl, data) for data in found]
    authority = () if found else (dns.soa("example.net"),)
    question = (dns.Question(site.name, kind),)
    query = dns.message(0, dns.QUERY, question, additional=(dns.EDNS,))
    return query[2:], dns.message(0, dns.ANSWER, question, tuple(records), authority, (dns.EDNS,))[2:]
