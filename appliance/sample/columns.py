"""Packets by the hundred thousand: columns of facts become frames, with payloads from a pool of random bytes.

Rules:
1. A conversation is a row of `Ends`, a packet a row of `Packets`; nothing per packet happens in Python, except for the
   few that carry a message.
2. IPv4 header checksums are right. TCP and UDP checksums are arbitrary (never zero): summing a gigabyte of random
   payload would cost more than everything else, and the tools compared do not verify them.
3. Memory is bounded by one chunk of packets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from appliance.sample.wire import ACK, FIN, SYN

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

UDP, TCP, RAW = 0, 1, 2
# Bytes before the payload by class: IPv4 then IPv6, each as UDP and as TCP with 0, 12 and 20 bytes of options; raw.
HEADERS = np.array([42, 54, 66, 74, 62, 74, 86, 94, 0])
RAW_CLASS = 8
CHUNK = 16_384
PLAIN, TLS_RECORD, QUIC_SHORT, WIREGUARD = 0, 1, 2, 3  # what the first payload bytes look like

TIME, CONVERSATION, UP, LENGTH, FLAGS, MESSAGE, SHIFT, MARK = range(8)


@dataclass(slots=True)
class Ends:
    """Conversations, column by column; row 0 stands for ready-made frames. Addresses are padded to 16 bytes."""

    macs: list[bytes] = field(default_factory=lambda: [bytes(12)])
    addresses: list[bytes] = field(default_factory=lambda: [bytes(32)])
    ports: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    kinds: list[tuple[int, int, int]] = field(default_factory=lambda: [(RAW, 4, 0)])  # transport, version, timestamps
    numbers: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])  # first sequence number of each end

    def add(
        self,
        macs: bytes,
        addresses: tuple[bytes, bytes],
        ports: tuple[int, int],
        transport: int,
        extra: tuple[int, int, int],
    ) -> int:
        """A new conversation, client first; `extra` holds the timestamp option (0 or 1) and both sequence numbers."""
        self.macs.append(macs)
        self.addresses.append(addresses[0].ljust(16, b"\0") + addresses[1].ljust(16, b"\0"))
        self.ports.append(ports)
        self.kinds.append((transport, 4 if len(addresses[0]) == 4 else 6, extra[0]))
        self.numbers.append(extra[1:])
        return len(self.macs) - 1


@dataclass(slots=True)
class Packets:
    """Packets in order of time: `rows` of shape (n, 8), its columns `TIME` to `MARK`, and the TCP numbers."""

    rows: Ints
    seq: Ints
    ack: Ints


def number(rows: Ints, ends: Ends) -> tuple[Packets, Ints]:
    """Give TCP packets their numbers, in the logical order of `TIME`, then move them by `SHIFT` and sort.

    Returns the packets and, of shape (conversations, 2), the next sequence number of each end.
    """
    order = np.lexsort((rows[:, TIME], rows[:, CONVERSATION]))
    rows = rows[order]
    owner, up = rows[:, CONVERSATION], rows[:, UP].astype(bool)
    used = rows[:, LENGTH] + ((rows[:, FLAGS] & (SYN | FIN)) != 0)
    used[owner == 0] = 0
    start = np.array(ends.numbers, np.int64)
    first = np.searchsorted(owner, np.arange(len(start) + 1))
    own, other = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    following = np.empty((len(start), 2), np.int64)
    for side, mask in ((0, up), (1, ~up)):
        total = np.concatenate(([0], np.cumsum(np.where(mask, used, 0))))
        before = total[:-1] - total[first[owner]] + start[owner, side]
        own[mask], other[~mask] = before[mask], before[~mask]
        following[:, side] = start[:, side] + total[first[1:]] - total[first[:-1]]
    other[(rows[:, FLAGS] & ACK) == 0] = 0
    rows[:, TIME] += rows[:, SHIFT]
    final = np.argsort(rows[:, TIME], kind="stable")
    return Packets(rows[final], own[final] & 0xFFFFFFFF, other[final] & 0xFFFFFFFF), following & 0xFFFFFFFF


def repeat(packets: Packets, chosen: Ints, later_us: int) -> Packets:
    """The packets with those at `chosen` sent a second time, with the same numbers, `later_us` microseconds later."""
    again = packets.rows[chosen].copy()
    again[:, TIME] += later_us
    rows = np.concatenate((packets.rows, again))
    order = np.argsort(rows[:, TIME], kind="stable")
    seq = np.concatenate((packets.seq, packets.seq[chosen]))
    ack = np.concatenate((packets.ack, packets.ack[chosen]))
    return Packets(rows[order], seq[order], ack[order])


def _big(values: Ints, size: int) -> Bytes:
    """Big-endian bytes of shape (n, size), for sizes 2 and 4."""
    return values.astype(f">u{size}").view(np.uint8).reshape(-1, size)


class Framer:
    """Turns packets of one set of conversations into pcap records."""

    def __init__(self, ends: Ends, messages: list[bytes], pool: Bytes) -> None:
        self._macs = np.frombuffer(b"".join(ends.macs), np.uint8).reshape(-1, 2, 6)
        self._addresses = np.frombuffer(b"".join(ends.addresses), np.uint8).reshape(-1, 2, 16)
        self._ports = np.array(ends.ports, np.int64)
        self._kinds = np.array(ends.kinds, np.int64)
        self._messages, self._pool = messages, pool

    def write(self, packets: Packets, out: BinaryIO) -> None:
        """Append all packets to a pcap file."""
        for start in range(0, len(packets.rows), CHUNK):
            part = slice(start, start + CHUNK)
            chunk = Packets(packets.rows[part], packets.seq[part], packets.ack[part])
            out.write(self._chunk(chunk, start).data)

    def _classes(self, rows: Ints) -> Ints:
        kinds = self._kinds[rows[:, CONVERSATION]]
        synchronising = (rows[:, FLAGS] & SYN) != 0
        options = np.where(kinds[:, 2] == 1, 2, 1) + synchronising
        found = np.where(kinds[:, 0] == TCP, options, 0) + np.where(kinds[:, 1] == 6, 4, 0)
        found[kinds[:, 0] == RAW] = RAW_CLASS
        return found

    def _chunk(self, packets: Packets, salt: int) -> Bytes:
        rows = packets.rows
        classes = self._classes(rows)
        wire = HEADERS[classes] + rows[:, LENGTH]
        ends = np.cumsum(wire + 16)
        starts = ends - wire - 16
        buffer = np.empty(int(ends[-1]) + 128, np.uint8)  # room for the widest window
        shift = salt * 977 % 100_003
        for at in range(0, len(buffer), len(self._pool) - shift):
            part = buffer[at : at + len(self._pool) - shift]
            part[:] = self._pool[shift : shift + len(part)]
        heads = np.empty((len(rows), 4), "<u4")
        heads[:, 0], heads[:, 1] = rows[:, TIME] // 1_000_000, rows[:, TIME] % 1_000_000
        heads[:, 2] = heads[:, 3] = wire
        _put(buffer, starts, heads.view(np.uint8).reshape(-1, 16))
        for kind in range(RAW_CLASS):
            chosen = np.nonzero(classes == kind)[0]
            if len(chosen):
                _put(buffer, starts[chosen] + 16, self._headers(packets, chosen, kind))
        payloads = starts + 16 + HEADERS[classes]
        self._marks(buffer, rows, payloads)
        view = buffer.data
        for at in np.nonzero(rows[:, MESSAGE] >= 0)[0].tolist():
            message, place = self._messages[rows[at, MESSAGE]], int(payloads[at])
            view[place : place + len(message)] = message
        return buffer[: int(ends[-1])]

    def _marks(self, buffer: Bytes, rows: Ints, payloads: Ints) -> None:
        """Make random payload look like what it stands for, so that readers need not guess."""
        chosen = np.nonzero(rows[:, MARK] == TLS_RECORD)[0]
        record = np.empty((len(chosen), 5), np.uint8)
        record[:, :3] = (23, 3, 3)
        record[:, 3:] = _big(rows[chosen, LENGTH] - 5, 2)
        _put(buffer, payloads[chosen], record)
        chosen = np.nonzero(rows[:, MARK] == QUIC_SHORT)[0]
        buffer[payloads[chosen]] = 0x40 | (rows[chosen, TIME] & 0x3F)
        chosen = np.nonzero(rows[:, MARK] == WIREGUARD)[0]
        data = np.zeros((len(chosen), 16), np.uint8)
        data[:, 0], data[:, 4:8], data[:, 8] = 4, 7, rows[chosen, TIME] & 0xFF
        _put(buffer, payloads[chosen], data)

    def _headers(self, packets: Packets, chosen: Ints, kind: int) -> Bytes:
        """Header bytes of shape (chosen, HEADERS[kind]) for packets of one class."""
        rows = packets.rows[chosen]
        owner, sender = rows[:, CONVERSATION], 1 - rows[:, UP]
        size = int(HEADERS[kind])
        head = np.zeros((len(rows), size), np.uint8)
        head[:, 0:6], head[:, 6:12] = self._macs[owner, 1 - sender], self._macs[owner, sender]
        source, target = self._addresses[owner, sender], self._addresses[owner, 1 - sender]
        protocol, ttl = (6 if kind % 4 else 17), np.where(sender == 0, 64, 56)
        if kind < 4:
            at = 34
            head[:, 12:15], head[:, 20] = (8, 0, 0x45), 0x40
            head[:, 16:18], head[:, 18:20] = _big(rows[:, LENGTH] + size - 14, 2), _big(rows[:, TIME] & 0xFFFF, 2)
            head[:, 22], head[:, 23], head[:, 26:30], head[:, 30:34] = ttl, protocol, source[:, :4], target[:, :4]
            total = head[:, 14:34].copy().view(">u2").astype(np.int64).sum(axis=1)
            head[:, 24:26] = _big((0xFFFF - total % 0xFFFF) % 0xFFFF, 2)
        else:
            at = 54
            head[:, 12:15] = (0x86, 0xDD, 0x60)
            head[:, 18:20] = _big(rows[:, LENGTH] + size - 54, 2)
            head[:, 20], head[:, 21], head[:, 22:38], head[:, 38:54] = protocol, ttl, source, target
        head[:, at : at + 2] = _big(self._ports[owner, sender], 2)
        head[:, at + 2 : at + 4] = _big(self._ports[owner, 1 - sender], 2)
        some = _big(rows[:, TIME] % 0xFFFF + 1, 2)
        if protocol == 17:
            head[:, at + 4 : at + 6], head[:, at + 6 : at + 8] = _big(rows[:, LENGTH] + 8, 2), some
            return head
        head[:, at + 4 : at + 8], head[:, at + 8 : at + 12] = _big(packets.seq[chosen], 4), _big(packets.ack[chosen], 4)
        head[:, at + 12], head[:, at + 13] = (size - at) // 4 << 4, rows[:, FLAGS]
        head[:, at + 14 : at + 16], head[:, at + 16 : at + 18] = (1, 246), some
        if size > at + 20:
            head[:, at + 20 :] = _options(rows, size - at - 20)
        return head


def _options(rows: Ints, size: int) -> Bytes:
    """TCP options: with 20 bytes those of a SYN with timestamps, with 12 timestamps or the SYN of a Windows host."""
    options = np.empty((len(rows), size), np.uint8)
    clock = rows[:, TIME] // 1000 & 0xFFFFFFFF
    if size == 20:
        options[:, :8], options[:, 16:] = (2, 4, 5, 0xB4, 4, 2, 8, 10), (1, 3, 3, 7)
        options[:, 8:12], options[:, 12:16] = _big(clock, 4), 0
        return options
    options[:, :4], options[:, 4:8], options[:, 8:12] = (1, 1, 8, 10), _big(clock, 4), _big(clock - 20, 4)
    options[(rows[:, FLAGS] & SYN) != 0] = (2, 4, 5, 0xB4, 1, 3, 3, 8, 1, 1, 4, 2)
    return options


def _put(buffer: Bytes, places: Ints, content: Bytes) -> None:
    """Copy row by row into the buffer; the windows overlap on paper, the rows never do."""
    windows = np.lib.stride_tricks.sliding_window_view(buffer, content.shape[1], writeable=True)
    windows[places] = content
