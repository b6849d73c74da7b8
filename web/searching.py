"""What has a text in its name: devices, companies, domains, addresses, countries. For the page and for programs.

Rule: what was typed is a text, never a pattern; what begins with it comes before what only contains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.classify.countries import COUNTRIES
from daemon.identify.kinds import NOUNS
from daemon.store.finding_names import Hit, find_companies, find_destinations
from daemon.store.roster import Resident
from daemon.store.whose_days import read_owned
from web.visit import Visit, label_of

LEAST, LONGEST = 2, 253  # letters: of fewer everything would be found


@dataclass(frozen=True, slots=True)
class Found:
    """At most so many of each kind as were asked for; `more`: the kinds of which there are others."""

    devices: Sequence[tuple[Resident, str]]  # and the word by which each was found
    companies: Sequence[Hit]
    domains: Sequence[Hit]
    addresses: Sequence[Hit]
    countries: Sequence[tuple[str, str]]  # code, name: of those that the home exchanged data with
    more: frozenset[str]
    devices_in_all: int


def search(visit: Visit, text: str, most: int) -> Found:
    """What there is of a text; nothing of one that is too short."""
    wanted = text.strip()[:LONGEST]
    if len(wanted) < LEAST:
        return Found((), (), (), (), (), frozenset(), 0)
    places = find_destinations(visit.db, visit.site_id, wanted, most + 1)
    devices, countries = _devices(visit, wanted), _countries(visit, wanted)
    companies = find_companies(visit.db, wanted, most + 1)
    counts = {
        "devices": len(devices), "companies": len(companies), "domains": len(places.domains),
        "addresses": len(places.addresses), "countries": len(countries),
    }  # fmt: skip
    return Found(
        devices[:most], companies[:most], places.domains[:most], places.addresses[:most], countries[:most],
        frozenset(kind for kind, number in counts.items() if number > most), len(devices),
    )  # fmt: skip


def kind_words(kind: str | None) -> str:
    """What people call a kind of device."""
    return NOUNS.get(kind, kind) if kind else ""


def words_of(resident: Resident, name: str | None = None) -> list[str]:
    """Everything by which somebody may look for a device."""
    said = [
        name or label_of(resident), resident.vendor, resident.model, kind_words(resident.kind), resident.kind, resident.room,
        resident.owner, resident.system,
    ]  # fmt: skip
    own = [called for member in resident.members for called in member.names]
    return [word for word in (*said, *own, *resident.keys, *(seen.address for seen in resident.addresses)) if word]


def _devices(visit: Visit, text: str) -> list[tuple[Resident, str]]:
    """Devices and the word by which each was found, those found by name first."""
    wanted, found = text.casefold(), []
    for each in visit.residents:
        name = visit.names[each.device_id]
        hit = next((word for word in words_of(each, name) if wanted in word.casefold()), None)
        if hit is not None:
            found.append((not name.casefold().startswith(wanted), wanted not in name.casefold(), each, hit))
    return [(each, hit) for _, _, each, hit in sorted(found, key=lambda row: row[:2])]


def _countries(visit: Visit, text: str) -> list[tuple[str, str]]:
    wanted = text.casefold()
    met = {each.country for each in read_owned(visit.db).values() if each.country in COUNTRIES}
    named = [(code, COUNTRIES[code].name) for code in met if code is not None]
    found = [each for each in named if wanted in each[1].casefold() or wanted == each[0].casefold()]
    return sorted(found, key=lambda each: (not each[1].casefold().startswith(wanted), each[1]))
