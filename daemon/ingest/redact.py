"""A capture file written anew without some of its frames; streamed, whatever its size.

Rule 1: what is kept is kept byte for byte: headers, times, cut frames, byte order, compression.
Rule 2: bytes that cannot be read as records are not copied, because nobody knows whose frames are in them; pcapng with
        such bytes is refused.
Rule 3: a frame goes if one of the MACs stands anywhere in it: as sender, as receiver, or inside, as in what a router says
        to all about a device (ARP, DHCP, neighbour discovery). Where the link does not tell who sends or receives, the
        address decides.
"""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from daemon.decode.columns import SPARE, Columns, decode_columns, link_addresses
from daemon.decode.cursor import DecodeError
from daemon.decode.fragments import Fragments
from daemon.decode.framing import LOOKAHEAD, Records, open_scanner
from daemon.decode.packet import NO_MAC
from daemon.decode.pcap import FILE_HEADER, MAGICS, is_pcap
from daemon.decode.pcapng_blocks import ENHANCED, OBSOLETE, SECTION, SIMPLE, section_order
from daemon.ingest.source import RollingDigest, Source

_ETHERNET = 1
_WINDOW = 4 << 20
_PACKETS = (ENHANCED, OBSOLETE, SIMPLE)
_NAMES = 4  # pcapng's name resolution block: what devices are called

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Which frames go. Times in microseconds, by the file's clock; `everything`: whatever their sender."""

    macs: frozenset[int] = frozenset()
    addresses: frozenset[str] = frozenset()
    since_us: int | None = None
    everything: bool = False


@dataclass(slots=True)
class Redacted:
    """What became of the file."""

    dropped: int = 0  # frames
    skipped: int = 0  # bytes that could not be read, and are not in the new file
    cursor: int = 0  # bytes of the new file, uncompressed
    digest: str = ""  # identity of these
    before: dict[int, str] = field(default_factory=dict)  # place -> identity of the old file's bytes up to there


def redact(path: Path, partial: Path, unwanted: Unwanted, place: int) -> Redacted:
    """Write `path` without the unwanted frames to `partial`, with its mode, owner and times, and have it on the disk.

    `place`: the old file's identity is computed up to there. Raises OSError, and DecodeError where the file cannot be
    rewritten; then `partial` is not there.
    """
    try:
        with Source.open(path) as source, partial.open("xb") as target:
            _like(path, target)
            if source.compressed:
                with gzip.GzipFile("", "wb", 6, target, mtime=0) as packed:
                    done = _copy(source, packed, unwanted, place)
            else:
                done = _copy(source, target, unwanted, place)
            target.flush()
            os.fsync(target.fileno())
        status = path.stat()
        os.utime(partial, ns=(status.st_atime_ns, status.st_mtime_ns))
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return done


def _like(path: Path, target: BinaryIO) -> None:
    status, mine = path.stat(), os.fstat(target.fileno())
    if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
        os.fchown(target.fileno(), status.st_uid, status.st_gid)
    os.fchmod(target.fileno(), status.st_mode & 0o7777)


class _Reading:
    """The old file's bytes, and their identity at one place."""

    def __init__(self, source: Source, place: int) -> None:
        self._source, self._place = source, place
        self._digest = RollingDigest()
        self.before: dict[int, str] = {}

    def fill(self, view: memoryview, filled: int) -> int:
        while filled < len(view) and (count := self._source.read_into(view[filled:])):
            self._note(view[filled : filled + count])
            filled += count
        return filled

    def _note(self, piece: memoryview) -> None:
        left = self._place - self._digest.position
        if left > 0:
            self._digest.update(piece[:left])
            if self._digest.position == self._place:
                self.before[self._place] = self._digest.hexdigest()


def _copy(source: Source, target: BinaryIO | gzip.GzipFile, unwanted: Unwanted, place: int) -> Redacted:
    head = source.head()
    scanner = open_scanner(head)
    cutter = _PcapCutter(head) if is_pcap(head) else _PcapngCutter(head)
    reading, out, digest = _Reading(source, place), Redacted(), RollingDigest()
    choice = _Choice(unwanted)
    buf = bytearray(max(_WINDOW, LOOKAHEAD) + SPARE)
    view = memoryview(buf)
    room, filled, base = view[: len(buf) - SPARE], 0, 0
    while True:
        filled = reading.fill(room, filled)
        ended = filled < len(room)
        records = scanner.scan(buf, 0, filled, base, ended)
        drop = choice.mark(buf, records)
        for piece in cutter.kept(buf, records, base, drop):
            target.write(piece)
            digest.update(piece)
        out.dropped += int(drop.sum())
        out.skipped += sum(each.skipped for each in records.damage)
        if ended and (not records.consumed or records.consumed == filled or not len(records.offset)):
            break
        if not records.consumed:
            raise DecodeError(f"nothing can be read at byte {base}")
        view[: filled - records.consumed] = view[records.consumed : filled]
        filled -= records.consumed
        base += records.consumed
    out.cursor, out.digest, out.before = digest.position, digest.hexdigest(), reading.before
    return out


