"""Who lives in the house: local addresses, gateways, and the ends that belong to a device.

Rule 1: an address is local if it is private or link-local, or lies in a prefix that somebody announced around that time.
Rule 2: a gateway is a MAC that sends from several places of the internet, or that an announcement names. What comes from
        behind it is not its own, so it never becomes an address's owner.
Rule 3: a device is a MAC with a local address that is no gateway's; without MACs (raw captures) the local address itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import NamedTuple

from daemon.flow.local import OWN, PRIVATE, address_number

DAY_US = 86_400_000_000
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


@dataclass(frozen=True, slots=True)
class House:
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


def furnish(ends: Sequence[End], announcements: Iterable[Announcement], routers: Iterable[tuple[int, str]]) -> House:
    """Judge the ends of one site. `routers` are (MAC or -1, address) as announcements name them."""
    prefixes = LocalPrefixes(announcements)
    numbers = {end.end_id: address_number(end.address)[1] for end in ends}
    local = frozenset(end.end_id for end in ends if _is_local(end, numbers[end.end_id], prefixes))
    gateways = _gateways(ends, numbers, local, list(routers))
    router_addresses = {address for _, address in routers}
    devices: dict[int, DeviceKey] = {}
    for end in ends:
        if end.mac >= 0:
            lives = end.end_id in local or (end.scope == OWN and numbers[end.end_id] == 0)
            if lives and end.mac > 0 and end.mac not in gateways and not end.mac >> 40 & 1:
                devices[end.end_id] = DeviceKey(end.mac, "")
        elif end.end_id in local and end.sent and end.address not in router_addresses:
            devices[end.end_id] = DeviceKey(-1, end.address)
    return House(local, gateways, devices)


def _is_local(end: End, address: int, prefixes: LocalPrefixes) -> bool:
    if end.scope == PRIVATE:
        return True
    if end.scope == OWN or end.first_us is None or end.last_us is None:
        return False
    return prefixes.covers(end.version, address, end.first_us, end.last_us)


def _gateways(
    ends: Sequence[End], numbers: dict[int, int], local: frozenset[int], routers: list[tuple[int, str]]
) -> frozenset[int]:
    places: dict[int, set[tuple[int, int]]] = defaultdict(set)
    named = {address for mac, address in routers if mac < 0}
    gateways = {mac for mac, _ in routers if mac >= 0}
    for end in ends:
        if end.mac < 0:
            continue
        if end.address in named:
            gateways.add(end.mac)
        if end.sent and end.end_id not in local and end.scope == 0:
            number = numbers[end.end_id]
            places[end.mac].add((end.version, number if end.version == 4 else number >> _V6_SITE_BITS))
    gateways.update(mac for mac, seen in places.items() if len(seen) > 1)
    return frozenset(gateways)
