"""Recording and reading on a disk that somebody else fills to the last byte, and frees again. Needs root."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from daemon.ingest import ballast
from tests.support import lab as home
from tests.support.budget import recorded
from tests.support.compare import imbalance
from tests.support.disks import fill, loop_disk, small_disk
from tests.support.importing import COMMAND, ROOT
from tests.support.lab import wait_until
from tests.support.recording import files_in, lines_of, records_in
from tests.support.wire import Wire, numbers_in

NEEDED = (*home.NEEDED, "mount")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"it needs {', '.join(home.missing(NEEDED))}")

OLD = 2  # days that lie there, each of some MB
Disk = Callable[[Path], AbstractContextManager[Path]]


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Wire(tmp_path).up() as joined:
        yield joined


class Box:
    """Both services on one disk: captures, database and ballast."""

    def __init__(self, wire: Wire, disk: Path, run: Path) -> None:
        self.wire, self.disk, self.run = wire, disk, run
        self.captures, self.database = disk / "captures", disk / "homeport.db"
        self.captures.mkdir()
        for day in range(OLD):
            recorded(self.captures, day, reply=2_500_000)

    @contextmanager
    def works(self) -> Iterator[None]:
        flags = ("--dir", str(self.captures), "--status", str(self.run))
        with (self.run / "ingest.log").open("wb") as log:
            reading = subprocess.Popen([*COMMAND, "ingest", *flags, "--db", str(self.database)], stderr=log, cwd=ROOT)
            try:
                wait_until(
                    lambda: self.rows("SELECT count(*) FROM captures WHERE status = 'done'") == [(OLD,)], "days", 60
                )
                wait_until(lambda: int(str(self.said("ingest").get("ballast_bytes", 0))) > 0, "the ballast", 60)
                command = [*COMMAND, "capture", "-i", "hp1", "--trust-clock", *flags]
                before = set(files_in(self.captures))
                self.recording = self.wire.record(*command, folder=self.captures)
                (self.file,) = set(files_in(self.captures)) - before
                yield
                self.recording.end(signal.SIGTERM)
            finally:
                reading.terminate()
                reading.wait(60)

    def said(self, service: str) -> dict[str, object]:
        path = self.run / f"{service}.json"
        found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def log(self) -> str:
        return (self.run / "ingest.log").read_text()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
                return db.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def old(self) -> int:
        return len(files_in(self.captures)) - 1


def drill(wire: Wire, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """Somebody fills the disk, again and again, until nothing may go any more; then everything is given back."""
    settings, run = tmp_path / "homeport.toml", tmp_path / "run"
    settings.write_text("[capture]\nballast_mib = 1\nfree_floor_mib = 1\n")
    run.mkdir()
    monkeypatch.setenv("HOMEPORT_CONFIG", str(settings))
    with disk(tmp_path / "disk") as place:
        box = Box(wire, place, run)
        with box.works(), wire.sending(300):
            for _ in range(rounds):
                _fill_and_free(box)
        _what_is_kept(box, rounds)


def _fill_and_free(box: Box) -> None:
    theirs = box.disk / "photos"
    fill(theirs)
    while box.old():  # each time room was made, somebody takes that, too
        left = box.old()
        wait_until(lambda left=left: box.old() < left, "an old day that goes", 60)  # type: ignore[misc]  # bound now
        fill(theirs)
    wait_until(lambda: _fill_on(box, theirs), "the pause", 60)
    wait_until(
        lambda: "less room than is to stay free" in str(box.said("ingest").get("sentence")), "the word of it", 60
    )
    time.sleep(1.5)
    sent = box.wire.sent
    theirs.unlink()
    freed = time.monotonic()
    wait_until(lambda: box.said("capture").get("state") == "capturing", "the end of the pause", 60)
    assert time.monotonic() - freed < 60
    wait_until(lambda: box.wire.sent > sent, "packets that go on", 30)
    wait_until(lambda: ballast.held(ballast.ballast_beside(box.database)) > 0, "the ballast, made anew", 90)
    wait_until(lambda: "less room" not in str(box.said("ingest").get("sentence")), "the word that it is over", 60)


def _fill_on(box: Box, theirs: Path) -> bool:
    fill(theirs)
    return box.said("capture").get("state") == "paused"


def _what_is_kept(box: Box, rounds: int) -> None:
    events = [line.event for line in lines_of(box.file) if line.event != "sample"]
    assert events == ["open", *["pause", "resume"] * events.count("pause"), "close"]
    assert events.count("pause") >= rounds
    numbers, last = numbers_in(box.file), lines_of(box.file)[-1]
    lost = sum(int(line.more["lost"] or 0) for line in lines_of(box.file) if line.event == "resume")
    assert len(numbers) == len(set(numbers)) == last.written
    assert last.received == last.written + lost
    assert lost > 0
    assert imbalance(box.database) == []
    read = subprocess.run(
        [*COMMAND, "ingest", "--once", "--dir", str(box.captures), "--db", str(box.database), "--status", str(box.run)],
        cwd=ROOT, env=os.environ, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert read.returncode == 0, read.stderr
    assert imbalance(box.database) == []
    assert box.rows("SELECT status, count(*) FROM captures GROUP BY 1 ORDER BY 1") == [("deleted", OLD), ("done", 1)]
    assert [packets for (packets,) in box.rows("SELECT packets FROM captures WHERE status = 'done'")] == [last.written]
    reasons = [str(reason) for (reason,) in box.rows("SELECT reason FROM capture_gaps ORDER BY from_us")]
    assert sum("recording paused: the disk is full" in reason for reason in reasons) == events.count("pause")
    said = box.log()
    assert "the ballast was given up" in said
    assert said.count("What was read of it stays.") == OLD
    assert "no capture may go for it" in said


def test_a_disk_filled_to_the_last_byte_and_freed(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drill(wire, tmp_path, partial(small_disk, size="24m"), monkeypatch, 1)


@pytest.mark.drill
def test_a_card_filled_to_the_last_byte_again_and_again(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = tmp_path / "probe"
    try:
        with loop_disk(probe, 8):
            pass
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no loop volume can be made here: {error}")
    drill(wire, tmp_path, partial(loop_disk, mebibytes=40), monkeypatch, 5)


@pytest.mark.parametrize("policy", ["thin", pytest.param("pause", marks=pytest.mark.drill)])
def test_with_less_room_than_is_to_stay_free(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """Not the disk is full, but the floor is not free: packets are cut, or not recorded, until it is."""
    settings, run = tmp_path / "homeport.toml", tmp_path / "run"
    settings.write_text(f'[capture]\nwhen_low = "{policy}"\nfree_floor_mib = 4\n')
    run.mkdir()
    monkeypatch.setenv("HOMEPORT_CONFIG", str(settings))
    with small_disk(tmp_path / "disk", "60m") as disk:
        flags = ("-i", "hp1", "--trust-clock", "--dir", str(disk), "--status", str(run))
        recording = wire.record(*COMMAND, "capture", *flags, folder=disk)

        def said(name: str) -> object:
            return json.loads((run / "capture.json").read_text()).get(name)

        with wire.sending(200, size=400):
            time.sleep(0.5)
            fill(disk / "photos", leave=2 << 20)
            wait_until(lambda: said("snaplen") == 128 or said("state") == "paused", "a word of the little room", 30)
            time.sleep(0.5)
            (disk / "photos").unlink()
            wait_until(lambda: said("snaplen") == 262_144 and said("state") == "capturing", "the end of it", 60)
            time.sleep(0.5)
        time.sleep(0.5)
        recording.end(signal.SIGTERM)
        files = sorted(files_in(disk), key=lambda file: lines_of(file)[0].monotonic_us)
        numbers = [number for file in files for number in numbers_in(file)]
        assert numbers == sorted(set(numbers))
        assert (numbers[0], numbers[-1]) == (0, wire.sent - 1)
        lost = sum(int(line.more["lost"] or 0) for file in files for line in lines_of(file) if line.event == "resume")
        assert len(numbers) + lost == wire.sent
        lengths = [{(wire_size, len(data)) for _, wire_size, data in records_in(file)} for file in files]
        if policy == "thin":
            assert (lost, lengths) == (0, [{(400, 400)}, {(400, 128)}, {(400, 400)}])
        else:
            assert lost > 0
            assert lengths == [{(400, 400)}]
            assert [line.more["reason"] for line in lines_of(files[0]) if line.event == "pause"] == [
                "less than 4 MiB are free"
            ]
