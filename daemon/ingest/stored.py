"""The recordings of a folder as the disk budget sees them: how large, how old, written to, read.

Rule 1: only what our recorder made counts: its name, and a sidecar beside it. What somebody else has put into the folder,
        or moved into a folder inside it, is theirs.
Rule 2: whether a file is read is what the database says of it; whether it is written to, what its sidecar and lock say.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from daemon.decode.pcap import FILE_HEADER
from daemon.decode.sidecar import SidecarLine, parse_lines
from daemon.ingest.budget import READ, UNREAD, WRITTEN, Stored
from daemon.ingest.capture_file import series_of
from daemon.ingest.sidecars import sidecar_of
from daemon.store.kept import LET_GO, Standing, read_standings

_HEAD, _TAIL = 1 << 14, 1 << 14  # bytes of a sidecar in which its first and its last lines lie
_BLOCK = 512  # of st_blocks
_SUFFIX = ".pcap"
_UNDER_WAY = ("live", "unsynced")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One of our files. Times as its sidecar has them; `dated`: they are right, or were set right."""

    path: Path
    series: str
    length: int  # of the capture file
    size: int  # on the disk, with the sidecar
    begun_us: int
    ended_us: int
    dated: bool
    closed: bool
    locked: bool
    place: tuple[int, str]  # among those of its series
    shape: tuple[int, ...]  # of file and sidecar: as long as it stays the same, so does all of this


def find_recorded(folder: Path, before: Iterable[Recorded] = ()) -> list[Recorded]:
    """Our files in a folder (not in folders inside it). Raises OSError where it cannot be read.

    `before` is what was found the last time: a file that was closed then, and did not change, is not opened again.
    """
    found = []
    closed = {each.path: each for each in before if each.closed}
    for path in sorted(folder.iterdir()):
        if path.suffix != _SUFFIX or path.name.startswith(".") or not series_of(path):
            continue
        try:
            recorded = _recorded(path, closed.get(path))
        except (FileNotFoundError, PermissionError):
            continue  # gone meanwhile, without a sidecar, or somebody else's
        if recorded is not None:
            found.append(recorded)
    return found


def find_stored(db: sqlite3.Connection, folder: Path, before: Iterable[Recorded] = ()) -> list[tuple[Stored, Recorded]]:
    """All that the budget has to know of a folder; see `find_recorded`. Raises OSError; sqlite3.Error as it comes."""
    recorded = find_recorded(folder, before)
    known = read_standings(db, [str(each.path.absolute()) for each in recorded])
    newest = {each.series: each.path for each in sorted(recorded, key=lambda each: each.place)}
    found = []
    for each in recorded:
        standing = known.get(str(each.path.absolute()))
        state = _state(each, standing, newest=newest[each.series] == each.path)
        thin, let_go = standing is not None and standing.thin, standing is not None and standing.status == LET_GO
        found.append((Stored(each.path, each.size, each.ended_us if each.dated else None, state, thin, let_go), each))
    return found


def _state(file: Recorded, known: Standing | None, *, newest: bool) -> str:
    if not file.closed and (newest or file.locked):
        return WRITTEN
    if known is None:
        return READ if file.length <= FILE_HEADER else UNREAD  # without a packet there is nothing to read
    if known.status == LET_GO:
        return READ
    return READ if known.status not in _UNDER_WAY and known.size == file.length else UNREAD


def _recorded(path: Path, before: Recorded | None) -> Recorded | None:
    status, sidecar = path.stat(), sidecar_of(path)
    beside = sidecar.stat()
    shape = (status.st_ino, status.st_size, status.st_mtime_ns, beside.st_ino, beside.st_size, beside.st_mtime_ns)
    if before is not None and before.shape == shape:
        return before
    with sidecar.open("rb") as file:
        first = parse_lines(file.read(_HEAD)).lines[:1]
        file.seek(max(0, beside.st_size - _TAIL))
        last = parse_lines(file.read(_TAIL)).lines
    if not first:
        return None
    offset_us = 0 if first[0].synced else _told(last)
    ended = [line.time_us for line in last if line.event != "sync"][-1:] or [first[0].time_us]
    return Recorded(
        path,
        series_of(path),
        status.st_size,
        (status.st_blocks + beside.st_blocks) * _BLOCK,
        first[0].time_us + (offset_us or 0),
        ended[0] + (offset_us or 0),
        offset_us is not None,
        any(line.event == "close" for line in last),
        _is_locked(path),
        (status.st_mtime_ns, path.name),
        shape,
    )


def _told(lines: tuple[SidecarLine, ...]) -> int | None:
    """What has to be added to the times of a file that began before its clock was set."""
    said = [offset for line in lines if line.event == "sync" and isinstance(offset := line.more.get("offset_us"), int)]
    return said[-1] if said else None


def _is_locked(path: Path) -> bool:
    """Whether its recorder has it open."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
