"""Who gets data: companies first, or every name and address; from which devices, and where data comes from.

Rule 1: what narrows the list (device, party, country) stands in the address, and its tables and files follow it.
Rule 2: the time is counted in whole days, and months that are over in whole months: the page says so where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from starlette.responses import Response

from daemon.classify.countries import COUNTRIES
from daemon.classify.vocabulary import PARTIES
from daemon.report.companies import new_companies, sentences
from daemon.report.contacts import NOBODY, Tally, company_sums
from daemon.report.ranking import ORDERS as RANKED
from daemon.report.ranking import Ranking, in_order, ranked
from daemon.store.whose import read_called, read_texts
from web.lists import Listing, Orders, listing
from web.routing import Page
from web.templating import path as quoted
from web.visit import Visit

_DEVICES_NAMED = 3
_LAST = "\U0010ffff"  # comes after every name


@dataclass(frozen=True, slots=True)
class Row:
    """A company, or a name or address, in a list. `link` leads to its page; `name` None where nobody knows one."""

    name: str | None
    link: str | None
    sums: Tally[str | None] | Tally[int]
    share: float
    new: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a list can be narrowed by."""

    word: str
    label: str
    chosen: bool


ORDERS: Orders = MappingProxyType(
    {
        "data": ("Data", lambda row: (-row.sums.bytes, str(row.name))),
        "sent": ("Sent", lambda row: (-row.sums.bytes_up, str(row.name))),
        "received": ("Received", lambda row: (-row.sums.bytes_down, str(row.name))),
        "devices": ("Devices", lambda row: (-len(row.sums.devices), -row.sums.bytes)),
        "third": ("Third parties", lambda row: (-row.sums.parties.get("third", 0), -row.sums.bytes)),
        "name": ("Name", lambda row: (row.name is None, str(row.name).casefold())),
    }
)
_SEEN: Orders = MappingProxyType(
    {
        "first": ("Newest", lambda row: (-row.sums.first_us,)),
        "last": ("Last seen", lambda row: (-row.sums.last_us,)),
    }
)
NAME_ORDERS: Orders = MappingProxyType({**ORDERS, **_SEEN})
_VIEWS = MappingProxyType({"companies": "Companies", "to": "Where data went", "from": "Where data came from"})
_REPORTS = MappingProxyType({"companies": "companies", "to": "destinations", "from": "sources"})
_MEASURE = MappingProxyType({"companies": "bytes", "to": "bytes_up", "from": "bytes_down"})
_NAMED_ORDERS = ("data", "sent", "received", "devices", "third", "name", "first", "last")


def show(visit: Visit) -> Response:
    """The list."""
    scope = visit.scope()
    asked = visit.query("by") or "companies"
    view = asked if asked in _VIEWS else "companies"
    companies = company_sums(scope)
    fresh = new_companies(scope, companies)

    def address(**changes: str | None) -> str:
        return own_link(visit, "/destinations", **changes)

    if view == "companies":
        shown = listing(visit, company_rows(visit, companies, fresh), ORDERS, address)
    else:
        shown = _names(visit, ranked(scope), view, address)
    return visit.page(
        "destinations.html",
        lead=sentences(companies, fresh),
        view=view,
        views=[
            (said, address(by=None if word == "companies" else word, sort=None), word == view)
            for word, said in _VIEWS.items()
        ],
        list=shown,
        called=read_called(visit.db, [row.name for row in shown.rows if row.name]) if view == "companies" else {},
        parties=party_sums(companies),
        choices=choices(visit, companies),
        named=lambda row: devices_of(visit, row.sums),
        largest=max((getattr(row.sums, _MEASURE[view]) for row in shown.rows), default=0),
        measure=lambda row: getattr(row.sums, _MEASURE[view]),
        csv=own_link(visit, f"/reports/{_REPORTS[view]}.csv"),
        full=own_link(visit, f"/reports/{_REPORTS[view]}"),
        fresh=fresh,
        party_link=lambda party: address(party=None if party == visit.query("party") else party),
    )  # fmt: skip


