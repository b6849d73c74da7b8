"""Builds capture files, valid and odd ones, and reads them the way ingest does."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from daemon.decode.framing import Damage, Records, open_scanner, restore_scanner

START_US = 1_700_000_000_000_000


class Row(NamedTuple):
    """One record, with its offset in the file."""

    offset: int
    captured: int
    wire: int
    time_us: int
    link: int


class Reading(NamedTuple):
    """What reading a whole file gave."""

    rows: list[Row]
    damage: list[Damage]

    def frames(self, data: bytes) -> list[bytes]:
        return [data[row.offset : row.offset + row.captured] for row in self.rows]


def frames_of(count: int, size: int = 60) -> list[bytes]:
    """Frames of varied sizes that look neither like record headers nor like each other."""
    return [bytes((0xA0 + (i + k) % 64) for k in range(size + i % 7)) for i in range(count)]


def pcap_header(
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 262144,
    link: int = 1,
) -> bytes:
    return struct.pack(f"{order}IHHIIII", magic, *version, 0, 0, snaplen, link)


def pcap_record(
    frame: bytes, time_us: int = START_US, wire: int | None = None, order: str = "<", magic: int = 0xA1B2C3D4
) -> bytes:
    seconds, micro = divmod(time_us, 1_000_000)
    fraction = micro * 1000 + 999 if magic == 0xA1B23C4D else micro
    extra = b"\x07\0\0\0\0\0\0\0" if magic == 0xA1B2CD34 else b""
    length = len(frame) if wire is None else wire
    return struct.pack(f"{order}IIII", seconds, fraction, len(frame), length) + extra + frame


def pcap(
    frames: Sequence[bytes], order: str = "<", magic: int = 0xA1B2C3D4, step_us: int = 1000, **header: int
) -> bytes:
    """A pcap file with one record a frame, `step_us` apart."""
    records = [pcap_record(frame, START_US + i * step_us, order=order, magic=magic) for i, frame in enumerate(frames)]
    return pcap_header(order, magic, **header) + b"".join(records)  # type: ignore[arg-type]  # only int keywords are given


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block around its body, padded."""
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", version: int = 1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, version, 0, -1), order)


def interface(link: int = 1, snaplen: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(f"{order}HHI", link, 0, snaplen) + options, order)


def enhanced(
    frame: bytes,
    ticks: int = START_US,
    number: int = 0,
    wire: int | None = None,
    options: bytes = b"",
    order: str = "<",
) -> bytes:
    length = len(frame) if wire is None else wire
    fixed = struct.pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), length)
    return block(6, fixed + frame + bytes(-len(frame) % 4) + options, order)


def obsolete(frame: bytes, ticks: int = START_US, number: int = 0, order: str = "<") -> bytes:
    fixed = struct.pack(f"{order}HHIIII", number, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(2, fixed + frame, order)


def simple(frame: bytes, wire: int | None = None, order: str = "<") -> bytes:
    return block(3, struct.pack(f"{order}I", len(frame) if wire is None else wire) + frame, order)


def pcapng(frames: Sequence[bytes], order: str = "<", step_us: int = 1000) -> bytes:
    """A pcapng file: one section, one interface, one enhanced packet block a frame."""
    packets = [enhanced(frame, START_US + i * step_us, order=order) for i, frame in enumerate(frames)]
    return section(order) + interface(order=order) + b"".join(packets)


def rows_of(records: Records, base: int) -> list[Row]:
    columns = (records.offset + base, records.captured, records.wire, records.time_us, records.link)
    return [Row(*fields) for fields in zip(*(column.tolist() for column in columns), strict=True)]


def read(data: bytes, cuts: Iterable[int] = (), *, final: bool = True, through_state: bool = False) -> Reading:
    """Reads a file that arrives in pieces; `through_state` changes to a restored scanner between any two."""
    scanner = open_scanner(data[:4096])
    buf, base = bytearray(), 0
    rows: list[Row] = []
    damage: list[Damage] = []
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(data)), len(data)]
    for start, stop in pairwise(edges):
        buf += data[start:stop]
        records = scanner.scan(buf, 0, len(buf), base, final and stop == len(data))
        rows += rows_of(records, base)
        damage += records.damage
        del buf[: records.consumed]
        base += records.consumed
        if through_state:
            scanner = restore_scanner(json.loads(json.dumps(scanner.state())))
    return Reading(rows, damage)
