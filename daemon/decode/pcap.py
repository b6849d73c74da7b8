"""The pcap file format (draft-ietf-opsawg-pcap), in all the forms that are found in the wild.

Rule 1: the magic number says byte order, resolution and, in the modified form, a longer record header.
Rule 2: a record is believed as libpcap believes it: by its captured length. Captured above original length happens in
        real files, and so do fractions above a second and times out of order.
Rule 3: sixteen zero bytes are no record: that is what a power cut leaves at the end of a file.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from daemon.decode import bare
from daemon.decode.cursor import DecodeError
from daemon.decode.later import np
from daemon.decode.records import (
    MOST_CAPTURED,
    USUAL_CAPTURED,
    Buffer,
    Columns,
    Ints,
    ResumingScanner,
    gather,
    words_at,
)
from daemon.decode.walk import NATIVE, Native

if TYPE_CHECKING:
    import numpy.typing as npt

FILE_HEADER = 24

# No link carries such a frame. Where a length is wrong by four bytes, the header behind it reads shifted but plausible,
# and so would all that follow, were it not that the first bytes of a frame make an original length like this.
_MOST_WIRE = 1 << 24

IMPOSSIBLE = "a record header that cannot be"
ZEROS = "zeros where a record should be"
_PROBLEMS = ("", IMPOSSIBLE, ZEROS)  # as the C walk numbers them


_AT_ONCE = 1 << 15  # records that a walk in C has room for: more than a chunk usually has

LENGTHS = ("captured first", "original first", "smaller is captured")


class PcapHeader(NamedTuple):
    """What the file header says about the records."""

    order: str  # "<" or ">", as struct and numpy write it
    per_second: int  # units of the fraction of a second
    record_size: int  # bytes of a record header
    lengths: str  # one of LENGTHS
    snaplen: int
    link: int


# Magic number (in the file's byte order): units a second, bytes of a record header.
# 0xa1b2cd34 is the "modified" format of patched libpcaps: interface, protocol and packet type behind the usual header.
MAGICS = {0xA1B2C3D4: (1_000_000, 16), 0xA1B23C4D: (1_000_000_000, 16), 0xA1B2CD34: (1_000_000, 24)}


def is_pcap(head: Buffer) -> bool:
    """Whether a file that begins with these bytes (four are enough) is in this format."""
    first = bytes(head[:4])
    return int.from_bytes(first, "little") in MAGICS or int.from_bytes(first, "big") in MAGICS


def parse_header(head: Buffer) -> PcapHeader:
    """The file header, from the first 24 bytes."""
    if len(head) < FILE_HEADER:
        raise DecodeError("the file ends inside the pcap file header")
    order = "<" if int.from_bytes(head[:4], "little") in MAGICS else ">"
    magic, major, minor, _, _, snaplen, network = struct.unpack_from(f"{order}IHHIIII", head)
    if magic not in MAGICS:
        raise DecodeError("not a pcap file")
    if major != 2 or minor > 4:
        raise DecodeError(f"pcap version {major}.{minor} is not known")
    # Before version 2.3 the original length came first; 2.3 was written both ways.
    lengths = {4: "captured first", 3: "smaller is captured"}.get(minor, "original first")
    per_second, record_size = MAGICS[magic]
    # Section 4: the upper bits are the frame check sequence's length and reserved.
    return PcapHeader(order, per_second, record_size, lengths, snaplen, network & 0xFFFF)


class PcapScanner(ResumingScanner):
    """Scans one pcap file; see `records.Scanner`."""

    def __init__(self, header: PcapHeader, *, native: bool = True, barely: bool = False) -> None:
        """`native`: walk in C where that was built; `barely`: into bare columns, if so."""
        super().__init__()
        self._header = header
        self._native = NATIVE if native else None
        self._bare = barely and self._native is not None
        self._smallest = header.record_size
        self._near: tuple[Ints, ...] = ()  # where records that are found ahead are kept,
        self._found, self._reached = 0, -1  # how many there are, and up to where; -1: none was looked for
        snaplen = header.snaplen
        self._bound = snaplen if USUAL_CAPTURED < snaplen <= MOST_CAPTURED else USUAL_CAPTURED

    @property
    def link_types(self) -> tuple[int, ...]:
        """The one link type of the file."""
        return (self._header.link,)

    @property
    def snaplen(self) -> int:
        """As the file header has it; 0 for no limit."""
        return self._header.snaplen

    def state(self) -> dict[str, Any]:
        """See `records.Scanner.state`."""
        return {"format": "pcap", "header": self._header._asdict(), **self._resume_state()}

    @classmethod
    def restore(cls, state: dict[str, Any], *, barely: bool = False) -> PcapScanner:
        """A scanner that goes on where the one that gave `state` stopped."""
        scanner = cls(PcapHeader(**state["header"]), barely=barely)
        scanner._restore_resume(state)
        return scanner

    def _begin(self, start: int, end: int) -> int | None:
        return start + FILE_HEADER if end - start >= FILE_HEADER else None

    def _read(self, buf: Buffer, pos: int, end: int, reach: int) -> tuple[Columns, int, str | None]:
        if self._native is None:
            return self._read_here(buf, pos, end, reach)
        found, reached, near = self._found, self._reached, self._near
        self._found, self._reached = 0, -1
        if reached < 0:
            # C stops at the first wrong record and walks over nothing twice: `reach` only bounds what is allocated.
            most = min(min(end - pos, reach) // self._header.record_size + 1, _AT_ONCE)
            found, reached, near = 0, pos, tuple(self._room(most) for _ in range(4))
        n, pos, problem = self._walk_on(self._native, buf, reached, end, near, found)
        n += found
        link = bare.repeated(self._header.link, n, "i") if self._bare else np.full(n, self._header.link, np.int32)
        offset, captured, wire, time_us = (column[:n] for column in near)
        return Columns(offset, captured, wire, time_us, link), pos, None if n == len(near[0]) else _PROBLEMS[problem]

    def ahead(self, buf: Buffer, end: int, base: int) -> None:
        """See `Scanner.ahead`."""
        if self._native is None or not self._bare or self._lost is not None or end < FILE_HEADER:
            return
        if self._reached < 0:
            self._reached = 0 if base else FILE_HEADER
        self._near = self._near or tuple(self._room(_AT_ONCE) for _ in range(4))
        n, self._reached, _ = self._walk_on(self._native, buf, self._reached, end, self._near, self._found)
        self._found += n

    def _walk_on(
        self, native: Native, buf: Buffer, pos: int, end: int, room: Sequence[Ints], found: int
    ) -> tuple[int, int, int]:
        """`scan_pcap` from `pos`, where `found` records stand in the room already."""
        header = self._header
        shape = header.order == ">", LENGTHS.index(header.lengths), header.per_second // 1_000_000, header.record_size
        return native.scan_pcap(buf, pos, end, *shape, self._bound, _MOST_WIRE, *(column[found:] for column in room))

    def _room(self, rows: int) -> Ints:
        room: Ints = bare.zeros(rows, "q") if self._bare else np.empty(rows, np.int64)
        return room

    def _read_here(self, buf: Buffer, pos: int, end: int, reach: int) -> tuple[Columns, int, str | None]:
        """The same without C."""
        offsets, pos = self._walk(buf, pos, end, pos + reach)
        head = gather(buf, offsets, 16, self._header.order)
        captured, wire = self._lengths(head[:, 2].astype(np.int64), head[:, 3].astype(np.int64))
        wrong = (captured > self._bound) | (wire > _MOST_WIRE)
        empty = captured == 0
        if empty.any():
            wrong |= empty & ~head.any(axis=1)
        problem: str | None = ""
        if wrong.any():
            good = int(wrong.argmax())
            pos = int(offsets[good])
            problem = ZEROS if empty[good] else IMPOSSIBLE
            offsets, head, captured, wire = offsets[:good], head[:good], captured[:good], wire[:good]
        elif pos + self._smallest <= end:
            problem = self._problem_at(buf, pos, end)
        link = np.full(len(offsets), self._header.link, np.int32)
        return Columns(offsets + self._smallest, captured, wire, self._times(head), link), pos, problem

    def _walk(self, buf: Buffer, pos: int, end: int, stop: int) -> tuple[Ints, int]:
        """Offsets of record headers up to `stop` whose frames end by `end`, lengths believed unseen, and the next."""
        offsets: list[int] = []
        append = offsets.append
        size = self._smallest
        last = min(end - size, stop)
        if self._header.lengths == "smaller is captured":
            while pos <= last:
                append(pos)
                pos += size + self._captured_at(buf, pos)
        else:
            # The quickest of the ways measured: numpy walking many places at once gains less than the machine's noise.
            field = 8 if self._header.lengths == "captured first" else 12
            length_at = struct.Struct(f"{self._header.order}{field}xI").unpack_from
            while pos <= last:
                append(pos)
                (captured,) = length_at(buf, pos)
                pos += captured + size
        if pos > end and offsets:
            pos = offsets.pop()
        return np.array(offsets, np.int64), pos

    def _problem_at(self, buf: Buffer, pos: int, end: int) -> str | None:
        """Of the record that a walk stopped at, as `_read` answers."""
        lengths = struct.unpack_from(f"{self._header.order}II", buf, pos + 8)
        captured, wire = (int(length[0]) for length in self._lengths(*np.array(lengths, np.int64).reshape(2, 1)))
        if captured > self._bound or wire > _MOST_WIRE:
            return IMPOSSIBLE
        return None if pos + self._smallest + captured <= end else ""

    def _captured_at(self, buf: Buffer, pos: int) -> int:
        first, second = struct.unpack_from(f"{self._header.order}II", buf, pos + 8)
        if self._header.lengths == "captured first":
            return int(first)
        return int(second) if self._header.lengths == "original first" else int(min(first, second))

    def _lengths(self, first: Ints, second: Ints) -> tuple[Ints, Ints]:
        """(captured, original) from the two length fields."""
        if self._header.lengths == "captured first":
            return first, second
        if self._header.lengths == "original first":
            return second, first
        return np.minimum(first, second), np.maximum(first, second)

    def _times(self, head: npt.NDArray[np.uint32]) -> Ints:
        micro = head[:, 1].astype(np.int64)
        if self._header.per_second != 1_000_000:
            micro //= self._header.per_second // 1_000_000
        times: Ints = head[:, 0].astype(np.int64) * 1_000_000 + micro
        return times

    def _plausible(self, buf: Buffer, pos: int, stop: int) -> Sequence[int]:
        """Headers as writers write them: fraction below a second, 0 < captured <= original <= bound, a near time."""
        order = self._header.order
        seconds, fraction, first, second = (words_at(buf, pos + at, stop + at, order) for at in (0, 4, 8, 12))
        captured, wire = self._lengths(first, second)
        likely = (fraction < self._header.per_second) & (captured > 0) & (captured <= wire) & (wire <= USUAL_CAPTURED)
        window = self._window()
        if window is not None:
            likely &= (seconds >= window[0] // 1_000_000) & (seconds <= window[1] // 1_000_000)
        found: list[int] = (np.nonzero(likely)[0] + pos).tolist()
        return found

    def _followed(self, buf: Buffer, pos: int, end: int, *, final: bool) -> bool | None:
        for followers in range(2):
            pos += self._smallest + self._captured_at(buf, pos)
            if final and pos == end:
                return True
            if pos + self._smallest > end:
                # A file may end inside the records behind the damage; one header in line is then enough.
                return True if final and followers else None
            if not len(self._plausible(buf, pos, pos + 1)):
                return False
        return True