def own_link(visit: Visit, path: str, **changes: str | None) -> str:
    """An address with the filters of lists: those of every page, and country and company besides."""
    kept = {word: visit.query(word) for word in ("country", "by", "sort")}
    if not path.startswith("/destinations"):
        kept = {"country": visit.query("country")}
    return visit.link(path, **{**kept, **changes})


def company_rows(visit: Visit, sums: Sequence[Tally[str | None]], fresh: set[str] | None) -> list[Row]:
    """A row a company."""
    whole = sum(each.bytes for each in sums)
    return [
        Row(
            each.key, company_link(visit, each.key), each, each.bytes / whole if whole else 0.0,
            fresh is not None and each.key in fresh,
        )
        for each in sums
    ]  # fmt: skip


def _names(visit: Visit, found: Ranking, view: str, address: Callable[..., str]) -> Listing[Row]:
    """The page of names and addresses that is asked for; what only rows need is read for those alone that are shown."""
    usual, asked = "sent" if view == "to" else "received", visit.query("sort") or ""
    every = in_order(found, inward=view == "from", by=asked if asked in RANKED else "").tolist()
    if asked == "name":
        named = found.named.tolist()
        texts = read_texts(visit.db, named)
        every.sort(key=lambda number: texts.get(named[number], _LAST).casefold())
    words = [usual, *(word for word in _NAMED_ORDERS if word != usual)]
    page = listing(visit, every, {word: (NAME_ORDERS[word][0], _as_they_are) for word in words}, address)
    tallies = [found.tally(number) for number in page.rows]
    texts = read_texts(visit.db, [each.key for each in tallies])
    whole = int(found.bytes.sum())
    rows = [
        Row(text, destination_link(visit, text), each, each.bytes / whole if whole else 0.0)
        for text, each in ((texts.get(each.key), each) for each in tallies)
    ]
    return Listing(rows, page.count, page.first, page.sort, page.orders, page.before, page.after)


def _as_they_are(number: int) -> int:
    """A key for numbers that are in order: columns are sorted in a tenth of the time."""
    del number
    return 0


def company_link(visit: Visit, company: str | None) -> str:
    """The page of a company."""
    return visit.link(f"/companies/{quoted(company or NOBODY)}", party=None)


def destination_link(visit: Visit, name: str | None) -> str | None:
    """The page of a name or address."""
    return visit.link(f"/destinations/{quoted(name)}", party=None) if name else None


def party_sums(sums: Sequence[Tally[str | None]]) -> dict[str, int]:
    """Bytes by party."""
    out: dict[str, int] = {}
    for each in sums:
        for party, octets in each.parties.items():
            out[party] = out.get(party, 0) + octets
    return out


def devices_of(visit: Visit, sums: Tally[str | None] | Tally[int]) -> tuple[list[tuple[str, str]], int]:
    """The devices with most data, each with its page, and how many more there are."""
    ordered = sorted((device for device in sums.devices if device), key=lambda each: (-sums.devices[each], each))
    few = ordered[:_DEVICES_NAMED]
    named = [(visit.names.get(each, f"device {each}"), visit.device_link(each, party=None)) for each in few]
    return named, len(ordered) - len(few)


def choices(visit: Visit, sums: Sequence[Tally[str | None]]) -> Mapping[str, list[Choice]]:
    """What the list can be narrowed by: devices of the home, parties, countries that were met."""
    device, party, country = (visit.query(word) for word in ("device", "party", "country"))
    keys = visit.keys
    there = {code for each in sums for code in each.countries if code} | ({country} if country else set())
    return {
        "device": [
            Choice(keys[number], name, keys[number] == device)
            for number, name in sorted(visit.names.items(), key=lambda each: each[1].casefold())
        ],
        "party": [Choice(word, word, word == party) for word in PARTIES],
        "country": sorted(
            (Choice(code, COUNTRIES[code].name if code in COUNTRIES else code, code == country) for code in there),
            key=lambda each: each.label,
        ),
    }


PAGES = (Page("/destinations", show),)
