"""`/api/v1/search`: what the search page finds, for programs.

Rule: what is asked for is a text of bounded length, and what is answered a bounded number of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Query, Request

from daemon.store.calendar import month_text
from daemon.store.finding_names import Hit
from web.api import models
from web.api.asking import SiteText, asked
from web.searching import LEAST, LONGEST, search
from web.visit import Visit, label_of

_FEW, _MOST = 20, 100

SearchText = Annotated[str, Query(min_length=LEAST, max_length=LONGEST, description="part of a name or an address")]
EachNumber = Annotated[int, Query(ge=1, le=_MOST, description="at most so many of each kind")]


def read_search(
    request: Request, q: SearchText, site: SiteText = None, limit: EachNumber = _FEW
) -> models.SearchAnswer:
    """Devices, companies, domains, addresses and countries with a text in their names."""
    del site  # said for the documentation; a visit reads it from the address

    def answer(visit: Visit) -> models.SearchAnswer:
        found = search(visit, q, limit)
        return models.SearchAnswer(
            devices=[
                models.DeviceHit(
                    key=each.said_of, name=label_of(each), found_by=word, vendor=each.vendor, kind=each.kind,
                    room=each.room, owner=each.owner, last_us=each.last_us,
                )
                for each, word in found.devices
            ],
            companies=_hits(found.companies), domains=_hits(found.domains), addresses=_hits(found.addresses),
            countries=[models.CountryHit(code=code, name=name) for code, name in found.countries],
            more=sorted(found.more),
        )  # fmt: skip

    return asked(request, answer)


def _hits(hits: Iterable[Hit]) -> list[models.Hit]:
    return [
        models.Hit(
            text=each.text, organisation=each.organisation, party=each.party,
            last_month=None if each.month is None else month_text(each.month),
        )
        for each in hits
    ]  # fmt: skip
