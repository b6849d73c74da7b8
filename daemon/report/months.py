"""Month by month: how much went to which kind of company. One row a month and party, the oldest month first.

Rule: every month that the span touches counts whole, and so does a month that is not over: the sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from daemon.classify.vocabulary import PARTIES
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import month_words, size_words
from daemon.store.calendar import month_text
from daemon.store.month_sums import MonthSum, read_month_sums, read_stamp, read_whose_stamp
from daemon.store.months import last_months

_COLUMNS = (
    Column("month", "Month"),
    Column("party", "Kind of company"),
    Column("devices", "Devices", COUNT),
    Column("companies", "Companies", COUNT),
    Column("packets_up", "Packets sent", COUNT),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of the month", SHARE),
)


def report(scope: Scope) -> Report:
    """One row a (month, party)."""
    months = [(month, month_sums(scope, month)) for month in months_between(scope, *scope.months)]
    rows: list[tuple[object, ...]] = []
    for month, sums in months:
        whole = sum(each.bytes for each in sums)
        for party in PARTIES:
            of = [each for each in sums if each.party == party]
            if of:
                rows.append(
                    (
                        month_text(month), party, len({each.device_id for each in of} - {0}),
                        len({each.organisation for each in of} - {None}), sum(each.packets_up for each in of),
                        sum(each.packets_down for each in of), sum(each.bytes_up for each in of),
                        sum(each.bytes_down for each in of), sum(each.bytes for each in of) / whole if whole else 0.0,
                    )
                )  # fmt: skip
    return Report("Months", _COLUMNS, tuple(rows), tuple(_sentences(months)))


def months_between(scope: Scope, since: int, until: int) -> list[int]:
    """The months from `since` to `until` in which something went to the internet."""
    known: list[int] = scope.remember(("all months",), lambda: last_months(scope.db, scope.site_id))
    return [month for month in known if since <= month <= until]


def month_sums(scope: Scope, month: int) -> list[MonthSum]:
    """What went to whom in a month, of the device, the party and the company that the scope asks for."""
    whose = scope.remember(("whose",), lambda: read_whose_stamp(scope.db))
    stamp = scope.remember(("stamp", month), lambda: read_stamp(scope.db, month))
    sums = scope.remember(
        ("month", month, whose, stamp), lambda: read_month_sums(scope.db, scope.site_id, month), lasting=True
    )
    return [each for each in sums if _asked(each, scope)]


def by_party(sums: Iterable[MonthSum]) -> dict[str, int]:
    """Bytes of every party."""
    out: dict[str, int] = {}
    for each in sums:
        out[each.party] = out.get(each.party, 0) + each.bytes
    return out


def _asked(each: MonthSum, scope: Scope) -> bool:
    return (
        scope.device_id in (None, each.device_id)
        and scope.only.get("party") in (None, each.party)
        and scope.only.get("company") in (None, each.organisation or "-")
    )


def _sentences(months: Sequence[tuple[int, Sequence[MonthSum]]]) -> list[str]:
    if not months:
        return ["Nothing went to the internet in these months."]
    month, sums = months[-1]
    whole = sum(each.bytes for each in sums)
    third = by_party(sums).get("third", 0)
    text = f"In {month_words(month)} {size_words(whole)} were exchanged with the internet"
    if whole:
        text += f", {third / whole:.0%} of it with advertising, tracking and other third parties"
    if len(months) > 1:
        before = months[-2][1]
        total = sum(each.bytes for each in before)
        if total:
            text += f"; the month before it was {by_party(before).get('third', 0) / total:.0%} of {size_words(total)}"
    return [f"{text}."]
