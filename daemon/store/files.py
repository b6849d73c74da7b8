"""The capture files of a site as people meet them: which there are, what they hold, and what they lack. Reading only."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_LISTED = """
    SELECT id, path, series, link_types, status, size, packets, bytes, undecoded_packets, first_us, last_us, kernel_drops,
        interface_drops, clock_offset_us, error
    FROM capture WHERE site_id = :site AND last_us >= :since AND first_us < :until AND (first_us, id) < (:before, :number)
    ORDER BY first_us DESC, id DESC LIMIT :most
"""
_ONE = _LISTED.replace(
    "last_us >= :since AND first_us < :until AND (first_us, id) < (:before, :number)", "id = :number"
)
_SUMMED = """
    SELECT count(*), sum(size), sum(packets), sum(bytes), sum(undecoded_packets), sum(coalesce(kernel_drops, 0)),
        sum(coalesce(interface_drops, 0)), sum(status = 'deleted'), sum(status IN ('torn', 'corrupt', 'unsupported')),
        sum(status = 'unsynced'), min(first_us), max(last_us)
    FROM capture WHERE site_id = :site AND last_us >= :since AND first_us < :until
"""
_GAPS = """
    SELECT series, from_us, to_us, reason FROM capture_gap
    WHERE site_id = :site AND to_us >= :since AND from_us < :until ORDER BY from_us DESC LIMIT :most
"""
_LAST = 1 << 62


class CaptureFile(NamedTuple):
    """One file. Times in microseconds, UTC; drops are None where nobody counted them."""

    capture_id: int
    path: str
    series: str
    link_types: str
    status: str  # as in the view `captures`
    size: int
    packets: int
    bytes: int
    undecoded_packets: int
    first_us: int
    last_us: int
    kernel_drops: int | None
    interface_drops: int | None
    clock_offset_us: int
    error: str | None

    @property
    def drops(self) -> int:
        """Packets that never reached the file, as far as that was counted."""
        return (self.kernel_drops or 0) + (self.interface_drops or 0)


class FileSums(NamedTuple):
    """What the files of a span come to. A file that is only touched by the span counts whole."""

    files: int
    size: int
    packets: int
    bytes: int
    undecoded_packets: int
    kernel_drops: int
    interface_drops: int
    deleted: int
    damaged: int
    unsynced: int
    first_us: int | None
    last_us: int | None


class Gap(NamedTuple):
    """A stretch in which nothing was recorded."""

    series: str
    from_us: int
    to_us: int
    reason: str


def read_files(
    db: sqlite3.Connection, site_id: int, since_us: int, until_us: int, most: int, before: tuple[int, int] | None = None
) -> list[CaptureFile]:
    """The files with packets of a span, the newest first; `before` (first_us, capture_id) of the last one of a page."""
    first_us, number = before or (_LAST, _LAST)
    asked = {"site": site_id, "since": since_us, "until": until_us, "most": most, "before": first_us, "number": number}
    return [CaptureFile(*row) for row in db.execute(_LISTED, asked)]


def read_file(db: sqlite3.Connection, site_id: int, capture_id: int) -> CaptureFile | None:
    """One of them."""
    row = db.execute(_ONE, {"site": site_id, "number": capture_id, "most": 1}).fetchone()
    return CaptureFile(*row) if row else None


def sum_files(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> FileSums:
    """All files with packets of a span, summed."""
    row = db.execute(_SUMMED, {"site": site_id, "since": since_us, "until": until_us}).fetchone()
    return FileSums(*(number or 0 for number in row[:10]), *row[10:])


def read_gaps(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int, most: int) -> list[Gap]:
    """Where recordings of a span have gaps, the newest first."""
    rows = db.execute(_GAPS, {"site": site_id, "since": since_us, "until": until_us, "most": most})
    return [Gap(*row) for row in rows]
