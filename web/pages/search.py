"""Search: devices, companies, domains, addresses and countries that have what was typed in their name.

Rule: as many of each as a screen holds; what begins with the text comes before what only contains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from daemon.store.finding_names import Hit
from web.routing import Page
from web.searching import LEAST, LONGEST, kind_words, search
from web.visit import Visit

MOST = 20  # of each


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
        kind_words=kind_words, any_more=bool(found.more),
    )  # fmt: skip


PAGES = (Page("/search", show),)
