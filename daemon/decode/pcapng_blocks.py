"""Blocks of a pcapng file that say how the others are to be read; section numbers are draft-ietf-opsawg-pcapng's.

Rule: a block is parsed whole or not at all; its options end where the block ends, whatever their lengths say.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.later import np
from daemon.decode.records import Buffer, Ints

if TYPE_CHECKING:
    import numpy.typing as npt

SECTION, INTERFACE, OBSOLETE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
SMALLEST = {SECTION: 28, INTERFACE: 20, OBSOLETE: 32, SIMPLE: 16, ENHANCED: 32}  # bytes, without frame and options
SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"  # reads the same in both byte orders (section 4.1)

_FARTHEST_US = 1 << 61  # times are held within this, so that sums stay within 64 bits


class Interface(NamedTuple):
    """One interface description (section 4.2)."""

    link: int
    snaplen: int = 0  # 0 for no limit
    resolution: int = 6  # option if_tsresol: a power of ten, or of two with the upper bit
    offset_s: int = 0  # option if_tsoffset


def is_pcapng(head: Buffer) -> bool:
    """Whether a file that begins with these bytes (four are enough) is in this format."""
    return bytes(head[:4]) == SECTION_MAGIC


def section_order(head: bytes) -> str | None:
    """Byte order of the section header block that begins here ("<" or ">"); None where it is no readable one."""
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(bytes(head[8:12]))
    if order is None or len(head) < 16 or struct.unpack_from(f"{order}H", head, 12)[0] != 1:
        return None
    return order


def parse_interface(block: bytes, order: str) -> Interface:
    """An interface description block, whole."""
    if len(block) < 20:
        raise DecodeError("interface description shorter than its fixed part")
    link, _, snaplen = struct.unpack_from(f"{order}HHI", block, 8)
    values = {}
    pos, end = 16, len(block) - 4
    while pos + 4 <= end:
        code, size = struct.unpack_from(f"{order}HH", block, pos)
        if code == 0 or pos + 4 + size > end:
            break
        values[code] = block[pos + 4 : pos + 4 + size]
        pos += 4 + size + (-size & 3)
    resolution = values.get(9, b"\x06")
    offset = values.get(14, b"")
    seconds = struct.unpack(f"{order}q", offset)[0] if len(offset) == 8 else 0
    return Interface(link, snaplen, resolution[0] if resolution else 6, seconds)


def to_microseconds(ticks: npt.NDArray[np.uint64], interface: Interface) -> Ints:
    """Timestamps of one interface as microseconds since the epoch, rounded down (section 4.2, if_tsresol)."""
    power = interface.resolution & 0x7F
    most = _FARTHEST_US
    if interface.resolution == 6:
        times = np.minimum(ticks, np.uint64(most)).astype(np.int64)
    elif interface.resolution == 9:
        times = (ticks // np.uint64(1000)).astype(np.int64)
    else:
        per_second = 2**power if interface.resolution & 0x80 else 10**power
        exact = [min(tick * 1_000_000 // per_second, most) for tick in ticks.tolist()]
        times = np.array(exact, np.int64)
    return times + max(-most, min(interface.offset_s * 1_000_000, most))
