"""Large transfers inside a TCP connection: films, music, backups, as an access point's radio hands them over.

Rules:
1. The kernel joins segments that follow each other before a recorder sees them, so a frame stands for several of them.
2. Of such a frame the first 96 bytes are kept, as by a recorder with a snap length; its length on the wire is whole.
   So an evening of films has its true size in every table and next to none on the disk.
3. Headers are exact as far as they can be checked: a checksum over bytes that were cut off is left to chance.
"""

from __future__ import annotations

import struct

from appliance.sample import wire
from appliance.sample.talk import Tcp
from appliance.sample.wire import ACK, End, Frame

LARGE = 3_000  # bytes from which a transfer is bulk
KEPT = 96
_SEGMENT = 1448
_BURST = 12  # frames that follow each other closely


def pour(tcp: Tcp, size: int, *, up: bool, seconds: int, joined: int) -> None:
    """Send `size` bytes within `seconds`: bursts of frames of `joined` segments on average, each second one acknowledged."""
    luck = tcp.rng.random
    usual = joined * _SEGMENT
    pause = max(20_000, seconds * 1_000_000 * _BURST * usual // size - _BURST * 1_500)
    maker = _Maker(tcp, up=up)
    number = 0
    while size > 0:
        part = int((0.5 + luck()) * joined) * _SEGMENT
        part = part if part + _SEGMENT < size else size  # no last frame so small that nothing of it would be cut
        maker.send(part)
        tcp.wait(700 + int(1_600 * luck()))
        size -= part
        number += 1
        if number % 2 or size <= 0:
            maker.acknowledge()
        if number % _BURST == 0:
            tcp.wait(int(pause * (0.6 + 0.8 * luck())))


class _Maker:
    """Frames of one direction of a connection, from parts that stay the same."""

    def __init__(self, tcp: Tcp, *, up: bool) -> None:
        self._tcp, self._up = tcp, up
        src, dst = (tcp.client, tcp.server) if up else (tcp.server, tcp.client)
        self._four = len(src.address) == 4
        self._ether = dst.mac + src.mac + (wire.ETH_IP4 if self._four else wire.ETH_IP6).to_bytes(2, "big")
        self._ports = struct.pack(">HH", src.port, dst.port)
        self._ends = src, dst
        self._body = tcp.rng.randbytes(KEPT)

    def send(self, size: int) -> None:
        """One frame that carries `size` bytes, at most some 60,000."""
        tcp, (src, dst) = self._tcp, self._ends
        seq, ack, ident, options = tcp.reserve(size, up=self._up)
        length = 20 + len(options) + size
        rest = (5 + len(options) // 4) << 4, ACK, 502, ident ^ 0x5A5A, 0
        segment = self._ports + struct.pack(">IIBBHHH", seq, ack, *rest) + options
        data = self._ether + self._network(src, dst, length, ident) + segment + self._body
        tcp.frames.append(Frame(tcp.clock, data[:KEPT], 14 + (20 if self._four else 40) + length))

    def _network(self, src: End, dst: End, length: int, ident: int) -> bytes:
        ttl = 64 if self._up else 52
        if not self._four:
            return struct.pack(">IHBB", 0x60000000, length, wire.TCP, ttl) + src.address + dst.address
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, ident, 0x4000, ttl, wire.TCP, 0)
        head += src.address + dst.address
        return head[:10] + wire.checksum(head).to_bytes(2, "big") + head[12:]

    def acknowledge(self) -> None:
        """The other end has it."""
        self._tcp.acknowledge(up=not self._up)
