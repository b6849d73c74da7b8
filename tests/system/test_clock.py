"""A recording while its clock is set: from 1970, an hour forward, an hour back. libfaketime moves it. Needs root.

What the kernel says of a packet is the true time, whatever the recorder is told: files and their borders are the
recorder's, and no packet may be lost between them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import lab as home
from tests.support.compare import imbalance
from tests.support.forgetting import rows
from tests.support.importing import ROOT, process
from tests.support.lab import wait_until
from tests.support.recording import SECOND, files_in, lines_of
from tests.support.wire import Wire, numbers_in

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
NEEDED = [*home.missing(), *([] if FAKETIME else ["libfaketime"])]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"it needs {', '.join(NEEDED)}")

HOUR = 3600


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Wire(tmp_path).up() as joined:
        yield joined


class Setter:
    """Sets the clock of one program."""

    def __init__(self, folder: Path) -> None:
        self._file, self._mark = folder / "clock", folder / "synced"

    def set(self, offset_s: int) -> None:
        """So many seconds away from the truth from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n")
        fresh.replace(self._file)

    def say_synced(self) -> None:
        """A time server has answered."""
        self._mark.touch()

    def command(self, folder: Path) -> tuple[str, ...]:
        """A recorder with that clock."""
        words = {
            "LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        program = (sys.executable, "-m", "tests.support.capturing", str(folder), "hp1", "--flush", "0.2")
        return ("env", *(f"{name}={value}" for name, value in words.items()), *program, "--synced", str(self._mark))


def files_by_begin(folder: Path) -> list[Path]:
    return sorted(files_in(folder), key=lambda file: lines_of(file)[0].monotonic_us)


def test_from_1970_to_now_and_an_hour_forward_and_back(wire: Wire, tmp_path: Path) -> None:
    folder, setter = tmp_path / "captures", Setter(tmp_path)
    folder.mkdir()
    since_1970 = int(time.time()) - 100
    setter.set(-since_1970)
    recording = wire.record(*setter.command(folder), folder=folder)

    def with_packets(step: Callable[[], None] | None, number: int) -> None:
        if step is not None:
            step()
        wait_until(lambda: len(files_in(folder)) == number, f"{number} files", 20)
        time.sleep(1.5)  # for a second the old file takes packets from before the border, and here all seem to be
        sent.extend(wire.send(20))
        time.sleep(0.4)

    sent: list[int] = []
    with_packets(None, 1)
    setter.say_synced()
    with_packets(lambda: setter.set(0), 2)
    with_packets(lambda: setter.set(HOUR), 3)
    with_packets(lambda: setter.set(0), 4)
    recording.end(signal.SIGTERM)
    files = files_by_begin(folder)
    assert files[0].name.startswith("unsynced-")
    assert len({file.name for file in files}) == 4, "no file is overwritten where the clock shows an hour twice"
    assert [number for file in files for number in numbers_in(file)] == sent
    assert [len(numbers_in(file)) for file in files] == [20] * 4
    jumps = [
        round(int(line.more["offset_us"] or 0) / SECOND)
        for file in files
        for line in lines_of(file)
        if line.event == "jump"
    ]
    assert [abs(jump - wanted) <= 2 for jump, wanted in zip(jumps, (since_1970, HOUR, -HOUR), strict=True)] == [
        True
    ] * 3
    ran = process("ingest", "--dir", folder, "--db", tmp_path / "h.db", "--status", tmp_path, "--once")
    assert ran.returncode == 0, ran.stderr
    assert imbalance(tmp_path / "h.db") == []
    offsets = rows(tmp_path / "h.db", "SELECT clock_offset_us, status FROM captures ORDER BY capture_id")
    assert sorted(abs(round(int(offset) / SECOND) - since_1970) <= 2 for offset, _ in offsets) == [False] * 3 + [True]
    assert sorted(offset == 0 for offset, _ in offsets) == [False] + [True] * 3
    assert {status for _, status in offsets} == {"done"}
    assert rows(tmp_path / "h.db", "SELECT sum(packets) FROM captures") == [(len(sent),)]
    gaps = rows(tmp_path / "h.db", "SELECT reason FROM capture_gaps")
    assert gaps == [], "a clock that is set leaves no time in which nobody recorded"
