"""What the page of captures is narrowed by: in its address, as fields of its form, and in words.

Rule: the words are those of `homeport pcap` and of the tables' columns, so that an address says what a command would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from daemon.flow.services import FRAMES, PROTOCOLS, SERVICES
from daemon.ingest.wanted import SCOPES, SECRECY, VERSIONS, WORDS, NotMeantError, Wanted, country_code
from daemon.report.contacts import NOBODY
from daemon.report.reach import WORDS as SCOPE_WORDS
from daemon.store.applications import read_applications
from daemon.store.whose_days import read_owned
from web.templating import PARTIES, country
from web.visit import Visit

_TIMES = ("since", "until")
_SECRECY = MappingProxyType({"yes": "encrypted", "no": "not encrypted", "unknown": "uncategorised"})
_EVERY = MappingProxyType(  # word -> what stands in a field that narrows nothing
    {
        "country": "all countries",
        "party": "all kinds",
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
        "application": "Application",
        "service": "Service",
        "protocol": "Protocol",
        "ip_version": "Version of IP",
        "encrypted": "Encryption",
        "scope": "Where",
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
    return Wanted(**{word: visit.query(word) for word in WORDS})


def own_link(visit: Visit, path: str, **changes: str | None) -> str:
    """An address with all that this one is narrowed by."""
    kept = {word: visit.query(word) for word in (*WORDS, *_TIMES)}
    return visit.link(path, **{**kept, **changes})


def put_in_words(visit: Visit, wanted: Wanted) -> list[Filter]:
    """What holds besides the device and the time."""
    return [
        Filter(_said(word, text), own_link(visit, "/captures", **{word: None})) for word, text in wanted.said.items()
    ]


def _said(word: str, text: str) -> str:
    if word == "destination":
        return f"to and from {text}"
    if word == "asked":
        return f"of questions for {text}, and the answers"
    if word == "company":
        return "of nobody that is known" if text == NOBODY else f"of {text}"
    if word == "country":
        return "in a country that nobody knows" if text == NOBODY else f"in {_country(text)}"
    return _value(word, text)


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
        "scope": SCOPE_WORDS,
        "service": {NOBODY: "of no known service"},
        "country": {NOBODY: "nobody knows where"},
    }
    return tables.get(word, {}).get(text, text)


def choices_of(visit: Visit, wanted: Wanted) -> list[Field]:
    """The fields beside device, destination and time; what the address says stands in them, whatever it is."""
    met = {each.country for each in read_owned(visit.db).values() if each.country}
    known: Mapping[str, list[str]] = {
        "country": [*sorted(met, key=country), NOBODY],
        "party": [party for party in PARTIES if party != "local"],
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
