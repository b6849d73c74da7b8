"""One country: which companies' computers stand there, which devices exchange data with them, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from starlette.responses import Response

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import LOW
from daemon.report.contacts import NOBODY, by_company, by_country, read_shares, share_bytes, tally
from daemon.report.countries import unsure
from daemon.report.places import SpotSum, is_recent, recent, recent_spots
from daemon.report.scope import Scope
from daemon.report.words import counted, in_a_sentence, listed, share_words, size_words
from daemon.store.calendar import date_of
from web.lists import listing
from web.pages.destinations import ORDERS, company_rows, devices_of
from web.routing import Page
from web.visit import NotHereError, Visit

_MOST = 25
_MOST_PLACES = 12
_PLACES = MappingProxyType({"city": "a known city"})
_SOMEWHERE = "somewhere in the country"


def show(visit: Visit) -> Response:
    """The page; `-` is where nobody knows the country."""
    code = visit.param("code")
    code = code.upper() if len(code) == 2 else code
    if code != NOBODY and code not in COUNTRIES:
        raise NotHereError(f"There is no country with the code {code}.")
    whole = visit.scope()
    everything = share_bytes(whole)
    scope = replace(whole, only={**whole.only, "country": code})
    contacts = read_shares(scope)
    sums = tally(contacts, by_country)
    name = COUNTRIES[code].name if code in COUNTRIES else "Country unknown"
    companies = tally(contacts, by_company)
    devices = tally(contacts, lambda contact: contact.met.device_id)
    guess = unsure(sums[0]) if sums else 0.0

    def address(**changes: str | None) -> str:
        return visit.link(visit.request.url.path, **{"sort": visit.query("sort"), **changes})

    when = f"{visit.range.label[:1].upper()}{visit.range.label[1:]}"
    where = in_a_sentence(name) if code != NOBODY else "a country that nobody knows"
    lead = [f"{when}: no data was exchanged with computers in {where}."]
    if sums and everything:
        names = [str(each.key) for each in companies if each.key]
        known = [visit.names[each.key] for each in devices if each.key in visit.names]
        lead = [
            (f"{when}: {size_words(sums[0].bytes)}, {share_words(sums[0].bytes / everything)} of all data, were exchanged "
            f"with {counted(len(names), 'company', 'companies')} in {where}: "
            f"{listed(names, 3) or 'nobody that we know'}."),
            f"Most of it by {listed(known[:2], 2) or 'no device that we know'}.",
        ]  # fmt: skip
    return visit.page(
        "country.html",
        code=code,
        name=name,
        lead=lead,
        guess=guess,
        devices=[
            (
                (
                    visit.names.get(each.key, "no device of this house"),
                    visit.device_link(each.key) if each.key in visit.names else None,
                ),
                each,
            )
            for each in devices
        ],
        list=listing(visit, company_rows(visit, companies, None), ORDERS, address, _MOST),
        named=lambda row: devices_of(visit, row.sums),
        places=_networks(recent_spots(scope))[:_MOST_PLACES],
        days=_dates(recent(scope)),
        exact=is_recent(scope),
        words={word: scope.only[word] for word in ("country", "party", "company") if word in scope.only},
        csv=lambda report: visit.link(f"/reports/{report}.csv", country=code),
    )


@dataclass(frozen=True, slots=True)
class Network:
    """A network in the country: its places as far as they are known, and bytes both ways."""

    asn: int | None
    name: str | None
    places: tuple[str, ...]
    guess: bool
    bytes: int


def _networks(spots: Sequence[SpotSum]) -> list[Network]:
    """Those with most bytes first: packets are found by country and network, not by the place of an address."""
    groups: dict[int | None, list[SpotSum]] = {}
    for each in spots:
        groups.setdefault(each.key.asn, []).append(each)
    found = [
        Network(
            asn, next((each.key.network for each in of if each.key.network), None),
            tuple(dict.fromkeys(each.key.region or _PLACES.get(str(each.key.located), _SOMEWHERE) for each in of)),
            any(each.key.confidence == LOW for each in of), sum(each.bytes for each in of),
        )
        for asn, of in groups.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.bytes, each.asn or 0))


def _dates(scope: Scope) -> dict[str, str]:
    """The whole days that a scope's span touches, as addresses of packets say them."""
    first, last = (date_of(day).isoformat() for day in scope.days)
    return {"since": first, "until": last}


PAGES = (Page("/countries/{code}", show),)
