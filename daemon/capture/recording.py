"""One capture file and its sidecar, from open to close.

Rule 1: the sidecar says nothing of the capture file that is not true already: `on_disk` follows fdatasync.
Rule 2: a line that the sidecar has no room for waits, in order, and is written when there is room again; it keeps the
        time at which it happened.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from array import array
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from daemon.capture.clock import Reading
from daemon.capture.records import Batch, Records, file_header, records_of
from daemon.capture.writer import Disk, Flusher, RecordFile, TroubleError, create
from daemon.decode.sidecar import SUFFIX, SidecarLine, Value, format_line

_TRIES = 10_000  # names of one second that are taken


@dataclass(frozen=True, slots=True)
class Begin:
    """What a file is told when it is made."""

    reading: Reading
    boot_id: str
    synced: bool
    link: int
    snaplen: int


def sidecar_of(path: Path) -> Path:
    """Where a capture file's sidecar lies."""
    return path.with_name(path.name + SUFFIX)


class Recording:
    """An open capture file. The counters are of this file: see `daemon.decode.sidecar`."""

    def __init__(self, path: Path, files: tuple[RecordFile, RecordFile], begin: Begin) -> None:
        self.path = path
        self.begin = begin
        self.synced = begin.synced
        self.on_disk = 0
        self.received = self.written = self.kernel_drops = self.interface_drops = 0
        self.noted_us = begin.reading.monotonic_us  # when the last line was made
        self.flushed_us = begin.reading.monotonic_us  # when the last flush began
        self._packets, self._notes = files
        self._waiting: list[bytes] = []
        self._flush: Future[int] | None = None
        self._flush_since_us = 0

    @classmethod
    def create(cls, folder: Path, names: Iterator[str], disk: Disk, begin: Begin) -> Recording:
        """A new file under the first name that neither a capture nor a sidecar has. OSError, TroubleError."""
        for name in itertools.islice(names, _TRIES):
            path = folder / name
            try:
                packets = RecordFile(create(path, locked=True), disk)
            except FileExistsError:
                continue
            try:
                notes = RecordFile(create(sidecar_of(path)), disk)
            except FileExistsError:
                _discard(packets, path)
                continue
            except OSError:
                _discard(packets, path)
                raise
            header = file_header(begin.link, begin.snaplen)
            try:
                packets.append(Records(header, array("Q", [len(header)])))
            except TroubleError:
                _discard(packets, path)
                _discard(notes, sidecar_of(path))
                raise
            return cls(path, (packets, notes), begin)
        raise FileExistsError(errno.EEXIST, "every name of this second is taken", str(folder))

    @property
    def size(self) -> int:
        """Bytes of the capture file so far."""
        return self._packets.size

    @property
    def descriptor(self) -> int:
        """Of the capture file."""
        return self._packets.descriptor

    @property
    def dirty(self) -> bool:
        """Whether something has been written that no fdatasync has confirmed."""
        return self._packets.size > self.on_disk

    @property
    def closed(self) -> bool:
        """Whether both files were given back."""
        return self._packets.closed

    @property
    def waiting(self) -> bool:
        """Whether lines wait for room in the sidecar."""
        return bool(self._waiting)

    def write(self, batch: Batch) -> None:
        """Append packets. Raises TroubleError, with what was written counted."""
        self.received += len(batch)
        try:
            self._packets.append(records_of(batch, self.begin.snaplen))
        except TroubleError as trouble:
            self.written += trouble.written
            raise
        self.written += len(batch)

    def note(self, event: str, now: Reading, **more: Value) -> None:
        """A line in the sidecar. Raises TroubleError where the sidecar's disk fails; a full one is waited for."""
        self.synced = self.synced or event == "sync"
        line = SidecarLine(
            event,
            now.wall_us,
            now.monotonic_us,
            self.begin.boot_id,
            self.synced,
            self.on_disk,
            self.received,
            self.written,
            self.kernel_drops,
            self.interface_drops,
            more,
        )
        self.noted_us = now.monotonic_us
        self._waiting.append(format_line(line))
        self.write_waiting()

    def write_waiting(self) -> None:
        """Bring lines that wait into the sidecar, as far as there is room. Raises TroubleError."""
        while self._waiting:
            line = self._waiting[0]
            try:
                self._notes.append(Records(line, array("Q", [len(line)])))
            except TroubleError as trouble:
                if trouble.usable:
                    return
                raise
            del self._waiting[0]

    def flush(self, flusher: Flusher, now: Reading) -> None:
        """Begin an fdatasync, unless one runs."""
        if self._flush is None:
            if self.on_disk == 0:  # from now on a power cut leaves both, and who they are
                self._flush = flusher.begin(self._packets, self._notes, folder=self.path.parent)
            else:
                self._flush = flusher.begin(self._packets)
            self.flushed_us = self._flush_since_us = now.monotonic_us

    def flushing_since_us(self) -> int | None:
        """When the fdatasync that runs was begun, by the monotonic clock."""
        return self._flush_since_us if self._flush is not None else None

    def flushed(self, *, wait: bool = False) -> bool:
        """Whether an fdatasync came to its end just now; `on_disk` is as it found it. Raises TroubleError."""
        if self._flush is None or not (wait or self._flush.done()):
            return False
        flush, self._flush = self._flush, None
        try:
            self.on_disk = max(self.on_disk, flush.result())
        except OSError as error:
            raise TroubleError(error.errno or errno.EIO) from error
        return True

    def in_place(self) -> bool:
        """Whether the file still lies under its name (somebody may have deleted or moved it)."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._packets.descriptor))
        except OSError:  # gone, or on a disk that is
            return False

    def finish(self, flusher: Flusher) -> None:
        """The last line is written: bring the sidecar to the disk, whenever that is done, and give both files back."""
        flusher.begin(self._notes)  # where it fails, the next start finds a sidecar without end and ends it
        self.close()

    def close(self) -> None:
        """Give both files back."""
        self._packets.close()
        self._notes.close()


def _discard(file: RecordFile, path: Path) -> None:
    """A file that was made a moment ago and has nothing in it."""
    file.close()
    with contextlib.suppress(OSError):
        path.unlink()
