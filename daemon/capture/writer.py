"""A file that only ever holds whole records, whatever the disk does.

Rule 1: every result of every call is looked at. A short write is continued, an interrupted one repeated; where the disk
        is full or fails, the file is cut back to its last whole record, and whoever asked learns how many are in it.
Rule 2: nothing is overwritten. A file is made with O_EXCL and grows at its end.
Rule 3: what fdatasync has not confirmed is not on disk. After a failed one nobody knows what is (Linux forgets the pages
        that it could not write), so that the file is given up and another begun.
Rule 4: fdatasync may take seconds on a memory card; it runs in a thread, and packets are written meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from daemon.capture.records import Records

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # passes when somebody frees space; the file stays usable

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_CLOSED = -1
_MODE = 0o640  # the group reads; the umask decides what else


class TroubleError(Exception):
    """The disk did not take everything. `written`: records that are in the file; `usable`: it may be continued."""

    def __init__(self, number: int, written: int = 0, *, usable: bool = False) -> None:
        super().__init__(os.strerror(number).lower())
        self.number = number
        self.written = written
        self.usable = usable

    @property
    def full(self) -> bool:
        """Whether there is no room, as opposed to a disk that fails."""
        return self.number in FULL


class Disk(Protocol):
    """The calls of the operating system that can go wrong."""

    def write(self, descriptor: int, data: memoryview) -> int:
        """As os.write."""

    def truncate(self, descriptor: int, length: int) -> None:
        """As os.ftruncate."""

    def sync(self, descriptor: int) -> None:
        """As os.fdatasync."""

    def free(self, descriptor: int) -> int:
        """Bytes that this user may still write on the disk of an open file or folder."""


class SystemDisk:
    """The calls themselves."""

    def write(self, descriptor: int, data: memoryview) -> int:
        """See os.write."""
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        """See os.ftruncate."""
        os.ftruncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        """See os.fdatasync."""
        os.fdatasync(descriptor)

    def free(self, descriptor: int) -> int:
        """See os.fstatvfs."""
        about = os.fstatvfs(descriptor)
        return about.f_bavail * about.f_frsize


def create(path: Path, *, locked: bool = False) -> int:
    """A new file's descriptor; FileExistsError if there is one. `locked`: for as long as this process has it open."""
    descriptor = os.open(path, _FLAGS, _MODE)
    if locked:
        # Without waiting, and whether or not this disk knows locks: what counts is that others can ask.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether somebody is recording into a file (or holds it for another reason). OSError where it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


class RecordFile:
    """An open file of records; `size` is where the last whole one ends."""

    def __init__(self, descriptor: int, disk: Disk, size: int = 0) -> None:
        self.descriptor = descriptor
        self.size = size
        self._disk = disk

    def append(self, records: Records) -> None:
        """Write records at the end. Raises TroubleError."""
        rest = memoryview(records.data)
        while rest:
            try:
                done = self._disk.write(self.descriptor, rest)
            except InterruptedError:
                continue
            except OSError as error:
                self._cut_back(records, len(records.data) - len(rest), error.errno or errno.EIO)
            else:
                if done <= 0:  # never seen on a disk, and would be an endless loop
                    self._cut_back(records, len(records.data) - len(rest), errno.EIO)
                rest = rest[done:]
        self.size += len(records.data)

    def _cut_back(self, records: Records, reached: int, number: int) -> None:
        written, end = records.whole(reached)
        usable = True
        try:
            self._disk.truncate(self.descriptor, self.size + end)
        except OSError:
            usable = reached == end  # nothing torn lies behind the last record, so nothing had to be cut
        self.size += end
        raise TroubleError(number, written, usable=usable and number in FULL)

    def close(self) -> None:
        """Give the descriptor back, once. A disk that complains now has complained before, at fdatasync."""
        descriptor, self.descriptor = self.descriptor, _CLOSED
        if descriptor != _CLOSED:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    @property
    def closed(self) -> bool:
        """Whether the descriptor was given back."""
        return self.descriptor == _CLOSED


class Flusher:
    """Runs fdatasync beside the recording, one at a time and in order."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._pool = ThreadPoolExecutor(1, "fdatasync")

    def begin(self, *files: RecordFile, folder: Path | None = None) -> Future[int]:
        """Bring files to the disk; the result is the size at which the first is there. `folder`: new entries in it too."""
        # Descriptors of its own: ours may be closed, and their numbers taken by other files, before the disk is done.
        return self._pool.submit(self._flush, [os.dup(file.descriptor) for file in files], files[0].size, folder)

    def _flush(self, descriptors: list[int], size: int, folder: Path | None) -> int:
        try:
            for descriptor in descriptors:
                self._disk.sync(descriptor)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if folder is not None:
            self._folder(folder)
        return size

    @staticmethod
    def _folder(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that has no such thing
                raise
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """After all that was begun."""
        self._pool.shutdown(wait=True)
