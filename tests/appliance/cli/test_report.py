"""`homeport report`: sentences for people, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, dhcp_request, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

MONTH = 30 * DAY  # from the middle of November into that of December, January, ...


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months: a laptop meets other places in each, and a tablet comes in the second."""
    folder = tmp_path_factory.mktemp("months")
    places = [("www.example.com", "old.example.net"), ("www.example.com", "new.example.org"), ("www.example.com",)]
    frames = []
    for month, names in enumerate(places):
        at = START_US + month * MONTH
        frames.append(dhcp_request(at, "adas-thinkpad"))
        for n, name in enumerate(names):
            frames += talk(at + (n + 1) * SECOND, name, server=f"203.0.113.{n + 1}", port=40000 + n)
        frames += talk(at + 9 * SECOND, server="198.51.100.99", port=40009)
    frames += talk(START_US + MONTH, "=cmd.example", client=TABLET, mac=TABLET_MAC, server="203.0.113.77")
    frames += lookup(START_US + 2 * MONTH + DAY, "end.example")
    return imported(folder / "h.db", write(folder / "months.pcap", frames))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_changes_in_words(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "changes", "--db", database, "--since", "2023-12")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("December 2023, adas-thinkpad: 1 new ")
    assert "(example.org" in lines[0]
    assert "no longer contacted: example.net" in lines[0]
    assert f"device {TABLET_MAC}: seen for the first time" in lines[1]
    assert "Changes between months" in ran.out
    assert ran.err.splitlines()[-1].startswith("January 2024 may not be over")


def test_without_a_month_the_last_two_are_compared(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "changes", "--db", database, "--format", "csv")
    assert {row["month"] for row in rows(ran.out)} <= {"2023-12", "2024-01"}


def test_until_a_month(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "changes", "--db", database, "--since", "2023-11", "--until", "2023-11", "--format", "csv")
    assert {(row["month"], row["change"]) for row in rows(ran.out)} == {("2023-11", "begins")}


def test_csv_has_whole_values_and_no_formula(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "changes", "--db", database, "--since", "2023-11", "--format", "csv")
    told = rows(ran.out)
    header = ran.out.splitlines()[0]
    assert header == "month,device_id,device,change,destination,organisation,party,country,before,bytes"
    assert all(int(row["bytes"]) > 0 for row in told)
    destinations = {row["destination"] for row in told}
    assert "example.com" in destinations
    assert not [cell for row in told for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_json_has_rows_and_sentences(homeport: Homeport, database: Path) -> None:
    for name in ("changes", "coverage"):
        whole = json.loads(homeport("report", name, "--db", database, "--format", "json").out)
        assert list(whole) == ["title", "sentences", "notes", "rows"]
        assert whole["sentences"]
        assert whole["rows"]


@pytest.mark.parametrize("device", [HOST_MAC, "adas-thinkpad", "192.168.1.10"])
def test_one_device(homeport: Homeport, database: Path, device: str) -> None:
    ran = homeport("report", "changes", "--db", database, "--since", "2023-11", "--device", device, "--format", "csv")
    assert {row["device"] for row in rows(ran.out)} == {"adas-thinkpad"}


def test_coverage_in_words(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "coverage", "--db", database, "--since", "2023-11")
    assert ran.code == 0
    sentences = [line for line in ran.out.splitlines() if "of the traffic to the internet has a name" in line]
    assert [sentence.split(":")[0] for sentence in sentences] == ["November 2023", "December 2023", "January 2024"]
    assert all("because no DNS answer for the address was seen" in sentence for sentence in sentences)
    shares = rows(homeport("report", "coverage", "--db", database, "--format", "csv").out)
    for month in ("2023-12", "2024-01"):
        assert sum(float(row["share"]) for row in shares if row["month"] == month) == pytest.approx(1)


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--since", "2025"], 2, "--since wants a month such as 2025-07, not '2025'"),
        (["--since", "2025-13"], 2, "--since wants a month"),
        (["--until", "yesterday"], 2, "--until wants a month"),
        (["--since", "2024-01", "--until", "2023-11"], 2, "--since is later than --until"),
        (["--since", "\u0664\u0660\u0662\u0665-07"], 2, "--since wants a month"),
        (["--device", "nobody"], 3, "no device"),
        (["--site", "cottage"], 3, "there is no home 'cottage' here; --site names one of: home"),
        (["--format", "xml"], 2, "is not one of 'table', 'csv', 'json'"),
    ],
)
def test_wrong_questions(homeport: Homeport, database: Path, flags: list[str], code: int, words: str) -> None:
    ran = homeport("report", "changes", "--db", database, *flags)
    assert ran.code == code
    assert words in ran.err
    assert ran.out == ""


def test_month_without_anything(homeport: Homeport, database: Path) -> None:
    ran = homeport("report", "changes", "--db", database, "--since", "2030-01", "--until", "2030-02")
    assert ran.code == 0
    assert ran.out == "Nothing changed between these months.\n"


def test_no_database_and_an_empty_one(homeport: Homeport, tmp_path: Path) -> None:
    assert homeport("report", "coverage", "--db", tmp_path / "none.db").code == 3
    path = write(tmp_path / "dns.pcap", lookup(START_US, "x.example"))
    imported(tmp_path / "h.db", path)
    ran = homeport("report", "coverage", "--db", tmp_path / "h.db")
    assert ran.code == 3
    assert "went to the internet, so there is nothing to report" in ran.err


def test_reports_write_nothing(homeport: Homeport, database: Path) -> None:
    before = database.read_bytes()
    homeport("report", "changes", "--db", database)
    homeport("report", "coverage", "--db", database)
    assert database.read_bytes() == before
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
