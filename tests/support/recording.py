"""A recording without an interface, a clock and a disk of its own: what tests hand to `daemon.capture`."""

from __future__ import annotations

import errno
import os
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.capture.clock import Reading
from daemon.capture.plan import Pace, Place
from daemon.capture.recorder import Recorder
from daemon.capture.records import Batch
from daemon.decode.sidecar import SUFFIX, SidecarLine, parse_lines

BOOT = "0a1b2c3d-0000-4000-8000-000000000000"
SECOND = 1_000_000


@dataclass
class FakeClock:
    """Both clocks, moved by the test."""

    wall_us: int = 1_767_225_600 * SECOND  # 2026-01-01 00:00:00 UTC
    monotonic_us: int = 1_000 * SECOND
    is_synced: bool = True
    boot_id: str = BOOT

    def read(self) -> Reading:
        return Reading(self.wall_us, self.monotonic_us)

    def synced(self) -> bool:
        return self.is_synced

    def pass_by(self, seconds: float) -> Reading:
        """Time goes on."""
        self.wall_us += round(seconds * SECOND)
        self.monotonic_us += round(seconds * SECOND)
        return self.read()

    def step(self, seconds: float) -> Reading:
        """Somebody sets the clock."""
        self.wall_us += round(seconds * SECOND)
        return self.read()


@dataclass
class FaultyDisk:
    """The real calls, but that some fail: `faults` maps the number of a write (from 1) to an errno, or to a negative
    number of bytes that it takes at most. `room`: bytes after which the disk is full; None for never."""

    faults: dict[int, int] = field(default_factory=dict)
    sync_faults: dict[int, int] = field(default_factory=dict)
    room: int | None = None
    cannot_cut: bool = False
    writes: int = 0
    syncs: int = 0
    used: int = 0
    safe: dict[str, int] = field(default_factory=dict)  # path -> bytes that a power cut would leave

    def write(self, descriptor: int, data: memoryview) -> int:
        self.writes += 1
        fault = self.faults.get(self.writes, 0)
        if fault > 0:
            raise OSError(fault, os.strerror(fault))
        if fault < 0:
            data = data[:-fault]
        if self.room is not None:
            data = data[: max(0, self.room - self.used)]
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = os.write(descriptor, data)
        self.used += done
        return done

    def truncate(self, descriptor: int, length: int) -> None:
        if self.cannot_cut:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.used -= os.fstat(descriptor).st_size - length
        os.ftruncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        self.safe[str(Path(f"/proc/self/fd/{descriptor}").readlink())] = os.fstat(descriptor).st_size
        if fault := self.sync_faults.get(self.syncs, 0):
            raise OSError(fault, os.strerror(fault))
        os.fdatasync(descriptor)

    def free(self, _descriptor: int) -> int:
        return 1 << 40 if self.room is None else self.room - self.used


def batch(times_us: Sequence[int], size: int = 60) -> Batch:
    """Packets seen at these times; each holds its time, so that it can be told from every other."""
    heads = array("I")
    pieces = []
    at = 0
    for time_us in times_us:
        data = time_us.to_bytes(8, "big").rjust(size, b"\0")[:size]
        heads.extend((time_us // SECOND, time_us % SECOND, at, len(data)))
        pieces.append(data)
        at += len(data)
    return Batch(b"".join(pieces), heads)


def batch_of_frames(frames: Sequence[tuple[int, bytes]]) -> Batch:
    """Frames with the times at which they were seen."""
    heads, at = array("I"), 0
    for time_us, frame in frames:
        heads.extend((time_us // SECOND, time_us % SECOND, at, len(frame)))
        at += len(frame)
    return Batch(b"".join(frame for _, frame in frames), heads)


def records_in(path: Path) -> list[tuple[int, int, bytes]]:
    """(time, length on the wire, bytes) of a file's packets; fails where it holds anything but whole records."""
    data = path.read_bytes()
    assert struct.unpack_from("=IHH", data) == (0xA1B2C3D4, 2, 4)
    found = []
    at = 24
    while at < len(data):
        second, micro, captured, wire = struct.unpack_from("=IIII", data, at)
        at += 16 + captured
        assert at <= len(data), f"{path.name} is torn"
        found.append((second * SECOND + micro, wire, data[at - captured : at]))
    return found


def times_in(path: Path) -> list[int]:
    """When the packets of a file were seen, in its order."""
    return [time_us for time_us, _, _ in records_in(path)]


def lines_of(path: Path) -> list[SidecarLine]:
    """The sidecar of a capture file."""
    parsed = parse_lines(path.with_name(path.name + SUFFIX).read_bytes())
    assert parsed.skipped == 0
    return list(parsed.lines)


def files_in(folder: Path) -> list[Path]:
    """The capture files of a folder, by name."""
    return sorted(folder.glob("*.pcap"))


class Bench:
    """A recorder with a clock and a disk that the test holds."""

    def __init__(
        self,
        folder: Path,
        *,
        zone: str = "Europe/Berlin",
        clock: FakeClock | None = None,
        disk: FaultyDisk | None = None,
        pace: Pace | None = None,
        snaplen: int = 262_144,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder
        self.clock = clock or FakeClock()
        self.disk = disk or FaultyDisk()
        self.said: list[str] = []
        place = Place(folder, "wlan0", ZoneInfo(zone), self.clock.boot_id, snaplen, {"filter": "", "version": "test"})
        self.recorder = Recorder(place, self.disk, pace or Pace(), say or self.said.append)
        self.recorder.begin(self.clock.read(), synced=self.clock.synced(), link=1)

    def round(self, times_us: Sequence[int] = (), *, drained: bool = True, drops: tuple[int, int] = (0, 0)) -> None:
        """One turn of the loop at the clock's present time."""
        self.recorder.round(
            batch(times_us), self.clock.read(), synced=self.clock.synced(), drained=drained, drops=drops
        )

    def packet(self) -> int:
        """One packet now; its time."""
        self.round([self.clock.wall_us])
        return self.clock.wall_us

    def idle(self, seconds: float, every: float = 0.2) -> None:
        """Turns without a packet."""
        for _ in range(max(1, round(seconds / every))):
            self.clock.pass_by(every)
            self.round()
            self.wait_for_disk()

    def wait_for_disk(self) -> None:
        """Until the thread that brings files to the disk has nothing left."""
        self.recorder._flusher._pool.submit(int).result()

    def end(self) -> list[Path]:
        """Stop; the files."""
        self.recorder.end(self.clock.read())
        return files_in(self.folder)
