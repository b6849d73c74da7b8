"""What somebody wants the packets of, in the words that commands, addresses of pages and tables share.

Rule 1: a word means here what it means in the column or on the page of its name, so that a row's words give its packets.
Rule 2: a word that cannot be is refused with what could be; one that can be and never was is an answer without packets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from daemon.classify.countries import COUNTRIES
from daemon.classify.vocabulary import PARTIES
from daemon.flow.local import address_number
from daemon.flow.services import FRAMES, NO, SERVICES, UNKNOWN, YES, frame_number, protocol_name
from daemon.report.applications import application_of
from daemon.report.contacts import NOBODY
from daemon.store.applications import BROUGHT
from daemon.store.meant import (
    Meant,
    Terms,
    Way,
    find_company,
    find_country,
    find_destination,
    find_name,
    find_party,
    like_destinations,
)
from daemon.store.named import names_below
from daemon.store.words import address_key

SCOPES = ("internet", "local", "chatter")
SECRECY = (YES, NO, UNKNOWN)
VERSIONS = ("4", "6")
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
    """The words, as they were said; None: anything. All that are said must hold."""

    destination: str | None = None
    company: str | None = None
    country: str | None = None
    party: str | None = None
    application: str | None = None
    asked: str | None = None
    service: str | None = None
    protocol: str | None = None
    ip_version: str | None = None
    encrypted: str | None = None
    scope: str | None = None

    @property
    def said(self) -> dict[str, str]:
        """Those that were said."""
        return {word: text for word in WORDS if (text := getattr(self, word)) is not None}


WORDS = tuple(each.name for each in fields(Wanted))


def understand(
    db: sqlite3.Connection,
    site_id: int,
    wanted: Wanted,
    applications: Callable[[], Mapping[str, tuple[str, ...]]] = lambda: BROUGHT,
) -> Terms:
    """What words mean in a home. Raises NotMeantError; sqlite3.Error as it comes."""
    address = None if wanted.destination is None else address_key(wanted.destination)
    meant = []
    if wanted.destination is not None and address is None:
        meant.append(_met(db, "destination", wanted.destination, find_destination(db, site_id, wanted.destination)))
    if wanted.company is not None:
        name = None if wanted.company == NOBODY else wanted.company
        meant.append(_met(db, "company", wanted.company, find_company(db, site_id, name)))
    if wanted.country is not None:
        meant.append(find_country(db, country_code(wanted.country)))
    if wanted.party is not None:
        meant.append(find_party(db, _one_of("party", wanted.party, _OUTSIDE) or ""))
    if wanted.application is not None:
        meant.append(_application(db, wanted.application, applications()))
    asked = None if wanted.asked is None else find_name(db, wanted.asked)
    if wanted.asked is not None and not asked:
        raise NothingMetError("asked", wanted.asked, "nobody here asked for")
    return Terms(None if address is None else address_number(address), tuple(meant), _way(wanted), asked)


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
    return Meant(frozenset(number for number, said in found.items() if application_of(said, domains) == name))


def _way(wanted: Wanted) -> Way:
    version = _one_of("ip_version", wanted.ip_version, VERSIONS)
    return Way(
        _known("protocol", wanted.protocol),
        None if version is None else int(version),
        "" if wanted.service == NOBODY else _known("service", wanted.service),
        _one_of("encrypted", wanted.encrypted, SECRECY),
        _one_of("scope", wanted.scope, SCOPES),
    )


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
