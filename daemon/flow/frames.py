"""Frames without IP: counted by slot, sender, receiver and ethertype; ARP also tells who has which address."""

from __future__ import annotations

import numpy as np

from daemon.decode.arp import parse_arp
from daemon.decode.columns import Columns, link_addresses, payload_bytes
from daemon.decode.cursor import DecodeError
from daemon.decode.groups import SLOT_US
from daemon.decode.packet import FRAME
from daemon.flow.facts import Endpoints, Facts, FrameKey
from daemon.flow.local import PRIVATE, address_number, scope_of
from daemon.flow.services import frame_name

_ARP = 0x0806


class FrameCounter:
    """Counts the FRAME rows of chunks into facts. Keeps nothing between chunks."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def add(self, buf: bytearray, columns: Columns, facts: Facts) -> None:
        """Take the rows of a chunk."""
        rows = np.nonzero(columns.kind == FRAME)[0]
        view = memoryview(buf)
        slots = (columns.time_us[rows] // SLOT_US * SLOT_US).tolist()
        sizes = columns.wire[rows].tolist()
        types = columns.ethertype[rows].tolist()
        for row, slot_us, size, ethertype in zip(rows.tolist(), slots, sizes, types, strict=True):
            src_mac, dst_mac = link_addresses(buf, columns, row)
            key = FrameKey(slot_us, src_mac, dst_mac, frame_name(ethertype))
            cell = facts.frames.get(key)
            if cell is None:
                facts.frames[key] = [1, size]
            else:
                cell[0] += 1
                cell[1] += size
            if ethertype == _ARP:
                self._arp(payload_bytes(view, columns, row), int(columns.time_us[row]), facts)

    def _arp(self, payload: bytes, time_us: int, facts: Facts) -> None:
        """RFC 826: the sender names its own address; a probe (RFC 5227) has none yet."""
        try:
            said = parse_arp(payload)
        except DecodeError:
            return  # counted as a frame, says nothing
        version, address = address_number(said.sender_address)
        if said.sender_mac <= 0 or scope_of(version, address) != PRIVATE:
            return
        end = self._endpoints.number(said.sender_mac, version, address)
        span = facts.seen.get(end)
        if span is None:
            facts.seen[end] = [time_us, time_us, 1]
        else:
            span[0], span[1], span[2] = min(span[0], time_us), max(span[1], time_us), 1
