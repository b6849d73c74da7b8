"""Every report has a page, a CSV file and an answer of the API; all of them say the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.report.registry import KINDS
from daemon.report.spreadsheet import csv_pieces
from daemon.report.table import SIZE, Column, Report
from tests.daemon.ingest.scenes import SECOND, lookup, talk, write
from tests.support.dashboard import client, read, rows
from tests.support.importing import imported
from tests.support.packets import START_US


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lookup, and a conversation with a name in it."""
    folder = tmp_path_factory.mktemp("reports")
    frames = lookup(START_US, "www.example.com", "203.0.113.1")
    frames += talk(START_US + SECOND, "www.example.com", server="203.0.113.1")
    frames += lookup(START_US + 2 * SECOND, "=cmd.example")
    return imported(folder / "h.db", write(folder / "day.pcap", frames))


@pytest.fixture(scope="module")
def browser(database: Path) -> TestClient:
    return client(database)


def test_the_list_leads_to_every_report(browser: TestClient) -> None:
    addresses = {each.attributes["href"] for each in read(browser, "/reports").one("main").all("a")}
    assert {f"/reports/{kind.name}" for kind in KINDS} <= addresses


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_page_csv_and_api_have_the_same_rows(browser: TestClient, name: str) -> None:
    assert read(browser, f"/reports/{name}").one("h1").text
    lines = list(csv.DictReader(io.StringIO(browser.get(f"/reports/{name}.csv").text)))
    answer = browser.get(f"/api/v1/reports/{name}?limit=5000").json()
    assert len(lines) == len(answer["rows"])
    for line, row in zip(lines, answer["rows"], strict=True):
        assert {key: value.removeprefix("'") for key, value in line.items()} == {
            key: "" if value is None else str(value) for key, value in row.items()
        }


def test_protocols_count_the_frames_that_were_written(browser: TestClient) -> None:
    found = {row["Service"]: row for row in rows(read(browser, "/reports/protocols"))}
    assert found["dns"]["Packets"] == "3"


def test_a_heading_that_does_not_say_it_has_a_note(browser: TestClient) -> None:
    """Once a column, opened by the heading itself; where rows are cards, all notes stand in a fold."""
    page = read(browser, "/reports/protocols")
    buttons = {each.text: each.attributes["popovertarget"] for each in page.one("thead").all("button")}
    assert "Mean length" in buttons
    assert "Packets" not in buttons, "that says itself"
    for name in buttons.values():
        (note,) = page.all("span", id=name)
        assert "popover" in note.attributes
    fold = page.one("details", class_="columns-mean")
    assert [each.text for each in fold.all("dt")] == list(buttons)
    assert "joined several into one" in fold.text


def test_values_are_written_for_people(browser: TestClient) -> None:
    (row,) = rows(read(browser, "/reports/months?range=2023-11"))[:1]
    assert row["Month"] == "November 2023"
    asking = read(browser, "/reports/destination")
    assert asking.one("input", id="which").attributes["name"] == "destination"
    assert not read(browser, "/reports/destination?destination=www.example.com").all("input", id="which")


def test_unknown_report_and_home_are_said_to_be_so(browser: TestClient) -> None:
    assert "no report called nonsense" in read(browser, "/reports/nonsense", 404).text
    assert "no home called elsewhere" in read(browser, "/reports/protocols?site=elsewhere", 404).text
    assert browser.get("/api/v1/reports/nonsense").status_code == 404


def test_without_a_database_the_page_says_what_to_do(tmp_path: Path) -> None:
    page = read(client(tmp_path / "absent.db"), "/reports/protocols")
    assert "Nothing captured yet" in page.text
    assert client(tmp_path / "absent.db").get("/healthz").text == "ok\n"


def test_a_file_is_packed_for_those_who_can_unpack(browser: TestClient) -> None:
    address = "/reports/destinations.csv"
    packed, plain = (browser.get(address, headers={"accept-encoding": how}) for how in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text != ""


def test_a_long_file_is_written_in_pieces_and_whole() -> None:
    table = Report(
        "Long", (Column("name", "Name"), Column("bytes", "Data", SIZE)), tuple((f"=n{n}", n) for n in range(12_001))
    )
    pieces = list(csv_pieces(table))
    assert len(pieces) > 2
    found = list(csv.reader(io.StringIO("".join(pieces))))
    assert found == [["name", "bytes"], *(["'=n" + str(n), str(n)] for n in range(12_001))]
    empty = Report("None", (Column("name", "Name"),), ())
    assert "".join(csv_pieces(empty)) == "name\r\n"
