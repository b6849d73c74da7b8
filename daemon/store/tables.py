"""Tables of whole numbers, picked from, grouped: what sums of tens of thousands of rows are made with.

Rule 1: a table is bytes: 64-bit numbers as the machine has them, row by row. Its width is known to whoever has it.
Rule 2: what is written in C (`_tables.c`), where it could be built, gives the same as what stands here, which is its oracle.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from daemon.store import _tables
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

Table: TypeAlias = bytes
Pick: TypeAlias = "int | tuple[int, int] | tuple[int, dict[int, int]]"

_JOINED: Mapping[str, Callable[[Sequence[int]], int]] = MappingProxyType(
    {"+": sum, "<": min, ">": max, "$": lambda numbers: numbers[-1]}
)


def rows_of(table: Table, width: int) -> list[tuple[int, ...]]:
    """The rows of a table."""
    every = iter(numbers(table))
    return list(zip(*[every] * width, strict=True))


def table_of(rows: Iterable[Iterable[int]]) -> Table:
    """Rows as a table. Raises OverflowError for a number of more than 64 bits."""
    return array("q", [number for row in rows for number in row]).tobytes()


def height(table: Table, width: int) -> int:
    """How many rows a table has."""
    return len(table) // (width * 8)


def plain_picked(table: Table, width: int, columns: tuple[Pick, ...]) -> Table:
    """Another table of the same rows: columns as they are, with a second one added, or as a mapping translates them.

    Rows with a number of which a mapping says nothing are left out.
    """
    return table_of(_picked(rows_of(table, width), columns))


def _picked(rows: Iterable[Sequence[int]], columns: Sequence[Pick]) -> Iterator[list[int]]:
    for row in rows:
        out = []
        for pick in columns:
            if isinstance(pick, int):
                out.append(row[pick])
            elif isinstance(pick[1], int):
                out.append(row[pick[0]] + row[pick[1]])
            elif row[pick[0]] in pick[1]:
                out.append(pick[1][row[pick[0]]])
        if len(out) == len(columns):
            yield out


def plain_grouped(table: Table, width: int, keys: int, how: str) -> Table:
    """Rows in order, those with the same first columns (`keys`) as one; a letter for each of the others says how.

    `+` sum, `<` least, `>` greatest, `$` that of the last row, in the order of all columns.
    """
    groups = groupby(sorted(rows_of(table, width)), lambda row: row[:keys])
    columns = ((key, list(zip(*rows, strict=True))[keys:]) for key, rows in groups)
    return table_of(
        [*key, *(_JOINED[letter](column) for letter, column in zip(how, rest, strict=True))] for key, rest in columns
    )


def numbers(table: Table) -> list[int]:
    """Its numbers, one row behind the other."""
    return memoryview(table).cast("q").tolist()


def numbers_in(table: Table, width: int, column: int) -> list[int]:
    """The different numbers of a column, in order."""
    return numbers(grouped(picked(table, width, (column,)), 1, 1, ""))


picked = _tables.picked if NATIVE else plain_picked
grouped = _tables.grouped if NATIVE else plain_grouped
