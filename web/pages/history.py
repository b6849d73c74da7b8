"""A picture of the months of something: stacked columns by party, with the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from daemon.report.months import by_month, by_party, month_sums
from daemon.report.scope import Scope
from daemon.report.words import month_words
from daemon.store.by_device import first_recorded
from daemon.store.calendar import date_of
from web.charts import columns
from web.charts.bars import ORDER

YEAR = 12
_SHORT = 3  # letters of a month below its column


@dataclass(frozen=True, slots=True)
class History:
    """The chart, the parties in it, and a row (month, its words, bytes by party, bytes) each month, the newest first."""

    chart: Markup
    parties: Sequence[str]
    rows: Sequence[tuple[int, str, Mapping[str, float], float]]


def history_of(scope: Scope, label: str, most: int = YEAR) -> History:
    """The last `most` months of what the scope asks for (device, party, company), as far as anything was recorded.

    Months without anything stand there as well: so one sees since when there is something. No rows where there is none.
    """
    first = max(first_month(scope), scope.newest_month - most + 1)
    sums = by_month(month_sums(scope, first, scope.newest_month))
    months = range(first, scope.newest_month + 1) if sums else ()
    return drawn([(month, by_party(sums[month]) if month in sums else {}) for month in months], label)


def first_month(scope: Scope) -> int:
    """The month in which recording of the home began, by number."""
    began = first_recorded(scope.db, scope.site_id)
    day = date_of(scope.day_of(scope.newest_us if began is None else began))
    return day.year * YEAR + day.month - 1


def drawn(months: Sequence[tuple[int, Mapping[str, float]]], label: str) -> History:
    """A history of bytes by party; months in order."""
    names = [_short(month) for month, _ in months]
    return History(
        columns(names, [parties for _, parties in months], label),
        [party for party in ORDER if any(parties.get(party) for _, parties in months)],
        [(month, month_words(month), parties, sum(parties.values())) for month, parties in reversed(months)],
    )


def _short(month: int) -> str:
    """`Jul`, and the year with the first month of one."""
    name = month_words(month)[:_SHORT]
    return f"{name} {month // 12 % 100:02}" if month % 12 == 0 else name
