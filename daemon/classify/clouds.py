"""Whose cloud an address is, and of which region: what comes with Homeport, as sorted tables in a file.

Rule 1: the file is read where it lies, mapped into memory; asking touches a few pages. Every import asks, so it must not
        cost what a general reader of address databases costs to load: as much as 20,000 packets.
Rule 2: without the file nothing is known, and nothing fails.

The file, big-endian: magic; when the list was built (u64, s since the epoch), number of ranges of IPv4 and IPv6 (u32
each); per version where each range begins (4 or 16 bytes, in order; it ends where the next begins), then a u16 for each:
its row; then the rows, JSON: [provider, region or null] or null for a range that is nobody's.
`appliance/data/cloud_build.py` writes it.
"""

from __future__ import annotations

import json
import mmap
import struct
from bisect import bisect_right
from pathlib import Path

from daemon.classify.address_files import CLOUD, Address, AddressFile, AddressRow

MAGIC = b"HPCLOUD\x01"
HEADER = struct.Struct(">Q2I")
WIDTHS = ((4, 4), (6, 16))  # IP version, bytes of its addresses
FILE = Path(__file__).with_name("clouds.bin")


class CloudTable:
    """The ranges as of one day. Holds a mapping of its file; copies nothing but the rows."""

    __slots__ = ("_data", "_rows", "_tables", "built")

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """Raises ValueError if the bytes are no such table."""
        self._data = data
        position = len(MAGIC) + HEADER.size
        if data[: len(MAGIC)] != MAGIC or len(data) < position:
            raise ValueError("not a table of clouds")
        self.built, *counts = HEADER.unpack_from(data, len(MAGIC))
        self._tables: dict[int, tuple[int, int, int]] = {}  # IP version: width, position of the first range, ranges
        for (version, width), count in zip(WIDTHS, counts, strict=True):
            self._tables[version] = width, position, count
            position += count * (width + 2)
        if position > len(data):
            raise ValueError("the table of clouds is cut short")
        rows = json.loads(data[position:])
        self._rows = [None if row is None else AddressRow(provider=row[0], region=row[1]) for row in rows]

    def find(self, address: Address) -> AddressRow | None:
        """Provider and region; None for an address that is no cloud's."""
        data, (width, first, count) = self._data, self._tables[address.version]
        key = address.packed
        at = bisect_right(range(count), key, key=lambda i: data[first + i * width : first + (i + 1) * width]) - 1
        if at < 0:
            return None
        number = first + count * width + 2 * at
        return self._rows[int.from_bytes(data[number : number + 2], "big")]


def open_clouds(path: Path = FILE) -> AddressFile | None:
    """The table in `path`, None where there is none; ValueError or OSError if the file cannot be used."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        return None
    table = CloudTable(data)
    return AddressFile(path, CLOUD, "flat", "Homeport-Cloud", table.built, len(data), (4, 6), table.find)
