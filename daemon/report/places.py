"""Where the other ends are: networks, countries and coordinates, as points for a map.

Rule 1: the place of a destination is that of the address with which most was exchanged; its country is the verdict's.
Rule 2: coordinates are a cloud's region or a city where the box's own files tell them and agree on the country; else the
        middle of the country, and `located` says so. Only the addresses with most data are looked up, the rest stands in
        the middle of its country: nothing leaves the box for a map.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import FROM_COUNTRY, LOW, Place
from daemon.report.contacts import narrowing, owned_labels
from daemon.report.countries import country_name
from daemon.report.networks import as_words
from daemon.report.scope import Scope, Span
from daemon.report.table import COUNT, SIZE, Column, Report
from daemon.report.words import counted, share_words
from daemon.store.columns import Ints
from daemon.store.destination_columns import main_of
from daemon.store.gathered import Gathered, gather
from daemon.store.whose import Label, read_addresses, read_labels, read_networks

MOST_LOOKED_UP = 300  # addresses: a look takes some 50 us
_RECENT_DAYS = 2  # of the calendar
_RECENT_S, _RECENT_US = _RECENT_DAYS * 86_400, (_RECENT_DAYS - 1) * 86_400_000_000
_BITS = 33  # of a network in that of a pair: 1 more than its number
_GATHERED = ("packets_up", "packets_down", "bytes_up", "bytes_down", "main")
_COLUMNS = (
    Column("country", "Country"),
    Column("name", "Name"),
    Column("latitude", "Latitude"),
    Column("longitude", "Longitude"),
    Column("located", "Located by"),
    Column("region", "Cloud region"),
    Column("asn", "Network"),
    Column("network", "Name of the network"),
    Column("confidence", "How sure"),
    Column("companies", "Companies", COUNT),
    Column("destinations", "Names and addresses", COUNT),
    Column("packets_up", "Packets sent", COUNT),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
)


class Spot(NamedTuple):
    """A point with a network. Coordinates in degrees, None where nobody knows the country."""

    country: str | None
    latitude: float | None
    longitude: float | None
    located: str | None  # region, city, country
    region: str | None  # `aws eu-west-1`
    asn: int | None
    network: str | None
    confidence: str | None


@dataclass(slots=True)
class SpotSum:
    """What was exchanged with a point; `destinations` that were met there."""

    key: Spot
    packets_up: int = 0
    packets_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    destinations: int = 0
    parties: dict[str, int] = field(default_factory=dict)  # bytes
    companies: set[str | None] = field(default_factory=set)

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


def report(scope: Scope) -> Report:
    """One row a point and network, most data first."""
    sums = spots(scope)
    rows = tuple(
        (
            each.key.country, country_name(each.key.country), *each.key[1:5], as_words(each.key.asn), each.key.network,
            each.key.confidence, len(each.companies - {None}), each.destinations, each.packets_up, each.packets_down,
            each.bytes_up, each.bytes_down,
        )
        for each in sums
    )  # fmt: skip
    return Report("Places", _COLUMNS, rows, (_sentence(sums),), (_NOTE,))


_NOTE = (
    "Where an address is known to be in a cloud's region or in a city, its coordinates are that place's; otherwise they "
    "are the middle of the country. Where a network answers from many places, confidence is low."
)


def is_recent(scope: Scope) -> bool:
    """Whether a span is so short that the place of everything in it is looked up."""
    return scope.span.seconds <= _RECENT_S


def recent_spots(scope: Scope) -> list[SpotSum]:
    """The points of the scope's time or, of a longer one, of its last days: addresses of a year are too many for a page."""
    return spots(recent(scope))


def recent(scope: Scope) -> Scope:
    """The question about the time of which places are looked up."""
    if is_recent(scope):
        return scope
    until = min(scope.span.until_us, scope.newest_us + 1)
    return scope.over(Span(max(scope.span.since_us, until - _RECENT_US), scope.span.until_us))


def spots(scope: Scope) -> list[SpotSum]:
    """What the scope asks about by point and network, most data first; not to be changed."""
    key = ("spots", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: _spots(scope))


def _spots(scope: Scope) -> list[SpotSum]:
    """By label, network and place first, of which there are few: destinations are many thousands."""
    met, pairs, pair, labels = _told(scope)
    addresses, at = np.unique(main_of(met.main), return_inverse=True)
    places = [None, *_looked_up(scope, addresses, np.bincount(at, met.bytes, len(addresses)).astype(np.int64))]
    place_of = {each[0]: number for number, each in enumerate(places) if each is not None}
    place = np.array([place_of.get(each, 0) for each in addresses.tolist()], np.int64)[at]
    kinds, which = np.unique(pair * len(places) + place, return_inverse=True)
    sums = [
        np.bincount(which, column, len(kinds)).astype(np.int64).tolist()  # bytes of days: exact
        for column in (met.packets_up, met.packets_down, met.bytes_up, met.bytes_down)
    ]
    found: dict[Spot, SpotSum] = {}
    order: dict[Spot, int] = {}
    spot_of = []
    for kind, *counts in zip(kinds.tolist(), *sums, strict=True):
        number, where = divmod(kind, len(places))
        label, network, there = labels[pairs[number][0]], pairs[number][1], places[where]
        spot = _spot(label, None if network < 0 else network, None if there is None else there[1])
        spot_of.append(order.setdefault(spot, len(order)))
        _add(found.setdefault(spot, SpotSum(spot)), label, counts)
    _count_destinations(list(found.values()), np.array(spot_of, np.int64)[which], met.named)
    return _ordered(list(found.values()))


