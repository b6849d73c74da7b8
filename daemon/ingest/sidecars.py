"""The sidecars beside our own capture files, read as they grow.

Rule 1: a sidecar is read forward once; what it said is kept in a few numbers, however long it becomes.
Rule 2: without a sidecar a file is somebody else's: it says nothing about its clock, its end or what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path

from daemon.decode.sidecar import SUFFIX, SidecarLine, parse_lines
from daemon.ingest.gaps import Gap, GapBook

_PIECE = 1 << 20  # bytes read at a time
_END = 1 << 16  # bytes of a sidecar in which its first lines stand, or its last


def sidecar_of(path: Path) -> Path:
    """Where the sidecar of a capture file lies, if it has one."""
    return path.with_name(path.name + SUFFIX)


@dataclass(slots=True)
class Sidecar:
    """What one sidecar has said so far."""

    path: Path
    opened: SidecarLine | None = None  # its first line
    last: SidecarLine | None = None
    on_disk: int = 0  # bytes of the capture file that may be read
    closed: bool = False
    offset_us: int | None = None  # what `sync` told
    kernel_drops: int = 0
    interface_drops: int = 0
    levels: tuple[int, int] = (0, 0)  # MACs that the recorder leaves out, and that it records without names
    book: GapBook = field(default_factory=GapBook)
    _position: int = 0

    def read_on(self) -> bool:
        """Take the lines that came since the last call; whether there were any. A file that is gone says nothing more."""
        heard = False
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                while True:
                    parsed = parse_lines(file.read(_PIECE))
                    if not parsed.consumed:
                        return heard
                    self._position += parsed.consumed
                    file.seek(self._position)
                    for line in parsed.lines:
                        self.take(line)
                        heard = True
        except FileNotFoundError:
            return heard

    def take(self, line: SidecarLine) -> None:
        """Take the next line."""
        if self.opened is None:
            self.opened = line
        self.last = line
        self.on_disk = max(self.on_disk, line.on_disk)
        self.kernel_drops, self.interface_drops = line.kernel_drops, line.interface_drops
        if line.event == "close":
            self.closed = True
        if line.event == "levels":
            off, bare = line.more.get("off"), line.more.get("no_names")
            self.levels = off if isinstance(off, int) else 0, bare if isinstance(bare, int) else 0
        offset = line.more.get("offset_us")
        if line.event == "sync" and isinstance(offset, int):
            self.offset_us = offset
        self.book.add(line)

    @property
    def unsynced(self) -> bool:
        """Whether nobody had set the clock when the file began."""
        return self.opened is not None and not self.opened.synced

    def gaps(self, offset_us: int) -> list[Gap]:
        """What the file lacks, in packet time."""
        return [gap.moved(offset_us) for gap in self.book.gaps]


def read_sidecar(path: Path) -> Sidecar | None:
    """All that the sidecar of a capture file says; None where it has none that can be read."""
    sidecar = _beside(path)
    if sidecar is None:
        return None
    try:
        sidecar.read_on()
    except OSError:
        return None  # it is the capture that counts, and that is read without
    return sidecar if sidecar.opened is not None else None


def read_ends(path: Path) -> Sidecar | None:
    """As `read_sidecar`, but of a long sidecar only how it began and ended: no gaps, and no sums."""
    sidecar = _beside(path)
    if sidecar is None:
        return None
    try:
        with sidecar.path.open("rb") as file:
            first = parse_lines(file.read(_END))
            size = file.seek(0, SEEK_END)
            file.seek(max(0, size - _END))
            last = parse_lines(file.read(_END))  # the line that the piece begins in is nobody's, and is passed over
    except OSError:
        return None
    for line in (*first.lines[:1], *first.lines[-1:], *last.lines):
        sidecar.take(line)
    return sidecar if sidecar.opened is not None else None


def _beside(path: Path) -> Sidecar | None:
    """The sidecar of a file, also of one that somebody packed since; nothing is opened that is no plain file."""
    unpacked = path.with_suffix("") if path.suffix == ".gz" else path
    for capture in dict.fromkeys((path, unpacked)):
        sidecar = Sidecar(sidecar_of(capture))
        if sidecar.path.is_file():
            return sidecar
    return None
