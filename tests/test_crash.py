"""SIGKILL at random instants: what is finished afterwards equals, row by row, what was never interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.sample.day import write_day
from tests.daemon.ingest.scenes import HOUR, evening, lookup, questions, write
from tests.support.compare import imbalance, same, views
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, imported
from tests.support.packets import START_US

PACKETS = 10_000  # of each large capture: some twenty-five commits
SIGKILLED = -signal.SIGKILL


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """Two busy hours and two quiet files."""
    folder = tmp_path / "captures"
    folder.mkdir()
    for seed in (1, 2):
        write_day(folder / f"day-{seed}.pcap", seed=seed, packets=PACKETS)
    write(folder / "evening.pcap", evening())
    write(folder / "crowd.pcap", questions(START_US, 300), lookup(START_US + HOUR, "end.example"))
    return folder


@pytest.mark.parametrize("kills", [20, pytest.param(100, marks=pytest.mark.drill)])
def test_killed_and_finished_equals_clean(captures: Path, kills: int) -> None:
    command = [sys.executable, "-m", "tests.support.killing", str(captures), str(kills), str(kills)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    clean = Path(told["clean"])
    assert imbalance(clean) == []
    for database in map(Path, told["finished"]):
        assert same(clean, database) == [], database
        assert imbalance(database) == []
    assert len(told["met"]) == kills
    within = [statuses for statuses in told["met"] if "live" in statuses]
    assert len(within) > kills // 8, f"too few kills fell between two commits of a capture: {told['met']}"


def test_small_commits_equal_large_ones(captures: Path, tmp_path: Path) -> None:
    """What the drill calls clean was committed in small batches; the plain command commits once a file."""
    command = [sys.executable, "-m", "tests.support.killing", str(captures), "0", "1"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    small = Path(json.loads(ran.stdout.splitlines()[-1])["clean"])
    assert same(small, imported(tmp_path / "large.db", captures)) == []


def test_workers_end_with_the_import_that_was_killed(captures: Path, tmp_path: Path) -> None:
    database = tmp_path / "workers.db"
    command = [*COMMAND, "import", str(captures), "--db", str(database), "--jobs", "2"]
    importing = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        start_new_session=True,  # so that its whole family can be found afterwards
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(family(importing.pid)) < 3 and importing.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    importing.kill()
    assert importing.wait() == SIGKILLED
    while family(importing.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert family(importing.pid) == []
    finished = imported(database, captures, jobs=2)
    assert same(imported(tmp_path / "clean.db", captures), finished) == []
    assert sum(views(finished)["captures"].values()) == 4


def family(leader: int) -> list[str]:
    """Command lines of the living processes of a session."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getsid(int(folder.name)) == leader:
                words = (folder / "cmdline").read_bytes()
                found += [words.decode(errors="replace")] if words else []  # without words: ended, not yet waited for
        except OSError:
            continue  # ended while we looked
    return found
