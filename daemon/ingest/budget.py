"""Which captures go when room is short: a plan made of numbers, for others to carry out.

Rule 1: the oldest go first, and no more of them than have to.
Rule 2: never one that is being written. One that was not read goes for the floor alone, and when no other is left.
Rule 3: ages count from the newest recording and never from the clock of the wall: a clock that is wrong deletes nothing,
        and in a folder that ends last year nothing is too old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WRITTEN, UNREAD, READ = "written", "unread", "read"
AGE, BYTES, FLOOR = "age", "bytes", "floor"

_FLOOR_SHARE = 10  # of a small disk the floor is at most a tenth
_BALLAST_SHARE = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A recording of ours. Bytes are those on the disk, with the sidecar; `ended_us` None: nobody can tell when."""

    path: Path
    size: int
    ended_us: int | None
    state: str  # WRITTEN, UNREAD, READ
    thin: bool = False
    let_go: bool = False  # the database takes it for given up: somebody has put it back, or was interrupted


@dataclass(frozen=True, slots=True)
class Limits:
    """What captures may take. None: no such limit; `gives_up`: whether any may go for the floor."""

    most_bytes: int | None = None
    age_us: int | None = None
    floor: int = 0
    gives_up: bool = True
    thin_age_us: int | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """A capture that goes, and why: AGE, BYTES, FLOOR."""

    file: Stored
    why: str

    @property
    def unread(self) -> bool:
        """Whether what is in it was never read."""
        return self.file.state == UNREAD


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, in this order. `over`, `short`: bytes that limit and floor are still missed by afterwards."""

    going: tuple[Going, ...] = ()
    over: int = 0
    short: int = 0


def plan(files: Iterable[Stored], limits: Limits, free: int) -> Plan:
    """What has to go so that the limits hold; `free` are the bytes that the disk has left."""
    kept = sorted(files, key=_age)
    old = _too_old(kept, limits.age_us)
    going: dict[Path, Going] = {file.path: Going(file, AGE) for file in old if file.state == READ}
    rest = [file for file in kept if file.path not in going]
    over = max(0, sum(file.size for file in rest) - limits.most_bytes) if limits.most_bytes is not None else 0
    over = _take(rest, READ, over, BYTES, going)
    short = max(0, limits.floor - free - sum(each.file.size for each in going.values()))
    if limits.gives_up:
        short = _take(rest, READ, short, FLOOR, going)
        short = _take(rest, UNREAD, short, FLOOR, going)
    return Plan(tuple(going.values()), over, short)


def to_be_thinned(files: Iterable[Stored], limits: Limits) -> list[Stored]:
    """Captures that are old enough to keep no more than the beginnings of their flows, the oldest first."""
    old = _too_old(sorted(files, key=_age), limits.thin_age_us)
    return [file for file in old if file.state == READ and not file.thin]


def _take(files: list[Stored], state: str, wanted: int, why: str, going: dict[Path, Going]) -> int:
    """Let the oldest of a state go until so many bytes are won; the bytes that are still wanted."""
    for file in files:
        if wanted <= 0:
            break
        if file.state == state and file.path not in going:
            going[file.path] = Going(file, why)
            wanted -= file.size
    return max(0, wanted)


def _too_old(files: list[Stored], age_us: int | None) -> list[Stored]:
    newest = max((file.ended_us for file in files if file.ended_us is not None), default=None)
    if age_us is None or newest is None:
        return []
    return [file for file in files if file.ended_us is not None and file.ended_us < newest - age_us]


def _age(file: Stored) -> tuple[bool, int, str]:
    """Order of age; what has no time was begun before the clock was set, lately as a rule."""
    return file.ended_us is None, file.ended_us or 0, file.path.name


def floor_of(wanted: int, total: int) -> int:
    """The bytes that are to stay free on a disk of this size."""
    return min(wanted, total // _FLOOR_SHARE)


def ballast_of(wanted: int, total: int) -> int:
    """The bytes of the file that is given up first, on a disk of this size."""
    return min(wanted, total // _BALLAST_SHARE)
