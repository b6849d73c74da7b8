"""Groups of rows against sums that a walk over the rows gives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.columns import Columns, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.groups import MESSAGE_PORTS, Groups, group
from daemon.decode.packet import ACK, FIN, IP, PSH, RST, SYN
from daemon.decode.slots import SLOT_US
from tests.support.chunks import Frame, chunk, every_shape
from tests.support.packets import (
    ARP,
    HOST,
    HOST6,
    SERVER,
    SERVER6,
    START_US,
    arp,
    ethernet,
    fragments4,
    icmp,
    ipv4,
    tcp_frame,
    udp,
    udp_frame,
)

START = START_US // SLOT_US * SLOT_US
HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(189)
LONG_HEADER = b"\xc3\0\0\0\1" + bytes(1200)


def columns_of(frames: Sequence[bytes], times: Sequence[int] | None = None) -> tuple[bytearray, Columns]:
    """Columns of Ethernet frames at the given times, else a millisecond apart."""
    buf, records = chunk([Frame(frame) for frame in frames])
    at = np.array([START + 1000 * i for i in range(len(frames))] if times is None else times, np.int64)
    return buf, decode_columns(buf, records._replace(time_us=at), Fragments())


def groups_of(frames: Sequence[bytes], times: Sequence[int] | None = None) -> Groups:
    groups = group(*columns_of(frames, times))
    assert groups is not None
    return groups


class Sums(NamedTuple):
    """One group, its rows by number."""

    rows: list[int]
    same: list[bool]
    several_slots: bool
    packets_forth: int
    packets: int
    bytes_forth: int
    bytes: int
    first_us: int
    last_us: int
    head_us: int
    largest_gap_us: int
    flags: int
    openings: int
    opens: bool
    payloads: int


def by_walking(columns: Columns) -> list[Sums]:
    """What `group` should say, from a walk over the rows."""
    names = ("version", "protocol", "tunnel", "source_hi", "source_lo", "source_port",
             "destination_hi", "destination_lo", "destination_port")  # fmt: skip
    fields = [getattr(columns, name).tolist() for name in names]
    times, wire, flags = columns.time_us.tolist(), columns.wire.tolist(), columns.tcp_flags.tolist()
    payloads = (columns.payload_size > 0).tolist()
    rows = [row for row in range(len(columns)) if columns.kind[row] == IP]
    steady = all(times[a] <= times[b] for a, b in pairwise(rows))
    found: dict[Any, list[int]] = {}
    sources = {}
    for row in rows:
        version, protocol, tunnel, *ends = (field[row] for field in fields)
        source, destination = tuple(ends[:3]), tuple(ends[3:])
        slot = times[row] // SLOT_US if steady else None
        key = (version, protocol, tunnel, min(source, destination), max(source, destination), slot)
        found.setdefault(key, []).append(row)
        sources[row] = source
    out = []
    for taken in found.values():
        same = [sources[row] == sources[taken[0]] for row in taken]
        own = [times[row] for row in taken]
        gaps = [b - a for a, b in pairwise(own)]
        opening = [flags[row] & (SYN | ACK) == SYN for row in taken]
        together = 0
        for row in taken:
            together |= flags[row]
        out.append(
            Sums(
                rows=taken,
                same=same,
                several_slots=len({time // SLOT_US for time in own}) > 1,
                packets_forth=sum(same),
                packets=len(taken),
                bytes_forth=sum(wire[row] for row, forth in zip(taken, same, strict=True) if forth),
                bytes=sum(wire[row] for row in taken),
                first_us=min(own),
                last_us=max(own),
                head_us=own[0],
                largest_gap_us=max([0, *gaps]),
                flags=together,
                openings=sum(opening),
                opens=opening[0],
                payloads=sum(payloads[row] for row in taken),
            )
        )
    return out


def sums_of(groups: Groups) -> list[Sums]:
    out = []
    for i, (start, stop) in enumerate(zip(groups.start, groups.stop, strict=True)):
        rows, same = groups.order[start:stop].tolist(), groups.same[start:stop].tolist()
        assert groups.first_row[i] == rows[0]
        assert groups.notables[i] == groups.notable[start:stop].sum()
        values = {name: getattr(groups, name)[i] for name in Sums._fields[2:]}
        out.append(Sums(rows, same, **values))
    return out


def notable(*frames: bytes) -> list[bool]:
    groups = groups_of(frames)
    marks = dict(zip(groups.order.tolist(), groups.notable.tolist(), strict=True))
    return [marks[row] for row in range(len(frames))]


def turned(payload: bytes = b"", flags: int = ACK, port: int = 40000) -> bytes:
    """From server to client."""
    return tcp_frame(payload, SERVER, HOST, 443, port, flags=flags)


TALK = [
    tcp_frame(flags=SYN),
    turned(flags=SYN | ACK),
    tcp_frame(),
    tcp_frame(HELLO, flags=PSH | ACK),
    turned(b"a" * 1000),
    tcp_frame(flags=FIN | ACK),
]
OTHERS = [
    tcp_frame(b"x", sport=40001),
    turned(b"yy", port=40001, flags=RST),
    tcp_frame(b"six", HOST6, SERVER6),
    tcp_frame(b"six", SERVER6, HOST6, 443, 40000),
    udp_frame(b"q", sport=40000, dport=443),
    udp_frame(b"itself", HOST, HOST, 5000, 5000),
    ethernet(ipv4(icmp(), proto=1)),
    ethernet(ipv4(icmp(0), SERVER, HOST, proto=1)),
    ethernet(arp(), ethertype=ARP),
    every_shape()["6in4"].data,
    every_shape()["udp6"].data,
]


def test_a_conversation_is_one_group() -> None:
    (sums,) = sums_of(groups_of(TALK))
    sizes = [len(frame) for frame in TALK]
    assert sums == Sums(
        rows=[0, 1, 2, 3, 4, 5],
        same=[True, False, True, True, False, True],
        several_slots=False,
        packets_forth=4,
        packets=6,
        bytes_forth=sizes[0] + sizes[2] + sizes[3] + sizes[5],
        bytes=sum(sizes),
        first_us=START,
        last_us=START + 5000,
        head_us=START,
        largest_gap_us=1000,
        flags=SYN | ACK | PSH | FIN,
        openings=1,
        opens=True,
        payloads=2,
    )


def test_the_first_row_says_what_forth_means() -> None:
    (sums,) = sums_of(groups_of(TALK[1:]))
    assert sums.same == [True, False, False, True, False]
    assert (sums.packets_forth, sums.openings, sums.opens) == (2, 0, False)


def test_a_conversation_is_cut_where_a_slot_begins() -> None:
    times = [START, START + 1, START + SLOT_US - 1, START + SLOT_US, START + SLOT_US + 7, START + 2 * SLOT_US]
    groups = groups_of(TALK, times)
    assert [sums.rows for sums in sums_of(groups)] == [[0, 1, 2], [3, 4], [5]]
    assert groups.several_slots == [False] * 3


def test_where_time_runs_backwards_a_group_may_span_slots() -> None:
    times = [START, START + SLOT_US, START + 1, START + SLOT_US + 1, START + 2, START + 3]
    (sums,) = sums_of(groups_of(TALK, times))
    assert (sums.several_slots, sums.head_us, sums.last_us) == (True, START, START + SLOT_US + 1)
    assert sums.largest_gap_us == SLOT_US


def test_ports_protocol_version_and_tunnel_keep_conversations_apart() -> None:
    # The last two are one conversation of the same ends, once inside a tunnel and once not.
    groups = groups_of(OTHERS)
    assert [sums.rows for sums in sums_of(groups)] == [[0, 1], [2, 3], [4], [5], [6, 7], [9], [10]]


def test_without_ip_there_is_no_group() -> None:
    assert group(*columns_of([ethernet(arp(), ethertype=ARP)])) is None
    assert group(*columns_of([])) is None


@given(st.lists(st.tuples(st.sampled_from(TALK + OTHERS), st.integers(0, SLOT_US // 3)), min_size=1, max_size=60),
       st.booleans(), st.randoms(use_true_random=False))  # fmt: skip
def test_sums_are_those_of_a_walk(steps: list[tuple[bytes, int]], steady: bool, luck: Any) -> None:  # noqa: ANN401  hypothesis's own Random
    times = (START + np.cumsum([gap for _, gap in steps])).tolist()
    if not steady:
        luck.shuffle(times)
    buf, columns = columns_of([frame for frame, _ in steps], times)
    groups = group(buf, columns)
    assert (sums_of(groups) if groups else []) == by_walking(columns)


def test_many_conversations_do_not_fall_together() -> None:
    frames = [
        udp_frame(b"x", f"192.168.{i % 7}.{i % 250 + 1}", f"203.0.{i % 11}.{i % 13 + 1}", 1024 + i, 53 + i % 3)
        for i in range(3000)
    ]
    buf, columns = columns_of(frames + frames[::-1], [START + i for i in range(6000)])
    groups = group(buf, columns)
    assert groups is not None
    assert sums_of(groups) == by_walking(columns)
    assert len(groups.start) == 3000


# --- payloads that are wanted wherever they stand


def test_a_client_hello_is_notable() -> None:
    server_hello = b"\x16\x03\x03\0\x50\x02" + bytes(80)
    alert = b"\x15\x03\x01\0\x02\x01\0"
    frames = [tcp_frame(HELLO), tcp_frame(HELLO, dport=8883), tcp_frame(HELLO[:6]), tcp_frame(HELLO[:5])]
    assert notable(*frames, tcp_frame(server_hello), tcp_frame(alert), tcp_frame()) == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT", "PATCH", "NOTIFY", "M-SEARCH"]
)
def test_a_request_is_notable(method: str) -> None:
    request = method.encode() + b" / HTTP/1.1\r\n"
    assert notable(tcp_frame(request), tcp_frame(b"x" + request), tcp_frame(request[:3])) == [True, False, False]


@pytest.mark.parametrize("port", MESSAGE_PORTS)
def test_messages_are_notable_in_both_directions(port: int) -> None:
    there, back = udp_frame(b"q", dport=port), udp_frame(b"a", sport=port, dport=40000)
    others = udp_frame(b"", dport=port), udp_frame(b"q", dport=port + 3000), tcp_frame(b"q", dport=port)
    assert notable(there, back, *others) == [True, True, False, False, False]


def test_a_large_long_header_is_notable() -> None:
    short = b"\x43" + LONG_HEADER[1:]
    frames = [udp_frame(data, dport=443) for data in (LONG_HEADER, LONG_HEADER[:999], short)]
    assert notable(*frames) == [True, False, False]


def test_what_was_reassembled_is_notable() -> None:
    first, last = (ethernet(each) for each in fragments4(ipv4(udp(b"q" * 600, 40000, 9999)), 400))
    assert notable(first, last) == [False, True]


def test_what_follows_a_payload_in_the_buffer_does_not_count() -> None:
    buf, records = chunk([Frame(tcp_frame(b"G"))], b"ET / HTTP/1.1\r\n")
    groups = group(buf, decode_columns(buf, records, Fragments()))
    assert groups is not None
    assert groups.notables == [0]
