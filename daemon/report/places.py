"""Where the other ends are: networks, countries and coordinates, as points for a map.

Rule 1: the place of a destination is that of the address with which most was exchanged; its country is the verdict's.
Rule 2: coordinates are a cloud's region or a city where the box's own files tell them and agree on the country; else the
        middle of the country, and `located` says so. Only the addresses with most data are looked up, the rest stands in
        the middle of its country: nothing leaves the box for a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import FROM_COUNTRY, LOW, Place
from daemon.report.contacts import Contact, Tally, read_packets, tally
from daemon.report.countries import country_name
from daemon.report.scope import Scope, Span
from daemon.report.table import COUNT, SIZE, Column, Report
from daemon.report.words import counted, share_words
from daemon.store.whose import read_addresses

MOST_LOOKED_UP = 300  # addresses: a look takes some 50 us
_RECENT_DAYS = 2  # of the calendar
_RECENT_S, _RECENT_US = _RECENT_DAYS * 86_400, (_RECENT_DAYS - 1) * 86_400_000_000
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


def report(scope: Scope) -> Report:
    """One row a point and network, most data first."""
    sums = spots(scope, read_packets(scope))
    rows = tuple(
        (
            each.key.country, country_name(each.key.country), *each.key[1:5], _asn(each.key.asn), each.key.network,
            each.key.confidence, len(each.companies.keys() - {None}), len(each.named), each.packets_up, each.packets_down,
            each.bytes_up, each.bytes_down,
        )
        for each in sums
    )  # fmt: skip
    return Report("Places", _COLUMNS, rows, (_sentence(sums),), (_NOTE,))


_NOTE = (
    "Where an address is known to be in a cloud's region or in a city, its coordinates are that place's; otherwise they "
    "are the middle of the country. Where a network answers from many places, confidence is low."
)


def _asn(number: int | None) -> str | None:
    return None if number is None else f"AS{number}"


def is_recent(scope: Scope) -> bool:
    """Whether a span is so short that the place of everything in it is looked up."""
    return scope.span.seconds <= _RECENT_S


def recent_spots(scope: Scope) -> list[Tally[Spot]]:
    """The points of the scope's time or, of a longer one, of its last days: addresses of a year are too many for a page."""
    if is_recent(scope):
        return spots(scope, read_packets(scope))
    until = min(scope.span.until_us, scope.newest_us + 1)
    last = scope.over(Span(max(scope.span.since_us, until - _RECENT_US), scope.span.until_us))
    return spots(last, read_packets(last))


def spots(scope: Scope, contacts: Sequence[Contact]) -> list[Tally[Spot]]:
    """Contacts by point and network, most data first."""
    weights: dict[int, int] = {}
    for met, _ in contacts:
        weights[met.main_id] = weights.get(met.main_id, 0) + met.bytes_up + met.bytes_down
    heaviest = sorted(weights, key=lambda each: (-weights[each], each))[:MOST_LOOKED_UP]
    places = {number: scope.locate(text) for number, text in read_addresses(scope.db, heaviest).items()}
    return tally(contacts, lambda contact: _spot(contact, places.get(contact.met.main_id)))


def _spot(contact: Contact, place: Place | None) -> Spot:
    label = contact.label
    agrees = place is not None and place.asn in (None, label.asn)
    network = place.as_name if place is not None and agrees else None
    if place is not None and place.country == label.country and place.coordinates_from not in (None, FROM_COUNTRY):
        region = f"{place.provider} {place.region}" if place.provider and place.region else None
        return Spot(
            label.country, place.latitude, place.longitude, place.coordinates_from, region, label.asn, network,
            label.confidence,
        )  # fmt: skip
    middle = COUNTRIES.get(label.country) if label.country else None
    if middle is None:
        return Spot(label.country, None, None, None, None, label.asn, network, label.confidence)
    return Spot(
        label.country, middle.latitude, middle.longitude, FROM_COUNTRY, None, label.asn, network, label.confidence
    )


def _sentence(sums: Sequence[Tally[Spot]]) -> str:
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
