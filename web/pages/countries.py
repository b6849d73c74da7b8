"""One country: which companies' computers stand there, which devices exchange data with them, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from daemon.classify.countries import COUNTRIES
from daemon.report.contacts import NOBODY, by_company, by_country, read_shares, share_bytes, tally
from daemon.report.countries import unsure
from daemon.report.places import is_recent, recent_spots
from daemon.report.words import counted, in_a_sentence, listed, share_words, size_words
from web.lists import listing
from web.pages.destinations import ORDERS, company_rows, devices_of
from web.routing import Page
from web.visit import NotHereError, Visit

_MOST = 25
_MOST_PLACES = 12


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
        places=recent_spots(scope)[:_MOST_PLACES],
        exact=is_recent(scope),
        words={word: scope.only[word] for word in ("country", "party", "company") if word in scope.only},
        csv=lambda report: visit.link(f"/reports/{report}.csv", country=code),
    )


PAGES = (Page("/countries/{code}", show),)
