"""What is written column by column is what the library writes row by row, whatever the values are."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from daemon.report.spreadsheet import csv_pieces, csv_text
from daemon.report.table import PIECE, Column, ColumnRows, Report, Row, csv_cell

_WORDS = st.text('ab=+-@\t\r\n,"\0é', max_size=4)
_KINDS = (
    st.integers(),
    st.floats(),
    _WORDS,
    st.none() | _WORDS,
    st.none(),
    st.none() | st.integers() | st.booleans() | st.floats() | _WORDS,
)


def written(rows: Sequence[Sequence[object]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    return target.getvalue()


def reported(rows: Sequence[Row], width: int) -> Report:
    return Report("Any", tuple(Column(f"column{number}", "") for number in range(width)), rows)


@given(
    st.lists(st.sampled_from(_KINDS), min_size=1, max_size=5).flatmap(
        lambda kinds: st.tuples(st.just(len(kinds)), st.lists(st.tuples(*kinds), max_size=8))
    )
)
@example((2, [(0.0, "a"), (-0.0, "a"), (0.25, "a"), (0.25, "=a")]))
@example((1, [("",), (None,), ("a,b",)]))
@example((2, [("a,b", "c"), ("a,c", "a,d"), ("d", None)]))
def test_it_is_what_the_library_writes(table: tuple[int, list[Row]]) -> None:
    width, rows = table
    report = reported(rows, width)
    wanted = written([report.keys, *([csv_cell(value) for value in row] for row in rows)])
    assert "".join(csv_pieces(report)) == wanted


def test_no_text_becomes_a_formula() -> None:
    assert csv_text([["=1+1", "safe", None], [-1, 2, 3]]) == "'=1+1,-1\r\nsafe,2\r\n,3\r\n"


def test_rows_that_are_columns_are_written_without_being_made() -> None:
    many = 2 * PIECE + 1
    rows = ColumnRows(many, lambda numbers: [[f"n{number}" for number in numbers], list(numbers)])
    pieces = list(csv_pieces(reported(rows, 2)))
    assert len(pieces) == 4
    assert "".join(pieces) == written([("column0", "column1"), *((f"n{number}", number) for number in range(many))])
    assert rows[PIECE] == (f"n{PIECE}", PIECE)
    assert rows.pick((3, 1)) == (("n3", 3), ("n1", 1))
    assert list(rows) == [(f"n{number}", number) for number in range(many)]
