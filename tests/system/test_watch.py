"""`homeport watch`: one that is killed is started again, and when it ends all that was recorded is read. Needs root."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cli.watch import SOON_S
from tests.support import lab as home
from tests.support.compare import imbalance
from tests.support.forgetting import rows
from tests.support.importing import COMMAND, ROOT
from tests.support.lab import wait_until
from tests.support.recording import files_in, lines_of
from tests.support.wire import Wire, numbers_in

pytestmark = pytest.mark.skipif(bool(home.missing()), reason=f"it needs {', '.join(home.missing())}")


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Wire(tmp_path).up() as joined:
        yield joined


def part(watch: subprocess.Popen[bytes], verb: str) -> int:
    """The process that does this part; 0 while there is none."""
    try:
        children = Path(f"/proc/{watch.pid}/task/{watch.pid}/children").read_text().split()
        for child in children:
            if f"\0{verb}\0".encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    except OSError:
        return 0  # it ends at this very moment
    return 0


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_one_that_is_killed_is_started_again_and_at_the_end_all_is_read(wire: Wire, tmp_path: Path) -> None:
    folder, database = tmp_path / "captures", tmp_path / "h.db"
    folder.mkdir()
    flags = ("-i", "hp1", "--dir", str(folder), "--db", str(database), "--trust-clock", "--status", str(tmp_path))
    watch = wire.receiver.start(*COMMAND, "watch", *flags)
    wait_until(lambda: bool(files_in(folder)), "a capture file", 30)
    wait_until((tmp_path / "ingest.json").exists, "ingest", 30)
    began = time.monotonic()
    before = wire.send(30)
    first = {verb: part(watch, verb) for verb in ("capture", "ingest")}
    assert all(first.values())
    wait_until(lambda: time.monotonic() - began > SOON_S, "the time after which an end is an accident", 60)
    for verb, pid in first.items():
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda verb=verb, pid=pid: part(watch, verb) not in (0, pid), f"{verb}, again", 20)  # type: ignore[misc]  # bound now
    wait_until(lambda: len(files_in(folder)) == 2, "another capture file", 30)
    after = wire.send(30)
    time.sleep(0.5)
    watch.send_signal(signal.SIGINT)
    assert watch.wait(60) == 0, wire.receiver.output(watch)
    said = wire.receiver.output(watch)
    for verb in first:
        assert f"homeport {verb} was ended by signal 9; it is started again" in said
    old, new = sorted(files_in(folder), key=lambda file: lines_of(file)[0].monotonic_us)
    assert lines_of(old)[-1].more == {"reason": "killed"}
    assert numbers_in(old) + numbers_in(new) == before + after
    assert imbalance(database) == []
    assert rows(database, "SELECT packets, status FROM captures ORDER BY first_us") == [(30, "done"), (30, "done")]
    assert [row[0] for row in rows(database, "SELECT reason FROM capture_gaps")] in (
        [], ["not recording: it had ended unexpectedly"], ["not recording: it was stopped"],
    )  # fmt: skip


def test_both_end_with_the_one_that_started_them(wire: Wire, tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    flags = ("-i", "hp1", "--dir", str(folder), "--db", str(tmp_path / "h.db"), "--trust-clock")
    watch = wire.receiver.start(*COMMAND, "watch", *flags, "--status", str(tmp_path))
    wait_until(lambda: bool(files_in(folder)), "a capture file", 30)
    wait_until((tmp_path / "ingest.json").exists, "ingest", 30)
    parts = [part(watch, verb) for verb in ("capture", "ingest")]
    watch.kill()
    watch.wait(20)
    wait_until(lambda: all(gone(pid) for pid in parts), "the end of both", 30)
    assert lines_of(files_in(folder)[0])[-1].more == {"reason": "stopped"}


def test_one_that_cannot_begin_ends_the_other_and_says_why(wire: Wire, tmp_path: Path) -> None:
    watch = wire.receiver.start(
        *COMMAND, "watch", "-i", "nosuch0", "--dir", str(tmp_path), "--db", str(tmp_path / "h.db")
    )
    assert watch.wait(60) == 3
    said = wire.receiver.output(watch)
    assert "there is no interface nosuch0" in said
    assert "homeport capture has ended" in said
