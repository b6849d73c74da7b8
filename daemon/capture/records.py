"""Packets as the interface hands them over, and as a pcap file holds them.

Rule 1: nothing is parsed. A batch is one buffer and a list of lengths; making records of it costs one copy.
Rule 2: packets are taken from the interface whole and shortened here; of whom more than of others, `unnamed` says. The
        batch of pcapy-ng has no original length: a packet that the kernel had cut would lose how long it was.
Rule 3: times are microseconds, which is what libpcap gives unless asked otherwise, and pcapy-ng does not ask.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

WHOLE = 262_144  # bytes of a packet that libpcap hands over at most; also the length in the header of a file in full
LEAST_SNAPLEN = 64  # Ethernet, a VLAN tag, IPv6: less would not even say who talked to whom

FILE_HEADER = 24
RECORD_HEADER = 16

_MAGIC = 0xA1B2C3D4
_WORDS = 4  # of 32 bits in a record header: seconds, microseconds, captured, original


def file_header(link: int, snaplen: int) -> bytes:
    """The pcap file header (draft-ietf-opsawg-pcap section 4), in this machine's byte order."""
    return struct.pack("=IHHiIII", _MAGIC, 2, 4, 0, 0, snaplen, link)


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets in the order in which the kernel gave them; `data` has them one behind the other.

    `heads`: four numbers a packet: seconds, microseconds, where it begins in `data`, how long it is. `kept`: of each, so
    many bytes are to be written; None: all of them.
    """

    data: bytes
    heads: array[int]
    kept: array[int] | None = None

    def __len__(self) -> int:
        return len(self.heads) // _WORDS

    def times_us(self) -> list[int]:
        """When each packet was seen, by the wall clock of then."""
        return [
            second * 1_000_000 + micro
            for second, micro in zip(self.heads[::_WORDS], self.heads[1::_WORDS], strict=True)
        ]

    def split(self, is_old: Callable[[int], bool]) -> tuple[Batch, Batch]:
        """The packets whose time is old, and the others; both in order."""
        sides = [is_old(time_us) for time_us in self.times_us()]
        if all(sides):
            return self, EMPTY
        if not any(sides):
            return EMPTY, self
        return self.those([n for n, old in enumerate(sides) if old]), self.those(
            [n for n, old in enumerate(sides) if not old]
        )

    def those(self, numbers: Iterable[int]) -> Batch:
        """Some of the packets, by their numbers in this batch."""
        heads = array("I")
        kept = None if self.kept is None else array("I")
        for number in numbers:
            heads.extend(self.heads[number * _WORDS : (number + 1) * _WORDS])
            if kept is not None and self.kept is not None:
                kept.append(self.kept[number])
        return Batch(self.data, heads, kept)


EMPTY = Batch(b"", array("I"))


@dataclass(frozen=True, slots=True)
class Records:
    """Whole pcap records, as they are written; `ends` is where each ends."""

    data: bytes
    ends: array[int]

    def __len__(self) -> int:
        return len(self.ends)

    def whole(self, length: int) -> tuple[int, int]:
        """How many records lie in the first `length` bytes, and where the last of them ends."""
        number = bisect_right(self.ends, length)
        return number, self.ends[number - 1] if number else 0


def records_of(batch: Batch, snaplen: int) -> Records:
    """The records of a batch, each packet with its first `snaplen` bytes and its true length."""
    heads = batch.heads[:]
    starts = heads[2::_WORDS]
    lengths = heads[3::_WORDS] if batch.kept is None else batch.kept
    kept = lengths if not lengths or max(lengths) <= snaplen else array("I", (min(n, snaplen) for n in lengths))
    heads[2::_WORDS] = kept
    headers = heads.tobytes()
    data = batch.data
    pieces: list[bytes] = []
    ends = array("Q")
    end = at = 0
    for start, length in zip(starts, kept, strict=True):
        pieces.append(headers[at : at + RECORD_HEADER])
        pieces.append(data[start : start + length])
        at += RECORD_HEADER
        end += RECORD_HEADER + length
        ends.append(end)
    return Records(b"".join(pieces), ends)


def batch_of(data: bytes, meta: bytes) -> Batch:
    """The batch out of pcapy-ng's pair (`Reader.next_batch`)."""
    heads = array("I")
    if heads.itemsize != RECORD_HEADER // _WORDS:
        raise RuntimeError(f"an unsigned int of {heads.itemsize} bytes on {sys.platform}; 4 are needed")
    heads.frombytes(meta)
    return Batch(data, heads)
