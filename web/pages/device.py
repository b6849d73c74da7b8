"""One device: with whom it talks and why we think so, when, at night, how, and who it is.

Rule 1: every part comes from the same scope, so that its numbers agree and its links can ask the same elsewhere.
Rule 2: what has to look at single messages is read when it is scrolled to; without script a link opens it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from daemon.classify.purposes import WATCHING
from daemon.classify.vocabulary import THIRD
from daemon.report import names_asked, resolvers
from daemon.report.activity import rhythms, told
from daemon.report.device import Company, companies, sentences
from daemon.report.device_destinations import named_by
from daemon.report.devices import Measured, measured, newcomers
from daemon.report.evidence_words import about_words, key_words, occasion_words
from daemon.report.findings.vocabulary import KIND_WORDS, SEVERITIES, Finding
from daemon.report.hours import night_words
from daemon.report.night import at_night
from daemon.report.night import told as night_told
from daemon.report.recording import MEANINGS, NEW_MAC
from daemon.report.scope import Scope, Span
from daemon.report.table import Report
from daemon.store.by_device import first_recorded
from daemon.store.reached import Reached, read_reached
from daemon.store.roster import Resident, read_hints, read_reasons
from daemon.store.words import KINDS, OFF
from web.hunting import found_before, loud
from web.pages.device_words import standing_words, wish_of
from web.pages.findings import TAGS, address
from web.pages.rhythm import Strip, strip_of, traffic_of
from web.pages.ways import Ways, ways_of
from web.routing import Page
from web.searching import kind_words
from web.templating import shown
from web.visit import Visit

PAGE = 15  # destinations at once
_NIGHT = 8
_FINDINGS = 5
_ASKED = 15
_REFUSED = 40  # names that are listed for a filter
_NO_PARTY = ("first", "support", "platform", "third", "unknown")


@dataclass(frozen=True, slots=True)
class Shown:
    """The destinations that are shown: a page of those that are wanted."""

    rows: Sequence[Reached]
    every: int  # that are wanted
    first: int  # number of the first
    earlier: str | None  # number of the page before
    later: str | None


def show(visit: Visit) -> Response:
    """The page of a device."""
    resident = visit.resident(visit.param("key"))
    scope = visit.scope(resident)
    number, name = resident.device_id, visit.names[resident.device_id]
    moved = measured(scope, parties=False)[number]
    before = _before(scope, number)
    reached = read_reached(scope.db, scope.window)
    for each in reached:  # as the table below says it, to the byte
        party = each.party or "unknown"
        moved.parties[party] = moved.parties.get(party, 0) + each.bytes
    whom = companies(scope, reached)
    nights = at_night(scope)
    lived = rhythms(_recorded(scope, resident)).get(number)
    watchers = [each for each in reached if each.party == THIRD and each.purpose in WATCHING]
    watching = sum(each.bytes for each in watchers)
    strip: Strip = strip_of(scope)
    ways: Ways = ways_of(scope)
    hints, more_hints = read_hints(scope.db, number)
    return visit.page(
        "device.html",
        resident=resident, name=name, scope=scope, moved=moved, before=before, companies=whom,
        lead=_lead(visit, resident, moved, whom, watching),
        findings=_open(visit, number), most_findings=_FINDINGS, finding_page=address, finding_kinds=KIND_WORDS, tags=TAGS,
        severities=SEVERITIES, new_mac=NEW_MAC,
        new=number in newcomers(scope, {number: resident.first_us}),
        shown=_shown(visit, reached), parties=_parties(moved, reached),
        watching=watching, watchers=_names_of(watchers), most_watchers=_REFUSED,
        traffic=traffic_of(scope), strip=strip, rhythm=None if lived is None else told(name, lived),
        nights=nights.first(_NIGHT), more_nights=max(0, len(nights) - _NIGHT), night=night_told(scope, nights),
        night_hours=night_words(scope.night), ways=ways, reasons=read_reasons(scope.db, number), hints=hints,
        more_hints=more_hints, words=standing_words(visit, resident), kinds=KINDS, kind_words=kind_words,
        others=[each for each in visit.residents if each is not resident], named_by=named_by,
        keeps_names=bool(set(resident.keys) & visit.words.keeps_names), forgetting=wish_of(visit, resident), quoted=quoted,
        meanings=MEANINGS, heard=any(each.name == "ingest" and each.running for each in visit.options.services()),
        about_words=about_words, key_words=key_words, occasion_words=occasion_words,
        here=lambda path="", **changes: here(visit, resident, path, **changes),
    )  # fmt: skip


def names(visit: Visit) -> Response:
    """DNS servers and the names that a device asked for most: a part of its page, or a page of its own."""
    resident = visit.resident(visit.param("key"))
    scope = visit.scope(resident)
    asked, servers = names_asked.report(scope), resolvers.report(scope)
    part = visit.request.headers.get("hx-request") is not None
    return visit.page(
        "device_names.html" if part else "device_names_page.html",
        resident=resident, name=visit.names[resident.device_id], asked=asked.sentences, names=_named(asked)[:_ASKED],
        servers=_named(servers)[:_ASKED],
    )  # fmt: skip


def _before(scope: Scope, number: int) -> Measured | None:
    """What a device moved in the span before; None where nobody recorded then, which is not the same as nothing."""
    began = first_recorded(scope.db, scope.site_id)
    if began is None or began >= scope.span.since_us:
        return None
    return measured(scope.over(scope.span.before()), parties=False)[number]


def _open(visit: Visit, number: int) -> list[Finding] | None:
    """What was found of a device and is not muted, most serious first; None where nobody has looked at this time."""
    told = loud(visit, found_before(visit))
    return None if told is None else [each for each in told if each.subject.device_id == number]


def _recorded(scope: Scope, resident: Resident) -> Scope:
    """The question about the time in which the device was recorded: who is not recorded is not silent."""
    until = resident.level_since_us
    if resident.level != OFF or until is None:
        return scope
    since = scope.span.since_us
    return scope.over(Span(since, max(since, min(until, scope.span.until_us))))


def _lead(visit: Visit, resident: Resident, moved: Measured, whom: Sequence[Company], watching: int) -> tuple[str, ...]:
    """The page's answer; of what is not recorded, since when nothing is known."""
    name = visit.names[resident.device_id]
    said = sentences(name, _within(visit.range.label), moved, whom, watching)
    if resident.level != OFF or resident.level_since_us is None:
        return said
    since = visit.scope(resident).moment(resident.level_since_us)
    unknown = f"{name} has not been recorded since {since}; what it did after that is not known."
    return (unknown, *said) if moved.bytes else (unknown,)


