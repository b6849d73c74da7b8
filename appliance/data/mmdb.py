"""Writes MaxMind DB files (format 2.0, maxmind.github.io/MaxMind-DB) from sorted ranges, in one pass.

Rule 1: input is sorted and disjoint, so the tree grows along its right edge only: each node is written once, and time
        and memory are linear in the number of nodes.
Rule 2: neighbouring ranges with equal records become one range, a range becomes the fewest prefixes: no other tree for
        the same answers is smaller.
Rule 3: equal records are stored once, text that returns is a pointer: the same input gives the same bytes.
Rule 4: one tree for both versions; IPv4 lies in ::/96, where readers look for it.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NamedTuple

Record = Mapping[str, Any]  # of text, numbers, truth values, and lists and maps of these

_MARKER = b"\xab\xcd\xefMaxMind.com"
_WIDTH = 128
# Types of the data section, as the format numbers them; those above 7 are "extended".
_POINTER, _STRING, _DOUBLE, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _BOOLEAN = 1, 2, 3, 5, 6, 7, 9, 11, 14


class AddressRange(NamedTuple):
    """First and last address (as numbers of the 128-bit space, IPv4 as it is) and what is said of them."""

    first: int
    last: int
    record: Record


class RangeError(ValueError):
    """Ranges that are not sorted, overlap, or lie outside the address space."""


def prefix_range(network: IPv4Network | IPv6Network, record: Record) -> AddressRange:
    """A prefix as a range."""
    return AddressRange(int(network.network_address), int(network.broadcast_address), record)


def layered(ranges: Iterable[AddressRange]) -> Iterator[AddressRange]:
    """Disjoint ranges out of nested or overlapping ones that are sorted by first address, wider before narrower.

    Where several cover an address, the one that begins last answers: the longest prefix, among prefixes.
    """
    open_ranges: list[AddressRange] = []
    at = 0  # everything below was given out
    for current in ranges:
        while open_ranges and open_ranges[-1].last < current.first:
            done = open_ranges.pop()
            if at <= done.last:
                yield AddressRange(at, done.last, done.record)
                at = done.last + 1
        if open_ranges and at < current.first:
            yield AddressRange(at, current.first - 1, open_ranges[-1].record)
        at = current.first
        open_ranges.append(current)
    while open_ranges:
        done = open_ranges.pop()
        if at <= done.last:
            yield AddressRange(at, done.last, done.record)
            at = done.last + 1


def write_mmdb(ranges: Iterable[AddressRange], database_type: str, description: str, built: int) -> bytes:
    """The file's bytes. Raises RangeError.

    `built` in seconds since the epoch; 0, not known, becomes 1, because the C reader refuses a 0.
    """
    data = _Data()
    left, right = _tree(ranges, data.offset_of)
    nodes = max(len(left), 1)
    return b"".join(
        (
            _packed(left, right, nodes, data.size),
            bytes(16),  # the separator between tree and data
            data.contents(),
            _MARKER,
            _Data().encoded(
                {
                    "binary_format_major_version": _Number(2, _UINT16),
                    "binary_format_minor_version": _Number(0, _UINT16),
                    "build_epoch": _Number(max(built, 1), _UINT64),
                    "database_type": database_type,
                    "description": {"en": description},
                    "ip_version": _Number(6, _UINT16),
                    "languages": ["en"],
                    "node_count": _Number(nodes, _UINT32),
                    "record_size": _Number(_record_bits(nodes, data.size), _UINT16),
                },
                pointers=False,
            ),
        )
    )


class _Number(int):
    """A number whose type in the file is given: metadata is read by programs that insist on it."""

    kind: int

    def __new__(cls, value: int, kind: int) -> _Number:
        number = super().__new__(cls, value)
        number.kind = kind
        return number


def _merged(ranges: Iterable[AddressRange]) -> Iterator[AddressRange]:
    """The same ranges, neighbours with equal records as one; checks the order."""
    held: AddressRange | None = None
    for current in ranges:
        first, last, record = current
        if not 0 <= first <= last < 1 << _WIDTH:
            raise RangeError(f"no range of addresses: {first:#x} to {last:#x}")
        if held is None:
            held = current
        elif first <= held.last:
            raise RangeError(f"range at {first:#x} begins before the one before it ends ({held.last:#x})")
        elif first == held.last + 1 and (record is held.record or record == held.record):
            held = AddressRange(held.first, last, record)
        else:
            yield held
            held = current
    if held is not None:
        yield held


def _prefixes(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The fewest prefixes that make up a range: (address, number of bits that are free)."""
    while first <= last:
        free = min((first & -first).bit_length() - 1 if first else _WIDTH, (last - first + 1).bit_length() - 1)
        yield first, free
        first += 1 << free


_NOTHING = -1  # an empty record of the tree, until its size is known


