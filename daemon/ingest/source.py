"""Capture files as streams of bytes: plain or gzip, found among what a person names, known by their content.

Rule 1: offsets are offsets in the uncompressed stream, whatever lies on disk.
Rule 2: a file that cannot be read raises as the operating system says it.
Rule 3: a digest is the same however the bytes were cut into pieces, and goes on from a stored state.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import xxhash

from daemon.decode.cursor import DecodeError
from daemon.decode.framing import first_record_end, open_scanner
from daemon.ingest.streams import GZIP_MAGIC, GzipStream, PlainStream, Stretch

HEAD_SIZE = 65_536
BLOCK_SIZE = 4 << 20  # of the digest

SIDECAR = ".meta.jsonl"  # ends the name of what our recorder notes beside a capture


class Source:
    """One capture file, read forward in large pieces. A context manager."""

    def __init__(self, file: BinaryIO, limit: int | None) -> None:
        self._file = file
        self._limit = limit
        self.size = os.fstat(file.fileno()).st_size  # bytes on disk
        magic = bytearray(2)
        self._disk().read_into(memoryview(magic))
        self.compressed = magic == GZIP_MAGIC
        self._stream = self._open_stream()

    @classmethod
    def open(cls, path: Path, limit: int | None = None) -> Source:
        """The file at `path`, of which only the first `limit` bytes (on disk) are read. Raises OSError as it comes."""
        file = path.open("rb", buffering=0)
        try:
            return cls(file, limit)
        except OSError:
            file.close()
            raise

    def _disk(self) -> PlainStream:
        return PlainStream(self._file.fileno(), self._limit)

    def _open_stream(self) -> PlainStream | GzipStream:
        return GzipStream(self._disk()) if self.compressed else self._disk()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    @property
    def problem(self) -> str | None:
        """Why a compressed stream ended early, for people; None while it did not."""
        return self._stream.problem

    @property
    def position(self) -> int:
        """Offset of the next byte in the uncompressed stream."""
        return self._stream.position

    def head(self, size: int = HEAD_SIZE) -> bytes:
        """The first `size` bytes of the uncompressed stream, or all there are; reading goes on where it was."""
        stream = self._open_stream()
        buf = memoryview(bytearray(size))
        filled = 0
        while filled < size and (count := stream.read_into(buf[filled:])):
            filled += count
        return bytes(buf[:filled])

    def read_into(self, buf: memoryview) -> int:
        """Puts the next bytes of the uncompressed stream into `buf`; how many, 0 only at the end or at the limit."""
        return self._stream.read_into(buf)

    def mapped(self, offset: int, size: int) -> Stretch | None:
        """See `streams.PlainStream.mapped`."""
        return self._stream.mapped(offset, size)

    def seek(self, offset: int) -> None:
        """Goes to an offset of the uncompressed stream; a compressed one is decompressed up to there."""
        self._stream.seek(offset)


def find_captures(paths: Iterable[Path | str]) -> tuple[list[Path], list[tuple[str, str]]]:
    """The capture files that `paths` name: files, folders with all below them, and patterns the shell left alone.

    Files in folders count by their first bytes, in natural order (`9` before `10`); hidden ones and sidecars do not.
    The second list is (what, why) for people: not there, not readable, no capture.
    """
    found: dict[Path, None] = {}
    problems: list[tuple[str, str]] = []
    for name in map(str, paths):
        matches = [name]
        if not os.path.lexists(name) and glob.has_magic(name):
            matches = sorted(glob.glob(name, recursive=True), key=_natural)  # noqa: PTH207  Path.glob needs its folder apart
        if not matches:
            problems.append((name, "nothing matches"))
        for match in matches:
            _find(Path(match), found, problems)
    return list(found), problems


def _find(path: Path, found: dict[Path, None], problems: list[tuple[str, str]]) -> None:
    try:
        if path.is_dir():
            before = len(found), len(problems)
            found.update(dict.fromkeys(_below(path, problems)))
            if before == (len(found), len(problems)):
                problems.append((str(path), "no capture files in it"))
        elif not path.name.endswith(SIDECAR):
            problem = _why_not(path)
            if problem:
                problems.append((str(path), problem))
            else:
                found[path] = None
    except OSError as error:
        problems.append((str(path), _sentence(error)))


def _below(folder: Path, problems: list[tuple[str, str]]) -> Iterator[Path]:
    """Capture files in a folder and the folders in it, each once, however links lead."""
    waiting = [folder]
    seen: set[tuple[int, int]] = set()
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if stat.S_ISDIR(status.st_mode):
                entries = sorted(
                    (entry for entry in path.iterdir() if _wanted(entry)), key=lambda entry: _natural(entry.name)
                )
                waiting.extend(reversed(entries))
            elif not _why_not(path):
                yield path
        except OSError as error:
            problems.append((str(path), _sentence(error)))


def _wanted(entry: Path) -> bool:
    return not entry.name.startswith(".") and not entry.name.endswith(SIDECAR)


def _why_not(path: Path) -> str:
    """Why a path is no capture file, "" where it is one. Raises OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        return "not a file"  # opening a pipe would wait for its writer
    with Source.open(path) as source:
        try:
            open_scanner(source.head(4096))
        except DecodeError as error:
            source.read_into(memoryview(bytearray(4096)))  # what a broken gzip stream gives says less than its problem
            return source.problem or str(error)
    return ""


