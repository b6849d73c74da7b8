"""What a start, or the moment in which the clock is set, owes to the files that are there already.

Rule 1: capture files are not touched. A sidecar gains lines at its end and loses none.
Rule 2: a file that somebody still writes is left alone: its writer holds a lock, which a kill releases.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from daemon.capture import names
from daemon.capture.clock import Clock, Reading
from daemon.capture.recording import sidecar_of
from daemon.capture.writer import is_locked
from daemon.decode.sidecar import SidecarLine, format_line, parse_lines

_TAIL = 1 << 16  # bytes: the last line of a sidecar lies in them
_HEAD = 1 << 14


class BusyError(Exception):
    """Another process records this interface into this folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is being written by another process")
        self.path = path


def recover(folder: Path, interface: str, clock: Clock) -> list[Path]:
    """All that a start owes; the files that nobody had closed. OSError, BusyError."""
    now = clock.read()
    closed = close_unfinished(folder, interface, clock.boot_id, now)
    if clock.synced():
        date_undated(folder, interface, clock.boot_id, now)
    return closed


def unfinished(folder: Path, interface: str) -> Iterator[tuple[Path, SidecarLine]]:
    """Files of an interface whose recorder did not come to close them, with the last line of their sidecar."""
    for path in sorted(folder.iterdir()):
        if names.is_of(path.name, interface) and sidecar_of(path).is_file():
            last = _last_line(sidecar_of(path))
            if last is not None and last.event != "close" and not (last.event == "sync" and _closed(sidecar_of(path))):
                yield path, last


def close_unfinished(folder: Path, interface: str, boot_id: str, now: Reading) -> list[Path]:
    """Say of every file that a kill or a power cut left open that it is complete now. OSError, BusyError."""
    closed = []
    for path, last in unfinished(folder, interface):
        if is_locked(path):
            raise BusyError(path)
        size = _settled_size(path)
        line = replace(
            last,
            event="close",
            time_us=now.wall_us,
            monotonic_us=now.monotonic_us,
            boot_id=boot_id,
            on_disk=size,
            more={"reason": "killed"},
        )
        _append(sidecar_of(path), line)
        closed.append(path)
    return closed


def date_undated(folder: Path, interface: str, boot_id: str, now: Reading, but: Path | None = None) -> list[Path]:
    """Tell every file of this boot that began before the clock was set what has to be added to its times. OSError.

    `now`: both clocks, after the clock was set. `but`: a file whose writer says so itself.
    """
    dated = []
    for path in sorted(folder.iterdir()):
        if path == but or not names.is_undated(path.name, boot_id, interface) or not sidecar_of(path).is_file():
            continue
        first = parse_lines(_read(sidecar_of(path), 0, _HEAD)).lines[:1]
        tail = _tail(sidecar_of(path))
        if not first or not tail or any(line.event == "sync" for line in tail):
            continue
        offset_us = now.anchor_us - (first[0].time_us - first[0].monotonic_us)
        line = replace(
            tail[-1],
            event="sync",
            time_us=now.wall_us,
            monotonic_us=now.monotonic_us,
            synced=True,
            more={"offset_us": offset_us},
        )
        _append(sidecar_of(path), line)
        dated.append(path)
    return dated


def was_synced(folder: Path, interface: str, boot_id: str) -> bool:
    """Whether a file of this boot says that the clock had been set."""
    newest = sorted(
        (path for path in folder.iterdir() if names.is_of(path.name, interface) and sidecar_of(path).is_file()),
        key=lambda path: sidecar_of(path).stat().st_mtime_ns,
    )
    last = _last_line(sidecar_of(newest[-1])) if newest else None
    return last is not None and last.synced and last.boot_id == boot_id


def _settled_size(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # a kill leaves what was written in memory; a line must not say more than the disk holds
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _last_line(sidecar: Path) -> SidecarLine | None:
    tail = _tail(sidecar)
    return tail[-1] if tail else None


def _closed(sidecar: Path) -> bool:
    return any(line.event == "close" for line in _tail(sidecar))


def _tail(sidecar: Path) -> tuple[SidecarLine, ...]:
    """The last lines; where the piece begins inside a line, the rest of that one is passed over as torn."""
    size = sidecar.stat().st_size
    return parse_lines(_read(sidecar, max(0, size - _TAIL), _TAIL)).lines


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _append(sidecar: Path, line: SidecarLine) -> None:
    """One line, behind whatever a kill or a power cut has left without an end."""
    with sidecar.open("rb+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        torn = size > 0 and file.read(1) != b"\n"
        file.seek(size)
        data = (b"\n" if torn else b"") + format_line(line)
        if file.write(data) != len(data):
            file.truncate(size)  # as it was; the next start says it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(sidecar))
        os.fdatasync(file.fileno())
