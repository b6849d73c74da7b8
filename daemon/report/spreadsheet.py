"""Rows of a report as CSV, thousands at a time: column by column, as a column's values are mostly of one kind.

Rule 1: what comes out is what `csv.writer` writes of `csv_cell` of every value, to the byte; it takes a quarter of the time.
Rule 2: text is looked at as a whole first: what has nothing that must be quoted or is a formula is written as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, NoneType
from typing import Any

from daemon.report.table import FORMULA, Report, column_pieces, csv_cell

END = "\r\n"  # of a line: RFC 4180, 2
_QUOTED = frozenset(',"\r\n')  # RFC 4180, 2.6
_EMPTY = '""'  # a line of one cell without text: without any character it would be none
_BETWEEN = "\0"
_SPECIAL = (*_QUOTED, *(_BETWEEN + each for each in FORMULA))
_ALIKE = 4  # times, from which on it pays to write each text once


def csv_pieces(report: Report, end: str = END) -> Iterator[str]:
    """A report as a file: the keys of its columns, then its rows, some thousands at a time; `end` of each line."""
    yield ",".join(report.keys) + end
    for columns in column_pieces(report.rows):
        yield csv_text(columns, end)


def csv_text(columns: Sequence[Sequence[object]], end: str = END) -> str:
    """Lines of a file, each with its end. Columns are of one length."""
    cells = [_cells(values) for values in columns]
    lines = map(",".join, zip(*cells, strict=True)) if len(cells) > 1 else (cell or _EMPTY for cell in cells[0])
    text = end.join(lines)
    return text + end if len(columns[0]) else ""


def _cells(values: Sequence[object]) -> Iterable[str]:
    kinds = frozenset(map(type, values))
    return _WRITERS.get(kinds, _mixed)(values)


def _mixed(values: Sequence[object]) -> Iterable[str]:
    return map(_written, values)


def _floats(values: Sequence[object]) -> Iterable[str]:
    """Shares of rows that are in order are often alike, and take as long to write as everything else of a row."""
    written = {value: repr(value) for value in set(values)}
    return map(repr, values) if 0.0 in written else [written[value] for value in values]  # 0.0 is -0.0 to a mapping


def _texts(values: Sequence[Any]) -> Iterable[str]:
    texts = [value or "" for value in values]  # None, and what is empty
    several = set(texts)
    whole = _BETWEEN + _BETWEEN.join(several)
    special = [each for each in _SPECIAL if each in whole]
    if not special:
        return texts
    if special == [","] and len(several) > len(texts) // _ALIKE:  # sentences of ours
        return [f'"{text}"' if "," in text else text for text in texts]
    written = {text: _written(text) for text in several}
    return [written[text] for text in texts]


def _written(value: object) -> str:
    text = "" if value is None else str(csv_cell(value))
    return '"' + text.replace('"', '""') + '"' if not _QUOTED.isdisjoint(text) else text


_WRITERS: Mapping[frozenset[type], Callable[[Sequence[Any]], Iterable[str]]] = MappingProxyType(
    {
        frozenset({int}): lambda values: map(repr, values),
        frozenset({float}): _floats,
        frozenset({NoneType}): lambda values: [""] * len(values),
        frozenset({str}): _texts,
        frozenset({str, NoneType}): _texts,
    }
)
