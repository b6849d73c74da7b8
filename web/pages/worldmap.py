"""The world map: in which countries the other ends are, by what is sent or received, in bytes or packets.

Rule 1: countries are exact for any time; the places within a country are those of its last days, because
        addresses are looked up one by one.
Rule 2: the home itself is not drawn: nobody who sees this page shall learn where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from starlette.responses import Response

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import FROM_CITY, FROM_COUNTRY, FROM_REGION, LOW
from daemon.classify.vocabulary import PARTIES as ALL_PARTIES
from daemon.report.places import SpotSum, is_recent, recent_spots
from daemon.report.scope import Scope
from daemon.report.words import counted, in_a_sentence, listed
from daemon.store.whose_days import read_whose
from web.charts.world import VIEWS, Area, Dot, world
from web.numbers import count, share, size
from web.pages.destinations import Choice
from web.routing import Page
from web.templating import country
from web.visit import Visit

_MOST_DOTS = 120
_WAYS = MappingProxyType({"both": "Both ways", "out": "Sent", "in": "Received"})
_MEASURES = MappingProxyType({"bytes": "Data", "packets": "Packets"})
_COLUMNS = MappingProxyType(  # (measure, way) -> columns of a sum that count
    {
        ("bytes", "both"): ("bytes_up", "bytes_down"), ("bytes", "out"): ("bytes_up",), ("bytes", "in"): ("bytes_down",),
        ("packets", "both"): ("packets_up", "packets_down"), ("packets", "out"): ("packets_up",),
        ("packets", "in"): ("packets_down",),
    }
)  # fmt: skip
_COUNTS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down")
_FOUND_BY = {FROM_REGION: "in a cloud region", FROM_CITY: "in a city", FROM_COUNTRY: "in the middle of the country"}


@dataclass(slots=True)
class Land:
    """What was exchanged with a country; `number` is what the map shows of it, `guess` the part that may be elsewhere."""

    code: str | None
    sums: dict[str, int]
    number: int = 0
    guessed: int = 0
    share: float = 0.0

    @property
    def guess(self) -> float:
        """As a fraction."""
        return self.guessed / self.number if self.number else 0.0


def show(visit: Visit) -> Response:
    """The map with its table."""
    scope = visit.scope()
    way, measure, view = (
        _asked(visit, word, words) for word, words in (("way", _WAYS), ("by", _MEASURES), ("view", VIEWS))
    )
    columns = _COLUMNS[measure, way]
    lands = _lands(scope, columns)
    spots = recent_spots(scope)
    dots, located = _dots(visit, spots, lands, columns, measure)

    def address(**changes: str | None) -> str:
        kept = {"way": visit.query("way"), "by": visit.query("by"), "view": visit.query("view")}
        return visit.link("/map", **{**kept, **changes})

    return visit.page(
        "map.html",
        lead=_lead(lands, measure, visit.range.label),
        chart=world(_areas(visit, lands, measure), dots, _label(visit, way, measure), view),
        lands=lands,
        largest=max((land.share for land in lands), default=0.0),
        located=located,
        exact=is_recent(scope),
        ways=[(said, address(way=None if word == "both" else word), word == way) for word, said in _WAYS.items()],
        measures=[
            (said, address(by=None if word == "bytes" else word), word == measure) for word, said in _MEASURES.items()
        ],
        views=[
            (said, address(view=None if word == "world" else word), word == view) for word, (said, _) in VIEWS.items()
        ],
        choices={
            "device": _devices(visit),
            "party": [Choice(word, word, word == visit.query("party")) for word in ALL_PARTIES],
        },
        measure=measure,
        nowhere=not any(land.code for land in lands),
        csv=visit.link("/reports/countries.csv"),
        places_csv=visit.link("/reports/places.csv"),
    )


def _asked(visit: Visit, word: str, words: Mapping[str, object]) -> str:
    said = visit.query(word)
    return said if said is not None and said in words else next(iter(words))


def _devices(visit: Visit) -> list[Choice]:
    asked = visit.query("device")
    named = sorted(visit.names.items(), key=lambda each: each[1].casefold())
    return [Choice(visit.keys[number], name, visit.keys[number] == asked) for number, name in named]


def _lands(scope: Scope, columns: Sequence[str]) -> list[Land]:
    """Countries by what the map shows, the largest first; without a code what is nobody knows where."""
    words = ("country", "country_confidence", "party")
    rows = scope.remember(("lands", scope.window), lambda: read_whose(scope.db, scope.window, words))
    found: dict[str | None, Land] = {}
    for code, confidence, party, *counts in rows:
        if scope.only.get("party") not in (None, party):
            continue
        land = found.setdefault(code, Land(code, dict.fromkeys(_COUNTS, 0)))
        sums = dict(zip(_COUNTS, counts, strict=True))
        for word, number in sums.items():
            land.sums[word] += number
        number = sum(sums[word] for word in columns)
        land.number += number
        land.guessed += number if confidence == LOW else 0
    whole = sum(land.number for land in found.values())
    for land in found.values():
        land.share = land.number / whole if whole else 0.0
    return sorted(found.values(), key=lambda land: (-land.number, land.code or "~"))


def _areas(visit: Visit, lands: Sequence[Land], measure: str) -> list[Area]:
    return [
        Area(
            land.code, land.share, _words(country(land.code), land.number, measure, land.share, unsure=land.guess > 0.5),
            visit.link(f"/countries/{land.code}"), land.guess > 0.5,
        )
        for land in lands if land.code
    ]  # fmt: skip


def _dots(
    visit: Visit, spots: Sequence[SpotSum], lands: Sequence[Land], columns: Sequence[str], measure: str
) -> tuple[list[Dot], dict[str, int]]:
    """A dot for every point, its part of the country's number; and how much of it was located by what."""
    points: dict[tuple[str, float, float, str, bool], list[SpotSum]] = {}
    weights: dict[str, int] = {}
    for each in spots:
        key = each.key
        if key.country is None or key.latitude is None or key.longitude is None or key.located is None:
            continue
        number = sum(getattr(each, word) for word in columns)
        weights[key.country] = weights.get(key.country, 0) + number
        points.setdefault((key.country, key.latitude, key.longitude, key.located, key.confidence == LOW), []).append(
            each
        )
    totals = {land.code: land.number for land in lands if land.code}
    for code in totals.keys() - weights.keys():  # met in this time, but not in its last week
        middle = COUNTRIES.get(code)
        if middle is not None:
            points[code, middle.latitude, middle.longitude, FROM_COUNTRY, False] = []
    numbers = {}
    for point, of in points.items():
        number = sum(sum(getattr(each, word) for word in columns) for each in of)
        weight = weights.get(point[0], 0)
        numbers[point] = totals.get(point[0], 0) * (number / weight if weight else 0.0 if of else 1.0)
    most, whole = max(numbers.values(), default=0.0), sum(totals.values())
    located: dict[str, float] = {}
    for point, number in numbers.items():
        located[point[3]] = located.get(point[3], 0.0) + number
    heaviest = sorted(numbers, key=lambda point: (-numbers[point], point))[:_MOST_DOTS]
    dots = [
        _dot(visit, point, points[point], numbers[point], most, whole, measure) for point in heaviest if numbers[point]
    ]
    return dots, {_FOUND_BY[word]: round(number) for word, number in located.items()}


