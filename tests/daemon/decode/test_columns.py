from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.columns import Columns, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.links import SUPPORTED
from daemon.decode.packet import ACK, FRAME, IP, NO_MAC, NO_PORT, PSH, TCP, TUNNELS, UDP, UNDECODED
from tests.support.chunks import Frame, Row, chunk, common_shapes, every_shape, rare_shapes, seen
from tests.support.hostile import hostile
from tests.support.packets import (
    ARP,
    HOST,
    HOST6,
    HOST_MAC,
    ROUTER_MAC,
    SERVER,
    SERVER6,
    START_US,
    address,
    arp,
    ethernet,
    fragments4,
    ipv4,
    mac_int,
    sll,
    tcp_frame,
    udp,
    udp_frame,
)

EVERY = every_shape()
LINKS = sorted({*SUPPORTED, 105, 147, 65537})


def decode(*frames: Frame, gap: bytes = b"\0" * 16, thorough: bool = False) -> tuple[bytearray, Columns]:
    """With numpy; the C walk has its own tests."""
    buf, records = chunk(frames, gap)
    return buf, decode_columns(buf, records, Fragments(), thorough=thorough, native=False)


def rows(*frames: Frame, gap: bytes = b"\0" * 16, thorough: bool = False) -> list[Row]:
    return seen(*decode(*frames, gap=gap, thorough=thorough))


def number(value: str) -> int:
    return int.from_bytes(address(value), "big")


def test_tcp_over_ipv4_says_everything() -> None:
    frame = tcp_frame(b"hello", HOST, SERVER, 40000, 443, seq=4_000_000_000, flags=PSH | ACK)
    macs = mac_int(HOST_MAC), mac_int(ROUTER_MAC)
    ends = number(HOST), number(SERVER), 40000, 443
    expected = Row(IP, 0, 4, TCP, *ends, PSH | ACK, 4_000_000_000, b"hello", 0, 0, fragment=False, macs=macs)
    buf, columns = decode(Frame(frame))
    assert seen(buf, columns) == [expected]
    assert columns.slow_rows == 0


def test_udp_over_ipv6_says_everything() -> None:
    macs = mac_int(HOST_MAC), mac_int(ROUTER_MAC)
    ends = number(HOST6), number(SERVER6), 40000, 53
    expected = Row(IP, 0, 6, UDP, *ends, 0, 0, b"question", 0, 0, fragment=False, macs=macs)
    assert rows(Frame(udp_frame(b"question", HOST6, SERVER6))) == [expected]


def test_a_frame_without_ip_is_known_by_its_ethertype() -> None:
    (row,) = rows(Frame(ethernet(arp(), ethertype=ARP)))
    assert (row.kind, row.ethertype, row.version, row.protocol) == (FRAME, ARP, 0, -1)
    assert (row.source_port, row.destination_port, row.payload) == (NO_PORT, NO_PORT, arp())


def test_what_the_snaplen_cut_is_missing() -> None:
    (row,) = rows(Frame(udp_frame(bytes(1000))[:96], wire=1042))
    assert (len(row.payload), row.missing) == (96 - 42, 1000 - (96 - 42))


def test_padding_is_not_payload() -> None:
    (row,) = rows(Frame(ethernet(ipv4(udp(b"hi")), pad=True)))
    assert (row.payload, row.missing) == (b"hi", 0)


def test_a_cooked_capture_has_the_senders_address_alone() -> None:
    ether, loopback = rows(Frame(sll(ipv4(udp(b"hi"))), 113), Frame(sll(ipv4(udp(b"hi")), arphrd=772), 113))
    assert ether.macs == (mac_int(HOST_MAC), NO_MAC)
    assert loopback.macs == (NO_MAC, NO_MAC)


def test_a_reassembled_payload_does_not_lie_in_the_buffer() -> None:
    first, last = fragments4(ipv4(udp(b"q" * 600)), 400)
    begin, whole = rows(Frame(ethernet(first)), Frame(ethernet(last)))
    assert (begin.payload, begin.fragment) == (b"", True)
    assert (whole.payload, whole.fragment, whole.source_port) == (b"q" * 600, True, 40000)


def test_a_tunnel_shows_the_inner_packet() -> None:
    (row,) = rows(EVERY["6in4"])
    assert (TUNNELS[row.tunnel], row.version, row.source, row.payload) == ("6in4", 6, number(HOST6), b"question")


def test_every_record_has_a_row_with_its_time_and_size() -> None:
    buf, records = chunk([Frame(b""), Frame(b"\xff" * 9, 105, wire=77), EVERY["udp4"]])
    columns = decode_columns(buf, records, Fragments(), native=False)
    assert columns.time_us.tolist() == [START_US, START_US + 1000, START_US + 2000]
    assert columns.wire.tolist() == [0, 77, 50]
    assert columns.kind.tolist() == [UNDECODED, UNDECODED, IP]


def test_no_records_are_no_rows() -> None:
    assert rows() == []


@pytest.mark.parametrize("name", common_shapes())
def test_common_shapes_need_no_slow_path_and_read_the_same(name: str) -> None:
    frame = EVERY[name]
    buf, columns = decode(frame)
    assert columns.slow_rows == 0
    assert seen(buf, columns) == rows(frame, thorough=True)


@pytest.mark.parametrize("name", rare_shapes())
def test_rare_shapes_are_left_to_the_slow_path(name: str) -> None:
    frame = EVERY[name]
    buf, columns = decode(frame)
    assert columns.slow_rows == 1
    assert seen(buf, columns) == rows(frame, thorough=True)


def test_shapes_in_one_chunk_do_not_disturb_each_other() -> None:
    frames = list(EVERY.values()) * 3
    random.Random(1).shuffle(frames)
    assert rows(*frames) == rows(*frames, thorough=True)


@pytest.mark.parametrize("name", EVERY)
def test_a_frame_cut_anywhere_reads_as_the_slow_path_reads_it(name: str) -> None:
    data, link, _ = EVERY[name]
    cuts = [Frame(data[:size], link, len(data)) for size in range(len(data))]
    assert rows(*cuts) == rows(*cuts, thorough=True)


@given(st.lists(st.builds(Frame, hostile([f.data for f in EVERY.values()], 120), st.sampled_from(LINKS),
                          st.none() | st.integers(0, 2000)), max_size=6))  # fmt: skip
def test_hostile_frames_read_as_the_slow_path_reads_them(frames: list[Frame]) -> None:
    assert rows(*frames) == rows(*frames, thorough=True)


@pytest.mark.parametrize("gap", [b"\xff" * 16, b"\x45\0\x08\x00\x86\xdd\x81\x00" * 9])
def test_what_lies_around_a_frame_does_not_matter(gap: bytes) -> None:
    frames = [Frame(f.data[:size], f.link) for f in EVERY.values() for size in range(0, len(f.data) + 1, 3)]
    assert rows(*frames, gap=gap) == rows(*frames)
