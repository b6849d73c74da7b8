"""Where the packets are of the numbers in a report's rows: a table says by which words each report's rows are found.

Rule 1: only rows are here whose words find exactly what was counted; a column of times says of which step a row is.
Rule 2: what is nothing has no packets; nobody's and nowhere's rows are found by `-`; a row of no device of this house, or
        of a name that was forgotten, by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daemon.ingest.wanted import WATCHED
from daemon.report import applications, month_changes, slots
from daemon.report.contacts import NOBODY
from daemon.report.news import COMPANY, COUNTRY, DEVICE
from daemon.report.registry import REPORTS
from daemon.report.table import Report, Row
from daemon.store.calendar import month_text
from daemon.store.words import address_key
from web.moments import instant
from web.visit import Visit

_MOVED = ("packets", "packets_up", "packets_down", "bytes", "bytes_up", "bytes_down")
_OR_NOBODY = frozenset({"company", "country", "service", "network", "purpose"})
Words = Mapping[str, str]
_NOTHING: Words = MappingProxyType({})
_DEVICE, _COMPANY, _MONTH, _NAME = "device_id=device", "organisation=company", "month=range", "destination=name"
_DAYS = MappingProxyType({"first_day": "since", "last_day": "until"})
_AT = "time_us=at"  # the words of the step that begins then


class _Kept(NamedTuple):
    """The columns that find a row, with the words they are, and what single numbers of it are of besides."""

    row: Words
    numbers: Mapping[str, Words]


def _of(*columns: str, **numbers: Words) -> _Kept:
    """`column` or `column=word`; numbers are those that moved, unless others are named."""
    row = {column: word or column for column, _, word in (each.partition("=") for each in columns)}
    return _Kept(row, numbers or _numbers())


def _numbers(**words: str) -> Mapping[str, Words]:
    """All that moved, with these words."""
    return dict.fromkeys(_MOVED, words)


_SECRECY = {"encrypted": {"encrypted": "yes"}, "open": {"encrypted": "no"}, "uncategorised": {"encrypted": "unknown"}}
_OUTSIDE = {name: {**words, "scope": "internet"} for name, words in _SECRECY.items()}
_PARTIES = {f"{party}_bytes": {"party": party} for party in ("first", "support", "platform", "third", "unknown")}
_REPORTS: Mapping[str, _Kept] = MappingProxyType(
    {
        "companies": _of(_COMPANY),
        "company-devices": _of(_COMPANY, _DEVICE),
        "families": _of(_COMPANY),
        "destinations": _of(_NAME),
        "sources": _of(_NAME),
        "destination": _of(_MONTH, _NAME, _DEVICE, "protocol", "ip_version", "service", "encrypted"),
        "watching": _of(_DEVICE, _COMPANY, **_numbers(party="third", purpose=WATCHED)),
        "countries": _of("country"),
        "months": _of(_MONTH, "party"),
        "month-changes": _of(_COMPANY, bytes_before={"range": "before"}, bytes={"range": "after"}),
        "changes": _of(_MONTH, _DEVICE, "destination=place"),
        "devices": _of(_DEVICE, **_numbers(), **_PARTIES, local_bytes={"scope": "inside"}),
        "device-destinations": _of(_DEVICE, _NAME),
        "device-sources": _of(_DEVICE, _NAME),
        "night": _of(_DEVICE, _NAME, "protocol", "service", "encrypted", **_numbers(scope="internet", hours="night")),
        "news": _of(_DEVICE, _COMPANY, "country"),
        "protocols": _of("protocol", "service"),
        "encryption": _of(_DEVICE, **_OUTSIDE, open_packets=_OUTSIDE["open"]),
        "reach": _of("scope", **_numbers(), **_SECRECY),
        "ip-versions": _of(
            _DEVICE,
            ipv4={"ip_version": "4"},
            ipv6={"ip_version": "6"},
            packets_ipv4={"ip_version": "4"},
            packets_ipv6={"ip_version": "6"},
            internet_ipv6={"ip_version": "6", "scope": "internet"},
        ),
        "resolvers": _of(_DEVICE, "resolver=destination", queries={"service": "dns"}, bytes={}),
        "names": _of("domain=asked", queries={}),
        "names-by-device": _of(_DEVICE, "domain=asked", queries={}),
        "slots": _of(_AT, **_numbers(), dns_queries={"service": "dns"}),
        "applications": _of(_AT, "application", _DEVICE),
        "requests": _of(_DEVICE, queries={"service": "dns"}, connections={}),
        "captures": _of("first_us=since", "last_us=until"),
        "findings": _of(_DEVICE, "destination", "first_us=first_day", "last_us=last_day"),
    }
)


# What pieces of news are of: the words that do not find them. A device's are what it exchanged with the internet.
_NEWS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        DEVICE: {"company": None, "country": None, "scope": "internet"},
        COMPANY: {"country": None},
        COUNTRY: {"device": None, "company": None},
    }
)


def packets_of(visit: Visit, name: str, report: Report) -> Callable[[Row], Words]:
    """For a row of the report of this name: the numbers' columns, and the address where their packets are."""
    if name not in _REPORTS:
        return lambda _row: _NOTHING
    kept, keys, narrowed = _REPORTS[name], report.keys, REPORTS[name].only
    asked = {word: visit.query(word) for word in narrowed}
    said = _sayings(visit, name)
    finders = [(keys.index(column), word) for column, word in kept.row.items() if column in keys]
    chosen = _NEWS if name == "news" else None
    kinds: list[Words] = []  # most numbers of a row are found by the same words, and so by one address
    numbers = []
    for column, more in kept.numbers.items():
        kind = {word: said.get(f"{word}={text}", text) for word, text in more.items()}
        if kind not in kinds:
            kinds.append(kind)
        if column in keys:
            numbers.append((keys.index(column), column, kinds.index(kind)))

    def links(row: Row) -> Words:
        words: dict[str, str | None] = dict(asked)
        news = {} if chosen is None else chosen[str(row[0])]
        words.update(news)
        for at, word in finders:
            if word in news:
                continue
            found = _words_of(visit, word, row[at], said)
            if not found:
                return _NOTHING
            words.update(found)
        there = [(column, kind) for at, column, kind in numbers if row[at]]
        addresses = {kind: visit.packets(**{**words, **kinds[kind]}) for kind in {kind for _, kind in there}}
        return {column: addresses[kind] for column, kind in there}

    return links


