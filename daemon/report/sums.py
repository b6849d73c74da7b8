"""Sums of traffic of exactly the span that is asked about, as cheaply as the tiers allow.

Rule 1: whole days of the site's calendar are read as days; what a span has besides, by quarters of an hour as long as
        these are kept, then by hours. Nothing that lies outside the span by more than an hour is counted.
Rule 2: a day that holds the newest packet is whole: nothing of it lies behind the span.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.store.calendar import date_of, midnight_us
from daemon.store.totals import DAYS, HOURS, SLOTS, first_slot, read_totals
from daemon.store.window import Window

WIDE = ("device", "protocol", "service", "encrypted", "ip_version", "scope")
Key = tuple[str | int, ...]
Sums = Mapping[Key, "Sum"]


class Sum(NamedTuple):
    """What went up and down."""

    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_up + self.packets_down

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


NOTHING = Sum(0, 0, 0, 0)


def read_sums(scope: Scope, by: Sequence[str], *, only: str | None = None, both_ends: bool = False) -> dict[Key, Sum]:
    """Sums of the scope's span by the words of `by` (no times). `only`: internet, local or chatter alone."""
    sums: dict[Key, Sum] = defaultdict(lambda: NOTHING)
    for window, tier in pieces(scope):
        for row in read_totals(scope.db, window, by, scope=only, both_ends=both_ends, least=tier):
            key = row[:-4]
            sums[key] = added((sums[key], Sum(*row[-4:])))
    return {key: total for key, total in sums.items() if total.packets}


def read_wide(scope: Scope) -> dict[Key, Sum]:
    """Sums by all of WIDE: one pass from which several reports are made."""
    return read_sums(scope, WIDE)


def narrowed(wide: Sums, by: Sequence[str], *, only: str | None = None) -> dict[Key, Sum]:
    """Sums by some words of WIDE, of those by all; `only`: internet, local or chatter alone."""
    places, where = [WIDE.index(word) for word in by], WIDE.index("scope")
    sums: dict[Key, Sum] = {}
    for key, total in wide.items():
        if only is None or key[where] == only:
            short = tuple(key[place] for place in places)
            sums[short] = added((sums.get(short, NOTHING), total))
    return sums


def read_total(scope: Scope, *, only: str | None = None) -> Sum:
    """All of the scope's span."""
    return added(read_sums(scope, ("scope",), only=only).values())


def added(sums: Iterable[Sum]) -> Sum:
    """One sum of many."""
    return Sum(*(sum(each) for each in zip(*sums, strict=True))) if (sums := list(sums)) else NOTHING


def pieces(scope: Scope) -> Iterator[tuple[Window, str]]:
    """Windows that together are the span, each with the coarsest tier that tells it exactly."""
    span, window = scope.span, scope.window
    since, until = span.since_us, span.until_us
    first = scope.day_of(since)
    if _midnight(scope, first) < since:
        first += 1
    end = scope.day_of(until) + 1 if until > scope.newest_us else scope.day_of(until)
    begins, ends = _midnight(scope, first), min(_midnight(scope, end), until)
    if first >= end:
        yield window, _fine(scope, since)
        return
    if since < begins:
        yield window._replace(until_us=begins), _fine(scope, since)
    yield window._replace(since_us=begins, until_us=ends, days=(first, end - 1)), DAYS
    if ends < until <= scope.newest_us:
        yield window._replace(since_us=ends), _fine(scope, ends)


def _fine(scope: Scope, since_us: int) -> str:
    """The tier for parts of days."""
    kept = first_slot(scope.db)
    return SLOTS if kept is not None and kept * SLOT_US <= since_us else HOURS


def _midnight(scope: Scope, day: int) -> int:
    return midnight_us(date_of(day), ZoneInfo(scope.zone))
