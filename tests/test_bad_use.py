"""What goes wrong around an import: one clear line, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from appliance.sample.day import write_day
from daemon.store.migrations import VERSION
from tests.daemon.ingest.scenes import evening, write
from tests.support.compare import imbalance, same, views
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, imported, process, told

DONE, SET_ASIDE, WRONG_USE, COULD_NOT = 0, 1, 2, 3
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write(tmp_path / "evening.pcap", evening())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "h.db"


def refused(ran: Ran, *words: str) -> None:
    """It could not be done, and one line says so, with these words."""
    assert ran.returncode == COULD_NOT, ran.stderr
    assert ran.stdout == ""
    complaint = ran.stderr.strip().splitlines()[-1]
    assert complaint.startswith("homeport import: ")
    assert "Traceback" not in ran.stderr
    for word in words:
        assert word in complaint


def test_missing_file(tmp_path: Path, database: Path) -> None:
    ran = process("import", tmp_path / "absent.pcap", "--db", database)
    refused(ran, "no such file", "absent.pcap")
    assert len(ran.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_folder_without_captures(tmp_path: Path, database: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "shopping.txt").write_text("milk, bread, captures\n")
    ran = told("import", tmp_path / "notes", "--db", database)
    refused(ran, "no capture files", "notes")
    assert len(ran.stderr.splitlines()) == 1
    assert not database.exists()


def test_text_file(tmp_path: Path, database: Path) -> None:
    (tmp_path / "letter.pcap").write_text("Dear sir,\nplease find no packets enclosed.\n")
    ran = told("import", tmp_path / "letter.pcap", "--db", database)
    refused(ran, "this is text", "letter.pcap")
    assert not database.exists()


def test_wrong_flag(capture: Path, database: Path) -> None:
    ran = told("import", capture, "--db", database, "--jobbs", "2")
    assert (ran.returncode, ran.stdout) == (WRONG_USE, "")
    assert len(ran.stderr.splitlines()) == 1
    assert not database.exists()


def test_database_of_a_newer_version_is_left_alone(capture: Path, database: Path) -> None:
    imported(database, capture)
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = database.read_bytes()
    refused(told("import", capture, "--db", database), "newer Homeport", str(database))
    refused_export = told("export", "flows", "--db", database)
    assert refused_export.returncode == COULD_NOT
    assert "newer Homeport" in refused_export.stderr
    assert database.read_bytes() == before


def test_database_of_another_program_is_left_alone(capture: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.execute("INSERT INTO bookmarks VALUES ('https://example.com/')")
        db.commit()
    before = database.read_bytes()
    refused(told("import", capture, "--db", database), "not one of Homeport's")
    assert database.read_bytes() == before


def test_database_that_is_damaged(capture: Path, database: Path) -> None:
    imported(database, capture)
    content = bytearray(database.read_bytes())
    content[4096 : len(content) - 4096] = b"\xa5" * (len(content) - 8192)
    database.write_bytes(content)
    ran = told("import", write(capture.with_name("more.pcap"), evening(1_800_000_000_000_000)), "--db", database)
    refused(ran, "damaged", str(database))


def test_empty_file_as_database_is_taken(capture: Path, database: Path) -> None:
    database.touch()
    assert told("import", capture, "--db", database).returncode == DONE
    assert imbalance(database) == []


# --- a disk that is full


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of so many bytes, mounted on a folder."""
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mount.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@root
@pytest.mark.parametrize("size", ["16k", "100k", "200k", "300k"])
def test_full_disk(tmp_path: Path, size: str) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    write(captures / "0.pcap", evening())
    write_day(captures / "1.pcap", seed=3, packets=20_000)
    clean = imported(tmp_path / "clean.db", captures)
    with small_disk(tmp_path / "disk", size) as disk:
        database = disk / "h.db"
        ran = process("import", captures, "--db", database)
        refused(ran, "disk", "h.db")
        assert len([line for line in ran.stderr.splitlines() if line.startswith("homeport")]) == 1
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        with closing(sqlite3.connect(database)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        finished = imported(database, captures)
        assert same(clean, finished) == []
        assert imbalance(finished) == []


@root
def test_full_disk_with_workers(tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    for seed in (3, 4):
        write_day(captures / f"{seed}.pcap", seed=seed, packets=20_000)
    clean = imported(tmp_path / "clean.db", captures)
    with small_disk(tmp_path / "disk", "300k") as disk:
        refused(process("import", captures, "--db", disk / "h.db", "--jobs", "2"), "disk", "h.db")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert same(clean, imported(disk / "h.db", captures)) == []


# --- no permission


def powerless(*arguments: str | Path) -> Ran:
    """Run a command for which the permissions of files count, also where the tests are run by root."""
    drop: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv (util-linux) is not there to take root's powers away")
        drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]
    return subprocess.run(
        [*drop, *COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_capture_that_may_not_be_read(tmp_path: Path, capture: Path, database: Path) -> None:
    secret = write(tmp_path / "secret.pcap", evening())
    secret.chmod(0)
    refused(powerless("import", secret, "--db", database), "permission denied", "secret.pcap")
    ran = powerless("import", secret, capture, "--db", database)
    assert ran.returncode == SET_ASIDE
    assert "secret.pcap: permission denied" in ran.stdout
    assert sum(views(database)["captures"].values()) == 1


def test_folder_that_may_not_be_read(tmp_path: Path, capture: Path, database: Path) -> None:
    write(tmp_path / "folder" / "open.pcap", evening())
    write(tmp_path / "folder" / "closed" / "secret.pcap", evening())
    (tmp_path / "folder" / "closed").chmod(0)
    ran = powerless("import", tmp_path / "folder", "--db", database)
    (tmp_path / "folder" / "closed").chmod(0o700)
    assert ran.returncode == SET_ASIDE
    assert "closed: permission denied" in ran.stdout


@pytest.fixture
def closed_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing can be made."""
    folder = tmp_path / "closed"
    folder.mkdir()
    yield folder
    folder.chmod(0o700)


def test_place_that_may_not_be_written(closed_folder: Path, capture: Path) -> None:
    closed_folder.chmod(0o500)
    refused(powerless("import", capture, "--db", closed_folder / "h.db"), "permission", "h.db")
    assert list(closed_folder.iterdir()) == []


def test_database_that_may_not_be_written(capture: Path, database: Path) -> None:
    imported(database, capture)
    before = database.read_bytes()
    database.chmod(0o400)
    refused(powerless("import", capture, "--db", database), "permission", "h.db")
    assert database.read_bytes() == before


# --- two at once


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_imports_of_one_file_at_once(tmp_path: Path, database: Path) -> None:
    capture = tmp_path / "day.pcap"
    write_day(capture, seed=5, packets=40_000)
    clean = imported(tmp_path / "clean.db", capture)
    both = [start("import", capture, "--db", database) for _ in range(2)]
    ended = [(running.wait(), *running.communicate()) for running in both]
    assert sorted(code for code, _, _ in ended) in ([DONE, DONE], [DONE, COULD_NOT])
    for code, out, err in ended:
        assert "Traceback" not in err
        if code == COULD_NOT:
            assert "Another import is reading the same capture" in err.splitlines()[-1]
            assert out == ""
    assert same(clean, database) == []


def test_two_imports_of_other_files_at_once(tmp_path: Path, database: Path) -> None:
    captures = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    for seed, capture in enumerate(captures):
        write_day(capture, seed=seed, packets=20_000)
    clean = imported(tmp_path / "clean.db", *captures)
    both = [start("import", capture, "--db", database) for capture in captures]
    for running in both:
        out, err = running.communicate()
        assert (running.returncode, "Traceback" in err) == (DONE, False), err + out
    assert same(clean, database) == []


def test_readers_see_whole_commits_while_an_import_runs(tmp_path: Path, database: Path) -> None:
    capture = tmp_path / "day.pcap"
    write_day(capture, seed=6, packets=40_000)
    imported(database, write(tmp_path / "evening.pcap", evening()))
    told = views(database)["captures"]
    running = start("import", capture, "--db", database)
    while running.poll() is None:
        seen = views(database)
        assert not told - seen["captures"]
        assert {row[13] for row in seen["captures"]} <= {"done", "live"}
        time.sleep(0.02)
    running.communicate()
    assert running.returncode == DONE
