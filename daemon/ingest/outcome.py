"""What an import tells the person who asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol


class FileOutcome(NamedTuple):
    """What became of one file. `packets` and `bytes` are the capture's, `new_packets` those of this run."""

    path: Path
    status: str  # done, torn, corrupt, unsupported, known, empty, unreadable, live, unsynced, closed
    packets: int = 0
    bytes: int = 0
    new_packets: int = 0
    undecoded_packets: int = 0
    message: str = ""  # one sentence where there is something to say
    capture_id: int | None = None  # of the capture that the file is; None where nothing of it is in the database
    facts: int = 0  # rows written in this run, about


class Summary(NamedTuple):
    """What an import did, over all its files; devices, flows and names are the database's, of this site."""

    files: tuple[FileOutcome, ...]
    packets: int
    bytes: int
    devices: int
    flows: int
    names: int
    undecoded_packets: int
    undecoded: tuple[tuple[str, int], ...]  # why, packets
    set_aside: tuple[tuple[str, str], ...]  # what, why


class Progress(Protocol):
    """Hears how an import goes on."""

    def started(self, files: int, size: int) -> None:
        """So many files of so many bytes on disk will be read."""

    def advanced(self, path: Path, done_bytes: int, packets: int) -> None:
        """Bytes and packets read since the last call."""

    def finished(self, outcome: FileOutcome) -> None:
        """One file is done."""


class Silent:
    """Nobody listens."""

    def started(self, files: int, size: int) -> None:
        """Nothing."""

    def advanced(self, path: Path, done_bytes: int, packets: int) -> None:
        """Nothing."""

    def finished(self, outcome: FileOutcome) -> None:
        """Nothing."""
