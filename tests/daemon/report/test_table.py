"""What a report is made of."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from daemon.report import changes, coverage
from daemon.report.table import COUNT, SHARE, SIZE, TEXT, TIME, Column, Report, Row, Rows


@pytest.mark.parametrize("columns", [changes.COLUMNS, coverage.COLUMNS], ids=["changes", "coverage"])
def test_columns_of_reports_have_keys_of_their_own_and_a_known_form(columns: tuple[Column, ...]) -> None:
    assert len({column.key for column in columns}) == len(columns)
    assert all(column.key == column.key.lower() and " " not in column.key for column in columns)
    assert {column.form for column in columns} <= {TEXT, COUNT, SIZE, SHARE, TIME}


def test_report_says_nothing_that_it_was_not_told() -> None:
    report = Report("Title", (Column("a", "A"),), ())
    assert report.shown() == ()
    assert (report.sentences, report.notes, report.rows) == ((), (), ())


def test_rows_are_made_when_somebody_looks() -> None:
    asked: list[list[int]] = []

    def make(numbers: Sequence[int]) -> list[Row]:
        asked.append(list(numbers))
        return [(number * number,) for number in numbers]

    rows = Rows(25_000, make)
    assert (len(rows), bool(rows), bool(Rows(0, make)), asked) == (25_000, True, False, [])
    assert (rows[3], rows[-1], rows[1:3], rows[24_999:]) == ((9,), (24_999**2,), ((1,), (4,)), ((24_999**2,),))
    assert rows.pick([5, 2]) == ((25,), (4,))
    with pytest.raises(IndexError):
        rows[25_000]
    asked.clear()
    assert [value for (value,) in rows] == [number * number for number in range(25_000)]
    assert len(asked) > 1, "in pieces"
