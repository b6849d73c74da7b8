"""`homeport retain`: what went, what is kept, and what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport
from tests.daemon.ingest.scenes import DAY, talk, write
from tests.support.budget import recorded
from tests.support.importing import imported
from tests.support.packets import START_US


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Five days, one flow each."""
    paths = [write(tmp_path / f"{day}.pcap", talk(START_US + day * DAY, "www.example.com")) for day in range(5)]
    return imported(tmp_path / "h.db", *paths)


def flows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        return int(db.execute("SELECT count(*) FROM flows").fetchone()[0])


def test_a_line_for_every_home(homeport: Homeport, database: Path) -> None:
    imported(database, database.with_name("0.pcap"), site="cottage")
    ran = homeport("retain", "--db", database, "--detail-days", "2")
    assert ran.code == 0
    assert ran.out.splitlines()[-4:] == [
        "cottage: 0 flows that ended before 2023-11-12, and 0 quarter-hour rows from before 2023-08-14, went.",
        "  there are hours, days and months since 2023-11-14, quarters of hours since 2023-11-14, 1 flows since 2023-11-14.",
        "home: 2 flows that ended before 2023-11-16, and 0 quarter-hour rows from before 2023-08-18, went.",
        "  there are hours, days and months since 2023-11-14, quarters of hours since 2023-11-14, 3 flows since 2023-11-16.",
    ]
    assert flows(database) == 1 + 3


def test_limits_come_from_the_configuration_and_flags_are_stronger(
    homeport: Homeport, database: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings" / "homeport.toml").write_text("[retention]\ndetail_days = 1\ntraffic_days = 2\n")
    ran = homeport("retain", "--db", database, "--detail-days", "3", "--dry-run")
    assert "1 flow that ended before 2023-11-15" in ran.out
    assert flows(database) == 5
    ran = homeport("retain", "--db", database)
    assert "3 flows that ended before 2023-11-17, and 2 quarter-hour rows from before 2023-11-16, went." in ran.out
    assert flows(database) == 2


def test_dry_run_changes_nothing(homeport: Homeport, database: Path) -> None:
    before = database.read_bytes()
    ran = homeport("retain", "--db", database, "--detail-days", "1", "--traffic-days", "1", "--dry-run")
    assert (ran.code, ran.out.count("would go.")) == (0, 1)
    assert database.read_bytes() == before


def test_long_work_is_told(homeport: Homeport, database: Path) -> None:
    ran = homeport("retain", "--db", database, "--detail-days", "1")
    assert ran.err.splitlines()[-2:] == ["home: 0 of 3 days done", "home: 3 of 3 days done"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--detail-days", "0"], "retention.detail_days wants a number from 1 to 3650"),
        (["--detail-mib", "1"], "retention.detail_mib wants a number of MiB from 16"),
        (["--traffic-days", "x"], "is not a valid integer"),
    ],
)
def test_limits_that_cannot_be(homeport: Homeport, database: Path, flags: list[str], words: str) -> None:
    ran = homeport("retain", "--db", database, *flags)
    assert ran.code == 2
    assert words in ran.err
    assert flows(database) == 5


def test_no_database_is_made(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("retain", "--db", tmp_path / "none.db")
    assert ran.code == 3
    assert "no database at" in ran.err
    assert not (tmp_path / "none.db").exists()


def test_empty_home_is_said(homeport: Homeport, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("INSERT INTO site (name) VALUES ('empty')")
        db.commit()
    assert "empty: there are no packets.\n  nothing is kept of it." in homeport("retain", "--db", database).out


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """A folder of six days that were read; the last is being written."""
    folder = tmp_path / "captures"
    folder.mkdir()
    for day in range(6):
        recorded(folder, day, closed=day < 5, reply=60_000)
    imported(tmp_path / "c.db", folder)
    return folder


def days(folder: Path) -> list[str]:
    return sorted(path.name[8:10] for path in folder.glob("*.pcap"))


def test_captures_are_kept_within_their_budget_and_thinned(homeport: Homeport, captures: Path, tmp_path: Path) -> None:
    settings = "[capture]\nkeep_days = 3\nthin_after_days = 1\nthin_keep_kib = 4\n"
    (tmp_path / "settings" / "homeport.toml").write_text(settings)
    size = (captures / "2023-11-17_00.00.00_wlan0.pcap").stat().st_size
    flags = ("--db", tmp_path / "c.db", "--dir", captures)
    ran = homeport("retain", *flags, "--dry-run")
    assert [line.split()[0][8:10] for line in ran.out.splitlines() if line.endswith("would go.")][-1:] == ["15"]
    assert days(captures) == ["14", "15", "16", "17", "18", "19"]
    ran = homeport("retain", *flags)
    assert ran.code == 0, ran.err
    assert days(captures) == ["16", "17", "18", "19"]
    assert "2023-11-15_00.00.00_wlan0.pcap was given up" in ran.out
    assert ran.out.count(": thinned, ") == 2
    assert (captures / "2023-11-17_00.00.00_wlan0.pcap").stat().st_size < size / 4
    assert "thinned" not in homeport("retain", *flags).out, "once"


def test_a_capture_that_cannot_be_thinned_is_said_and_the_others_are(
    homeport: Homeport, captures: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings" / "homeport.toml").write_text("[capture]\nthin_after_days = 1\nthin_keep_kib = 4\n")
    bad = captures / "2023-11-14_00.00.00_wlan0.pcap"
    data = bytearray(bad.read_bytes())
    data[-1] ^= 1
    bad.write_bytes(data)
    ran = homeport("retain", "--db", tmp_path / "c.db", "--dir", captures)
    assert ran.code == 1
    assert "2023-11-14_00.00.00_wlan0.pcap: not thinned: another file than the one that was read lies there" in ran.out
    assert ran.out.count(": thinned, ") == 3