def _tree(ranges: Iterable[AddressRange], offset_of: Callable[[Record], int]) -> tuple[array[int], array[int]]:
    """Two records a node: a node's number, `_NOTHING`, or -2 - offset of data."""
    left, right = array("q", [_NOTHING]), array("q", [_NOTHING])
    path = [0] * (_WIDTH + 1)  # node at each depth on the way to the prefix before
    before, deepest = 0, 0
    for first, last, record in _merged(ranges):
        leaf = -2 - offset_of(record)
        for address, free in _prefixes(first, last):
            depth = _WIDTH - free
            if depth == 0:
                left[0] = right[0] = leaf
                continue
            shared = min(_WIDTH - (address ^ before).bit_length(), deepest, depth - 1)
            for level in range(shared, depth - 1):  # nodes that only this prefix needs
                side = right if address >> (_WIDTH - 1 - level) & 1 else left
                side[path[level]] = path[level + 1] = len(left)
                left.append(_NOTHING)
                right.append(_NOTHING)
            side = right if address >> free & 1 else left
            side[path[depth - 1]] = leaf
            before, deepest = address, depth - 1
    return left, right


def _record_bits(nodes: int, data: int) -> int:
    highest = nodes + 16 + data
    return 24 if highest < 1 << 24 else 28 if highest < 1 << 28 else 32


def _packed(left: array[int], right: array[int], nodes: int, data: int) -> bytes:
    """The search tree: node numbers, `nodes` for nothing, `nodes` + 16 + offset for data."""
    import numpy as np  # a million nodes take seconds without it

    bits = _record_bits(nodes, data)
    sides = []
    for side in (left, right):
        values = np.frombuffer(side, np.int64)
        values = np.where(values == _NOTHING, nodes, np.where(values < _NOTHING, nodes + 14 - values, values))
        sides.append(values.astype(">u4").view(np.uint8).reshape(-1, 4))
    low, high = sides
    if bits == 24:
        return np.hstack((low[:, 1:], high[:, 1:])).tobytes()
    if bits == 28:
        middle = (low[:, :1] << 4) | high[:, :1]
        return np.hstack((low[:, 1:], middle, high[:, 1:])).tobytes()
    return np.hstack((low, high)).tobytes()


class _Data:
    """The data section: records as they come, each distinct one once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        self._records: dict[str, int] = {}
        self._met: dict[int, tuple[Record, int]] = {}
        self._texts: dict[str, int] = {}

    def offset_of(self, record: Record) -> int:
        """Where the record stands, written if it is new."""
        met = self._met.get(id(record))
        if met is not None:
            return met[1]
        key = repr(record)
        known = self._records.get(key)
        if known is None:
            known = self._records[key] = self.size
            self._append(self.encoded(record))
        self._met[id(record)] = record, known  # the reference keeps the id from being used again
        return known

    def contents(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)

    def _append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)

    def encoded(self, value: object, *, pointers: bool = True) -> bytes:
        """A value in the format's encoding; text inside maps may be a pointer to an earlier place."""
        out = bytearray()
        self._encode(value, out, pointers=pointers)
        return bytes(out)

    def _encode(self, value: object, out: bytearray, *, pointers: bool) -> None:
        if isinstance(value, str):
            self._text(value, out, pointers=pointers)
        elif isinstance(value, bool):
            out += _control(_BOOLEAN, int(value))
        elif isinstance(value, int):
            digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
            kind = value.kind if isinstance(value, _Number) else _UINT32 if len(digits) <= 4 else _UINT64
            out += _control(kind, len(digits)) + digits
        elif isinstance(value, float):
            out += _control(_DOUBLE, 8) + struct.pack(">d", value)
        elif isinstance(value, Mapping):
            out += _control(_MAP, len(value))
            for key, item in value.items():
                self._text(key, out, pointers=pointers)
                self._encode(item, out, pointers=pointers)
        elif isinstance(value, Sequence):
            out += _control(_ARRAY, len(value))
            for item in value:
                self._encode(item, out, pointers=pointers)
        else:
            raise TypeError(f"a record cannot hold {value!r}")

    def _text(self, text: str, out: bytearray, *, pointers: bool) -> None:
        octets = text.encode()
        known = self._texts.get(text) if pointers else None
        if known is not None:
            out += _pointer(known)
            return
        if pointers and len(octets) > 4:  # a pointer takes up to five bytes: shorter text is cheaper again
            self._texts[text] = self.size + len(out)
        out += _control(_STRING, len(octets)) + octets


def _control(kind: int, size: int) -> bytes:
    """Type and size of a field, with the extended forms of both."""
    if size < 29:
        lead, extra = size, b""
    elif size < 285:
        lead, extra = 29, bytes((size - 29,))
    elif size < 65821:
        lead, extra = 30, (size - 285).to_bytes(2, "big")
    else:
        lead, extra = 31, (size - 65821).to_bytes(3, "big")
    return (bytes((kind << 5 | lead,)) if kind <= 7 else bytes((lead, kind - 7))) + extra


def _pointer(offset: int) -> bytes:
    """A pointer into the data section, in the shortest of its four sizes."""
    if offset < 2048:
        return bytes((_POINTER << 5 | offset >> 8, offset & 0xFF))
    if offset < 526336:
        offset -= 2048
        return bytes((_POINTER << 5 | 1 << 3 | offset >> 16,)) + (offset & 0xFFFF).to_bytes(2, "big")
    if offset < 134744064:
        offset -= 526336
        return bytes((_POINTER << 5 | 2 << 3 | offset >> 24,)) + (offset & 0xFFFFFF).to_bytes(3, "big")
    return bytes((_POINTER << 5 | 3 << 3,)) + offset.to_bytes(4, "big")
