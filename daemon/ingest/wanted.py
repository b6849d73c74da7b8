"""What somebody wants the packets of, in the words that commands, addresses of pages and tables share.

Rule 1: a word means here what it means in the column or on the page of its name, so that a row's words give its packets.
Rule 2: a word that cannot be is refused with what could be; one that can be and never was is an answer without packets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType

from daemon.classify.countries import COUNTRIES
from daemon.classify.purposes import PURPOSES, WATCHING
from daemon.classify.vocabulary import PARTIES
from daemon.flow.local import address_number
from daemon.flow.services import FRAMES, NO, SERVICES, UNKNOWN, YES, frame_number, protocol_name
from daemon.ingest.hours import read_hours
from daemon.report.applications import application_of
from daemon.report.contacts import NOBODY
from daemon.store.applications import BROUGHT
from daemon.store.meant import (
    NOT_OUTSIDE,
    Meant,
    Terms,
    Way,
    find_company,
    find_country,
    find_destination,
    find_name,
    find_network,
    find_party,
    find_purpose,
    find_row,
    like_destinations,
)
from daemon.store.named import names_below
from daemon.store.words import address_key

SCOPES = ("internet", "local", "chatter", NOT_OUTSIDE)
SECRECY = (YES, NO, UNKNOWN)
VERSIONS = ("4", "6")
WATCHED = "watching"  # all that the report of this name counts
_OUTSIDE = tuple(party for party in PARTIES if party != "local")
_MOST_NAMED = 12


class NotMeantError(Exception):
    """A word that means nothing here: `word` (of Wanted), `text`, and what could have been meant."""

    def __init__(self, word: str, text: str, why: str, instead: str = "") -> None:
        super().__init__(f"{why}{f'; {instead}' if instead else ''}")
        self.word, self.text = word, text


class NothingMetError(NotMeantError):
    """Something that no device of this home ever met or asked for; `said` is what is to be said of it."""

    def __init__(self, word: str, text: str, said: str, instead: str = "") -> None:
        super().__init__(word, text, f"{said} {text!r}", instead)
        self.said = said


@dataclass(frozen=True, slots=True)
class Wanted:
    """The words, as they were said; None: anything. All that are said must hold; of companies any."""

    destination: str | None = None
    name: str | None = None
    address: str | None = None
    company: tuple[str, ...] = ()
    country: str | None = None
    network: str | None = None
    party: str | None = None
    purpose: str | None = None
    application: str | None = None
    asked: str | None = None
    hours: str | None = None
    port: str | None = None
    service: str | None = None
    protocol: str | None = None
    ip_version: str | None = None
    encrypted: str | None = None
    scope: str | None = None

    @property
    def said(self) -> list[tuple[str, str]]:
        """(word, text) of those that were said, one that was said several times as often."""
        return [(word, text) for word in WORDS for text in self.texts(word)]

    def texts(self, word: str) -> tuple[str, ...]:
        """What was said for a word."""
        said = getattr(self, word)
        return said if isinstance(said, tuple) else () if said is None else (said,)


WORDS = tuple(each.name for each in fields(Wanted))
SEVERAL = frozenset({"company"})  # words that may be said more than once


def wanted_of(said: Callable[[str], Sequence[str]]) -> Wanted:
    """The question of what was said for each word; of words that are said once the last counts."""
    once: dict[str, str | None] = {word: (said(word) or (None,))[-1] for word in WORDS if word not in SEVERAL}
    return Wanted(company=tuple(said("company")), **once)


def understand(
    db: sqlite3.Connection,
    site_id: int,
    wanted: Wanted,
    applications: Callable[[], Mapping[str, tuple[str, ...]]] = lambda: BROUGHT,
) -> Terms:
    """What words mean in a home. Raises NotMeantError; sqlite3.Error as it comes."""
    finders: Mapping[str, Callable[[str], Meant]] = {
        "destination": lambda text: _met(db, "destination", text, find_destination(db, site_id, text)),
        "name": lambda text: _met(db, "name", text, find_row(db, text, address_key(text))),
        "country": lambda text: find_country(db, country_code(text)),
        "network": lambda text: find_network(db, _network(text)),
        "party": lambda text: find_party(db, _one_of("party", text, _OUTSIDE) or ""),
        "purpose": lambda text: find_purpose(db, _purposes(text)),
        "application": lambda text: _application(db, text, applications()),
    }
    far = None if wanted.destination is None else address_key(wanted.destination)
    meant = [
        find(text)
        for word, find in finders.items()
        for text in wanted.texts(word)
        if word != "destination" or far is None
    ]
    if wanted.company:
        meant.append(_companies(db, site_id, wanted.company))
    asked = None if wanted.asked is None else find_name(db, wanted.asked)
    if wanted.asked is not None and not asked:
        raise NothingMetError("asked", wanted.asked, "nobody here asked for")
    addresses = {each for each in (far, _address(wanted.address)) if each is not None}
    hours = None if wanted.hours is None else _hours(wanted.hours)
    return Terms(frozenset(map(address_number, addresses)), tuple(meant), _way(wanted), asked, hours)


def _companies(db: sqlite3.Connection, site_id: int, names: Collection[str]) -> Meant:
    """Flows to any of these."""
    found = [_met(db, "company", name, find_company(db, site_id, None if name == NOBODY else name)) for name in names]
    verdicts = frozenset[int]().union(*(each.verdicts for each in found))
    return Meant(verdicts=verdicts, unjudged=any(each.unjudged for each in found))


def _address(text: str | None) -> str | None:
    address = None if text is None else address_key(text)
    if text is not None and address is None:
        raise NotMeantError("address", text, f"{text!r} is no address", "say one of IPv4 or IPv6")
    return address


def _network(text: str) -> int | None:
    number = text.strip().upper().removeprefix("AS")
    if text != NOBODY and not (number.isascii() and number.isdecimal() and len(number) <= 10):
        instead = "say its number (AS15169), or - where nobody knows it"
        raise NotMeantError("network", text, f"there is no network {text!r}", instead)
    return None if text == NOBODY else int(number)


def _purposes(text: str) -> Collection[str]:
    if text in {WATCHED, NOBODY}:
        return WATCHING if text == WATCHED else ()
    return (_one_of("purpose", text, (*PURPOSES, WATCHED)) or "",)


def _hours(text: str) -> tuple[int, int]:
    hours = read_hours(text)
    if hours is None:
        raise NotMeantError("hours", text, f"{text!r} are no hours of the day", "say the first and the end: 23-6")
    return hours


def country_code(text: str) -> str | None:
    """`DE` of `de` or `Germany`; None of `-`, where nobody knows the country. Raises NotMeantError."""
    said = text.strip()
    if said == NOBODY:
        return None
    if said.upper() in COUNTRIES:
        return said.upper()
    named = (code for code, each in COUNTRIES.items() if each.name.casefold() == said.casefold())
    code = next(named, None)
    if code is None:
        instead = "say a code (DE), a name (Germany), or - where nobody knows it"
        raise NotMeantError("country", text, f"there is no country {text!r}", instead)
    return code


def _met(db: sqlite3.Connection, word: str, text: str, found: Meant) -> Meant:
    if found == Meant():
        near = like_destinations(db, text)
        instead = f"did you mean {' or '.join(near)}?" if near else ""
        raise NothingMetError(word, text, "nothing that is known here went to", instead)
    return found


def _application(db: sqlite3.Connection, text: str, sets: Mapping[str, tuple[str, ...]]) -> Meant:
    name = next((each for each in sets if each.casefold() == text.strip().casefold()), None)
    if name is None:
        raise NotMeantError("application", text, f"there is no application {text!r}", _choices(sorted(sets)))
    domains = {domain: each for each, of in sets.items() for domain in of}
    found = names_below(db, domains)
    numbers = frozenset(number for number, said in found.items() if application_of(said, domains) == name)
    return Meant(numbers, outside=True)


def _way(wanted: Wanted) -> Way:
    version = _one_of("ip_version", wanted.ip_version, VERSIONS)
    return Way(
        _known("protocol", wanted.protocol),
        None if version is None else int(version),
        "" if wanted.service == NOBODY else _known("service", wanted.service),
        _one_of("encrypted", wanted.encrypted, SECRECY),
        _one_of("scope", wanted.scope, SCOPES),
        _port(wanted.port),
    )


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) < 1 << 16):
        raise NotMeantError("port", text, f"there is no port {text!r}", "ports are numbers up to 65535")
    return int(text)


def _one_of(word: str, text: str | None, choices: tuple[str, ...]) -> str | None:
    if text is None or text in choices:
        return text
    raise NotMeantError(word, text, f"{word.replace('_', ' ')} {text!r} cannot be", _choices(choices))


def _known(word: str, text: str | None) -> str | None:
    """A name from the table of services or protocols; protocols without a name are numbers: ip-99, 0x88e1."""
    if text is None:
        return None
    said = text.strip().lower()
    if said in _NAMES[word] or (word == "protocol" and frame_number(said) is not None):
        return said
    raise NotMeantError(word, text, f"there is no {word} {text!r}", "")


_NAMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"service": frozenset(SERVICES), "protocol": frozenset((*map(protocol_name, range(256)), *FRAMES.values()))}
)


def _choices(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return f"it is one of: {shown}{' and others' if len(names) > _MOST_NAMED else ''}"
