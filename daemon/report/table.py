"""What a report is: a title, columns, rows, and sentences that say the same in words."""

from __future__ import annotations

from dataclasses import dataclass, field

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
