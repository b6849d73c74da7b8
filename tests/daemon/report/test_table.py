"""What a report is made of."""

from __future__ import annotations

import pytest

from daemon.report import changes, coverage
from daemon.report.table import COUNT, SHARE, SIZE, TEXT, TIME, Column, Report


@pytest.mark.parametrize("columns", [changes.COLUMNS, coverage.COLUMNS], ids=["changes", "coverage"])
def test_columns_of_reports_have_keys_of_their_own_and_a_known_form(columns: tuple[Column, ...]) -> None:
    assert len({column.key for column in columns}) == len(columns)
    assert all(column.key == column.key.lower() and " " not in column.key for column in columns)
    assert {column.form for column in columns} <= {TEXT, COUNT, SIZE, SHARE, TIME}


def test_report_says_nothing_that_it_was_not_told() -> None:
    report = Report("Title", (Column("a", "A"),), ())
    assert (report.sentences, report.notes, report.rows) == ((), (), ())
