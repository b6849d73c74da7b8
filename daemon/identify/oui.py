"""Who was given a MAC address: the IEEE's registry as a sorted table in a file.

Rule 1: the longest block decides, of 36, 28 and 24 bits: the registry sells small blocks out of one large one.
Rule 2: nobody is given a locally administered address (second-lowest bit of the first byte, IEEE 802-2014 section 8.4)
        or a group one; a prefix in it is chance.
Rule 3: the file is read where it lies, mapped into memory: nothing is parsed, and asking touches a few pages.
Rule 4: without the file nothing is known, and nothing fails. `MISSING` is what to tell the owner, once.

The file, big-endian: magic, then for 24, 28 and 36 bits the number of entries (3 x u32), the number of names (u32);
per length the prefixes in order, each right-aligned in 3, 4 or 5 bytes, then as many u16 numbers of names; then where
each name starts, and the end of the last (u32 each, counted from the first name); then the names, UTF-8.
`oui_build.py` writes it.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left
from pathlib import Path

MAGIC = b"HPOUI\x00\x01\n"
HEADER = struct.Struct(">4I")
WIDTHS = ((36, 5), (28, 4), (24, 3))  # bits of a prefix, bytes that hold it; longest first
FILE = Path(__file__).with_name("oui.bin")

MISSING = (
    "The table of hardware makers is missing, so makers are known only where a device names its own."
    " Reinstall Homeport, or in its source run: python hatch_build.py"
)

_LOCAL, _GROUP = 1 << 41, 1 << 40


class OuiTable:
    """The registry as of one day. Holds a mapping of its file; copies nothing."""

    __slots__ = ("_blocks", "_data", "_names", "_starts")

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """Raises ValueError if the bytes are no such table, or do not have the length that their header tells."""
        self._data = data
        if data[: len(MAGIC)] != MAGIC or len(data) < len(MAGIC) + HEADER.size:
            raise ValueError("not a table of hardware makers")
        of_24, of_28, of_36, names = HEADER.unpack_from(data, len(MAGIC))
        position = len(MAGIC) + HEADER.size
        blocks = {}
        for bits, width, count in ((24, 3, of_24), (28, 4, of_28), (36, 5, of_36)):
            blocks[bits] = position, position + count * width, count
            position += count * (width + 2)
        self._blocks = blocks
        self._starts = position
        self._names = position + 4 * (names + 1)
        if self._names > len(data) or self._names + self._offset(names) != len(data):
            raise ValueError("the table of hardware makers is cut short")

    def maker(self, mac: int) -> str | None:
        """Whom the registry names for a 48-bit address, in its own spelling; None if nobody, or `mac` is negative."""
        if mac < 0 or mac & (_LOCAL | _GROUP):
            return None
        for bits, width in WIDTHS:
            found = self._find(bits, width, (mac >> (48 - bits)).to_bytes(width, "big"))
            if found is not None:
                return found
        return None

    def _find(self, bits: int, width: int, key: bytes) -> str | None:
        start, numbers, count = self._blocks[bits]
        data = self._data
        place = bisect_left(range(count), key, key=lambda i: data[start + i * width : start + (i + 1) * width])
        if place == count or data[start + place * width : start + (place + 1) * width] != key:
            return None
        number = int.from_bytes(data[numbers + 2 * place : numbers + 2 * place + 2], "big")
        return data[self._names + self._offset(number) : self._names + self._offset(number + 1)].decode(
            "utf-8", "replace"
        )

    def _offset(self, number: int) -> int:
        return int.from_bytes(self._data[self._starts + 4 * number : self._starts + 4 * number + 4], "big")


def open_table(path: Path = FILE) -> OuiTable | None:
    """The table in `path`, None where there is none; ValueError if the file is something else."""
    try:
        with path.open("rb") as file:
            return OuiTable(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        return None


def is_random(mac: int) -> bool:
    """Whether an address is made up by the device: locally administered, as phones do for each network."""
    return mac >= 0 and bool(mac & _LOCAL)
