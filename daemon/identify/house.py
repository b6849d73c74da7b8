"""Who lives in the house: local addresses, gateways, and the ends that belong to a device.

Rule 1: an address is local if it is private or link-local, or lies in a prefix that somebody announced around that time.
Rule 2: a gateway is a MAC that sends from several places of the internet, or that an announcement names. What comes from
        behind it is not its own, so it never becomes an address's owner.
Rule 3: a device is a MAC with a local address that is no gateway's; without MACs (raw captures) the local address itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_network
from typing import NamedTuple

from daemon.flow.facts import DAY_US
from daemon.flow.local import GLOBAL, OWN, PRIVATE, address_number

_V6_SITE_BITS = 80  # addresses that share a /48 may all be one house's, so they do not make their sender a gateway


class End(NamedTuple):
    """One end of conversations as the store keeps it."""

    end_id: int
    mac: int
    version: int
    address: str
    scope: int
    first_us: int | None
    last_us: int | None
    sent: bool


class Announcement(NamedTuple):
    """A prefix said to be on the link during one day; `lifetime_s` beyond the last time. `source` configured: always."""

    prefix: str
    source: str
    first_us: int
    last_us: int
    lifetime_s: int


class DeviceKey(NamedTuple):
    """What tells devices apart: the MAC, or where there is none (-1) the address."""

    mac: int
    address: str


class House(NamedTuple):
    """Judgements about the ends of one site."""

    local: frozenset[int]  # end ids
    gateways: frozenset[int]  # MACs
    devices: dict[int, DeviceKey]  # end id -> device


class LocalPrefixes:
    """Announced prefixes with the times for which they speak."""

    def __init__(self, announcements: Iterable[Announcement]) -> None:
        self._spans: dict[tuple[int, int, int], list[tuple[float, float]]] = defaultdict(list)
        for said in announcements:
            net = ip_network(said.prefix, strict=False)
            shift = net.max_prefixlen - net.prefixlen
            # A capture may begin between two announcements, so that one also speaks for the day before it.
            span = (said.first_us - DAY_US, said.last_us + said.lifetime_s * 1_000_000.0)
            always = (float("-inf"), float("inf"))
            key = net.version, shift, int(net.network_address) >> shift
            self._spans[key].append(always if said.source == "configured" else span)
        self._shifts = sorted({(version, shift) for version, shift, _ in self._spans})

    def covers(self, version: int, address: int, first_us: int, last_us: int) -> bool:
        """Whether the address was in an announced prefix at some time of the span."""
        for each, shift in self._shifts:
            if each == version:
                for begin, end in self._spans.get((version, shift, address >> shift), ()):
                    if first_us <= end and last_us >= begin:
                        return True
        return False


def furnish(ends: Iterable[End], announcements: Iterable[Announcement], routers: Iterable[tuple[int, str]]) -> House:
    """Judge the ends of one site, in one pass; only those that may live here are kept in memory.

    `routers` are (MAC or -1, address) as announcements name them.
    """
    prefixes = LocalPrefixes(announcements)
    evidence = _GatewayEvidence(routers)
    local: set[int] = set()
    residents: list[End] = []
    for end in ends:
        end_id, mac, version, address, scope, first_us, last_us, sent = end
        number = address_number(address)[1]
        if scope == PRIVATE or (
            scope != OWN
            and first_us is not None
            and last_us is not None
            and prefixes.covers(version, number, first_us, last_us)
        ):
            local.add(end_id)
            residents.append(end)
        elif scope == OWN and number == 0:  # a device that has no address yet
            residents.append(end)
        elif sent and mac >= 0 and scope == GLOBAL:
            evidence.sends_from(mac, version, number)
        if address in evidence.addresses and mac >= 0:  # an end at a router's address shows the router's MAC
            evidence.gateways.add(mac)
    devices = {end.end_id: key for end in residents if (key := evidence.device(end)) is not None}
    return House(frozenset(local), frozenset(evidence.gateways), devices)


def internet_place(version: int, address: int) -> tuple[int, int]:
    """What makes two addresses of the internet one place: who sends from several is a gateway."""
    return version, address if version == 4 else address >> _V6_SITE_BITS


class _GatewayEvidence:
    """Which MACs stand for more than themselves."""

    def __init__(self, routers: Iterable[tuple[int, str]]) -> None:
        routers = list(routers)
        self.gateways = {mac for mac, _ in routers if mac >= 0}
        self.addresses = {address for _, address in routers}
        self._first_place: dict[int, tuple[int, int]] = {}

    def sends_from(self, mac: int, version: int, number: int) -> None:
        """An end that is not local sent something: a second place behind the same MAC makes it a gateway."""
        place = internet_place(version, number)
        if self._first_place.setdefault(mac, place) != place:
            self.gateways.add(mac)

    def device(self, end: End) -> DeviceKey | None:
        """The device that lives at this end; all ends must have been shown before."""
        if end.mac >= 0:
            one = end.mac > 0 and end.mac not in self.gateways and not end.mac >> 40 & 1
            return DeviceKey(end.mac, "") if one else None
        known = end.sent and end.scope != OWN and end.address not in self.addresses
        return DeviceKey(-1, end.address) if known else None
