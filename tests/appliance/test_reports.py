"""What a person, a spreadsheet and a program get of a report that is longer than anybody reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

import pytest

from appliance.reports import write
from daemon.report.table import COUNT, MOST_SHOWN, Column, Report, Row, Rows

MANY = 25_000
COLUMNS = (Column("name", "Name"), Column("number", "Number", COUNT))


class Made:
    """Rows that say how many of them were made."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, numbers: Sequence[int]) -> Iterator[Row]:
        for number in numbers:
            self.count += 1
            yield f"=row{number}", number


@pytest.fixture
def made() -> Made:
    return Made()


def report(made: Made, many: int = MANY, weighty: tuple[int, ...] | None = None) -> Report:
    sentences = tuple(f"Sentence {number}." for number in range(many // 50))
    return Report("Rows", COLUMNS, Rows(many, made), sentences, ("A note.",), weighty)


def test_a_person_gets_the_first_rows_and_is_told_of_the_others(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made), "table")
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if "=row" in line] == [f"=row{n}" for n in range(MOST_SHOWN)]
    assert made.count == MOST_SHOWN
    assert "... and 24,800 more: these are the first 200. --all shows the whole table" in out
    assert out.startswith("Sentence 300.\n")
    assert err == "300 earlier sentences left out; --all says them, too.\nA note.\n"


def test_what_matters_most_comes_in_its_order(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made, weighty=tuple(range(MANY - 1, MANY - 500, -1))), "table")
    out = capsys.readouterr().out
    rows = [line.split()[0] for line in out.splitlines() if "=row" in line]
    assert rows == [f"=row{n}" for n in range(MANY - MOST_SHOWN, MANY)]
    assert "these are the 200 with most traffic" in out
    assert made.count == MOST_SHOWN


def test_all_is_all(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made), "table", everything=True)
    out, err = capsys.readouterr()
    assert out.count("=row") == MANY
    assert out.startswith("Sentence 0.\n")
    assert "more" not in out
    assert err == "A note.\n"


def test_a_short_table_is_whole(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made, MOST_SHOWN, weighty=(3, 2, 1)), "table")
    out = capsys.readouterr().out
    assert out.count("=row") == MOST_SHOWN
    assert "more" not in out


def test_spreadsheets_and_programs_get_every_row(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made), "csv")
    lines = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert lines == [["name", "number"], *([f"'=row{n}", str(n)] for n in range(MANY))]
    write(report(made), "json")
    whole = json.loads(capsys.readouterr().out)
    assert whole["rows"] == [{"name": f"=row{n}", "number": n} for n in range(MANY)]
    assert (whole["title"], len(whole["sentences"]), whole["notes"]) == ("Rows", MANY // 50, ["A note."])


def test_nothing_is_valid_json(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    write(report(made, 0), "json")
    assert json.loads(capsys.readouterr().out) == {"title": "Rows", "sentences": [], "notes": ["A note."], "rows": []}