def _words_of(visit: Visit, word: str, value: object, steps: Words) -> Words:
    """What a column's value says; nothing where nothing finds it."""
    if word == "device":
        value = visit.keys.get(int(str(value or 0)))
    if value is None:
        return {word: NOBODY} if word in _OR_NOBODY else _NOTHING
    if word == "at":
        begin, _, end = steps.get(f"at={value}", "").partition(" ")
        return {"since": begin, "until": end} if end else _NOTHING
    if word in ("since", "until"):
        return {word: instant(int(str(value)) + (word == "until"))}
    if word in _DAYS:
        return {_DAYS[word]: f"{datetime.fromtimestamp(int(str(value)) // 1_000_000, ZoneInfo(visit.zone)):%Y-%m-%d}"}
    if word == "place":  # a domain with all names below it, or an address that has no name
        return {"name" if address_key(str(value)) else "destination": str(value)}
    return {word: str(value).removeprefix("IPv") if word == "ip_version" else str(value)}


def _sayings(visit: Visit, name: str) -> Words:
    """What words of the table stand for here: hours of the night, two months, the steps in which a report tells."""
    if name == "night":
        return {"hours=night": visit.night}
    if name == "month-changes":
        pair = month_changes.compared(visit.scope())
        return {} if pair is None else dict(zip(("range=before", "range=after"), map(month_text, pair), strict=True))
    if name in _STEPS:
        begins = _STEPS[name](visit)
        return {f"at={begin}": f"{instant(begin)} {instant(end)}" for begin, end in pairwise(begins)}
    return _NOTHING


def _of_slots(visit: Visit) -> Sequence[int]:
    scope = visit.scope()
    return [*(begin for _, begin in slots.steps_of(scope, slots.step_of(scope))), scope.span.until_us]


def _of_applications(visit: Visit) -> Sequence[int]:
    scope = visit.scope()
    step = applications.step_of(scope)
    places = applications.steps(scope, step)
    return [applications.begin_us(scope, step, at) for at in (*places, places[-1] + 1)]


_STEPS: Mapping[str, Callable[[Visit], Sequence[int]]] = MappingProxyType(
    {"slots": _of_slots, "applications": _of_applications}
)
