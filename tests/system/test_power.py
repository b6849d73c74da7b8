"""The power goes while both services work: what is left of files and database is whole, and short of seconds at most.

Needs root (namespaces) and gcc (the shim that writes down what was synced and what was not: tests/support/powercut.py).
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.capture.clock import SystemClock
from daemon.capture.recover import recover
from daemon.ingest.live import Assignment, Live
from daemon.ingest.source import RollingDigest
from daemon.ingest.standing import touch_look
from tests.support import lab as home
from tests.support.compare import imbalance
from tests.support.following import StillWorld
from tests.support.importing import COMMAND, ROOT
from tests.support.lab import wait_until
from tests.support.powercut import ALL, LUCKY, NOTHING, SOME, build, cuts, environment, put, read_log
from tests.support.recording import SECOND, times_in
from tests.support.wire import Wire

NEEDED = (*home.NEEDED, "gcc")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"it needs {', '.join(home.missing(NEEDED))}")

SLACK_US = 1_500_000  # what a busy machine takes to hand packets over and to end an fdatasync
_NUMBER = re.compile(rb"homeport(.{8})", re.DOTALL)


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Wire(tmp_path).up() as joined:
        yield joined


def work(wire: Wire, folder: Path, log: Path, seconds: float, flush: float) -> None:
    """Both services record and read for a while, and are killed, as they would be."""
    shim = environment(build(log.parent), log, folder)
    words = [f"{name}={value}" for name, value in shim.items()]
    recording = wire.receiver.start(
        "env", *words, sys.executable, "-m", "tests.support.capturing", str(folder / "captures"), "hp1",
        "--flush", str(flush),
    )  # fmt: skip
    reading = subprocess.Popen(
        [*COMMAND, "ingest", "--dir", str(folder / "captures"), "--db", str(folder / "h.db"), "--status", str(log.parent)],
        cwd=ROOT, env={**os.environ, **shim}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until((log.parent / "ingest.json").exists, "ingest", 30)
        with wire.sending(500):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                touch_look(log.parent)
                time.sleep(0.5)
            wait_until(lambda: committed(folder / "h.db") > 0, "packets in the database", 30)
            recording.send_signal(signal.SIGKILL)
            reading.kill()
    finally:
        reading.kill()
        reading.wait(20)
        recording.kill()
        recording.wait(20)


def committed(database: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT coalesce(sum(packets), 0) FROM captures").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def without_evidence(database: Path) -> list[str]:
    """Captures of which the database knows bytes that are not in their files."""
    with closing(sqlite3.connect(database)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'capture'").fetchone():
            return []  # the power went before its tables were on the disk
        rows = db.execute("SELECT path, cursor, digest FROM capture WHERE cursor > 0").fetchall()
    wrong = []
    for path, cursor, digest in rows:
        there = Path(path).read_bytes() if Path(path).exists() else b""
        rolling = RollingDigest()
        rolling.update(there[:cursor])
        if len(there) < cursor or rolling.hexdigest() != digest:
            wrong.append(f"{Path(path).name}: {cursor} bytes are known, {len(there)} are there")
    return wrong


def drill(wire: Wire, tmp_path: Path, number: int, seconds: float, flush: float) -> None:
    rng = random.Random(number)
    folder, log = tmp_path / "disk", tmp_path / "unsynced.log"
    (folder / "captures").mkdir(parents=True)
    work(wire, folder, log, seconds, flush)
    (whole,) = (folder / "captures").glob("*.pcap")
    shutil.copy(whole, tmp_path / "whole.pcap")
    operations = read_log(log)
    assert any(each.op == "S" and each.path.endswith(".pcap") for each in operations)
    assert any(each.op == "S" and each.path.endswith("-wal") for each in operations) or seconds < 20
    facts = 0
    for place, disk in cuts(operations, number, rng):
        for how in (NOTHING, SOME, LUCKY, ALL):
            put(folder, disk.left(how, rng, "h.db"))
            (folder / "captures").mkdir(exist_ok=True)
            known, aside = check(folder, tmp_path / "whole.pcap", operations[place].time_us, flush, f"{how} at {place}")
            assert [path for path in aside if disk.is_safe(path)] == [], f"{how} at {place}"
            facts += known
    assert facts > 0, "the power went each time before anything was known"


def check(folder: Path, whole: Path, cut_us: int, flush: float, what: str) -> tuple[int, list[str]]:
    """Both are started again on what is left. The packets that the database knew before, and files that nobody can read."""
    database = folder / "h.db"
    known = 0
    if database.exists():
        assert without_evidence(database) == [], what
        known = committed(database)
    numbers = sorted(
        int.from_bytes(found[1], "big")
        for path in (folder / "captures").glob("*.pcap")
        for found in _NUMBER.finditer(path.read_bytes())
    )
    sent = sorted(int.from_bytes(found[1], "big") for found in _NUMBER.finditer(whole.read_bytes()))
    times = times_in_torn(whole)
    owed = sum(1 for time_us in times if time_us < cut_us - flush * SECOND - SLACK_US)
    assert len(numbers) >= owed, f"{what}: {len(numbers)} of {owed} packets"
    assert numbers[:owed] == sent[:owed], what
    recover(folder / "captures", "hp1", SystemClock(trusted=True))
    world = StillWorld([lambda: None])
    standing = Live(Assignment(folder / "captures", database), world, world.hear).run(once=True)
    assert imbalance(database) == [], what
    assert without_evidence(database) == [], what
    return known, [path for path, _ in standing.set_aside]


def times_in_torn(path: Path) -> list[int]:
    """When the packets of a file were seen whose recorder was killed."""
    copy = path.with_suffix(".cut")
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data) and at + 16 + int.from_bytes(data[at + 8 : at + 12], sys.byteorder) <= len(data):
        at += 16 + int.from_bytes(data[at + 8 : at + 12], sys.byteorder)
    copy.write_bytes(data[:at])
    return times_in(copy)


def test_a_power_cut_leaves_files_and_database_whole(wire: Wire, tmp_path: Path) -> None:
    drill(wire, tmp_path, 8, 6, 0.5)


@pytest.mark.drill
def test_a_hundred_power_cuts(wire: Wire, tmp_path: Path) -> None:
    drill(wire, tmp_path, 100, 45, 5.0)
