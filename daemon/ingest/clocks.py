"""When a file was recorded that began before somebody had set the clock.

Rule 1: the monotonic clock of one boot tells how far apart two moments were; a moment at which the wall clock was set
        gives it to all others of that boot.
Rule 2: a file's offset is decided once, before its first packet is read, and holds for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from daemon.decode.sidecar import SidecarLine
from daemon.ingest.sidecars import Sidecar

_FARTHEST_US = (1 << 32) * 1_000_000  # what the seconds of a packet record can tell


def anchors(lines: Iterable[SidecarLine]) -> dict[str, int]:
    """Boot id -> wall clock minus monotonic clock, of the lines whose clock was set."""
    return {line.boot_id: line.time_us - line.monotonic_us for line in lines if line.synced and line.monotonic_us}


def offset_of(sidecar: Sidecar, known: Mapping[str, int]) -> int | None:
    """What to add to the packet times of a file, microseconds; None while nobody can tell.

    0 where its clock was set. `known` are `anchors` of other files.
    """
    opened = sidecar.opened
    if opened is None or opened.synced:
        return 0
    if sidecar.offset_us is not None:
        return _believed(sidecar.offset_us)
    set_later = anchors([sidecar.last]) if sidecar.last is not None else {}
    anchor = set_later.get(opened.boot_id, known.get(opened.boot_id))
    if anchor is None or not opened.monotonic_us:
        return None
    return _believed(anchor - (opened.time_us - opened.monotonic_us))


def _believed(offset_us: int) -> int | None:
    """None for what no clock can have been wrong by: somebody made that sidecar up."""
    return offset_us if abs(offset_us) < _FARTHEST_US else None
