"""The capture files: when each begins and ends, what it holds, and what was lost or could not be understood.

Rule: a file that the span only touches counts whole.
"""

from __future__ import annotations

from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, size_words
from daemon.store.files import CaptureFile, read_files

_MOST = 20_000  # files: half a lifetime of days
_COLUMNS = (
    Column("file", "File"),
    Column("series", "Interface"),
    Column("first_us", "From", TIME),
    Column("last_us", "To", TIME),
    Column("packets", "Packets", COUNT),
    Column("bytes", "Data", SIZE),
    Column("size", "Size", SIZE),
    Column("lost", "Lost", COUNT),
    Column("undecoded", "Not understood", COUNT),
    Column("status", "State"),
    Column("error", "What is wrong"),
)


def report(scope: Scope) -> Report:
    """One row a file, the newest first."""
    files = read_files(scope.db, scope.site_id, scope.span.since_us, scope.span.until_us, _MOST)
    if not files:
        return Report("Captures", _COLUMNS, (), ("Nothing was recorded in this time.",))
    octets, packets = sum(each.bytes for each in files), sum(each.packets for each in files)
    said = f"{counted(len(files), 'file')} with {counted(packets, 'packet')}, {size_words(octets)}."
    return Report("Captures", _COLUMNS, tuple(_row(each) for each in files), (said,))


def _row(file: CaptureFile) -> tuple[object, ...]:
    counts = file.kernel_drops is not None or file.interface_drops is not None
    return (
        file.path.rpartition("/")[2], file.series, file.first_us, file.last_us, file.packets, file.bytes, file.size,
        file.drops if counts else None, file.undecoded_packets, file.status, file.error,
    )  # fmt: skip
