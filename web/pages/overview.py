"""The first page: what is happening, what is new, who gets the data, and whether recording is well.

Rule 1: it answers in this order: is something broken, is anything new or odd, who gets the data, which device.
Rule 2: what changes by the second, and what takes long to find, are parts of their own (`/overview/...`) that a browser
        with script asks for; without script the page says the same as of now, or links to where it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import HTMLResponse, Response

from daemon.decode.slots import SLOT_US
from daemon.report.news import COMPANY, COUNTRY, DEVICE, Piece, find_news
from daemon.report.picture import Picture, read_picture
from daemon.report.recording import counted
from daemon.report.scope import Scope, Span
from daemon.report.slots import DAY, HOUR, steps_of
from daemon.report.sums import pieces as parts
from daemon.report.sums import read_sums
from daemon.report.watching import Watching, read_watching, watching_words
from daemon.store.active import devices_seen, read_day_lines, read_moved
from daemon.store.missing import count_gaps, read_held
from daemon.store.stations_seen import devices_of_stations
from daemon.store.steps import read_lines
from daemon.store.totals import HOURS
from daemon.store.whose_days import read_owned
from web.health import Facts, Line, Trouble, find_troubles, health_lines
from web.hunting import found_already, found_before, loud
from web.numbers import count, share, size
from web.once import once
from web.pages.device_recording import everybody_unrecorded
from web.routing import Page
from web.visit import Visit

_MOST_NEW, _MOST_COMPANIES, _MOST_DEVICES, _MOST_COUNTRIES, _MOST_FINDINGS = 6, 6, 6, 6, 3
_FEW_DAYS = 4
_AT_ONCE = 100 * 86_400  # seconds: who advertises in a longer time is asked for when the page is there
_ROUNDING = 0.001
_SEEN = b"seen=-"  # in the address that a browser asks for next


class Group(NamedTuple):
    """New companies of one device that are alike: their names, the party that they are, bytes."""

    device_id: int
    party: str
    companies: tuple[str, ...]
    bytes: int
    in_house: bool  # none of them was known to any device


class Active(NamedTuple):
    """A device with what it moved, its parties, and a line of it over time."""

    device_id: int
    bytes: int
    parties: dict[str, int]
    line: list[int]


class Now(NamedTuple):
    """What is happening: troubles and lines of health, and the last quarter of an hour."""

    troubles: list[Trouble]
    lines: list[Line]
    recording: bool
    devices: list[int]  # that moved something, the most first
    bytes: int


class Look(NamedTuple):
    """All of a span that does not change by the second."""

    picture: Picture
    pieces: list[Piece] | None  # None: nothing was recorded before
    devices: int  # that were seen
    octets: int  # with the internet
    before: int | None  # the same in the span before
    active: list[Active]
    watching: Watching | None  # None: that would take too long


def show(visit: Visit) -> Response:
    """The overview."""
    scope = visit.scope().of(None)
    look = once(visit, scope, "overview", lambda: _looked(scope))
    picture, pieces = look.picture, look.pieces
    groups, devices, countries = group_companies(pieces), _of(pieces, DEVICE), _of(pieces, COUNTRY)
    return visit.page(
        "overview.html",
        lead=_lead(visit, look), picture=picture, now=_now(visit, scope), first=True,
        by_days=beyond(picture, look.octets), active=look.active, companies=picture.top_companies(_MOST_COMPANIES),
        countries=picture.top_countries(_MOST_COUNTRIES), pieces=pieces, devices_new=devices[:_MOST_NEW],
        found=loud(visit, found_before(visit)), most=_MOST_FINDINGS,
        unrecorded=counted(everybody_unrecorded(visit)), groups=groups[:_MOST_NEW],
        countries_new=countries[:_MOST_NEW],
        news_more=sum(max(len(each) - _MOST_NEW, 0) for each in (devices, groups, countries)), watching=look.watching,
    )  # fmt: skip


def _looked(scope: Scope) -> Look:
    owned = read_owned(scope.db)
    picture = read_picture(scope, owned)
    moved = _moved(scope)
    return Look(
        picture, find_news(scope, picture, owned), len(devices_seen(scope.db, scope.window)), sum(moved.values()),
        _before(scope), _active(scope, moved, picture),
        read_watching(scope) if scope.span.seconds <= _AT_ONCE else None,
    )  # fmt: skip


def _moved(scope: Scope) -> dict[int, int]:
    """Device (0: none of the house) -> bytes with the internet, both ways."""
    devices, moved = devices_of_stations(scope.db, scope.site_id), dict[int, int]()
    for window, tier in parts(scope):
        for station, octets in read_moved(scope.db, window, tier).items():
            device = devices.get(station, 0)
            moved[device] = moved.get(device, 0) + octets
    return moved


def live(visit: Visit) -> Response:
    """What is happening now, alone; nothing where the browser has it already."""
    answer = visit.page("overview_live.html", now=_now(visit, visit.scope().of(None)), first=False)
    seen = hashlib.sha256(answer.body).hexdigest()[:16]
    return Response(status_code=204) if visit.query("seen") == seen else _saying(answer, seen)


def _saying(answer: HTMLResponse, seen: str) -> Response:
    """The answer, in whose address for the next time stands what is seen now."""
    return HTMLResponse(bytes(answer.body).replace(_SEEN, b"seen=" + seen.encode(), 1))


def findings(visit: Visit) -> Response:
    """What in the traffic may be worth a look, alone: finding it takes longer than the page may."""
    return visit.page("overview_findings.html", found=loud(visit, found_already(visit)), most=_MOST_FINDINGS)


def watching(visit: Visit) -> Response:
    """How much of it is advertising and tracking, alone: of a long time that takes longer than the page may."""
    return visit.page("overview_watching.html", watching=read_watching(visit.scope().of(None)))


def _now(visit: Visit, scope: Scope) -> Now:
    gaps, gaps_us = count_gaps(scope.db, scope.window)
    services, held = visit.options.services(), read_held(scope.db, scope.window)
    facts = Facts(services, held, gaps, gaps_us, visit.newest_us, visit.options.now_us())
    until = (visit.newest_us // SLOT_US + 1) * SLOT_US
    latest = read_sums(scope.over(Span(until - SLOT_US, until)), ("device",))
    octets = {int(key[0]): total.bytes for key, total in latest.items() if key[0]}
    return Now(
        find_troubles(facts), health_lines(facts), any(each.name == "capture" and each.running for each in services),
        sorted(octets, key=lambda each: (-octets[each], each)), sum(each.bytes for each in latest.values()),
    )  # fmt: skip


def _before(scope: Scope) -> int | None:
    """Bytes with the internet in the span before; None where nothing was recorded then."""
    earlier = scope.over(scope.span.before())
    octets = sum(_moved(earlier).values())
    return octets if octets or devices_seen(scope.db, earlier.window) else None


def _lead(visit: Visit, look: Look) -> str:
    picture, devices, octets = look.picture, look.devices, look.octets
    companies = len(picture.companies.keys() - {None})
    many = "One device" if devices == 1 else f"{count(devices)} devices"
    if not octets:
        return f"{many} {'was' if devices == 1 else 'were'} seen ({visit.range.label}); nothing went to the internet."
    moved = f"{size(octets)} with {_companies(companies)} ({visit.range.label})"
    said = f"{many} exchanged {moved}{_change(visit, octets, look.before)}."
    third, whole = picture.parties.get("third", 0), picture.bytes
    if third and whole:
        much = "" if beyond(picture, octets) else f", {size(third)},"
        part = "" if look.watching is None else watching_words(look.watching.bytes)
        said += f" {share(third / whole)} of it{much} went to or came from third parties{part}."
    return said


def beyond(picture: Picture, octets: int) -> bool:
    """Whether the picture, which knows days, tells of more than the span: 24 hours touch two days."""
    return picture.bytes > octets * (1 + _ROUNDING)


def _companies(number: int) -> str:
    return "one company" if number == 1 else f"{count(number)} companies" if number else "nobody who is known"


def _change(visit: Visit, octets: int, before: int | None) -> str:
    if not before:
        return ""
    ratio, ago = (octets - before) / before, visit.range.ago
    ago = f"the {ago}" if ago[0].isdigit() else ago  # 24 hours before
    if ratio >= 9:
        return f", {octets / before:.0f} times as much as {ago}"
    if abs(ratio) < 0.005:
        return f", as much as {ago}"
    return f", {share(abs(ratio))} {'more' if ratio > 0 else 'less'} than {ago}"


def _active(scope: Scope, every: dict[int, int], picture: Picture) -> list[Active]:
    """The devices that moved most with the internet."""
    totals = {device: octets for device, octets in every.items() if device and octets}
    order = sorted(totals, key=lambda device: (-totals[device], device))[:_MOST_DEVICES]
    step = HOUR if scope.span.seconds < _FEW_DAYS * 86_400 else DAY
    places = [at for at, _ in steps_of(scope, step)]
    moved = (
        read_lines(scope.db, scope.window, HOURS, order)
        if step == HOUR
        else read_day_lines(scope.db, scope.window, order)
    )
    return [
        Active(
            device, totals[device], dict(picture.devices.get(device, {})), [moved.get((device, at), 0) for at in places]
        )
        for device in order
    ]


def _of(pieces: Sequence[Piece] | None, what: str) -> list[Piece]:
    return [each for each in pieces or () if each.what == what]


def group_companies(pieces: Sequence[Piece] | None) -> list[Group]:
    """New companies by device and party, in the order in which the news tell them."""
    groups: dict[tuple[int, str], list[Piece]] = {}
    for each in _of(pieces, COMPANY):
        groups.setdefault((each.device_id, each.party or "unknown"), []).append(each)
    return [
        Group(
            device, party, tuple(each.organisation or "" for each in sorted(met, key=lambda each: -each.bytes)),
            sum(each.bytes for each in met), all(each.in_house for each in met),
        )
        for (device, party), met in groups.items()
    ]  # fmt: skip


PAGES = (
    Page("/", show),
    Page("/overview/live", live),
    Page("/overview/findings", findings),
    Page("/overview/watching", watching),
)
