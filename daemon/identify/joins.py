"""Which stations are one device: the second network card, the address that a telephone made up for this week.

Rule 1: two stations are joined only on evidence, and each join keeps it. The owner's word is the strongest; a word of
        theirs that two stations are not one is never overruled, not even by way of a third.
Rule 2: an identifier is evidence if it belongs to one device alone: a DHCP client identifier or DUID that is no hardware
        address, or the whole set of identifiers that it announces in mDNS (a proxy announces more than its own).
Rule 3: a name is evidence only if somebody gave it, the same class of client says it, a made-up address is among them,
        and no two of them were there at the same time.
Rule 4: copies are no devices: an identifier that many burned-in addresses share, or stations with different given names
        or brands, comes from a cloned disk or a repeater.
Rule 5: the result depends on what is known, not on the order in which it was learnt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from daemon.identify.names import GIVEN, given_names, worth
from daemon.identify.oui import is_random
from daemon.identify.vocabulary import OwnerWords, Station

_MOST_CARDS = 3  # burned-in addresses of one device: Ethernet, Wi-Fi, a dock
_LEAST_ID = 8  # characters of an identifier that two devices do not share by chance
_ID_KEYS = frozenset({"txt.deviceid", "txt.id", "txt.serialnumber"})
_UNIQUE = re.compile(r"[0-9a-f]{12}|[0-9a-f]{16,}|(?=.*\d)[0-9a-z]{10,}")


class Join(NamedTuple):
    """Two stations that are one device, and why. `source` is `owner`, `dhcp`, `dhcpv6`, `mdns`, or `name`."""

    one: int
    other: int
    source: str
    detail: str


class _Facts(NamedTuple):
    """What of a station can show that it is another one, too."""

    station: Station
    names: frozenset[str]  # given ones
    duids: frozenset[str]
    client_ids: frozenset[str]
    announced: frozenset[str]
    ways: frozenset[str]  # how its program asks for an address
    brand: str | None


def groups(
    stations: Sequence[Station], words: OwnerWords, brand: Callable[[Station], str | None]
) -> list[tuple[list[Station], list[Join]]]:
    """The stations of each device in order of first appearance, with the joins that made it; devices in that order.

    `brand` is what a station's burned-in address tells, None where it tells nothing.
    """
    ordered = sorted(stations, key=in_order)
    place = {station.key: index for index, station in enumerate(ordered)}
    apart = {frozenset((place[a], place[b])) for a, b in words.splits if a in place and b in place and a != b}
    members = [[index] for index in range(len(ordered))]
    kept: list[list[Join]] = [[] for _ in ordered]
    group = list(range(len(ordered)))
    for one, other, source, detail in [*_said(words, place), *_seen(ordered, brand)]:
        first, second = sorted((group[one], group[other]))
        if first == second or any(frozenset((a, b)) in apart for a in members[first] for b in members[second]):
            continue
        kept[first] += [*kept[second], Join(ordered[one].station_id, ordered[other].station_id, source, detail)]
        for index in members[second]:
            group[index] = first
        members[first] += members[second]
        members[second] = []
    return [([ordered[index] for index in sorted(each)], kept[number]) for number, each in enumerate(members) if each]


def in_order(station: Station) -> tuple[int, str]:
    """By first appearance, then by key."""
    return station.first_us, station.key


def _said(words: OwnerWords, place: dict[str, int]) -> Iterable[Join]:
    """The owner's joins, the latest first: where joins and splits contradict each other an older join gives way."""
    for a, b in reversed(words.joins):
        if a in place and b in place and a != b:
            yield Join(place[a], place[b], "owner", "the owner said that they are one device")


def _seen(ordered: Sequence[Station], brand: Callable[[Station], str | None]) -> list[Join]:
    """Joins that the evidence suggests, between places in `ordered`; strongest first."""
    facts = [_facts(station, brand(station)) for station in ordered]
    found: list[Join] = []
    for source, words, values in _IDENTITIES:
        for value, places in _shared(facts, values):
            if sum(1 for p in places if not _random(facts[p])) <= _MOST_CARDS:
                pairs = [(a, b) for a, b in _pairs(places) if not _differ(facts[a], facts[b])]
                found += [Join(a, b, source, words.format(value)) for a, b in pairs]
    for value, places in _shared(facts, lambda f: frozenset(f"{name} {way}" for name in f.names for way in f.ways)):
        found += _by_name(value.partition(" ")[0], [facts[p] for p in places], places)
    return found


