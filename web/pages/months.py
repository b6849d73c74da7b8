"""Months: to whom data went, month by month; what changed between two of them; device by device; and what has no name.

Rule: a month is the home's own, and the newest may not be over: the page says so wherever it counts.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from daemon.classify.vocabulary import PARTIES
from daemon.decode.slots import SLOT_US
from daemon.report import coverage
from daemon.report.month_changes import find, month_of
from daemon.report.month_changes import sentences as told
from daemon.report.months import all_months, by_month, by_party, month_sums, sentences
from daemon.report.scope import Scope, Span
from daemon.report.words import month_words
from daemon.store.calendar import Calendar, month_number, month_text
from web.pages.destinations import Choice, company_link
from web.pages.history import YEAR, drawn
from web.routing import Page
from web.visit import NothingYetError, Visit

_MOST_CHANGES = 40
_ALL = 120  # months of "all years"


@dataclass(frozen=True, slots=True)
class DeviceMonth:
    """What one device exchanged in the later of two months, and in the earlier one."""

    name: str
    link: str | None
    device_id: int
    parties: Mapping[str, int]
    bytes: int
    before: int


def show(visit: Visit) -> Response:
    """The page."""
    scope = visit.scope()
    known = all_months(scope)
    if not known:
        raise NothingYetError
    after = _asked(visit, "to", known, known[-1])
    earlier = [month for month in known if month < after]
    before = _asked(visit, "from", earlier, earlier[-1]) if earlier else None
    years = visit.query("years") == "all"
    first = known[0] if years else max(known[0], known[-1] - YEAR + 1)
    sums = by_month(month_sums(scope, max(first, known[-1] - _ALL + 1), known[-1]))
    changes = [] if before is None else find(scope, before, after)

    def address(**changed: str | None) -> str:
        kept = {word: visit.query(word) for word in ("from", "to", "years")}
        return visit.link("/months", **{**kept, **changed})

    pair = f"{month_text(after if before is None else before)}-01..{_last_day(after)}"
    return visit.page(
        "months.html",
        lead=sentences(scope, {month: of for month, of in sums.items() if month <= after}),
        history=drawn(
            [(month, by_party(of)) for month, of in sums.items()], "Data exchanged by kind of company, month by month"
        ),
        years=years,
        several=known[-1] - known[0] >= YEAR,
        address=address,
        month_link=lambda month: address(to=month_text(month)),
        months=[_choice(month, after) for month in reversed(known[1:] or known)],
        others=[_choice(month, before) for month in reversed(known[:-1])],
        before=None if before is None else month_words(before),
        after=month_words(after),
        ranges={
            "after": month_text(after),
            "before": None if before is None else month_text(before),
            "whole": f"{month_text(next(iter(sums), after))}-01..{_last_day(known[-1])}",
        },
        told=[] if before is None else told(scope, changes, before, after),
        changes=[
            (each, company_link(visit, each.organisation), _devices(visit, each.devices))
            for each in changes[:_MOST_CHANGES]
        ],
        more=max(0, len(changes) - _MOST_CHANGES),
        devices=_by_device(visit, scope, before, after),
        named=coverage.report(scope.over(_span(scope, after))).sentences,
        choices={
            "device": [
                Choice(visit.keys[number], name, visit.keys[number] == visit.query("device"))
                for number, name in sorted(visit.names.items(), key=lambda each: each[1].casefold())
            ],
            "party": [Choice(word, word, word == visit.query("party")) for word in PARTIES],
        },
        csv=visit.link(
            "/reports/months.csv", range=f"{month_text(next(iter(sums), after))}-01..{_last_day(known[-1])}"
        ),
        changes_csv=visit.link("/reports/month-changes.csv", range=pair),
        details=visit.link("/reports/changes", range=month_text(after)),
        coverage_link=visit.link("/reports/coverage", range=month_text(after)),
    )


def _asked(visit: Visit, word: str, known: Sequence[int], usual: int) -> int:
    """The month that the address asks for, if there is one."""
    try:
        month = month_number(visit.query(word) or "")
    except ValueError:
        return usual
    return month if month in known else usual


def _choice(month: int, chosen: int | None) -> Choice:
    return Choice(month_text(month), month_words(month), month == chosen)


def _span(scope: Scope, month: int) -> Span:
    first, after = Calendar(scope.zone).month(month)
    return Span(first * SLOT_US, after * SLOT_US)


def _last_day(month: int) -> str:
    return f"{month_text(month)}-{monthrange(month // 12, month % 12 + 1)[1]}"


def _devices(visit: Visit, numbers: frozenset[int]) -> list[tuple[str, str]]:
    return [(visit.names[each], visit.device_link(each)) for each in sorted(numbers) if each in visit.names]


def _by_device(visit: Visit, scope: Scope, before: int | None, after: int) -> list[DeviceMonth]:
    """Those with most data in the later month first."""
    now, was = _parties(scope, after), {} if before is None else _parties(scope, before)
    rows = [
        DeviceMonth(
            visit.names.get(each, "no device of this house"), visit.device_link(each) if each in visit.names else None,
            each, now.get(each, {}), sum(now.get(each, {}).values()), sum(was.get(each, {}).values()),
        )
        for each in now.keys() | was.keys()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row.bytes, -row.before, row.name))


def _parties(scope: Scope, month: int) -> dict[int, dict[str, int]]:
    """Device -> party -> bytes of a month, of the party that the scope asks for."""
    party = scope.only.get("party")
    devices = month_of(scope, month).devices
    return {
        device: {each: octets for each, octets in sorted(of.items()) if party in (None, each)}
        for device, of in devices.items() if party is None or party in of
    }  # fmt: skip


PAGES = (Page("/months", show),)
