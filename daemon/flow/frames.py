"""Frames without IP: counted by slot, sender, receiver and ethertype; ARP also tells who has which address."""

from __future__ import annotations

from functools import lru_cache

from daemon.decode import bare
from daemon.decode.arp import parse_arp
from daemon.decode.columns import ETHERNET, Columns, link_addresses, payload_bytes
from daemon.decode.cursor import DecodeError
from daemon.decode.packet import FRAME
from daemon.decode.records import Buffer
from daemon.decode.slots import SLOT_US
from daemon.flow.facts import Endpoints, Facts, FrameKey
from daemon.flow.local import PRIVATE, address_number, scope_of
from daemon.flow.services import frame_name

try:
    from daemon.flow._core import count_frames
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

_ARP = 0x0806
_MACS = 12  # bytes of both link addresses
_ARP_SIZE = 28  # RFC 826 for Ethernet and IPv4; behind it lies padding


class FrameCounter:
    """Counts the FRAME rows of chunks into facts. Keeps nothing between chunks."""

    def __init__(self, endpoints: Endpoints, *, native: bool = True) -> None:
        """`native`: let C count those on Ethernet, where it was built."""
        self._endpoints = endpoints
        self._native = native and NATIVE

    def add(self, buf: Buffer, columns: Columns, facts: Facts) -> None:
        """Take the rows of a chunk."""
        if self._native:
            rows = count_frames(buf, columns, facts.frames, facts.seen, self._endpoints, _COUNTED)
        else:
            rows = bare.places(columns.kind, FRAME)
        if rows:
            self._add(buf, columns, facts, rows)

    def _add(self, buf: Buffer, columns: Columns, facts: Facts, rows: list[int]) -> None:
        """These rows. Frames that begin alike (most ARP does) are counted together."""
        alike: dict[tuple[int, bytes | tuple[int, int], int, bytes], list[int]] = {}
        places = (columns.frame_offset, columns.payload_offset, columns.payload_size)
        taken = (columns.link, columns.wire, columns.ethertype, columns.time_us, *places)
        take = [bare.values(column, rows) for column in taken]
        view = memoryview(buf)
        for row, link, size, ethertype, time_us, start, at, length in zip(rows, *take, strict=True):
            slot_us = time_us // SLOT_US * SLOT_US
            said, macs = b"", b""  # as they lie in the buffer: most frames say what many others say
            if link == ETHERNET and row not in columns.macs:
                macs = bytes(view[start : start + _MACS])
                if ethertype == _ARP:
                    said = bytes(view[at : at + min(length, _ARP_SIZE)])
            elif ethertype == _ARP:
                said = payload_bytes(view, columns, row)[:_ARP_SIZE]
            key = (slot_us, macs or link_addresses(buf, columns, row), ethertype, said)
            cell = alike.get(key)
            if cell is None:
                alike[key] = [1, size, time_us, time_us]
            else:
                cell[0] += 1
                cell[1] += size
                cell[2] = min(cell[2], time_us)
                cell[3] = max(cell[3], time_us)
        for (slot_us, ends, ethertype, said), (packets, size, first_us, last_us) in alike.items():
            macs_of = ends if isinstance(ends, tuple) else _mac_pair(ends)
            frame = FrameKey(slot_us, *macs_of, frame_name(ethertype))
            total = facts.frames.setdefault(frame, [0, 0])
            total[0] += packets
            total[1] += size
            if said:
                self._arp(said, first_us, last_us, facts)

    def _arp(self, payload: bytes, first_us: int, last_us: int, facts: Facts) -> None:
        end = _claimed(payload)
        if end is not None:
            facts.saw(self._endpoints.number(*end), first_us, last_us, sent=1)


@lru_cache(maxsize=4096)  # neighbours ask the same all day
def _claimed(payload: bytes) -> tuple[int, int, int] | None:
    """(MAC, IP version, address) that the sender of an ARP packet says are its own, None where it says nothing.

    RFC 826: the sender names its own address; a probe (RFC 5227) has none yet.
    """
    try:
        said = parse_arp(payload)
    except DecodeError:
        return None  # counted as a frame
    version, address = address_number(said.sender_address)
    if said.sender_mac <= 0 or scope_of(version, address) != PRIVATE:
        return None
    return said.sender_mac, version, address


# What `count_frames` needs of this file: what frames are counted under, how an ethertype is called, who ARP says it is.
_COUNTED = (FrameKey, frame_name, _claimed, SLOT_US)


def _mac_pair(start: bytes) -> tuple[int, int]:
    """(source, destination) MAC from the first twelve bytes of an Ethernet frame; the destination stands first."""
    return int.from_bytes(start[6:], "big"), int.from_bytes(start[:6], "big")
