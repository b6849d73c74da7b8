"""What a report is: a title, columns, rows, and sentences that say the same in words."""

from __future__ import annotations

from dataclasses import dataclass, field

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute

TEXT, COUNT, SIZE, SHARE, TIME = "text", "count", "size", "share", "time"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it in CSV and JSON, `heading` on paper; `form` says how a value is written for people.

    Shares are fractions of 1, sizes bytes, times microseconds since the epoch, UTC.
    """

    key: str
    heading: str
    form: str = TEXT


@dataclass(frozen=True, slots=True)
class Report:
    """`rows` have one value a column, None where nobody knows; `sentences` are for people who read no tables."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what is missing, and why

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return tuple(column.key for column in self.columns)


def csv_cell(value: object) -> object:
    """A value as it stands in CSV: text from the network must not become a formula in somebody's spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
