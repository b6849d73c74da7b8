"""What the page of captures is narrowed by: in its address, as fields of its form, and in words.

Rule: the words are those of `homeport pcap` and of the tables' columns, so that an address says what a command would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from daemon.classify.purposes import PURPOSES
from daemon.flow.services import FRAMES, PROTOCOLS, SERVICES
from daemon.ingest.hours import read_hours
from daemon.ingest.wanted import (
    SCOPES,
    SECRECY,
    VERSIONS,
    WATCHED,
    WORDS,
    NotMeantError,
    Wanted,
    country_code,
    wanted_of,
)
from daemon.report.contacts import NOBODY
from daemon.report.reach import WORDS as SCOPE_WORDS
from daemon.store.applications import read_applications
from daemon.store.meant import NOT_OUTSIDE
from daemon.store.whose_days import read_owned
from web.templating import PARTIES, country
from web.visit import Visit

_TIMES = ("since", "until")
HIDDEN = frozenset({"name", "address", "company", "network", "asked", "port"})  # words that have no field in the form
_SECRECY = MappingProxyType({"yes": "encrypted", "no": "not encrypted", "unknown": "uncategorised"})
_EVERY = MappingProxyType(  # word -> what stands in a field that narrows nothing
    {
        "country": "all countries",
        "party": "all kinds",
        "purpose": "all purposes",
        "application": "all applications",
        "service": "all services",
        "protocol": "all protocols",
        "ip_version": "both versions",
        "encrypted": "encrypted or not",
        "scope": "everywhere",
    }
)
_HEADINGS = MappingProxyType(
    {
        "country": "Country",
        "party": "Kind of company",
        "purpose": "What for",
        "application": "Application",
        "service": "Service",
        "protocol": "Protocol",
        "ip_version": "Version of IP",
        "encrypted": "Encryption",
        "scope": "Where",
    }
)


_SENTENCES = MappingProxyType(
    {
        "destination": "to and from {}",
        "name": "of the row {} alone",
        "address": "of the address {}",
        "asked": "of questions for {}, and the answers",
        "port": "of port {} of the server",
    }
)


@dataclass(frozen=True, slots=True)
class Field:
    """A choice of the form: its word in the address, and (value, what people read) of each possible one."""

    word: str
    heading: str
    every: str
    choices: list[tuple[str, str]]
    chosen: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One word that holds, for people, and the address without it."""

    said: str
    without: str


def asked_of(visit: Visit) -> Wanted:
    """The words of the address."""
    return wanted_of(lambda word: [text for text in visit.request.query_params.getlist(word) if text])


def own_link(visit: Visit, path: str, without: tuple[str, str] | None = None) -> str:
    """An address with all that this one is narrowed by, but for one word and what it says."""
    asked = [(word, text) for word, text in asked_of(visit).said if (word, text) != without]
    asked += [(word, text) for word in _TIMES if (text := visit.query(word)) is not None]
    address = visit.link(path, **dict.fromkeys(WORDS))
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}" if asked else address


def put_in_words(visit: Visit, wanted: Wanted) -> list[Filter]:
    """What holds besides the device and the time."""
    return [Filter(_said(word, text), own_link(visit, "/captures", (word, text))) for word, text in wanted.said]


def _said(word: str, text: str) -> str:
    if word == "company":
        return "of nobody that is known" if text == NOBODY else f"of {text}"
    if word == "country":
        return "in a country that nobody knows" if text == NOBODY else f"in {_country(text)}"
    if word == "network":
        return "in a network that nobody knows" if text == NOBODY else f"in network {text}"
    if word == "purpose":
        return f"for {_value(word, text)}"
    if word == "hours":
        hours = read_hours(text)
        return f"between {hours[0]:02}:00 and {hours[1]:02}:00 of each day" if hours else f"of the hours {text}"
    return _SENTENCES[word].format(text) if word in _SENTENCES else _value(word, text)


def _country(text: str) -> str:
    try:
        return country(country_code(text))
    except NotMeantError:
        return text


def _value(word: str, text: str) -> str:
    if word == "country" and text != NOBODY:
        return _country(text)
    tables: Mapping[str, Mapping[str, str]] = {
        "party": PARTIES,
        "ip_version": {version: f"IPv{version}" for version in VERSIONS},
        "encrypted": _SECRECY,
        "scope": {**SCOPE_WORDS, NOT_OUTSIDE: "in the house, discovery and control as well"},
        "service": {NOBODY: "of no known service"},
        "purpose": {WATCHED: "advertising and tracking", NOBODY: "nobody knows what for"},
        "country": {NOBODY: "nobody knows where"},
    }
    return tables.get(word, {}).get(text, text)


def choices_of(visit: Visit, wanted: Wanted) -> list[Field]:
    """The fields beside device, destination and time; what the address says stands in them, whatever it is."""
    met = {each.country for each in read_owned(visit.db).values() if each.country}
    known: Mapping[str, list[str]] = {
        "country": [*sorted(met, key=country), NOBODY],
        "party": [party for party in PARTIES if party != "local"],
        "purpose": [WATCHED, *sorted(PURPOSES), NOBODY],
        "application": sorted(read_applications(visit.owner)),
        "service": [*sorted(SERVICES), NOBODY],
        "protocol": sorted({*PROTOCOLS.values(), *FRAMES.values()}),
        "ip_version": list(VERSIONS),
        "encrypted": list(SECRECY),
        "scope": list(SCOPES),
    }
    fields = []
    for word, values in known.items():
        chosen = getattr(wanted, word) or ""
        shown = values if not chosen or chosen in values else [chosen, *values]
        choices = [(value, _value(word, value)) for value in shown]
        fields.append(Field(word, _HEADINGS[word], _EVERY[word], choices, chosen))
    return fields
