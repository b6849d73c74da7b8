"""One company: what it gets from which devices, under which names, why we think so, and since when.

Rule: a company is addressed by the name that verdicts give it; `-` is what belongs to nobody that we know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from starlette.responses import Response

from daemon.report.contacts import NOBODY, Contact, Tally, by_destination, read_of_company, tally
from daemon.report.words import counted, listed, size_words
from daemon.store.whose import Label, read_called, read_texts
from daemon.store.whose_days import read_owned
from web.lists import Orders, listing
from web.pages.destinations import NAME_ORDERS, Row, company_link, destination_link, devices_of
from web.pages.history import history_of
from web.routing import Page
from web.templating import PARTIES
from web.visit import NotHereError, Visit

_MOST_NAMES = 25
_MOST_SIBLINGS = 8


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
    if not contacts and not any(total for _, _, _, total in history.rows):
        raise NotHereError(f"No device of this home had to do with a company called {name}.")

    def address(**changes: str | None) -> str:
        return visit.link(visit.request.url.path, **{"sort": visit.query("sort"), **changes})

    devices = tally(contacts, lambda contact: contact.met.device_id)
    rows, parent = _names(visit, contacts), parent_of(name, (label for _, label in contacts))
    return visit.page(
        "company.html",
        name=None if name == NOBODY else name,
        lead=_lead(visit, name, devices, contacts),
        devices=[(_device(visit, each.key), each) for each in devices],
        list=listing(visit, rows, _ORDERS, address, _MOST_NAMES),
        named=lambda row: devices_of(visit, row.sums),
        history=history,
        known_as=sorted({label.called for _, label in contacts if label.called} - {name}),
        parent=parent,
        siblings=_siblings(visit, name, parent),
        domains=sorted({label.registrable_domain for _, label in contacts if label.registrable_domain}),
        purposes=_purposes(contacts),
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


def _lead(visit: Visit, name: str, devices: Sequence[Tally[int]], contacts: Sequence[Contact]) -> list[str]:
    who = "Destinations whose company nobody knows" if name == NOBODY else name
    if not devices:
        return [f"{who} got nothing in {visit.range.label}; the months below tell when it did."]
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


def parent_of(name: str, labels: Iterable[Label]) -> str | None:
    """Who owns a company, as its verdicts say: `Ring (Amazon)` is Amazon's."""
    return _owner(name, dict.fromkeys(label.called for label in labels if label.called))


def _owner(name: str, called: Iterable[str]) -> str | None:
    for words in called:
        before, bracket, owners = words.removesuffix(")").rpartition("(")
        for owner in owners.split(", ") if bracket and words.endswith(")") else ():
            if owner and owner != before.strip() and owner not in name:
                return owner
    return None


def _siblings(visit: Visit, name: str, parent: str | None) -> list[tuple[str, str]]:
    """Other companies that were ever met and belong to the same owner, or to this one."""
    met = {each.organisation for each in read_owned(visit.db).values()} - {None, name}
    called = read_called(visit.db, [each for each in met if each])
    family = {parent, name} - {None, NOBODY}
    found = sorted(other for other, words in called.items() if _owner(other, words) in family)
    return [(other, company_link(visit, other)) for other in found[:_MOST_SIBLINGS]]


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