def _sentence(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A sort key under which numbers within names count by value."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", name)]


class RollingDigest:
    """Content identity of a stream up to a cursor, quick enough for every byte.

    Blocks of 4 MiB are hashed with XXH3-128 and their digests chained, from 32 zero bytes: chain = SHA-256(chain before
    + block digest). XXH3 is no cryptographic hash: this tells copies apart, not forgeries.
    """

    def __init__(self) -> None:
        self._chain = bytes(32)
        self._block = xxhash.xxh3_128()
        self._filled = 0  # of the block
        self._whole = 0  # bytes in whole blocks

    @property
    def position(self) -> int:
        """Bytes taken so far."""
        return self._whole + self._filled

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Takes the next bytes of the stream."""
        view = memoryview(data)
        while view.nbytes:
            piece = view[: BLOCK_SIZE - self._filled]
            self._block.update(piece)
            self._filled += len(piece)
            if self._filled == BLOCK_SIZE:
                self._chain = self._chained()
                self._block.reset()
                self._whole += BLOCK_SIZE
                self._filled = 0
            view = view[len(piece) :]

    def copy(self) -> RollingDigest:
        """One that goes on from here by itself."""
        other = RollingDigest()
        other._chain, other._block = self._chain, self._block.copy()
        other._filled, other._whole = self._filled, self._whole
        return other

    def _chained(self) -> bytes:
        return hashlib.sha256(self._chain + self._block.digest()).digest()

    def hexdigest(self) -> str:
        """The identity of the bytes so far; more may follow."""
        return (self._chained() if self._filled else self._chain).hex()

    def state(self) -> dict[str, Any]:
        """JSON-able: the chain and the position of the last whole block; for `restore`."""
        return {"chain": self._chain.hex(), "position": self._whole}

    @classmethod
    def restore(cls, state: dict[str, Any], partial: bytes | bytearray | memoryview) -> RollingDigest:
        """Goes on from `state`; `partial` are the stream's bytes from the state's position to where it was taken."""
        digest = cls()
        digest._chain = bytes.fromhex(state["chain"])
        digest._whole = int(state["position"])
        digest.update(partial)
        return digest


def head_identity(head: bytes) -> str | None:
    """SHA-256 (hex) of a capture file's bytes up to the end of its first frame; None where there is no record.

    Raises DecodeError where the bytes are no capture file's. See `framing.first_record_end` for how many it takes.
    """
    end = first_record_end(head)
    return None if end is None else hashlib.sha256(head[:end]).hexdigest()
