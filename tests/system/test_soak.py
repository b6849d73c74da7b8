"""A day in ten minutes through both services: they stay as small as they were, and write hardly more than the packets.

Flat: in the last third of the time a service takes at most a twentieth more memory than in the third before, by the median
of a look each second. What it remembers of a house (names, addresses, whose they are) fills on the first day and has limits;
so the day before is read first, as it would be on any day but one.

Needs root (namespaces). How much is written is told by the kernel for each process; a folder in memory counts nothing, and
then that part is skipped aloud.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from appliance.sample.day import write_day
from daemon.ingest.standing import touch_look
from tests.support import lab as home
from tests.support.compare import imbalance
from tests.support.forgetting import rows
from tests.support.importing import COMMAND, ROOT
from tests.support.lab import wait_until
from tests.support.recording import files_in, lines_of, records_in
from tests.support.wire import Wire

pytestmark = pytest.mark.skipif(bool(home.missing()), reason=f"it needs {', '.join(home.missing())}")

MIB = 1 << 20
FLAT = 1.05  # times as much in the last third as in the one before
MOST_MEMORY = {"capture": 64 * MIB, "ingest": 150 * MIB}  # as the units allow


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Wire(tmp_path).up() as joined:
        yield joined


@dataclass
class Meter:
    """What a process takes, looked at each second."""

    pid: int
    memory: list[int] = field(
        default_factory=list
    )  # bytes of its own; the ring is the kernel's, files can be read again
    descriptors: list[int] = field(default_factory=list)
    _before: int = 0

    def __post_init__(self) -> None:
        self._before = self.written()

    def look(self) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        self.memory.append(int(status.split("RssAnon:")[1].split()[0]) * 1024)
        self.descriptors.append(len(list(Path(f"/proc/{self.pid}/fd").iterdir())))

    def written(self) -> int:
        """Bytes that went, or will go, to the disk since the first look; of those that were taken back none."""
        said = dict(line.split(": ") for line in Path(f"/proc/{self.pid}/io").read_text().splitlines())
        return int(said["write_bytes"]) - int(said["cancelled_write_bytes"]) - self._before

    def grows(self) -> float:
        """How much more it takes in the last third than in the one before; its heights are those of single batches."""
        third = len(self.memory) // 3
        return median(self.memory[2 * third :]) / median(self.memory[third : 2 * third])


@contextmanager
def replaying(wire: Wire, file: Path, each_second: int) -> Iterator[threading.Thread]:
    """All frames of a file into the wire, so many a second, or as many as there are in the time of the block."""
    frames = [frame for _, _, frame in records_in(file)]
    over = threading.Event()
    with wire.sender.entered():
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("hp0", 0))

    def run() -> None:
        began = time.monotonic()
        for number, frame in enumerate(frames):
            out.send(frame[:1514])
            if not number % 64 and (early := began + number / each_second - time.monotonic()) > 0 and over.wait(early):
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        over.set()
        thread.join()
        out.close()


def soak(
    wire: Wire, folder: Path, packets: int, each_second: int, rotate_mib: int, *, looked_at: bool
) -> dict[str, float]:
    captures, database = folder / "captures", folder / "h.db"
    captures.mkdir()
    before = day_before(captures, packets // 3)
    write_day(folder / "day.pcap", seed=11, packets=packets)
    flags = ("--dir", str(captures), "--status", str(folder))
    with (folder / "ingest.log").open("wb") as log:
        command = [*COMMAND, "ingest", *flags, "--db", str(database)]
        reading = subprocess.Popen(command, cwd=ROOT, stderr=log, env={**os.environ, **unit_environment("ingest")})
    try:
        more = ("-i", "hp1", "--trust-clock", "--rotate-mib", str(rotate_mib))
        recording = wire.receiver.start(*COMMAND, "capture", *flags, *more)
        wait_until(lambda: len(files_in(captures)) > 1 and (folder / "ingest.json").exists(), "both services", 60)
        read = "SELECT coalesce(sum(packets), 0) FROM captures"
        wait_until(lambda: rows(database, read)[0][0] >= before.packets and _settled(database), "the day before", 300)
        meters = {"capture": Meter(recording.pid), "ingest": Meter(reading.pid)}
        with replaying(wire, folder / "day.pcap", each_second) as sender:
            while sender.is_alive():
                time.sleep(1)
                assert recording.poll() is None, wire.receiver.output(recording)
                assert reading.poll() is None, (folder / "ingest.log").read_text()
                if looked_at:
                    touch_look(folder)
                for meter in meters.values():
                    meter.look()
        time.sleep(1)
        wrote = meters["capture"].written()
        recording.send_signal(signal.SIGTERM)
        recording.wait(30)
        ours = [file for file in files_in(captures) if file != before.path]
        recorded = sum(lines_of(file)[-1].written for file in ours)
        touch_look(folder)
        every = recorded + before.packets
        wait_until(lambda: rows(database, read) == [(every,)] and _settled(database), "all of it, read", 180)
        meters["ingest"].look()
        wrote += meters["ingest"].written()
    finally:
        reading.terminate()
        reading.wait(60)
    drops = sum(lines_of(file)[-1].kernel_drops for file in ours)
    assert recorded + drops >= packets, f"{recorded} of {packets} recorded, {drops} dropped"
    assert imbalance(database) == []
    peaks = {name: max(meter.memory) for name, meter in meters.items()}
    for name, meter in meters.items():
        assert peaks[name] <= MOST_MEMORY[name], f"{name}: {peaks[name] / MIB:.0f} MiB"
        assert max(meter.descriptors) <= meter.descriptors[0] + 8, f"{name}: {meter.descriptors}"
    size = sum(path.stat().st_size for path in ours)
    return {
        "files": len(ours),
        "wrote": wrote / size,
        "counted": wrote,
        "drops": drops,
        **{f"{name} grows": meter.grows() for name, meter in meters.items()},
        **{f"{name} MiB": peaks[name] / MIB for name in meters},
    }


def unit_environment(service: str) -> dict[str, str]:
    """What the unit of a service sets for it."""
    lines = (ROOT / "deploy" / "systemd" / f"homeport-{service}.service").read_text().splitlines()
    return dict(line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment="))


class Before(NamedTuple):
    """The capture of yesterday."""

    path: Path
    packets: int


def day_before(captures: Path, packets: int) -> Before:
    """A day of another house at the same interface, as long ago as a day is."""
    yesterday = int(time.time()) - 86_400
    path = captures / time.strftime("%Y-%m-%d_00.00.00_hp1.pcap", time.localtime(yesterday))
    write_day(path, seed=10, packets=packets)
    data = bytearray(path.read_bytes())
    at, first = 24, struct.unpack_from("<I", data, 24)[0]
    while at < len(data):
        seconds, _, length = struct.unpack_from("<III", data, at)
        struct.pack_into("<I", data, at, seconds - first + yesterday - 3600)
        at += 16 + length
    path.write_bytes(data)
    return Before(path, packets)


def _settled(database: Path) -> bool:
    return rows(database, "SELECT count(*) FROM capture WHERE settled <> cursor") == [(0,)]


def test_a_piece_of_a_day(wire: Wire, tmp_path: Path) -> None:
    found = soak(wire, tmp_path, 30_000, 4000, 5, looked_at=True)
    assert found["files"] > 3
    assert found["capture grows"] < 1.1


@pytest.mark.drill
def test_a_day_of_a_million_packets(wire: Wire, tmp_path: Path) -> None:
    """Slowly enough that conversations of UDP come to rest (180 s): after that as many end as begin.

    Nobody looks, as in most of a day: whoever does has the database written to every few seconds.
    """
    found = soak(wire, tmp_path, 1_000_000, 1_700, 128, looked_at=False)
    print(found)  # noqa: T201  for whoever looks at the numbers
    assert found["capture grows"] <= FLAT, found
    assert found["ingest grows"] <= FLAT, found
    if not found["counted"]:
        pytest.skip("this file system counts no bytes; what was written is not known")
    assert found["wrote"] <= 1.15, found
