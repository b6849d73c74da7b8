"""A report's table as markup: every cell carries its heading, for narrow screens, where a row becomes a card.

Rule 1: how a value is written is looked up once a column, and a value that comes again is not written again; a page has
        thousands of cells.
Rule 2: what comes from the network is escaped here, by the same functions as everywhere (`web.templating`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from markupsafe import Markup, escape

from daemon.report.table import COUNT, SHARE, SIZE, TEXT, TIME, Column, Report
from daemon.report.words import month_words
from daemon.store.calendar import month_number
from web.charts.markup import made
from web.numbers import count, share, size, unbroken
from web.row_packets import packets_of
from web.searching import kind_words
from web.templating import country, moment, party, path, said
from web.visit import Visit

_NONE = Markup('<span class="none">\N{EN DASH}</span>')
_PAGES = MappingProxyType(
    {
        "domain": "/destinations/",
        "destination": "/destinations/",
        "organisation": "/companies/",
        "country": "/countries/",
    }
)
# Columns of sentences, which are never narrower than these can be read; of numbers that are written as texts.
_WORDY = frozenset({"reason", "sentence", "detail", "kinds", "name_source", "named_by", "how"})
_NUMBERS = frozenset({"latitude", "longitude", "queries_per_hour", "connections_per_hour", "busiest_hour"})
_MONTHS = frozenset({"month", "parent_since"})
Write = Callable[[object], Markup]


def rows_of(visit: Visit, name: str, report: Report) -> Markup:
    """The rows of the table of this name, of too many those that matter most."""
    shown = [(index, column) for index, column in enumerate(report.columns) if column.key != "device_id"]
    number = report.keys.index("device_id") if "device_id" in report.keys else None
    writers = [(index, _opening(column), column.key, cache(_writer(visit, column))) for index, column in shown]
    behind, attribute = packets_of(visit, name, report), cache(escape)
    device = cache(lambda number, words: _linked(visit.device_link(number), said(words)))
    lines = []
    for row in report.shown():
        cells = []
        links = behind(row)
        for index, opening, key, write in writers:
            value = row[index]
            if value is None:
                cell = _NONE
            elif key == "device" and number is not None:
                cell = device(int(str(row[number] or 0)), value)
            else:
                cell = write(value)
                if key in links:
                    cell = made(f'<a class="behind" href="{attribute(links[key])}">{cell}</a>')
            cells.append(f"{opening}{cell}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return Markup("\n".join(lines))  # noqa: S704  made of escaped pieces, here and in `web.templating`


def _opening(column: Column) -> str:
    kind = ' class="number"' if is_number(column) else ' class="wordy"' if column.key in _WORDY else ""
    return f'<td data-heading="{escape(column.heading)}"{kind}>'


def is_number(column: Column) -> bool:
    """Whether its values stand below each other at their right end."""
    return column.form != TEXT or column.key in _NUMBERS


def _writer(visit: Visit, column: Column) -> Write:
    if column.key in _PAGES:
        begin, _, rest = visit.link(_PAGES[column.key]).partition("?")
        filters = f"?{rest}" if rest else ""
        write = country if column.key == "country" else said
        return lambda value: _linked(f"{begin}{path(value)}{filters}", write(str(value)))
    if column.key in _MONTHS:
        return lambda value: escape(_month(str(value)))
    if column.key == "kind":
        return lambda value: said(kind_words(str(value)))
    if column.key == "party":
        return lambda value: party(str(value))
    if column.form == TIME:
        zone = visit.zone
        return lambda value: moment(int(str(value)), zone)
    return _FORMS.get(column.form, said)


def _month(text: str) -> str:
    """`June 2026` of `2026-06`; anything else as it is."""
    try:
        return unbroken(month_words(month_number(text)))
    except ValueError:
        return text


def _linked(address: str, words: Markup | str) -> Markup:
    return made(f'<a href="{escape(address)}">{escape(words)}</a>')


_FORMS: Mapping[str, Write] = MappingProxyType(
    {
        SIZE: lambda value: escape(unbroken(size(float(str(value))))),
        COUNT: lambda value: escape(count(float(str(value)))),
        SHARE: lambda value: escape(unbroken(share(float(str(value))))),
    }
)