class _Choice:
    """Marks the frames that go."""

    def __init__(self, unwanted: Unwanted) -> None:
        self._unwanted = unwanted
        self._macs = [mac.to_bytes(6, "big") for mac in unwanted.macs]
        numbers = [(ip_address(text).version, int(ip_address(text))) for text in unwanted.addresses]
        self._addresses = [(version, number >> 64, number & (1 << 64) - 1) for version, number in numbers]
        self._fragments = Fragments()

    def mark(self, buf: bytearray, records: Records) -> Mask:
        count = len(records.offset)
        if not count:
            return np.zeros(0, bool)
        late = np.ones(count, bool)
        if self._unwanted.since_us is not None:
            late = records.time_us >= self._unwanted.since_us
        if self._unwanted.everything:
            return late
        marked = np.zeros(count, bool)
        for mac in self._macs:
            self._mark_bytes(buf, records, mac, marked)
        if self._addresses and (records.link != _ETHERNET).any():
            self._mark_addresses(buf, records, marked)
        return marked & late

    def _mark_bytes(self, buf: bytearray, records: Records, mac: bytes, marked: Mask) -> None:
        ends = records.offset + records.captured
        at = buf.find(mac, 0, records.consumed)
        while at >= 0:
            row = int(np.searchsorted(records.offset, at, "right")) - 1
            if row >= 0 and at + len(mac) <= ends[row]:
                marked[row] = True
                at = int(ends[row]) - 1
            at = buf.find(mac, at + 1, records.consumed)

    def _mark_addresses(self, buf: bytearray, records: Records, marked: Mask) -> None:
        columns = decode_columns(buf, records, self._fragments)
        for version, high, low in self._addresses:
            for side, ends in enumerate(_halves(columns)):
                rows = np.nonzero((columns.version == version) & (ends[0] == high) & (ends[1] == low) & ~marked)[0]
                for row in rows.tolist():
                    marked[row] = link_addresses(buf, columns, row)[side] == NO_MAC


def _halves(columns: Columns) -> tuple[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]], ...]:
    return (columns.source_hi, columns.source_lo), (columns.destination_hi, columns.destination_lo)


class _PcapCutter:
    """Pieces of a pcap file that stay."""

    def __init__(self, head: bytes) -> None:
        magic = int.from_bytes(head[:4], "little")
        self._record = MAGICS[magic if magic in MAGICS else int.from_bytes(head[:4], "big")][1]
        self._head = head[:FILE_HEADER]

    def kept(self, buf: bytearray, records: Records, base: int, drop: Mask) -> Iterator[bytes]:  # noqa: ARG002  as below
        head, self._head = self._head, b""
        if head:
            yield head
        view = memoryview(buf)
        starts, ends = records.offset - self._record, records.offset + records.captured
        rows = np.nonzero(~drop)[0]
        if not len(rows):
            return
        first = np.ones(len(rows), bool)  # of a run of records without a gap
        first[1:] = starts[rows[1:]] != ends[rows[:-1]]
        for begin, end in zip(starts[rows[first]], ends[rows[np.append(first[1:], True)]], strict=True):
            yield bytes(view[int(begin) : int(end)])


class _PcapngCutter:
    """Blocks of a pcapng file that stay."""

    def __init__(self, head: bytes) -> None:
        self._order = section_order(head) or "<"

    def kept(self, buf: bytearray, records: Records, base: int, drop: Mask) -> Iterator[bytes]:
        if any(each.offset < base + records.consumed for each in records.damage):  # a torn end is just not copied
            raise DecodeError("parts of this pcapng file cannot be read, so it cannot be rewritten")
        view = memoryview(buf)
        pos, row = 0, 0
        while pos < records.consumed:
            kind, size = self._block(buf, pos)
            if size < 12 or pos + size > records.consumed:
                raise DecodeError("a pcapng block is too large to be rewritten")
            packet = kind in _PACKETS
            if not (packet and drop[row]) and kind != _NAMES:
                yield bytes(view[pos : pos + size])
            row += packet
            pos += size

    def _block(self, buf: bytearray, pos: int) -> tuple[int, int]:
        if buf[pos : pos + 4] == SECTION.to_bytes(4, "big"):
            self._order = section_order(bytes(buf[pos : pos + 28])) or self._order
        kind, size = struct.unpack_from(f"{self._order}II", buf, pos)
        return kind, size
