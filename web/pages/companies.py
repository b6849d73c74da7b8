"""One company: what it gets from which devices, under which names, why we think so, and since when.

Rule: a company is addressed by the name that verdicts give it; `-` is what belongs to nobody that we know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import Response

from daemon.classify.purposes import WATCHING
from daemon.classify.vocabulary import THIRD
from daemon.report.contacts import NOBODY, Contact, Tally, by_destination, read_of_company, tally
from daemon.report.words import counted, listed, size_words
from daemon.store.whose import read_texts
from web.lists import Orders, listing
from web.pages.destinations import NAME_ORDERS, Row, destination_link, devices_of
from web.pages.families import family_of
from web.pages.history import History, history_of
from web.routing import Page
from web.templating import PARTIES
from web.visit import NotHereError, Visit

_MOST_NAMES = 25


def show_all(visit: Visit) -> Response:
    """The list of companies is that of destinations."""
    return visit.go(visit.link("/destinations"))


def show(visit: Visit) -> Response:
    """One company."""
    name = visit.param("name")
    whole = visit.scope()
    scope = replace(whole, only={**whole.only, "company": name})
    contacts = read_of_company(whole, name)
    history = history_of(scope, f"Data exchanged with {name}, month by month")
    portrait = visit.options.known(name)
    if portrait is None and not contacts and not any(total for _, _, _, total in history.rows):
        raise NotHereError(f"No device of this home had to do with a company called {name}.")

    def address(**changes: str | None) -> str:
        return visit.link(visit.request.url.path, **{"sort": visit.query("sort"), **changes})

    devices = tally(contacts, lambda contact: contact.met.device_id)
    rows = _names(visit, contacts)
    return visit.page(
        "company.html",
        name=None if name == NOBODY else name,
        lead=[
            *_lead(visit, name, devices, contacts, ever=any(total for _, _, _, total in history.rows)),
            *_first(history),
        ],
        devices=[(_device(visit, each.key), each) for each in devices],
        list=listing(visit, rows, _ORDERS, address, _MOST_NAMES),
        named=lambda row: devices_of(visit, row.sums),
        history=history,
        known_as=sorted({label.called for _, label in contacts if label.called} - {name}),
        family=family_of(visit, name, portrait, (label for _, label in contacts)),
        domains=sorted({label.registrable_domain for _, label in contacts if label.registrable_domain}),
        purposes=_purposes(contacts),
        watchers=_watchers(contacts, rows),
        most_watchers=_MOST_NAMES,
        countries=_countries(contacts),
        csv=lambda report: visit.link(f"/reports/{report}.csv", company=name),
    )


_ORDERS: Orders = {word: NAME_ORDERS[word] for word in ("data", "sent", "received", "devices", "name", "first", "last")}


def _names(visit: Visit, contacts: Sequence[Contact]) -> list[Row]:
    sums = tally(contacts, by_destination)
    texts = read_texts(visit.db, [each.key for each in sums])
    whole = sum(each.bytes for each in sums)
    return [
        Row(
            texts.get(each.key),
            destination_link(visit, texts.get(each.key)),
            each,
            each.bytes / whole if whole else 0.0,
        )
        for each in sums
    ]


def _device(visit: Visit, number: int) -> tuple[str, str | None]:
    if number not in visit.names:
        return "no device of this house", None
    return visit.names[number], visit.device_link(number)


def _lead(
    visit: Visit, name: str, devices: Sequence[Tally[int]], contacts: Sequence[Contact], *, ever: bool
) -> list[str]:
    who = "Destinations whose company nobody knows" if name == NOBODY else name
    if not devices:
        when = "the months below tell when it did" if ever else "no device of this home ever had to do with it"
        return [f"{who} got nothing ({visit.range.label}); {when}."]
    called = [_device(visit, each.key)[0] for each in devices if each.key]
    up, down = sum(each.bytes_up for each in devices), sum(each.bytes_down for each in devices)
    verb = "got" if name != NOBODY else "together got"
    out = [
        (
            f"{visit.range.label[:1].upper()}{visit.range.label[1:]}: {who} {verb} {size_words(up)} from "
            f"{listed(called, 3) or 'no device that we know'} and sent "
            f"{size_words(down)} back."
        )
    ]
    parties: dict[str, set[int]] = {}
    for met, label in contacts:
        parties.setdefault(label.party, set()).add(met.device_id)
    if len(parties) == 1 and name != NOBODY:
        out.append(f"What it is to them: {PARTIES[next(iter(parties))]}.")
    elif len(parties) > 1:
        words = [f"{PARTIES[party]} for {counted(len(on), 'device')}" for party, on in sorted(parties.items())]
        out.append(f"It is {listed(words, 4)}.")
    return out


def _watchers(contacts: Sequence[Contact], rows: Sequence[Row]) -> list[str]:
    """The names behind which there is advertising or tracking, those with most data first."""
    named = {
        met.named for met, label in contacts if label.party == THIRD and label.purpose in WATCHING and met.named > 0
    }
    return [row.name for row in rows if row.name and row.sums.key in named]


def _first(history: History) -> list[str]:
    """Since when, where the picture tells: what is in its first month, or in the first recorded one, may be older."""
    met = [(month, words) for month, words, _, total in history.rows if total]
    return [f"It was met first in {met[-1][1]}."] if met and met[-1][0] > history.rows[-1][0] else []


def _purposes(contacts: Sequence[Contact]) -> list[tuple[str, int]]:
    out: dict[str, int] = {}
    for met, label in contacts:
        if label.purpose:
            out[label.purpose] = out.get(label.purpose, 0) + met.bytes_up + met.bytes_down
    return sorted(out.items(), key=lambda each: (-each[1], each[0]))


def _countries(contacts: Sequence[Contact]) -> list[tuple[str, int, bool]]:
    """(country, bytes, whether all of it is a guess), most bytes first."""
    sums: dict[str, list[int]] = {}
    for met, label in contacts:
        if label.country:
            cell = sums.setdefault(label.country, [0, 0])
            cell[0] += met.bytes_up + met.bytes_down
            cell[1] += (met.bytes_up + met.bytes_down) * (label.confidence != "low")
    return sorted(((code, cell[0], not cell[1]) for code, cell in sums.items()), key=lambda each: (-each[1], each[0]))


PAGES = (
    Page("/companies", show_all),
    Page("/companies/{name:path}", show),
)