def _told(scope: Scope) -> tuple[Gathered, list[tuple[int, int]], Ints, dict[int, Label]]:
    """What the scope asks about: rows, pairs in order (number of a label, network or -1), which of these each row has, and
    the labels.
    """
    met = gather(scope.db, scope.window, only=_GATHERED)
    there = np.bincount(met.verdict) > 0  # their numbers are dense: quicker than to sort rows
    verdicts, at = np.flatnonzero(there), (np.cumsum(there) - 1)[met.verdict]
    known, numbers, networks = read_networks(scope.db, verdicts.tolist())
    labels = owned_labels(scope)
    unnumbered = read_labels(scope.db, known[numbers < 0].tolist())  # judged a moment ago
    labels.update({-verdict: label for verdict, label in unnumbered.items() if verdict})
    where = np.searchsorted(verdicts, known)
    whose, asn = np.zeros(len(verdicts), np.int64), np.full(len(verdicts), -1)
    whose[where], asn[where] = np.where(numbers < 0, -known, numbers), networks
    keys, pair = np.unique((whose << _BITS) + asn + 1, return_inverse=True)
    numbers, told = (keys >> _BITS).tolist(), (keys & ((1 << _BITS) - 1)) - 1
    pairs = list(zip(numbers, told.tolist(), strict=True))
    wanted = narrowing(labels, scope.only)
    if wanted is None:
        return met, pairs, pair[at], labels
    fits = np.isin(whose, np.array(sorted(wanted), np.int64))[at]
    return met.rows(fits), pairs, pair[at[fits]], labels


def _looked_up(scope: Scope, addresses: Ints, octets: Ints) -> list[tuple[int, Place | None]]:
    """Those of the addresses that have most bytes, and where they are."""
    heaviest = addresses[np.lexsort((addresses, -octets))[:MOST_LOOKED_UP]].tolist()
    return [(number, scope.locate(text)) for number, text in read_addresses(scope.db, heaviest).items()]


def _add(spot: SpotSum, label: Label, counts: Sequence[int]) -> None:
    packets_up, packets_down, up, down = counts
    spot.packets_up += packets_up
    spot.packets_down += packets_down
    spot.bytes_up += up
    spot.bytes_down += down
    spot.parties[label.party] = spot.parties.get(label.party, 0) + up + down
    spot.companies.add(label.organisation)


def _count_destinations(found: Sequence[SpotSum], spot: Ints, named: Ints) -> None:
    """`spot`: of each row, the place in `found`."""
    numbers, at = np.unique(named, return_inverse=True)
    pairs = np.unique(spot * max(len(numbers), 1) + at)
    for each, many in zip(
        found, np.bincount(pairs // max(len(numbers), 1), minlength=len(found)).tolist(), strict=True
    ):
        each.destinations = many


def _ordered(found: Sequence[SpotSum]) -> list[SpotSum]:
    """Most bytes first; of several by what they are, which takes long to write of all."""
    alike = Counter(each.bytes for each in found)
    return sorted(found, key=lambda each: (-each.bytes, str(each.key) if alike[each.bytes] > 1 else ""))


def _spot(label: Label, asn: int | None, place: Place | None) -> Spot:
    agrees = place is not None and place.asn in (None, asn)
    network = place.as_name if place is not None and agrees else None
    if place is not None and place.country == label.country and place.coordinates_from not in (None, FROM_COUNTRY):
        region = f"{place.provider} {place.region}" if place.provider and place.region else None
        return Spot(
            label.country, place.latitude, place.longitude, place.coordinates_from, region, asn, network,
            label.confidence,
        )  # fmt: skip
    middle = COUNTRIES.get(label.country) if label.country else None
    if middle is None:
        return Spot(label.country, None, None, None, None, asn, network, label.confidence)
    return Spot(label.country, middle.latitude, middle.longitude, FROM_COUNTRY, None, asn, network, label.confidence)


def _sentence(sums: Sequence[SpotSum]) -> str:
    whole = sum(each.bytes for each in sums)
    if not whole:
        return "Nothing went to the internet in this time."
    points = {each.key[1:3] for each in sums if each.key.latitude is not None}
    exact = sum(each.bytes for each in sums if each.key.located not in (None, FROM_COUNTRY)) / whole
    guess = sum(each.bytes for each in sums if each.key.confidence == LOW) / whole
    return (
        f"Data was exchanged with {counted(len(points), 'place')}; {share_words(exact)} of it with a known city or "
        f"cloud region. For {share_words(guess)} the country is a guess."
    )
