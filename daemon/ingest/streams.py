"""The two kinds of byte stream behind a capture file: as it lies on disk, and gzip.

Rule 1: offsets are offsets in the uncompressed stream, whatever lies on disk.
Rule 2: a damaged or cut gzip stream gives every byte before the damage, then ends, and `problem` says why.
Rule 3: what is decompressed at a time is bounded by the caller's buffer, so a small file cannot fill the memory.
Rule 4: nothing is mapped that somebody else may write: bytes must not change between a parser's look and its use of them.
"""

from __future__ import annotations

import os
import stat
import zlib
from importlib import import_module
from typing import Protocol

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31  # zlib's number for "with gzip header and trailer"
_READ_SIZE = 1 << 18  # compressed bytes at a time


class Stretch(Protocol):
    """Bytes of a file as they lie in the kernel's memory; see `_mapped.c`."""

    def failed(self) -> bool:
        """Whether a part of what was read of it was not there."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class PlainStream:
    """The bytes on disk, up to a limit. Several may read one open file: none moves its file position."""

    problem: str | None = None

    def __init__(self, descriptor: int, limit: int | None) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._mappable = _mappable(os.fstat(descriptor), limit)  # bytes
        self.position = 0

    def mapped(self, offset: int, size: int) -> Stretch | None:
        """So many bytes without a copy; None where they are to be read. Nothing of them is sure before `failed`."""
        if offset + size > self._mappable:
            return None
        try:
            stretch: Stretch = import_module("daemon.ingest._mapped").Stretch(self._descriptor, offset, size)
        except (ImportError, OSError):  # not built for this machine; a file system without mappings; no room for one
            self._mappable = 0
            return None
        return stretch

    def read_into(self, buf: memoryview) -> int:
        """See `Source.read_into`."""
        size = len(buf) if self._limit is None else min(len(buf), self._limit - self.position)
        if size <= 0:
            return 0
        count = os.preadv(self._descriptor, [buf[:size]], self.position)
        self.position += count
        return count

    def seek(self, offset: int) -> None:
        """See `Source.seek`."""
        self.position = offset


def _mappable(status: os.stat_result, limit: int | None) -> int:
    """How many bytes of a file may be mapped (rule 4)."""
    ours = status.st_uid in {0, os.geteuid()} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not (ours and stat.S_ISREG(status.st_mode)):
        return 0
    return status.st_size if limit is None else min(status.st_size, limit)


class GzipStream:
    """The uncompressed stream of gzip members in a row (RFC 1952 section 2.2)."""

    def __init__(self, disk: PlainStream) -> None:
        self._disk = disk
        self._rewind()

    def mapped(self, offset: int, size: int) -> None:
        """Nothing: these bytes lie nowhere."""

    def _rewind(self) -> None:
        self._disk.seek(0)
        self._member = zlib.decompressobj(_GZIP)
        self._input = b""
        self._inside = False  # a member has begun and not ended
        self._step = _READ_SIZE  # compressed bytes tried at a time: halved where there is damage among them
        self._ended = False
        self.position = 0
        self.problem: str | None = None

    def seek(self, offset: int) -> None:
        """See `Source.seek`."""
        if offset < self.position:
            self._rewind()
        scratch = memoryview(bytearray(min(offset - self.position, 1 << 20)))
        while self.position < offset and self.read_into(scratch[: offset - self.position]):
            pass

    def read_into(self, buf: memoryview) -> int:
        """See `Source.read_into`."""
        while len(buf) and not self._ended:
            if not self._input and not self._refill():
                self._end("the gzip stream is cut" if self._inside else None)
                break
            if not self._inside and not self._open_member():
                break
            data = self._inflate(len(buf))
            if data:
                buf[: len(data)] = data
                self.position += len(data)
                return len(data)
        return 0

    def _end(self, problem: str | None) -> None:
        self._ended = True
        self.problem = problem

    def _refill(self) -> bool:
        piece = bytearray(_READ_SIZE)
        self._input = bytes(piece[: self._disk.read_into(memoryview(piece))])
        return bool(self._input)

    def _open_member(self) -> bool:
        # Zeros behind a member are padding; anything else has to be another member.
        self._input = self._input.lstrip(b"\0")
        if not self._input:
            return True
        if len(self._input) == 1:
            first = self._input
            self._refill()
            self._input = first + self._input
        if not self._input.startswith(GZIP_MAGIC):
            self._end("behind the gzip stream lies something else")
            return False
        self._member = zlib.decompressobj(_GZIP)
        self._inside = True
        return True

    def _inflate(self, room: int) -> bytes:
        """At most `room` bytes from the input at hand."""
        if not self._input:
            return b""
        before = self._member.copy()
        piece = self._input[: self._step]
        try:
            data = self._member.decompress(piece, room)
        except zlib.error:
            # zlib keeps back what it made of the piece before the damage: come nearer by halves.
            if self._step == 1:
                self._end("the gzip stream is damaged")
            self._step //= 2
            self._member = before
            return b""
        if self._member.eof:
            self._inside = False
            self._input = self._member.unused_data + self._input[len(piece) :]
        else:
            self._input = self._member.unconsumed_tail + self._input[len(piece) :]
        return data
