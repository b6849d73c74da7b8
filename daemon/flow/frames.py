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
_ARP_SIZE = 28  # RFC 826 for Ethernet and IPv4; behind it lies padding


class FrameCounter:
    """Counts the FRAME rows of chunks into facts. Keeps nothing between chunks."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def add(self, buf: bytearray, columns: Columns, facts: Facts) -> None:
        """Take the rows of a chunk. Frames that begin alike (most ARP does) are counted together."""
        rows = np.nonzero(columns.kind == FRAME)[0]
        if not len(rows):
            return
        alike: dict[tuple[int, int, int, int, bytes], list[int]] = {}
        view = memoryview(buf)
        slots = (columns.time_us[rows] // SLOT_US * SLOT_US).tolist()
        take = [column[rows].tolist() for column in (columns.wire, columns.ethertype, columns.time_us)]
        for row, slot_us, size, ethertype, time_us in zip(rows.tolist(), slots, *take, strict=True):
            said = payload_bytes(view, columns, row)[:_ARP_SIZE] if ethertype == _ARP else b""
            key = (slot_us, *link_addresses(buf, columns, row), ethertype, said)
            cell = alike.get(key)
            if cell is None:
                alike[key] = [1, size, time_us, time_us]
            else:
                cell[0] += 1
                cell[1] += size
                cell[2] = min(cell[2], time_us)
                cell[3] = max(cell[3], time_us)
        for (slot_us, src_mac, dst_mac, ethertype, said), (packets, size, first_us, last_us) in alike.items():
            frame = FrameKey(slot_us, src_mac, dst_mac, frame_name(ethertype))
            total = facts.frames.setdefault(frame, [0, 0])
            total[0] += packets
            total[1] += size
            if said:
                self._arp(said, first_us, last_us, facts)

    def _arp(self, payload: bytes, first_us: int, last_us: int, facts: Facts) -> None:
        """RFC 826: the sender names its own address; a probe (RFC 5227) has none yet."""
        try:
            said = parse_arp(payload)
        except DecodeError:
            return  # counted as a frame, says nothing
        version, address = address_number(said.sender_address)
        if said.sender_mac <= 0 or scope_of(version, address) != PRIVATE:
            return
        end = self._endpoints.number(said.sender_mac, version, address)
        facts.saw(end, first_us, last_us, sent=1)
