"""Where data went: every name and address that was reached, whose it is, how much, by whom. Also the places it came from.

Rule 1: an address stands here only where no name is known; where a person's device keeps no names, its destinations are
        one row of the company.
Rule 2: destinations are ranked by what was sent to them, sources by what came from them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from daemon.report.contacts import Tally
from daemon.report.ranking import Ranking, in_order, ranked
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, TIME, Column, ColumnRows, Report, Rows
from daemon.report.words import counted, share_words, size_words
from daemon.store.columns import Ints
from daemon.store.whose import read_texts

_COLUMNS = (
    Column("destination", "Name or address"),
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("country", "Country"),
    Column("devices", "Devices", COUNT),
    Column("flows", "Connections", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share", SHARE),
    Column("first_us", "First seen", TIME),
    Column("last_us", "Last seen", TIME),
)
_SHARE = 8


def report(scope: Scope) -> Report:
    """One row a destination, those first to which most was sent."""
    return ranking(scope, inward=False)


def ranking(scope: Scope, *, inward: bool) -> Report:
    """Destinations by what they received or, with `inward`, by what they sent."""
    found = ranked(scope)
    order = in_order(found, inward=inward)
    way = found.bytes_down if inward else found.bytes_up
    whole = int(way.sum())
    rows = ColumnRows(len(order), lambda numbers: _told(scope, found, order[np.array(numbers, np.int64)], way, whole))
    title = "Sources" if inward else "Destinations"
    return Report(title, _COLUMNS, rows, (_sentence(rows, whole, inward=inward),))


def _told(scope: Scope, found: Ranking, numbers: Ints, way: Ints, whole: int) -> list[Sequence[object]]:
    """The report's columns of these destinations."""
    counts = (found.devices, found.flows, found.bytes_up, found.bytes_down, found.first_us, found.last_us)
    named, moved, *told = (column[numbers].tolist() for column in (found.named, way, *counts))
    places = numbers.tolist()
    words = ([column[at] for at in places] for column in (found.company, found.party, found.country))
    shares = [octets / whole if whole else 0.0 for octets in moved]
    texts = read_texts(scope.db, named)
    return [[texts.get(number) for number in named], *words, *told[:4], shares, *told[4:]]


def count_devices(each: Tally[int] | Tally[str | None]) -> int:
    """How many devices had to do with it."""
    return sum(1 for device in each.devices if device)


def _sentence(rows: Rows, whole: int, *, inward: bool) -> str:
    if not rows:
        return "Nothing went to the internet in this time."
    first = rows[0]
    where = str(first[0] or first[1] or "a destination whose name is not kept")
    most = share_words(float(str(first[_SHARE])))
    came, what, way = ("came from", "source", "from") if inward else ("went to", "destination", "to")
    return f"{size_words(whole)} {came} {counted(len(rows), what)} on the internet; most of it, {most}, {way} {where}."
