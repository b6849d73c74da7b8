"""What a power cut may leave of a folder: programs run with `unsynced.c` before them, and what they did is replayed.

Rule 1: what was written before an fsync or fdatasync began is there once that has ended. Of what came later nothing, all,
        or any part may be there; a hole that is written behind is zeros.
Rule 2: a name is there when its folder or, for a new file, the file itself was synced after it was made. Of later changes of
        names any first part may have come to the disk, in their order.
Rule 3: shared memory of SQLite (`-shm`) does not outlive the power.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SHIM = Path(__file__).with_name("unsynced.c")
_HEAD = struct.Struct("=qqQHHc3x")
NOTHING, SOME, ALL, LUCKY = "nothing", "some", "all", "some files"


class Done(NamedTuple):
    """One operation: W(rite), T(runcate), B(egin of a sync), S(ynced), F(ailed), C(reate), U(nlink), R(ename)."""

    time_us: int
    offset: int
    path: str
    other: str
    op: str
    data: bytes


def build(folder: Path) -> Path:
    """The shim, compiled. Raises CalledProcessError, FileNotFoundError where there is no compiler."""
    library = folder / "unsynced.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SHIM), "-ldl"], check=True)
    return library


def environment(library: Path, log: Path, folder: Path) -> dict[str, str]:
    """What makes a program tell what it does to the files below `folder`."""
    return {"LD_PRELOAD": str(library), "HP_UNSYNCED_LOG": str(log), "HP_UNSYNCED_FOLDER": str(folder)}


def read_log(log: Path) -> list[Done]:
    """All operations, in order; the last may be torn, as its program was killed."""
    data, at, found = log.read_bytes(), 0, []
    while at + _HEAD.size <= len(data):
        time_us, offset, size, path, other, op = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        end = at + path + other + size
        if end > len(data):
            break
        names = data[at : at + path].decode(), data[at + path : at + path + other].decode()
        found.append(Done(time_us, offset, *names, op.decode(), data[at + path + other : end]))
        at = end
    return found


@dataclass(eq=False)
class _Inode:
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Done] = field(default_factory=list)


@dataclass
class Disk:
    """The disk while a log is replayed."""

    live: dict[str, _Inode] = field(default_factory=dict)
    safe: dict[str, _Inode] = field(default_factory=dict)
    names: list[Done] = field(default_factory=list)  # changes of names that may be lost
    begun: dict[tuple[str, int], int] = field(default_factory=dict)  # syncs under way: how many operations they cover

    def take(self, done: Done) -> None:
        """The next operation of the log."""
        if done.path.endswith("-shm"):
            return
        if done.op in "CUR":
            self.names.append(done)
            self._rename(self.live, done, self.live.get(done.path) or _Inode())
        elif done.op in "WT":
            self.live.setdefault(done.path, _Inode()).pending.append(done)
        elif done.op == "B":
            inode = self.live.get(done.path)
            self.begun[done.path, done.offset] = len(inode.pending) if inode else len(self.names)
        elif done.op == "S":
            self._synced(done)

    def _synced(self, done: Done) -> None:
        covered = self.begun.pop((done.path, done.offset), 0)
        inode = self.live.get(done.path)
        if inode is None:  # a folder
            for each in self.names[:covered]:
                self._safe_name(each)
            del self.names[:covered]
            return
        for each in inode.pending[:covered]:
            _apply(inode.safe, each)
        del inode.pending[:covered]
        for key in [key for key in self.begun if key[0] == done.path]:  # begun before this one ended
            self.begun[key] = max(0, self.begun[key] - covered)
        mine = [each for each in self.names if each.op == "C" and each.path == done.path]
        for each in mine:
            self._safe_name(each)
            self.names.remove(each)

    def _safe_name(self, done: Done) -> None:
        self._rename(self.safe, done, self.live.get(done.path) or _Inode())

    @staticmethod
    def _rename(names: dict[str, _Inode], done: Done, inode: _Inode) -> None:
        if done.op == "C":
            names[done.path] = inode
        elif done.op == "U":
            names.pop(done.path, None)
        elif done.path in names:
            names[done.other] = names.pop(done.path)

    def is_safe(self, path: str) -> bool:
        """Whether anything of a file was synced."""
        return path in self.safe and len(self.safe[path].safe) > 0

    def left(self, how: str, rng: random.Random, lucky: str = "") -> dict[str, bytes]:
        """What is on the disk if the power goes now: path -> content.

        How much of what was not synced: NOTHING, SOME, ALL, or LUCKY: all of the files whose name begins with `lucky`.
        """
        names = dict(self.safe)
        every = len(self.names)
        count = {NOTHING: 0, ALL: every, LUCKY: every}.get(how, rng.randint(0, every))
        for each in self.names[:count]:
            self._rename(names, each, self.live.get(each.path) or _Inode())
        out = {}
        for path, inode in names.items():
            content = bytearray(inode.safe)
            whole = how == ALL or (how == LUCKY and Path(path).name.startswith(lucky))
            for each in inode.pending:
                if whole or (how == SOME and rng.random() < 0.5):
                    _apply(content, each)
            out[path] = bytes(content)
        return out


def _apply(content: bytearray, done: Done) -> None:
    end = done.offset + len(done.data)
    if done.op == "T":
        del content[done.offset :]
        content.extend(bytes(done.offset - len(content)))
        return
    content.extend(bytes(max(0, end - len(content))))
    content[done.offset : end] = done.data


def cuts(log: list[Done], number: int, rng: random.Random) -> Iterator[tuple[int, Disk]]:
    """The disk at random instants of the time that the log covers, and at its end: (index of the operation that comes
    next, disk)."""
    disk = Disk()
    times = [each.time_us for each in log]
    instants = sorted(rng.uniform(times[0], times[-1]) for _ in range(number - 1))
    places = [*(min(bisect_left(times, instant), len(log) - 1) for instant in instants), len(log) - 1]
    at = 0
    for place in places:
        for done in log[at:place]:
            disk.take(done)
        at = place
        yield place, disk


def put(folder: Path, content: dict[str, bytes]) -> None:
    """Make a folder hold exactly these files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, data in content.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
