"""Month by month: how much went to which kind of company. One row a month and party, the oldest month first.

Rule: every month that the span touches counts whole, and so does a month that is not over: the sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from daemon.classify.vocabulary import PARTIES
from daemon.report.contacts import NOBODY
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.watching import read_watching, watching_words
from daemon.report.words import month_words, share_words, size_words
from daemon.store.calendar import month_days, month_text
from daemon.store.months import last_months
from daemon.store.whose_days import read_whose
from daemon.store.window import Window

_COLUMNS = (
    Column("month", "Month"),
    Column("party", "Kind of company"),
    Column("companies", "Companies", COUNT),
    Column("packets_up", "Packets sent", COUNT),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of the month", SHARE),
)

_WHOM = MappingProxyType(
    {
        "first": "makers of devices", "support": "infrastructure", "platform": "IoT platforms", "third": "third parties",
        "local": "the house itself", "unknown": "unknown companies",
    }
)  # fmt: skip


class MonthSum(NamedTuple):
    """What went to one company in one month, in one role. Bytes as devices see them."""

    month: int
    party: str
    organisation: str | None
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


def report(scope: Scope) -> Report:
    """One row a (month, party)."""
    months = by_month(month_sums(scope, *scope.months, companies=True))
    rows: list[tuple[object, ...]] = []
    for month, sums in months.items():
        whole = sum(each.bytes for each in sums)
        for party in PARTIES:
            of = [each for each in sums if each.party == party]
            if of:
                rows.append(
                    (
                        month_text(month), party, len({each.organisation for each in of} - {None}),
                        sum(each.packets_up for each in of), sum(each.packets_down for each in of),
                        sum(each.bytes_up for each in of), sum(each.bytes_down for each in of),
                        sum(each.bytes for each in of) / whole if whole else 0.0,
                    )
                )  # fmt: skip
    return Report("Months", _COLUMNS, tuple(rows), tuple(sentences(scope, months)))


def all_months(scope: Scope) -> list[int]:
    """Every month in which something went to the internet, in order."""
    return scope.remember(("all months",), lambda: last_months(scope.db, scope.site_id))


def month_window(scope: Scope, since: int, until: int) -> Window:
    """Whole months, both included."""
    return scope.window._replace(days=(month_days(since)[0], month_days(until)[1]), months=(since, until))


def month_sums(scope: Scope, since: int, until: int, *, companies: bool = False) -> list[MonthSum]:
    """What went to whom from one month to another, of the device, the party and the company that the scope asks for.

    Without `companies`, and where none is asked for, sums are by party alone: that is quicker.
    """
    window = month_window(scope, since, until)
    party, company = scope.only.get("party"), scope.only.get("company")
    words = ("month", "party", "organisation") if companies or company else ("month", "party")
    one = company if company != NOBODY else None
    rows = scope.remember(("months", window, words, one), lambda: read_whose(scope.db, window, words, one))
    places = len(words)
    sums = (MonthSum(row[0], row[1], row[2] if places > 2 else None, *row[places:]) for row in rows)
    return [each for each in sums if party in (None, each.party) and company in (None, each.organisation or NOBODY)]


def by_month(sums: Iterable[MonthSum]) -> dict[int, list[MonthSum]]:
    """The same by month, in order."""
    out: dict[int, list[MonthSum]] = {}
    for each in sums:
        out.setdefault(each.month, []).append(each)
    return dict(sorted(out.items()))


def by_party(sums: Iterable[MonthSum]) -> dict[str, int]:
    """Bytes of every party."""
    out: dict[str, int] = {}
    for each in sums:
        out[each.party] = out.get(each.party, 0) + each.bytes
    return out


def sentences(scope: Scope, months: Mapping[int, Sequence[MonthSum]]) -> list[str]:
    """The last month, and how it was before."""
    if not months:
        return ["Nothing went to the internet in these months."]
    month, sums = max(months.items(), key=lambda each: each[0])
    whole, third = sum(each.bytes for each in sums), by_party(sums).get("third", 0)
    before = months.get(month - 1, [])
    total = sum(each.bytes for each in before)
    text = f"In {month_words(month)}{', which may not be over' if month == scope.newest_month else ''}, "
    text += f"{size_words(whole)} were exchanged with {whom(scope)}"
    if scope.only.keys() & {"party", "company"}:
        return [f"{text}; the month before it was {size_words(total)}." if total else f"{text}."]
    if whole:
        text += f", {share_words(third / whole)} of it with third parties"
    if third:
        text += watching_words(read_watching(scope, month_window(scope, month, month)).bytes)
    if total:
        text += (
            f"; the month before it was {share_words(by_party(before).get('third', 0) / total)} of {size_words(total)}"
        )
    return [f"{text}."]


def whom(scope: Scope) -> str:
    """With whom what the scope asks for was exchanged: `the internet`, `third parties`, a company."""
    company = scope.only.get("company")
    if company is not None:
        return "companies that nobody knows" if company == NOBODY else company
    return _WHOM.get(scope.only.get("party", ""), "the internet")
