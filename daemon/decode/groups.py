"""Rows of one chunk, gathered by conversation and 15-minute slot, with their sums.

Rule 1: a group's rows keep file order; its direction is relative to its first row ("forth" = from that row's source).
        Groups stand in the order of their first rows, so that the slots of one conversation follow each other; where
        time runs backwards within the chunk that would not hold, and a group may then span slots (`several_slots`).
Rule 2: sums say nothing that a walk over the rows would not: where order matters (a gap, a close, a new SYN), the group
        carries enough for its reader to notice and walk.
The 64-bit hash that brings rows together is keyed anew in each process, so that nobody can aim at a collision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from daemon.decode.columns import Columns
from daemon.decode.later import np
from daemon.decode.packet import ACK, IP, SYN, TCP, UDP
from daemon.decode.records import Buffer
from daemon.decode.slots import SLOT_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column: TypeAlias = "NDArray[Any]"

# Bytes 0, 1 and 5 of a TLS record, as they stand in a little-endian word: 0x16, 0x03 and 0x01.
_HELLO_MASK, _HELLO_START = 0x0000_FF00_0000_FFFF, 0x0000_0100_0000_0316

# Datagrams on these ports are messages, whoever sends them: DNS, DHCP, NetBIOS, DHCPv6, SSDP, mDNS, LLMNR.
MESSAGE_PORTS = (53, 67, 68, 137, 138, 546, 547, 1900, 5353, 5355)

# What a request starts with, four bytes each; see http.py.
REQUEST_STARTS = (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"CONN", b"PATC", b"TRAC", b"PROP", b"SUBS",
                  b"UNSU", b"NOTI", b"M-SE", b"REPO", b"LOCK", b"MKCO")  # fmt: skip


class _Tables(NamedTuple):
    """What rows are looked up in, as arrays."""

    multipliers: tuple[Any, ...]
    message_port: Column
    request_starts: Column  # in order
    first_letter: Column


@cache
def _tables() -> _Tables:
    """Made once a process, when numpy is needed: the multipliers are random, and the same from then on."""
    import secrets  # noqa: PLC0415  slow to import, as numpy is

    starts = np.sort(np.array([int.from_bytes(start, "little") for start in REQUEST_STARTS], np.uint32))
    message_port, first_letter = np.zeros(65536 + 1, bool), np.zeros(256, bool)
    message_port[list(MESSAGE_PORTS)] = True
    first_letter[[start[0] for start in REQUEST_STARTS]] = True
    return _Tables(tuple(np.uint64(secrets.randbits(64) | 1) for _ in range(4)), message_port, starts, first_letter)


@dataclass(slots=True)
class Groups:
    """One entry a group; `order[start[i]:stop[i]]` are its rows in file order."""

    order: Column
    same: Column  # per row: travels in the direction of its group's first row
    notable: Column  # per row: its payload starts like a message that is wanted wherever it stands
    start: list[int]
    stop: list[int]
    first_row: list[int]
    several_slots: list[bool]
    packets_forth: list[int]
    packets: list[int]
    bytes_forth: list[int]
    bytes: list[int]
    first_us: list[int]
    last_us: list[int]
    head_us: list[int]  # time of the first row in file order
    largest_gap_us: list[int]
    flags: list[int]  # TCP flags of all rows together
    openings: list[int]  # rows with SYN and without ACK
    opens: list[bool]  # the first row is one of them
    notables: list[int]
    payloads: list[int]  # rows with a payload, captured or not
    late_opens: list[bool]  # a SYN stands behind a payload


def group(buf: Buffer, columns: Columns) -> Groups | None:
    """Gather the IP rows of a chunk; None where there are none."""
    rows = np.nonzero(columns.kind == IP)[0]
    if not len(rows):
        return None
    time = columns.time_us[rows]
    steady = bool((time[1:] >= time[:-1]).all())
    digest, forward = _digest(columns, rows, time // SLOT_US if steady else None)
    sort = np.argsort(digest, kind="stable")
    ordered = digest[sort]
    order = rows[sort]
    edges = np.nonzero(ordered[1:] != ordered[:-1])[0] + 1
    start = np.concatenate((np.zeros(1, np.int64), edges))
    stop = np.append(edges, len(order))
    forward = forward[sort]
    same: Column = forward == np.repeat(forward[start], stop - start)
    time = columns.time_us[order]
    wire = columns.wire[order]
    flags = columns.tcp_flags[order]
    notable = _notable(buf, columns, order)
    gap: Column = np.zeros(len(order), np.int64)
    np.subtract(time[1:], time[:-1], out=gap[1:])
    gap[start] = 0
    opening = (flags & (SYN | ACK)) == SYN
    worth = (columns.payload_size[order] > 0) | (columns.missing[order] > 0)
    place = np.arange(len(order))
    last_syn = np.maximum.reduceat(np.where(flags & SYN, place, -1), start)
    first_payload = np.minimum.reduceat(np.where(worth, place, len(order)), start)
    add = np.add.reduceat
    slots = time // SLOT_US
    line = np.argsort(order[start], kind="stable")

    def per_group(values: Column) -> list[Any]:
        out: list[Any] = values[line].tolist()
        return out

    return Groups(
        order=order,
        same=same,
        notable=notable,
        start=per_group(start),
        stop=per_group(stop),
        first_row=per_group(order[start]),
        several_slots=per_group(np.minimum.reduceat(slots, start) != np.maximum.reduceat(slots, start)),
        packets_forth=per_group(add(same.astype(np.int64), start)),
        packets=per_group(stop - start),
        bytes_forth=per_group(add(np.where(same, wire, 0), start)),
        bytes=per_group(add(wire, start)),
        first_us=per_group(np.minimum.reduceat(time, start)),
        last_us=per_group(np.maximum.reduceat(time, start)),
        head_us=per_group(time[start]),
        largest_gap_us=per_group(np.maximum.reduceat(gap, start)),
        flags=per_group(np.bitwise_or.reduceat(flags, start)),
        openings=per_group(add(opening.astype(np.int64), start)),
        opens=per_group(opening[start]),
        notables=per_group(add(notable.astype(np.int64), start)),
        payloads=per_group(add(worth.astype(np.int64), start)),
        late_opens=per_group(last_syn > first_payload),
    )


def _mix(value: Column) -> Column:
    first, second, *_ = _tables().multipliers
    value = value * first
    value ^= value >> np.uint64(29)
    value *= second
    value ^= value >> np.uint64(32)
    return value


def _digest(columns: Columns, rows: Column, slots: Column | None) -> tuple[Column, Column]:
    """A number that is equal for the rows of one conversation in one slot, and whether a row goes from its lesser end."""
    unsigned = np.uint64
    *_, high, kinds = _tables().multipliers
    every = len(rows) == len(columns)
    pick = slice(None) if every else rows
    source_port = columns.source_port[pick].astype(np.int64).astype(unsigned) << unsigned(48)
    destination_port = columns.destination_port[pick].astype(np.int64).astype(unsigned) << unsigned(48)
    source = _mix(columns.source_lo[pick] ^ source_port)
    destination = _mix(columns.destination_lo[pick] ^ destination_port)
    source += columns.source_hi[pick] * high
    destination += columns.destination_hi[pick] * high
    forward: Column = source < destination
    kind = columns.protocol[pick].astype(np.int64) | (columns.tunnel[pick].astype(np.int64) << 16)
    kind |= columns.version[pick].astype(np.int64) << 24
    if slots is not None:
        kind |= slots << 32
    digest = np.minimum(source, destination) + _mix(np.maximum(source, destination))
    digest ^= kind.astype(unsigned) * kinds
    return _mix(digest), forward


def _notable(buf: Buffer, columns: Columns, order: Column) -> Column:
    """Payloads that are wanted even in a flow that nobody looks into any more: the start of a handshake or request."""
    tables = _tables()
    size = columns.payload_size[order]
    protocol = columns.protocol[order]
    words = np.ndarray((len(buf) - 7,), "<u8", buf, strides=(1,))
    head = words[columns.payload_offset[order]]
    first = (head & np.uint64(0xFF)).astype(np.uint8)
    tcp = (protocol == TCP) & (size > 0)
    # TLS record: handshake (22), version 3.x, then a ClientHello (1) behind the record's length (RFC 8446 section 5.1).
    hello = (head & np.uint64(_HELLO_MASK)) == np.uint64(_HELLO_START)
    notable: Column = tcp & hello & (size > 5)
    letters = np.nonzero(tcp & tables.first_letter[first] & (size > 3))[0]
    if len(letters):
        start = (head[letters] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        starts = tables.request_starts
        place = np.minimum(np.searchsorted(starts, start), len(starts) - 1)
        notable[letters[starts[place] == start]] = True
    udp = (protocol == UDP) & (size > 0)
    source_port, destination_port = columns.source_port[order], columns.destination_port[order]
    notable |= udp & (tables.message_port[source_port] | tables.message_port[destination_port])
    # QUIC long header with the fixed bit (RFC 9000 section 17.2) in a datagram that may carry an Initial (section 14.1).
    notable |= udp & ((first & 0xC0) == 0xC0) & (size >= 1200 - 200)
    if columns.payloads:  # reassembled: not in the buffer, so let the reader look
        special = np.zeros(len(columns), bool)
        special[list(columns.payloads)] = True
        notable |= special[order] & (size > 0)
    return notable