def _dot(
    visit: Visit, point: tuple[str, float, float, str, bool], of: Sequence[SpotSum], number: float, most: float,
    whole: float, measure: str,
) -> Dot:  # fmt: skip
    code, latitude, longitude, located, unsure = point
    parties: dict[str, int] = {}
    for each in of:
        for party, octets in each.parties.items():
            parties[party] = parties.get(party, 0) + octets
    regions = sorted({each.key.region for each in of if each.key.region})
    name = f"{country(code)}, {listed(regions, 2) if regions else _FOUND_BY[located]}"
    return Dot(
        latitude, longitude, number / most if most else 0.0,
        _words(name, round(number), measure, number / whole if whole else 0.0, unsure=unsure),
        visit.link(f"/countries/{code}"), unsure, max(parties, key=lambda party: parties[party], default="unknown"),
    )  # fmt: skip


def _words(name: str, number: int, measure: str, part: float, *, unsure: bool) -> str:
    said = size(number) if measure == "bytes" else f"{count(number)} packets"
    return f"{name}: {said}, {share(part)}{' (a guess)' if unsure else ''}"


def _label(visit: Visit, way: str, measure: str) -> str:
    what = f"{_MEASURES[measure].lower()}, {_WAYS[way].lower()}, {visit.range.label}"
    return f"World map: {what}. The same numbers stand in the table."


def _lead(lands: Sequence[Land], measure: str, when: str) -> list[str]:
    known = [land for land in lands if land.code and land.number]
    whole = sum(land.number for land in lands)
    if not whole:
        return ["Nothing went to the internet in this time."]
    if not known:
        return ["Nobody here knows in which countries these addresses are."]
    said = "data" if measure == "bytes" else "packets"
    named = [f"{in_a_sentence(country(land.code))} ({share(land.share)})" for land in known[:3]]
    where = f"{counted(len(known), 'country', 'countries')} ({when})"
    out = [f"This home exchanged {said} with computers in {where}, most with {listed(named, 3)}."]
    guess = sum(land.guessed for land in known) / whole
    if guess >= 0.005:
        out.append(f"For {share(guess)} the country is a guess: those networks answer from many places at once.")
    return out


PAGES = (Page("/map", show),)
