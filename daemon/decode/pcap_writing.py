"""Packets as bytes of a pcap or pcapng file: what a reader needs first, then packets as they come.

Rule 1: frames are written as they were captured, with their original length. Times before 1970, and behind 2106, which
        pcap cannot hold, become the nearest that it can.
Rule 2: pcap has one link type; pcapng (draft-ietf-opsawg-pcapng) describes another where its first packet comes.
"""

from __future__ import annotations

import struct
from typing import Protocol

import numpy as np

from daemon.decode.merge import Cut
from daemon.decode.pcapng_blocks import ENHANCED, INTERFACE, SECTION
from daemon.decode.records import USUAL_CAPTURED

_MICRO_MAGIC, _NANO_MAGIC = 0xA1B2C3D4, 0xA1B23C4D
_LAST_NS = (1 << 32) * 1_000_000_000 - 1


class OtherLinkError(Exception):
    """A packet of another link type came, and pcap can hold only one."""

    def __init__(self, link: int) -> None:
        super().__init__(f"link type {link}")
        self.link = link


class Writer(Protocol):
    """One output, in bytes."""

    def head(self) -> bytes:
        """What stands before the first packet."""

    def packets(self, cut: Cut) -> bytes:
        """The next packets."""


class PcapWriter:
    """Little-endian pcap of one link type; times in nanoseconds where that is asked for."""

    def __init__(self, link: int, *, nano: bool) -> None:
        self._link, self._nano = link, nano

    def head(self) -> bytes:
        """The file header."""
        magic = _NANO_MAGIC if self._nano else _MICRO_MAGIC
        return struct.pack("<IHHIIII", magic, 2, 4, 0, 0, USUAL_CAPTURED, self._link)

    def packets(self, cut: Cut) -> bytes:
        """Records. Raises OtherLinkError."""
        others = np.flatnonzero(cut.link != self._link)
        if len(others):
            raise OtherLinkError(int(cut.link[int(others[0])]))
        heads = np.empty((len(cut.offset), 4), "<u4")
        times = np.clip(cut.time_ns, 0, _LAST_NS)
        heads[:, 0] = times // 1_000_000_000
        heads[:, 1] = times % 1_000_000_000 // (1 if self._nano else 1000)
        heads[:, 2], heads[:, 3] = cut.captured, cut.wire
        head = memoryview(heads.tobytes())
        buf, pieces = cut.buf, []
        for place, start, size in zip(range(0, len(head), 16), cut.offset.tolist(), cut.captured.tolist(), strict=True):
            pieces.append(head[place : place + 16])
            pieces.append(buf[start : start + size])
        return b"".join(pieces)


class PcapngWriter:
    """Little-endian pcapng with one interface for each link type."""

    def __init__(self, *, nano: bool) -> None:
        self._nano = nano
        self._interfaces: dict[int, int] = {}  # link type -> number

    def head(self) -> bytes:
        """A section header (section 4.1) of unknown length."""
        return _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))

    def packets(self, cut: Cut) -> bytes:
        """Enhanced packet blocks (section 4.3), and before the first of its link type an interface (4.2)."""
        out = []
        columns = (cut.offset, cut.captured, cut.wire, np.maximum(cut.time_ns, 0), cut.link)
        for start, captured, wire, time_ns, link in zip(*(column.tolist() for column in columns), strict=True):
            number = self._interfaces.get(link)
            if number is None:
                number = self._interfaces[link] = len(self._interfaces)
                out.append(_block(INTERFACE, self._interface(link)))
            ticks = time_ns if self._nano else time_ns // 1000
            fields = struct.pack("<IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, captured, wire)
            out.append(_block(ENHANCED, fields + bytes(cut.buf[start : start + captured])))
        return b"".join(out)

    def _interface(self, link: int) -> bytes:
        # Options if_tsresol (9): a power of ten, and opt_endofopt (0).
        return struct.pack("<HHIHHB3xHH", link, 0, USUAL_CAPTURED, 9, 1, 9 if self._nano else 6, 0, 0)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + (-len(body) & 3) + 12
    return struct.pack("<II", kind, size) + body + bytes(-len(body) & 3) + struct.pack("<I", size)
