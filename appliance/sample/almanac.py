"""Which days the sample home shows, how busy they are, and what went wrong with the recording.

Rules:
1. Dates are fixed: a demo made next year shows the same home, so that pictures and tests of it stay true.
2. The newest fortnight is told in full, so that one week can be compared with the one before; the months before it are
   quieter, because they are there for their sums.
3. Every day is recorded. The one hole is a power cut (`DARK`), and one evening the recorder lost packets (`LOST`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

END = dt.date(2026, 6, 28)  # a Sunday: the newest week is a whole one
MONTHS = 5
FORTNIGHT = 14
FIRST_START = dt.timedelta(hours=8, minutes=15)  # the box was set up in the morning
FULL, QUIET = 0.5, 0.042  # of the habits' own rates, on the days of the fortnight and before it
QUIET_MONTHS = {4: 0.048, 5: 0.055}  # the household grew a little
SUMS = 2  # how much more often large transfers happen on quiet days, as they cost next to nothing


class Span(NamedTuple):
    """From one moment to another, UTC."""

    begin: dt.datetime
    end: dt.datetime


DARK = Span(dt.datetime(2026, 6, 16, 13, 5, tzinfo=dt.UTC), dt.datetime(2026, 6, 16, 15, 40, tzinfo=dt.UTC))
LOST = Span(dt.datetime(2026, 6, 21, 20, 14, tzinfo=dt.UTC), dt.datetime(2026, 6, 21, 20, 14, 30, tzinfo=dt.UTC))
LOST_PACKETS = 212
BROKEN = dt.date(2026, 6, 19)  # the day on which the radio delivered a few frames that nobody can read


def days(months: int) -> list[dt.date]:
    """Every day of the last `months` months, in order of time."""
    number = END.year * 12 + END.month - months
    first = dt.date(number // 12, number % 12 + 1, 1)
    return [first + dt.timedelta(days=count) for count in range((END - first).days + 1)]


def among(date: dt.date, newest: int, dates: Collection[int]) -> bool:
    """Whether a date is one of the `newest` days of the home and its day of the month one of `dates`; 0 and none: any."""
    return (not newest or (END - date).days < newest) and (not dates or date.day in dates)


def pace(date: dt.date) -> float:
    """How much of what the habits say happens on a day."""
    return FULL if among(date, FORTNIGHT, ()) else QUIET_MONTHS.get(date.month, QUIET)


def parts(date: dt.date, *, first: bool) -> list[Span]:
    """The stretches of a day that were recorded, each in a file of its own."""
    begin = dt.datetime.combine(date, dt.time(), dt.UTC)
    whole = Span(begin + (FIRST_START if first else dt.timedelta()), begin + dt.timedelta(days=1))
    if date != DARK.begin.date():
        return [whole]
    return [Span(whole.begin, DARK.begin), Span(DARK.end, whole.end)]
