"""Reports that can be narrowed are, by an option of their own; others have no such option."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.support.importing import homeport
from tests.support.twomonths import UNNAMED, home


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home(tmp_path_factory.mktemp("only"))[0]


def table(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, str]]:
    capsys.readouterr()
    assert homeport("report", *arguments, "--format", "csv") == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_one_country_company_or_destination(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--db", database, "--since", "2024-05")
    found = table(capsys, "companies", *asked, "--country", "MT")
    assert [row["organisation"] for row in found] == ["Netflix"]
    found = table(capsys, "destinations", *asked, "--company", "Meta (Facebook)")
    assert [row["destination"] for row in found] == ["graph.facebook.com"]
    found = table(capsys, "destination", *asked, "--destination", UNNAMED)
    assert [row["destination"] for row in found] == [UNNAMED]


def test_an_option_that_would_be_without_effect_is_wrong_use(database: Path) -> None:
    assert homeport("report", "protocols", "--db", database, "--country", "MT") == 2