def _within(label: str) -> str:
    return label if label == "today" else f"in the {label}" if label.startswith("last") else f"in {label}"


def quoted(text: str) -> str:
    """A text as a shell takes it for one word."""
    return shlex.quote(shown(text))


def _named(report: Report) -> list[dict[str, object]]:
    return [dict(zip(report.keys, row, strict=True)) for row in report.rows]


def here(visit: Visit, resident: Resident, path: str = "", **changes: str | None) -> str:
    """An address below a device's page, with the filters of this one."""
    address, _, asked = visit.device_link(resident.device_id, **changes).partition("?")
    return f"{address}{path}{f'?{asked}' if asked else ''}"


def _names_of(reached: Sequence[Reached]) -> list[str]:
    """The names among destinations, each once, in their order: a filter refuses names."""
    return list(dict.fromkeys(each.domain for each in reached if each.domain))


def _parties(moved: Measured, reached: Sequence[Reached]) -> list[tuple[str, int, int]]:
    """(party, bytes, destinations) of a device on the internet, most bytes first."""
    places: dict[str, int] = {}
    for each in reached:
        places[each.party or "unknown"] = places.get(each.party or "unknown", 0) + 1
    found = [(party, moved.parties.get(party, 0), places.get(party, 0)) for party in _NO_PARTY if places.get(party)]
    return sorted(found, key=lambda each: -each[1])


def _shown(visit: Visit, reached: Sequence[Reached]) -> Shown:
    party, company, text = visit.query("party"), visit.query("company"), (visit.query("q") or "").strip().lower()
    wanted = [
        each for each in reached
        if (party is None or (each.party or "unknown") == party)
        and (company is None or each.organisation == company)
        and (not text or text in each.place.lower() or text in (each.organisation or "").lower())
    ]  # fmt: skip
    pages = max(1, -(-len(wanted) // PAGE))
    said = visit.query("page") or "1"
    page = min(max(int(said), 1), pages) if said.isascii() and said.isdecimal() and len(said) < 7 else 1
    first = (page - 1) * PAGE
    return Shown(
        wanted[first : first + PAGE], len(wanted), first + 1, str(page - 1) if page > 1 else None,
        str(page + 1) if page < pages else None,
    )  # fmt: skip


PAGES = (Page("/devices/{key}", show), Page("/devices/{key}/names", names))
