"""Search: devices, companies, domains, addresses and countries that have what was typed in their name.

Rule 1: as many of each as a screen holds; what begins with the text comes before what only contains it.
Rule 2: who types a country or a question and not a name is led on, too: "nothing" is an answer about China.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from daemon.classify.countries import COUNTRIES
from daemon.report.registry import KINDS
from daemon.store.finding_names import Hit
from web.routing import Page
from web.searching import LEAST, LONGEST, kind_words, search
from web.visit import Visit
from web.words import tasks_of

MOST = 20  # of each
_COUNTRY = 4  # letters of a country's name by which one that nobody met is told


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of thing that was found; `path` is what its addresses begin with."""

    heading: str
    path: str
    hits: Sequence[Hit]
    more: bool


def show(visit: Visit) -> Response:
    """What there is of a text."""
    text = (visit.query("q") or "").strip()[:LONGEST]
    found = search(visit, text, MOST)
    groups = [
        Group(heading, path, hits, kind in found.more)
        for kind, heading, path, hits in (
            ("companies", "Companies", "/companies/", found.companies),
            ("domains", "Domains", "/destinations/", found.domains),
            ("addresses", "Addresses", "/destinations/", found.addresses),
        )
    ]
    every = found.devices_in_all + sum(len(group.hits) for group in groups) + len(found.countries)
    return visit.page(
        "search.html", text=text, devices=found.devices, more_devices=found.devices_in_all - len(found.devices),
        groups=[group for group in groups if group.hits], countries=found.countries, every=every, least=LEAST,
        kind_words=kind_words, any_more=bool(found.more), unmet=_unmet(text, {code for code, _ in found.countries}),
        ways=_ways(text),
    )  # fmt: skip


def _unmet(text: str, met: set[str]) -> list[tuple[str, str]]:
    """Countries that begin like the text, and with which the home never exchanged data."""
    wanted = text.casefold()
    if len(wanted) < _COUNTRY:
        return []
    begins = [(code, each.name) for code, each in COUNTRIES.items() if each.name.casefold().startswith(wanted)]
    return [each for each in begins if each[0] not in met]


def _ways(text: str) -> list[tuple[str, str, str]]:
    """What one may have meant to do or to read: words, an address, what stands there."""
    wanted = text.casefold()
    if len(wanted) < LEAST:
        return []
    tables = [
        (each.title, f"/reports/{each.name}", each.question)
        for each in KINDS
        if wanted in f"{each.title} {each.question}".casefold().replace("?", "").split()
    ]
    return [(each.question, each.address, each.answer) for each in tasks_of(text)] + tables


PAGES = (Page("/search", show),)
