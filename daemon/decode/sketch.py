"""Who is in a stretch of a capture, in a few bytes: what an index keeps to know which stretches need no reading.

Rule 1: nobody is missed: whoever sent or received a frame of the stretch is in its sketch. Somebody who did not may seem
        to be (two of 65,536 marks fall together), which costs reading in vain and changes no result.
Rule 2: a mark depends on the MAC or address alone, so that sketches of other processes and years can be asked.
Rule 3: a sketch is the sorted 16-bit numbers of its marks, or, where there are many, one bit for each possible one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from daemon.decode import bare
from daemon.decode.columns import ETHERNET, Columns, flat
from daemon.decode.later import np
from daemon.decode.packet import UNDECODED
from daemon.decode.records import Buffer
from daemon.decode.walk import NATIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 4 << 20  # bytes of a stretch, about; the reader gives pieces of up to so many
ENOUGH = BLOCK * 3 // 4  # with the next piece it would be far more

_MARKS = 1 << 16
_SLL = 113
_BITMAP = _MARKS // 8  # bytes of a sketch of many marks, and of no other
_ODD, _HALF = 0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F
_SHIFT = 48
_MAC_BITS = (1 << 48) - 1
_LOW = (1 << 64) - 1

Marks: TypeAlias = "NDArray[np.bool_]"


class Block(NamedTuple):
    """A stretch of a capture file. Offsets are bytes of the uncompressed file, times those of its packets, corrected."""

    begin: int
    end: int
    packets: int
    first_us: int
    last_us: int
    sketch: bytes
    scanner: str | None = None  # what reading needs to begin here (JSON); None where the file header is enough


def address_mark(number: int) -> int:
    """The mark of an IP address, given as integer."""
    low = (number & _LOW) + (number >> 64) * _HALF
    return (low * _ODD & _LOW) >> _SHIFT


def mac_mark(mac: int) -> int:
    """The mark of a MAC, given as integer."""
    backwards = int.from_bytes(mac.to_bytes(6, "big"), "little")  # as a little-endian machine finds it in a frame
    return (backwards * _HALF & _LOW) >> _SHIFT


def has_any(sketch: bytes, marks: Iterable[int]) -> bool:
    """Whether one of these may be in the stretch."""
    held = _held(sketch)
    return any(bool(held[mark]) for mark in marks)


def joined(one: bytes, other: bytes) -> bytes:
    """The sketch of two stretches together."""
    return _packed(_held(one) | _held(other))


def _held(sketch: bytes) -> Marks:
    if len(sketch) == _BITMAP:
        return np.unpackbits(np.frombuffer(sketch, np.uint8), bitorder="little").astype(bool)
    held = np.zeros(_MARKS, bool)
    held[np.frombuffer(sketch, "<u2")] = True
    return held


def _packed(held: Marks) -> bytes:
    marks = np.flatnonzero(held)
    if 2 * len(marks) >= _BITMAP:
        return np.packbits(held, bitorder="little").tobytes()
    return marks.astype("<u2").tobytes()


class Sketcher:
    """Takes the decoded chunks of a capture and gives its blocks, one after the other, without a gap."""

    def __init__(self, *, native: bool = True) -> None:
        """`native`: walk in C where that was built."""
        self._walk = NATIVE if native else None
        self._held: Marks = np.zeros(_MARKS, bool) if self._walk is None else bare.zeros(_MARKS, "?")
        self._blocks: list[Block] = []
        self._begin: int | None = None
        self._scanner: str | None = None
        self._end = self._packets = 0
        self._first_us = self._last_us = 0

    def add(self, buf: Buffer, columns: Columns, first_us: int, last_us: int, *, cooked: bool = True) -> None:
        """Take the rows of a chunk, at least one, of these times; `stand` says then which bytes they came from.

        `cooked`: rows of Linux cooked captures may be among them.
        """
        self._first_us = min(first_us, self._first_us) if self._packets else first_us
        self._last_us = max(last_us, self._last_us) if self._packets else last_us
        self._packets += len(columns)
        if self._walk is None:
            _mark(buf, columns, self._held)
        else:
            ends = columns.source_hi, columns.source_lo, columns.destination_hi, columns.destination_lo
            self._walk.mark(buf, flat(columns.frame_offset), flat(columns.link, "i"), columns.kind, *ends, self._held)
        if cooked:
            _mark_cooked(buf, columns, np.asarray(self._held))
        for macs in columns.macs.values():  # of what the slow path read, whatever its link
            for mac in macs:
                if mac >= 0:
                    self._held[mac_mark(mac)] = True

    def stand(self, begin: int, end: int, scanner: str | None) -> None:
        """What was added since the last call are the bytes from `begin` to `end`; `scanner` as in `Block`."""
        if self._begin is None:
            self._begin, self._scanner = begin, scanner
        self._end = end
        if end - self._begin >= ENOUGH:
            self._close()

    def take(self) -> list[Block]:
        """The blocks since the last call, up to where the capture stands."""
        self._close()
        blocks, self._blocks = self._blocks, []
        return blocks

    def _close(self) -> None:
        if self._begin is None or self._end <= self._begin:
            return
        if self._walk is None:
            sketch = _packed(self._held)
            self._held[:] = False
        else:
            sketch = self._walk.pack(self._held)
        times = (self._first_us, self._last_us) if self._packets else (0, 0)
        self._blocks.append(Block(self._begin, self._end, self._packets, *times, sketch, self._scanner))
        self._begin, self._packets = None, 0


def _address_marks(high: NDArray[Any], low: NDArray[Any]) -> NDArray[Any]:
    mixed = high * np.uint64(_HALF)
    mixed += low
    mixed *= np.uint64(_ODD)
    mixed >>= np.uint64(_SHIFT)
    return mixed.view(np.int64)


def _mark(buf: Buffer, columns: Columns, held: Marks) -> None:
    """Addresses, and MACs where they stand in the first twelve bytes of a frame: the twin of `mark` in `_walk.c`."""
    held[_address_marks(columns.source_hi, columns.source_lo)] = True
    held[_address_marks(columns.destination_hi, columns.destination_lo)] = True
    # A frame that could not be decoded may be too short to have any.
    words = _words(buf, columns.frame_offset[(columns.link == ETHERNET) & (columns.kind != UNDECODED)])
    for marks in _mac_marks(words[:, 0], words[:, 1]):
        held[marks] = True


def _mark_cooked(buf: Buffer, columns: Columns, held: Marks) -> None:
    """The senders' MACs of Linux cooked captures."""
    words = _words(buf, np.asarray(columns.frame_offset)[np.asarray(columns.link) == _SLL])
    held[_mac_marks(words[:, 0], words[:, 1])[1]] = True  # the sender's stands where Ethernet has it


def _words(buf: Buffer, start: NDArray[Any]) -> NDArray[Any]:
    """The first sixteen bytes of frames, as two words each."""
    rows = np.ndarray((len(buf) - 15,), "V16", buf, strides=(1,))
    words: NDArray[Any] = rows[start].view("<u8").reshape(len(start), 2)
    return words


def _mac_marks(low: NDArray[Any], high: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Marks of what stands in bytes 0 to 5 and 6 to 11 of two words."""
    half, shift, mac_bits = np.uint64(_HALF), np.uint64(_SHIFT), np.uint64(_MAC_BITS)
    receiver, sender = low & mac_bits, low >> shift | (high << np.uint64(16)) & mac_bits
    return (receiver * half >> shift).view(np.int64), (sender * half >> shift).view(np.int64)
