"""An old capture made thinner: the beginning of every flow stays whole, of the rest the headers and how long it was.

Rule 1: every record stays, with its time and its true length; what is cut is payload of TCP and UDP.
Rule 2: names stay: DNS, DHCP and what devices announce of themselves are never cut, and neither is what begins a flow.
Rule 3: only the very bytes that the database has read are thinned; its facts stay as they are.
Rule 4: the thin file lies beside the old one, complete and on the disk, before the database knows of it, and takes its
        place after (`replacement`): interrupted anywhere, one of the two is there, and the database knows which.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from daemon.decode.columns import SPARE, Columns, decode_columns
from daemon.decode.cursor import DecodeError
from daemon.decode.fragments import Fragments
from daemon.decode.framing import LOOKAHEAD, Records, open_scanner
from daemon.decode.packet import ACK, IP, SYN, TCP, UDP
from daemon.decode.pcap import FILE_HEADER
from daemon.decode.sketch import Block
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.source import RollingDigest, Source
from daemon.store.blocks import read_blocks
from daemon.store.database import transaction
from daemon.store.errors import explained
from daemon.store.kept import Standing, Thinned, thinned
from daemon.store.replacements import add_replacement

_ORDERS = {b"\xd4\xc3\xb2\xa1": "<u4", b"\xa1\xb2\xc3\xd4": ">u4"}  # what our recorder writes, on any machine
_RECORD = 16
_WINDOW = LOOKAHEAD  # of bytes; the index of a gather takes eight times as many
_MOST_FLOWS = 1 << 20  # remembered; then they all are forgotten, and keep another beginning
_NAMES = np.isin(np.arange(65_536), [53, 67, 68, 137, 546, 547, 853, 1900, 5353, 5355])  # ports
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Thin:
    """What became of a file; cursors and digests are of the bytes of the old and of the new one."""

    cut: int = 0  # packets
    before: tuple[int, str] = (0, "")
    after: tuple[int, str] = (0, "")
    places: dict[int, int] = field(default_factory=dict)  # where records of the old file begin in the new one


def thin_capture(db: sqlite3.Connection, database: Path, capture: Standing, path: Path, keep: int) -> int:
    """Thin the file of a capture that was read to its end; the bytes that are won, 0 where there is nothing to cut.

    `keep`: bytes of a flow's payload that stay. Raises OSError, StoreError, and DecodeError where it is no file that can
    be thinned, or not the one that was read.
    """
    with explained(database):
        blocks = read_blocks(db, capture.capture_id)
    partial = path.with_name(f".{path.name}.thinning")
    partial.unlink(missing_ok=True)  # of an interrupted run, and never put to use
    size = path.stat().st_size
    found = thin(path, partial, keep, [each.begin for each in blocks] + [each.end for each in blocks])
    if found.before != (capture.cursor, capture.digest) or not found.cut:
        partial.unlink()
        if found.cut:
            raise DecodeError("another file than the one that was read lies there")
        return 0
    _take_place(db, database, capture, path, partial, found, blocks)
    return size - path.stat().st_size


def _take_place(
    db: sqlite3.Connection,
    database: Path,
    capture: Standing,
    path: Path,
    partial: Path,
    found: Thin,
    blocks: list[Block],
) -> None:
    moved = tuple(each._replace(begin=found.places[each.begin], end=found.places[each.end]) for each in blocks)
    to = Thinned(found.after[1], found.after[0], partial.stat().st_size, moved)
    with explained(database):
        db.execute("PRAGMA synchronous = FULL")  # Rule 4
        try:
            with transaction(db):
                thinned(db, capture.capture_id, to)
                add_replacement(db, capture.capture_id, str(path), str(partial))
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            db.execute("PRAGMA synchronous = NORMAL")
    complete_replacements(db, database)


def thin(path: Path, partial: Path, keep: int, places: list[int]) -> Thin:
    """Write the thin form of `path` to `partial`, with its mode, group and times, and have it on the disk.

    `places`: offsets of records (and the end) that are wanted in the new file. Raises OSError, DecodeError.
    """
    try:
        with Source.open(path) as source, partial.open("xb") as target:
            done = _Thinning(source, target, keep, places).run()
            status = path.stat()
            with suppress(PermissionError):  # not of that group; then the folder decides who reads it
                os.fchown(target.fileno(), -1, status.st_gid)
            os.fchmod(target.fileno(), status.st_mode & 0o7777)
            target.flush()
            os.fsync(target.fileno())
        os.utime(partial, ns=(status.st_atime_ns, status.st_mtime_ns))
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return done


class _Thinning:
    """One file on its way."""

    def __init__(self, source: Source, target: BinaryIO, keep: int, places: list[int]) -> None:
        self._source, self._target, self._keep = source, target, keep
        self._places = sorted(set(places))
        self._flows: dict[int, int] = {}  # payload of a flow so far
        self._fragments = Fragments()
        self._done = Thin()
        self._old, self._new = RollingDigest(), RollingDigest()

    def run(self) -> Thin:
        """Copy all of it."""
        head = self._source.head()
        order = _ORDERS.get(head[:4])
        if order is None or self._source.compressed:
            raise DecodeError("only captures that Homeport recorded are thinned")
        scanner = open_scanner(head)
        buf = bytearray(_WINDOW + SPARE)
        view = memoryview(buf)[:_WINDOW]
        filled = 0
        while True:
            while filled < _WINDOW and (count := self._source.read_into(view[filled:])):
                filled += count
            ended = filled < _WINDOW
            records = scanner.scan(buf, 0, filled, self._old.position, ended)
            used = records.consumed
            if any(each.offset < self._old.position + used for each in records.damage):
                raise DecodeError("it is damaged, so nobody knows what its bytes are")
            if used:
                self._copy(buf, records, order)
            if ended and (used in (0, filled) or not len(records.offset)):
                break
            if not used:
                raise DecodeError(f"nothing can be read at byte {self._old.position}")
            view[: filled - used] = view[used:filled]
            filled -= used
        for place in self._places:
            self._done.places[place] = self._new.position  # the end, and what a file that shrank does not have
        self._done.before = self._old.position, self._old.hexdigest()
        self._done.after = self._new.position, self._new.hexdigest()
        return self._done

    def _copy(self, buf: bytearray, records: Records, order: str) -> None:
        base, new_base = self._old.position, self._new.position
        self._old.update(memoryview(buf)[: records.consumed])
        lead = 0 if base else FILE_HEADER
        piece = bytes(buf[:lead])
        starts = ends = np.zeros(0, np.int64)
        if len(records.offset):
            kept = self._kept(buf, records)
            lengths = kept + _RECORD
            starts = records.offset - _RECORD
            ends = np.cumsum(lengths)
            array = np.frombuffer(buf, np.uint8)
            words = kept.astype(order).view(np.uint8).reshape(-1, 4)
            array[(starts + 8)[:, None] + np.arange(4)] = words  # the captured length; the original one stays
            places = np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1])
            piece += array[places].tobytes()
            del array  # or the buffer could not be moved
        self._target.write(piece)
        self._new.update(piece)
        self._note_places(base, starts, new_base + lead, ends, base + records.consumed)

    def _note_places(self, base: int, starts: Ints, new_base: int, ends: Ints, stop: int) -> None:
        """Where those of the wanted records that begin in this piece begin now."""
        while self._places and self._places[0] < stop:
            place = self._places.pop(0)
            row = int(np.searchsorted(starts, place - base))
            self._done.places[place] = (new_base + int(ends[row - 1]) if row else new_base) if place else 0

    def _kept(self, buf: bytearray, records: Records) -> Ints:
        """How many bytes of each frame stay."""
        columns = decode_columns(buf, records, self._fragments)
        kept = records.captured.copy()
        rows = np.flatnonzero(_cuttable(columns, records))
        if len(rows):
            rows = rows[self._behind_beginnings(columns, rows)]
            kept[rows] = columns.payload_offset[rows] - columns.frame_offset[rows]
            self._done.cut += len(rows)
        return kept

    def _behind_beginnings(self, columns: Columns, rows: Ints) -> Mask:
        """Which of the rows come when enough of their flow was kept; a flow begins anew with each SYN."""
        flow = _flow_keys(columns, rows)
        order = np.argsort(flow, kind="stable")
        flow, rows = flow[order], rows[order]
        size = columns.payload_size[rows].astype(np.int64)
        flags = columns.tcp_flags[rows]
        opens = (columns.protocol[rows] == TCP) & (flags & SYN > 0) & (flags & ACK == 0)
        first = np.ones(len(rows), bool)
        first[1:] = flow[1:] != flow[:-1]
        before = np.cumsum(size) - size
        begins = np.flatnonzero(first | opens)
        counts = np.diff(np.append(begins, len(rows)))
        within = before - np.repeat(before[begins], counts)
        if len(self._flows) > _MOST_FLOWS:
            self._flows.clear()
        known = np.array([0 if opens[at] else self._flows.get(int(flow[at]), 0) for at in begins.tolist()], np.int64)
        within += np.repeat(known, counts)
        lasts = np.append(begins[1:], len(rows)) - 1
        for at in lasts.tolist():  # in order: of a flow that begins twice in the piece the later counts
            self._flows[int(flow[at])] = int(within[at] + size[at])
        behind: Mask = np.empty(len(rows), bool)
        behind[order] = (within >= self._keep) & (size > 0)
        return behind


def _cuttable(columns: Columns, records: Records) -> Mask:
    """TCP and UDP, with or without payload, whose payload lies in the frame and is nobody's name."""
    carried = (columns.protocol == TCP) | (columns.protocol == UDP)
    ports = np.clip(columns.source_port, 0, None), np.clip(columns.destination_port, 0, None)
    end = records.offset + records.captured
    inside = (columns.payload_offset > records.offset) & (columns.payload_offset + columns.payload_size <= end)
    mask: Mask = (columns.kind == IP) & carried & ~columns.fragment & inside & ~(_NAMES[ports[0]] | _NAMES[ports[1]])
    if columns.payloads:
        mask[list(columns.payloads)] = False
    return mask


def _flow_keys(columns: Columns, rows: Ints) -> npt.NDArray[np.uint64]:
    """A number for each row's conversation, the same in both directions. Two may share one, rarely; that cuts too much."""
    low, high, mixed = (np.uint64(number) for number in _ODD)

    def end(hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64], port: Ints) -> npt.NDArray[np.uint64]:
        ports: npt.NDArray[np.uint64] = port[rows].astype(np.int64).astype(np.uint64)
        number: npt.NDArray[np.uint64] = (lo[rows] * low) ^ (hi[rows] * high) ^ (ports * mixed)
        return (number ^ (number >> np.uint64(29))) * low

    one = end(columns.source_hi, columns.source_lo, columns.source_port)
    other = end(columns.destination_hi, columns.destination_lo, columns.destination_port)
    carried: npt.NDArray[np.uint64] = columns.protocol[rows].astype(np.uint64)
    return (one + other) ^ carried
