"""What a report is: a title, columns, rows, and sentences that say the same in words.

Rule: a report may have rows by the hundred thousand. Whoever makes so many makes them when somebody looks (`Rows`), and
whoever shows them to people shows `Report.shown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import overload

FORMULA = frozenset("=+-@\t\r")  # how a cell begins that a spreadsheet would compute

TEXT, COUNT, SIZE, SHARE, TIME = "text", "count", "size", "share", "time"
MOST_SHOWN = 200  # rows, and sentences, that a person is shown at once

Row = tuple[object, ...]
PIECE = 2_000  # rows that are made at a time for those who want all: what is near is quick


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it in CSV and JSON, `heading` on paper; `form` says how a value is written for people.

    Shares are fractions of 1, sizes bytes, times microseconds since the epoch, UTC.
    """

    key: str
    heading: str
    form: str = TEXT


class Rows(Sequence[Row]):
    """Rows that are made when somebody looks at them: `make` gives those of some numbers, in their order.

    They can be made for as long as the database is open that `make` asks.
    """

    def __init__(self, many: int, make: Callable[[Sequence[int]], Iterable[Row]]) -> None:
        self._many, self._make = many, make

    def __len__(self) -> int:
        return self._many

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, at: int | slice) -> Row | tuple[Row, ...]:
        numbers = range(self._many)[at]
        return self.pick(numbers) if isinstance(numbers, range) else self.pick((numbers,))[0]

    def __iter__(self) -> Iterator[Row]:
        for begin in range(0, self._many, PIECE):
            yield from self._make(range(begin, min(begin + PIECE, self._many)))

    def pick(self, numbers: Sequence[int]) -> tuple[Row, ...]:
        """The rows of these numbers, made in one go."""
        return tuple(self._make(numbers))


class ColumnRows(Rows):
    """Rows that are there as columns: `columns` gives those of some numbers, for whoever needs no single row."""

    def __init__(self, many: int, columns: Callable[[Sequence[int]], Sequence[Sequence[object]]]) -> None:
        super().__init__(many, lambda numbers: zip(*columns(numbers), strict=True))
        self.columns = columns


def column_pieces(rows: Sequence[Row]) -> Iterator[Sequence[Sequence[object]]]:
    """All rows as columns, some thousands at a time."""
    if isinstance(rows, ColumnRows):
        for begin in range(0, len(rows), PIECE):
            yield rows.columns(range(begin, min(begin + PIECE, len(rows))))
    else:
        every = iter(rows)
        while piece := list(islice(every, PIECE)):
            yield list(zip(*piece, strict=True))


@dataclass(frozen=True, slots=True)
class Report:
    """`rows` have one value a column, None where nobody knows; `sentences` are for people who read no tables."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what is missing, and why
    weighty: tuple[int, ...] | None = None  # numbers of the rows that matter most; None: the first ones do

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return tuple(column.key for column in self.columns)

    def shown(self, most: int = MOST_SHOWN) -> Sequence[Row]:
        """The rows for people, at most so many, in their order: of too many those that matter most."""
        if len(self.rows) <= most:
            return self.rows[:]
        if self.weighty is None:
            return self.rows[:most]
        numbers = sorted(self.weighty[:most])
        return self.rows.pick(numbers) if isinstance(self.rows, Rows) else [self.rows[at] for at in numbers]


def csv_cell(value: object) -> object:
    """A value as it stands in CSV: text from the network must not become a formula in somebody's spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value
