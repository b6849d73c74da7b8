"""Search: devices, companies, domains and addresses that have what was typed in their name.

Rule: as many of each as a screen holds; what begins with the text comes before what only contains it.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from daemon.store.finding_names import Hit, find_companies, find_destinations
from daemon.store.roster import Resident
from web.pages.devices import kind_words, words_of
from web.routing import Page
from web.visit import Visit

MOST = 20  # of each
_LEAST = 2  # letters, below which everything would be found


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of thing that was found; `path` is what its addresses begin with."""

    heading: str
    path: str
    hits: list[Hit]
    more: bool


def show(visit: Visit) -> Response:
    """What there is of a text."""
    text = (visit.query("q") or "").strip()[:253]
    devices: list[tuple[Resident, str]] = []
    groups: list[Group] = []
    if len(text) >= _LEAST:
        devices = _devices(visit, text)
        found = find_destinations(visit.db, visit.site_id, text, MOST + 1)
        groups = [
            _group("Companies", "/companies/", find_companies(visit.db, text, MOST + 1)),
            _group("Domains", "/destinations/", found.domains),
            _group("Addresses", "/destinations/", found.addresses),
        ]
    every = len(devices) + sum(len(group.hits) for group in groups)
    return visit.page(
        "search.html", text=text, devices=devices[:MOST], more_devices=max(0, len(devices) - MOST),
        groups=[group for group in groups if group.hits], every=every, least=_LEAST, kind_words=kind_words,
        any_more=any(group.more for group in groups) or len(devices) > MOST,
    )  # fmt: skip


def _group(heading: str, path: str, hits: list[Hit]) -> Group:
    return Group(heading, path, hits[:MOST], len(hits) > MOST)


def _devices(visit: Visit, text: str) -> list[tuple[Resident, str]]:
    """Devices and the word by which each was found, those found by name first."""
    wanted, found = text.casefold(), []
    for each in visit.residents:
        name = visit.names[each.device_id]
        hit = next((word for word in words_of(each, name) if wanted in word.casefold()), None)
        if hit is not None:
            found.append((not name.casefold().startswith(wanted), wanted not in name.casefold(), each, hit))
    return [(each, hit) for _, _, each, hit in sorted(found, key=lambda row: row[:2])]


PAGES = (Page("/search", show),)
