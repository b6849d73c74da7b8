"""One capture file into the database, exactly once, from wherever an earlier run left off."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from os.path import samestat
from pathlib import Path
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.ingest.decoder import Batch, CaptureDecoder
from daemon.ingest.outcome import FileOutcome
from daemon.ingest.source import RollingDigest, Source, head_identity
from daemon.store.captures import (
    Arrival,
    Known,
    add_capture,
    claim_anew,
    find_capture,
    let_wait,
    place_capture,
    read_capture,
    site_number,
)
from daemon.store.database import transaction
from daemon.store.errors import explained
from daemon.store.writer import FactWriter, Position

WAITS = "its clock was not set when it was recorded; it waits until a later file of the same boot tells the time"

_HEAD = 4 << 20  # the first record lies within it, even behind large pcapng blocks
_SERIES = re.compile(
    r"(?:\d{4}-\d\d-\d\d[_T-]\d\d[.:-]\d\d(?:[.:-]\d\d)?|unsynced-[0-9A-Za-z]+-\d+)_(?P<series>.*?)(?:_\d+)?\.(?:pcap|pcapng|cap)(?:\.gz)?$"
)


class Task(NamedTuple):
    """One file to read. `limit`: only this many bytes of it (a live file, up to what is on disk).

    `clock_offset_us` is added to every packet time; None: the file was begun before its clock was set, and nobody can
    tell yet, so that nothing is read of it.
    """

    path: Path
    site: str
    device: str | None = None
    limit: int | None = None
    final: bool = True
    clock_offset_us: int | None = 0


def series_of(path: Path) -> str:
    """The series that a file name tells: what follows the start in `YYYY-MM-DD_HH.MM.SS_<series>.pcap`, else ""."""
    match = _SERIES.search(path.name)
    return match["series"] if match else ""


def folder_device(path: Path) -> str | None:
    """The device that a layout `by-name/<device>/.../file` names."""
    parts = path.absolute().parts[:-1]
    for place in range(len(parts) - 1, 0, -1):
        if parts[place - 1] == "by-name":
            return parts[place]
    return None


def import_file(
    db: sqlite3.Connection,
    database: Path,
    task: Task,
    heard: Callable[[int, int], None] = lambda _size, _packets: None,
    hurry: Callable[[], bool] = lambda: False,
) -> FileOutcome:
    """Read one file into an open database. `heard(bytes, packets)` is told of progress, in bytes on disk.

    `hurry` is asked often whether somebody waits for the next commit, and for `heard` behind it. Raises StoreError; what
    is wrong with the file itself is in the outcome.
    """
    try:
        with Source.open(task.path, task.limit) as source:
            return _import_source(db, database, task, source, heard, hurry)
    except (OSError, DecodeError) as error:
        return _unreadable(task, error)


def continue_file(
    db: sqlite3.Connection,
    database: Path,
    task: Task,
    capture_id: int,
    heard: Callable[[int, int], None] = lambda _size, _packets: None,
    hurry: Callable[[], bool] = lambda: False,
) -> FileOutcome | None:
    """Read what came to a file that this process has read before, and that was not replaced since.

    Whoever follows a file knows that; then its bytes need not be compared with what was read of it, which for a day of
    many gigabytes takes longer than a minute's packets. None where the database says otherwise: see `import_file`.
    """
    known = read_capture(db, capture_id, str(task.path.absolute()))
    if known is None or known.state is None or known.status == "deleted":
        return None
    try:
        with Source.open(task.path, task.limit) as source:
            decoder = CaptureDecoder(source, final=task.final)
            decoder.resume(known.state)
            writer = _writer(db, database, known, decoder)
            return _read(writer, decoder, task, source, known, heard, hurry)
    except (OSError, DecodeError) as error:
        return _unreadable(task, error)


def _unreadable(task: Task, error: OSError | DecodeError) -> FileOutcome:
    reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
    return FileOutcome(task.path, "unreadable", message=reason)


def _writer(db: sqlite3.Connection, database: Path, known: Known, decoder: CaptureDecoder) -> FactWriter:
    return FactWriter(db, database, known.site_id, known.capture_id, decoder.endpoints, known.cursor, known.state)


def _import_source(
    db: sqlite3.Connection,
    database: Path,
    task: Task,
    source: Source,
    heard: Callable[[int, int], None],
    hurry: Callable[[], bool],
) -> FileOutcome:
    head = identify(source)
    if head is None:
        heard(source.size, 0)
        return FileOutcome(task.path, "empty", message="it holds no record")
    decoder = CaptureDecoder(source, final=task.final, clock_offset_us=task.clock_offset_us or 0)
    known, fresh = _find_or_add(db, database, task, source, head)
    if not fresh:
        heard(source.size, 0)
        return FileOutcome(
            task.path, "known", known.packets, known.size, 0, known.undecoded_packets, "the database has it already",
            known.capture_id,
        )  # fmt: skip
    if known.closed:
        return FileOutcome(
            task.path, "closed", known.packets, known.size, 0, known.undecoded_packets,
            "what it had before is kept as sums only, as its time is over, so the rest of it was not added",
            known.capture_id,
        )  # fmt: skip
    if known.state is not None:
        decoder.resume(known.state)
    elif task.clock_offset_us is None:
        with explained(database):
            let_wait(db, known, WAITS)
        return FileOutcome(task.path, "unsynced", message=WAITS, capture_id=known.capture_id)
    return _read(_writer(db, database, known, decoder), decoder, task, source, known, heard, hurry)


def read_anew(db: sqlite3.Connection, database: Path, task: Task, capture_id: int) -> FileOutcome | None:
    """Read a file as the bytes of a capture of which nothing is left; None where it holds no record.

    In the caller's transaction, if there is one. Raises StoreError, OSError, DecodeError.
    """
    with Source.open(task.path) as source:
        head = identify(source)
        if head is None:
            return None
        known = claim_anew(db, capture_id, head)
        decoder = CaptureDecoder(source, final=task.final, clock_offset_us=known.clock_offset_us)
        writer = _writer(db, database, known, decoder)
        return _read(writer, decoder, task, source, known, lambda _size, _packets: None)


def identify(source: Source) -> str | None:
    """The digest of header and first record, looked for in a small piece first; None if there is no record."""
    return head_identity(source.head()) or head_identity(source.head(_HEAD))


def head_of(path: Path) -> str | None:
    """`identify` for the file at `path`; None also where it cannot be read."""
    try:
        with Source.open(path) as source:
            return identify(source)
    except (OSError, DecodeError):
        return None


def _find_or_add(db: sqlite3.Connection, database: Path, task: Task, source: Source, head: str) -> tuple[Known, bool]:
    """The capture that this file is, and whether there is work: bytes that the capture lacks, or an end to be told."""
    with explained(database):
        site_id = site_number(db, task.site)
        path = task.path.absolute()
        arrival = Arrival(site_id, head, str(path), series_of(path), task.device or folder_device(path), source.size)
        digests, begins = partial(_digests, source), partial(_begins, task.path, source)
        known = find_capture(db, arrival, digests, begins)
        if known is None:
            with transaction(db):
                known = add_capture(db, arrival)
            return known, True
        if known.whole:  # what there was before it was thinned, or a part of it; nothing is added to that
            from daemon.store.kept import restored  # noqa: PLC0415  few captures were thinned

            if arrival.path == known.path and not _grown(source, known.whole):
                with transaction(db):
                    restored(db, known.capture_id, known.whole, source.size)
            return known, False
        reaches = _reaches(source, known.cursor)
        fresh = known.status != "deleted" and _grown(source, known.cursor)
        # A capture that is `live` had no last batch: its open flows are not written, or not as its end leaves them.
        ending = known.status == "live" and task.final and reaches and not known.closed
        better = arrival.path < known.path or not Path(known.path).exists()  # moved, or a copy of what is gone
        if (fresh and not known.closed) or (better and reaches):
            with transaction(db):
                place_capture(db, known.capture_id, arrival)
        return known, fresh or ending


def _begins(path: Path, source: Source, other_path: str) -> bool | None:
    """Whether the file at `other_path` begins with all bytes of this one; None if it cannot be read, or is this one."""
    try:
        if samestat(path.stat(), Path(other_path).stat()):
            return None
        with Source.open(Path(other_path)) as other:
            size = _length(source)
            ours, theirs = _digests(source, [size]), _digests(other, [size])
    except OSError:
        return None
    return ours == theirs


def _length(source: Source) -> int:
    """Bytes in the stream, however it is compressed."""
    source.seek(0)
    buf = memoryview(bytearray(1 << 20))
    while source.read_into(buf):
        pass
    return source.position


def _reaches(source: Source, cursor: int) -> bool:
    """Whether the stream has at least this many bytes."""
    return cursor == 0 or _grown(source, cursor - 1)


def _read(
    writer: FactWriter,
    decoder: CaptureDecoder,
    task: Task,
    source: Source,
    known: Known,
    heard: Callable[[int, int], None],
    hurry: Callable[[], bool] = lambda: False,
) -> FileOutcome:
    packets, told, facts = known.packets, 0, 0
    for batch in decoder.batches(hurry):
        status, error = _status(batch, task, source.problem if batch.done else None)
        if status == "unsupported":
            error = writer.most_undecoded(batch.undecoded)
        position = _position(decoder, batch, source, status, error)
        facts += batch.facts.size()
        writer.commit(batch.facts, position, batch.undecoded)
        fresh = decoder.forget_endpoints()
        if fresh is not None:
            writer.renumber(fresh)
        done = source.size if batch.done else min(source.size, position.cursor)
        heard(done - told, position.packets - packets)
        told, packets = done, position.packets
    return FileOutcome(
        task.path,
        position.status,
        position.packets,
        position.wire_bytes,
        position.packets - known.packets,
        position.undecoded_packets,
        position.error or "",
        known.capture_id,
        facts,
    )


def _grown(source: Source, cursor: int) -> bool:
    """Whether the stream goes on behind the cursor."""
    source.seek(cursor)
    return source.read_into(memoryview(bytearray(1))) > 0


def _position(decoder: CaptureDecoder, batch: Batch, source: Source, status: str, error: str | None) -> Position:
    totals = batch.totals
    return Position(
        totals.cursor,
        decoder.digest(),
        totals.packets,
        totals.bytes,
        totals.undecoded_packets,
        totals.undecoded_bytes,
        totals.first_us,
        totals.last_us,
        decoder.link_types(),
        source.size,
        status,
        error,
        decoder.state(),
        totals.clock_offset_us,
        batch.done,
    )


def _status(batch: Batch, task: Task, problem: str | None) -> tuple[str, str | None]:
    """The word for a capture's condition, and the sentence for people. All are `live` until their last batch."""
    totals = batch.totals
    more = f" (and {totals.damage - 1} more places)" if totals.damage > 1 else ""
    damage = f"{totals.error}{more}" if totals.damage else None
    if not batch.done or not task.final:
        return "live", damage
    if damage:
        return "corrupt", damage
    if batch.torn or problem:
        return "torn", problem or f"{batch.torn}: what stood before is kept"
    if totals.packets and totals.undecoded_packets == totals.packets:
        return "unsupported", None
    return "done", None


def _digests(source: Source, places: Sequence[int]) -> dict[int, str]:
    """Digests of the stream up to each of the places (ascending) that it reaches; one reading."""
    source.seek(0)
    digest = RollingDigest()
    out: dict[int, str] = {}
    buf = memoryview(bytearray(1 << 20))
    for place in places:
        while digest.position < place:
            count = source.read_into(buf[: place - digest.position])
            if not count:
                return out
            digest.update(buf[:count])
        out[place] = digest.hexdigest()
    return out
