"""Recording and reading side by side, either killed at random instants while packets come. Needs root."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from daemon.ingest.standing import touch_look
from tests.support import lab as home
from tests.support.compare import Views, differences, imbalance, views
from tests.support.importing import COMMAND, ROOT, imported, process
from tests.support.lab import wait_until
from tests.support.recording import files_in
from tests.support.wire import Wire

ENOUGH = 1000  # packets; on a busy machine it takes a while until a recorder that was killed has as many
NEEDED = (*home.NEEDED, "tshark")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"it needs {', '.join(home.missing(NEEDED))}")


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Wire(tmp_path).up() as joined:
        yield joined


class Services:
    """Both, started again by whoever has killed one."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        self._wire, self._folder = wire, folder
        self.captures, self.database = folder / "captures", folder / "h.db"
        self.captures.mkdir()
        self._log = folder / "ingest.log"
        self.processes: list[subprocess.Popen[bytes]] = [self.start(0), self.start(1)]

    def start(self, which: int) -> subprocess.Popen[bytes]:
        if which == 0:
            program = (sys.executable, "-m", "tests.support.capturing", str(self.captures), "hp1", "--flush", "0.15")
            return self._wire.receiver.start(*program)
        flags = ["--dir", str(self.captures), "--db", str(self.database), "--status", str(self._folder)]
        with self._log.open("ab") as log:
            return subprocess.Popen([*COMMAND, "ingest", *flags], cwd=ROOT, stderr=log)

    def kill(self, which: int) -> None:
        self.processes[which].kill()
        assert self.processes[which].wait(20) == -signal.SIGKILL, f"it had ended: {self._log.read_text()[-2000:]}"
        self.processes[which] = self.start(which)

    def end(self) -> None:
        for one in self.processes:
            one.terminate()
        for one in self.processes:
            with suppress(subprocess.TimeoutExpired):
                one.wait(30)
            one.kill()
            one.wait(20)


def drill(wire: Wire, folder: Path, kills: int) -> None:
    rng = random.Random(kills)
    services = Services(wire, folder)
    met: Counter[int] = Counter()
    try:
        wait_until(lambda: bool(files_in(services.captures)), "a capture file", 30)
        with wire.sending(1500):
            for _ in range(kills):
                touch_look(folder)
                time.sleep(rng.uniform(0.1, 1.6))
                which = rng.randrange(2)
                services.kill(which)
                met[which] += 1
            time.sleep(1)
            wait_until(lambda: recorded(services) > ENOUGH, "packets on the disk", 60)
        time.sleep(0.5)
    finally:
        services.end()
    assert min(met.values()) > 0
    flags = ("--dir", services.captures, "--db", services.database, "--status", folder)
    read = process("ingest", *flags, "--once")
    assert read.returncode == 0, read.stderr
    assert imbalance(services.database) == []
    whole = imported(folder / "once.db", services.captures, codes=(0, 1))
    assert differences(facts(whole), facts(services.database)) == []
    told = recorded(services)
    packets = sum(int(row[0]) for row in rows(services.database, "SELECT packets FROM captures"))
    assert packets == told > ENOUGH
    killed = rows(services.database, "SELECT count(*) FROM capture_gaps WHERE reason LIKE 'not recording%'")
    assert killed[0][0] <= met[0], "a restart takes a second, or it is a gap"


def facts(database: Path) -> Views:
    """All views but what only sidecars tell."""
    found = views(database, {"captures": {"kernel_drops", "interface_drops"}})
    return {view: Counter() if view == "capture_gaps" else every for view, every in found.items()}


def rows(database: Path, query: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def recorded(services: Services) -> int:
    """Packets in all files."""
    return sum(counted(file) for file in files_in(services.captures))


def counted(path: Path) -> int:
    """Packets of a file, as tshark counts them; a torn last one it tells of and does not count."""
    told = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.number"], capture_output=True, text=True, check=False
    )
    return len(told.stdout.split())


def test_either_is_killed_while_packets_come(wire: Wire, tmp_path: Path) -> None:
    drill(wire, tmp_path, 8)


@pytest.mark.drill
def test_either_is_killed_two_hundred_times(wire: Wire, tmp_path: Path) -> None:
    drill(wire, tmp_path, 200)
