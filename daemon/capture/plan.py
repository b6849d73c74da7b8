"""What a recorder is told: where files go, how often things happen, and how it remembers that nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from daemon.capture.clock import Reading
from daemon.decode.sidecar import Value


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files go and what they are called after."""

    folder: Path
    interface: str
    zone: tzinfo
    boot_id: str
    snaplen: int
    about: Mapping[str, Value]  # for the `open` line: filter, version


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things happen; times in microseconds, sizes in bytes."""

    flush_us: int = 5_000_000
    note_us: int = 10_000_000
    retry_us: int = 5_000_000
    linger_us: int = 1_000_000  # so long the old file takes packets from before a border
    room: int = 1 << 20  # so much has to be free before a full disk is tried again
    rotate: int | None = None  # bytes after which a file ends
    floor: int = 0  # bytes that are to stay free; with less, packets are cut to `low_snaplen`, or not written at all
    low_snaplen: int = 0  # bytes of each packet; 0: recording pauses


@dataclass(slots=True)
class Pause:
    """Packets are not written."""

    why: str
    since: Reading
    tried_us: int
    lost: int = 0
    full: bool = False
