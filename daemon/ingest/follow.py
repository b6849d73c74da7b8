"""The capture files of a folder, as somebody who follows them sees them: which there are, and how far each may be read.

Rule 1: a file beside which a sidecar lies is ours: while it is live it is read up to what is on the disk, and as a whole
        when it is closed, or when its series goes on in a later file.
Rule 2: any other file is somebody else's: it is read to its end, and ends when it has been quiet for a while.
Rule 3: a file that cannot be read is set aside with the reason until it changes; the others do not wait for it.
Rule 4: looking costs little: finished files are looked at again only when the folder changes, or once in a while.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from daemon.decode.sidecar import SUFFIX
from daemon.ingest.capture_file import series_of
from daemon.ingest.sidecars import Sidecar, sidecar_of

QUIET_S = 30.0  # seconds after which somebody else's file has ended
_AGAIN_S = 60.0  # seconds between two looks at files that are finished


@dataclass(frozen=True, slots=True)
class Shape:
    """What tells that a file is another, or has changed."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    def replaced(self, before: Shape) -> bool:
        """Whether this is no longer the file of which `before` was the beginning."""
        return (self.device, self.inode) != (before.device, before.inode) or self.size < before.size


@dataclass(slots=True)
class Followed:
    """One file, and how far it is read. Times are of the clock that nobody sets, seconds."""

    path: Path
    shape: Shape
    series: str
    noticed_s: float  # since when bytes are unread
    changed_s: float
    sidecar: Sidecar | None = None
    read: int = 0  # bytes of the file on disk that were offered for reading
    ended: bool = False  # read as a finished file
    capture_id: int | None = None
    aside: str | None = None  # why it cannot be read as it is
    waits: bool = False  # for a clock
    superseded: bool = False  # its series goes on in a later file
    clock_offset_us: int | None = 0
    met: bool = False  # the database was asked whether it knows the file

    @property
    def finished(self) -> bool:
        """Whether no more will come, as far as can be told."""
        return self.sidecar is not None and (self.sidecar.closed or self.superseded)

    @property
    def readable(self) -> int:
        """Bytes that may be read now."""
        if self.sidecar is None or self.finished:
            return self.shape.size
        return min(self.shape.size, self.sidecar.on_disk)

    @property
    def pending(self) -> int:
        """Bytes that may be read and were not."""
        return 0 if self.aside is not None or self.waits else max(0, self.readable - self.read)

    def over(self, now_s: float, *, at_once: bool) -> bool:
        """Whether what there is, is all there will be."""
        if self.sidecar is not None:
            return self.finished
        return at_once or now_s - self.changed_s >= QUIET_S


@dataclass(slots=True)
class Folder:
    """All capture files below one folder."""

    path: Path
    files: dict[Path, Followed] = field(default_factory=dict)
    _looked_s: float = float("-inf")
    _folders: dict[Path, int] = field(default_factory=dict)  # folder -> its mtime when it was listed

    def look(self, now_s: float) -> None:
        """Bring the files up to date. Raises OSError where the folder itself cannot be read."""
        if now_s - self._looked_s >= _AGAIN_S or self._changed():
            self._looked_s = now_s
            self._list(now_s)
        else:
            for file in list(self.files.values()):
                if not file.ended or file.aside is not None:
                    self._see(file.path, now_s)
        for file in self.files.values():
            if file.sidecar is not None and not file.ended:
                file.sidecar.read_on()
        self._supersede()

    def waiting(self) -> list[Followed]:
        """Files with unread bytes, or with an end that was not told yet, the oldest first."""
        found = [file for file in self.files.values() if file.pending or not (file.ended or file.aside or file.waits)]
        return sorted(found, key=lambda file: (file.shape.mtime_ns, str(file.path)))

    def of_series(self) -> Iterator[list[Followed]]:
        """Our own files, series by series, in order of time."""
        series: dict[str, list[Followed]] = {}
        for file in self.files.values():
            if file.sidecar is not None and file.sidecar.opened is not None:
                series.setdefault(file.series, []).append(file)
        for some in series.values():
            yield sorted(some, key=_begun)

    def _changed(self) -> bool:
        return any(_mtime(folder) != mtime for folder, mtime in self._folders.items()) or not self._folders

    def _list(self, now_s: float) -> None:
        self._folders = {self.path: self.path.stat().st_mtime_ns}
        there = set()
        waiting = [self.path]
        while waiting:
            for entry in _entries(waiting.pop()):
                if entry.name.startswith(".") or entry.name.endswith(SUFFIX):
                    continue
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    self._folders[path] = _mtime(path)
                    waiting.append(path)
                else:
                    there.add(path)
                    self._see(path, now_s)
        for path in self.files.keys() - there:
            del self.files[path]

    def _see(self, path: Path, now_s: float) -> None:
        try:
            status = path.stat()
        except OSError:
            self.files.pop(path, None)  # gone, or not ours to see; a folder that cannot be read is said elsewhere
            return
        if not stat.S_ISREG(status.st_mode):
            return
        shape = Shape(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        file = self.files.get(path)
        if file is None or shape.replaced(file.shape):
            self.files[path] = Followed(path, shape, series_of(path), now_s, now_s, _sidecar(path))
            return
        if shape != file.shape:
            if not file.pending:
                file.noticed_s = now_s
            if file.aside is not None:
                file.read, file.aside = 0, None
            file.shape, file.changed_s = shape, now_s
            file.ended = file.ended and shape.size <= file.read
        if file.sidecar is None:
            file.sidecar = _sidecar(path)

    def _supersede(self) -> None:
        for files in self.of_series():
            for place, file in enumerate(files):
                file.superseded = place < len(files) - 1


def _begun(file: Followed) -> tuple[int, int, str]:
    """Order of our files: within a boot by the clock that nobody sets, boots by the wall clock of their files."""
    opened = file.sidecar.opened if file.sidecar else None
    if opened is None:
        return 0, 0, file.path.name
    return opened.time_us + (file.clock_offset_us or 0), opened.monotonic_us, file.path.name


def _sidecar(path: Path) -> Sidecar | None:
    sidecar = Sidecar(sidecar_of(path))
    return sidecar if sidecar.path.is_file() else None


def _entries(folder: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _mtime(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return -1