def _facts(station: Station, brand: str | None) -> _Facts:
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for hint in station.hints:
        said[hint.source, hint.key].add(hint.value)
    ids = said["dhcp", "client_id"]
    duids = {_duid(value) for value in ids} | {_unlinked(value.lower()) for value in said["dhcpv6", "duid"]}
    announced = {
        plain
        for hint in station.hints
        if hint.source == "mdns" and hint.key in _ID_KEYS
        and _UNIQUE.fullmatch(plain := re.sub(r"[^0-9a-z]", "", hint.value.lower()))
    }  # fmt: skip
    return _Facts(
        station,
        given_names(station.hints, (station.mac,)),
        frozenset(duids - {""}),
        frozenset(value for value in ids if _opaque(value)),
        frozenset(announced),
        frozenset(f"class:{value}" for value in said["dhcp", "vendor_class"])
        or frozenset(f"asks:{value}" for value in said["dhcp", "parameter_list"]),
        brand,
    )


def _opaque(client_id: str) -> bool:
    """A client identifier that is neither a hardware address nor a DUID, and no word that many would use."""
    if client_id[2:3] == ":":
        # RFC 2132 section 9.14: a first byte from 1 on is the type of a hardware address; 255 is RFC 4361's DUID.
        return client_id.startswith("00:") and len(client_id) >= 3 * _LEAST_ID
    return len(client_id) >= _LEAST_ID and worth(client_id) == GIVEN


def _duid(client_id: str) -> str:
    """The DUID in a client identifier: type 255, four bytes for the interface, the DUID (RFC 4361 section 6.1)."""
    digits = client_id.replace(":", "")
    return _unlinked(digits[10:]) if client_id.startswith("ff:") and len(digits) > 10 + 2 * _LEAST_ID else ""


def _unlinked(duid: str) -> str:
    """A DUID; "" for one that is nothing but a hardware address (type 3, RFC 8415 section 11.4)."""
    return "" if duid.startswith("0003") or len(duid) < 2 * _LEAST_ID else duid


def _announced(facts: _Facts) -> frozenset[str]:
    """All that a station announces as one value: a part may be somebody else's."""
    return frozenset({" ".join(sorted(facts.announced))} - {""})


_IDENTITIES: tuple[tuple[str, str, Callable[[_Facts], frozenset[str]]], ...] = (
    ("dhcp", "they ask for addresses with the same identifier {} (DHCP)", lambda facts: facts.client_ids),
    ("dhcpv6", "they ask for addresses with the same identifier {} (DUID)", lambda facts: facts.duids),
    ("mdns", "they announce the same identifier {} (mDNS)", _announced),
)


def _pairs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs that connect all: each with the first, so that the first reason is the shown one, and with its neighbour."""
    return sorted({(places[0], each) for each in places[1:]} | set(pairwise(places)))


def _shared(facts: Sequence[_Facts], values: Callable[[_Facts], frozenset[str]]) -> list[tuple[str, list[int]]]:
    """(value, places of the stations that say it) for values of several stations, in order of the value."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(facts):
        for value in values(each):
            places[value].append(index)
    return sorted((value, found) for value, found in places.items() if len(found) > 1)


def _by_name(name: str, facts: Sequence[_Facts], places: Sequence[int]) -> list[Join]:
    """One device that changes its address leaves before it comes back as another."""
    spans = sorted((each.station.first_us, each.station.last_us) for each in facts)
    meet = any(later[0] <= earlier[1] for earlier, later in pairwise(spans))
    if meet or sum(1 for each in facts if not _random(each)) > 1:
        return []
    detail = f"they have the same name “{name}” and ask for addresses alike, never both at a time (DHCP)"
    return [Join(a, b, "name", detail) for a, b in _pairs(places)]


def _differ(one: _Facts, other: _Facts) -> bool:
    """Whether something tells them apart in spite of what they share."""
    named_apart = bool(one.names) and bool(other.names) and not one.names & other.names
    return named_apart or (one.brand is not None and other.brand is not None and one.brand != other.brand)


def _random(facts: _Facts) -> bool:
    return is_random(facts.station.mac)
