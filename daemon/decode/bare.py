"""Columns as bare memory: what C fills and reads. A chunk that C decodes needs no numpy (see `later`).

Rule 1: a bare column is a memoryview of one of these types; numpy takes it as an array without copying (`np.asarray`).
Rule 2: what is done here to columns of whole chunks is a few calls, whatever their length; rows are touched one by one
        only where the caller has few.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Literal

Code = Literal["?", "B", "h", "i", "q", "Q"]  # struct's; numpy's bool, uint8, int16, int32, int64, uint64

_SIZES: Mapping[Code, int] = {"?": 1, "B": 1, "h": 2, "i": 4, "q": 8, "Q": 8}


def zeros(rows: int, code: Code) -> Any:  # noqa: ANN401  stands where an array may stand
    """A column of zeros, or of False."""
    return memoryview(bytearray(rows * _SIZES[code])).cast(code)


def minus_ones(rows: int, code: Code) -> Any:  # noqa: ANN401  as above
    """A column of -1; the code is of a signed type."""
    return memoryview(bytearray(b"\xff") * (rows * _SIZES[code])).cast(code)


def repeated(number: int, rows: int, code: Code) -> Any:  # noqa: ANN401  as above
    """A column of one number, to be read only."""
    return memoryview(Struct(code).pack(number) * rows).cast(code)


def flags(rows: int, set_in: Iterable[int]) -> Any:  # noqa: ANN401  as above
    """A column of flags that are set in these rows, to be read only."""
    column = bytearray(rows)
    for row in set_in:
        column[row] = 1
    return memoryview(bytes(column)).cast("?")


def joined(parts: Sequence[Any]) -> Any:  # noqa: ANN401  as above
    """Bare columns of one type, at least one, in one."""
    return memoryview(b"".join(parts)).cast(parts[0].format)


def shifted(column: Any, by: int) -> Any:  # noqa: ANN401  bare or not
    """All numbers of an int64 column and so much. Raises OverflowError, or wraps as numpy does, where one gets too large."""
    return memoryview(array("q", [number + by for number in column])) if is_bare(column) else column + by


def is_bare(column: object) -> bool:
    """Whether this is a bare column and no array of numpy's."""
    return isinstance(column, memoryview)


def places(column: Any, value: int) -> list[int]:  # noqa: ANN401  a column of bytes or flags, bare or not
    """The rows in which a column of one-byte items has this value: few of them, or the caller has more to do with each."""
    held, sought = bytes(column), bytes((value,))
    out = []
    row = held.find(sought)
    while row >= 0:
        out.append(row)
        row = held.find(sought, row + 1)
    return out


def values(column: Any, rows: Sequence[int]) -> list[int]:  # noqa: ANN401  bare or not
    """A column's numbers in these rows."""
    if is_bare(column):
        return [column[row] for row in rows]
    out: list[int] = column[rows].tolist()
    return out
