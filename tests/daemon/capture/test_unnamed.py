"""What is left of a packet of somebody who is recorded without names: its headers, its time, its true length."""

from __future__ import annotations

import socket
import struct

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.capture.records import records_of
from daemon.capture.unnamed import headers_end, shaped
from tests.support.recording import batch_of_frames

TV, RADIO, BOX = (bytes.fromhex(f"0200000000{number:02x}") for number in (1, 2, 9))
SECRET = b"\x05names\x07nowhere\x00 Host: names.nowhere"
HOSTILE = st.binary(max_size=200)


def ethernet(kind: int, rest: bytes, source: bytes = TV, target: bytes = BOX, tags: bytes = b"") -> bytes:
    return target + source + tags + struct.pack(">H", kind) + rest


def ipv4(protocol: int, rest: bytes, *, options: bytes = b"", fragment: int = 0) -> bytes:
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH", 0x40 | words, 0, words * 4 + len(rest), 1, fragment, 64, protocol, 0)
    return head + socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.1") + options + rest


def ipv6(protocol: int, rest: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(rest), protocol, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + rest


def tcp(options: bytes = b"") -> bytes:
    return struct.pack(">HHIIBBHHH", 40000, 443, 1, 1, (5 + len(options) // 4) << 4, 24, 512, 0, 0) + options


UDP = struct.pack(">HHHH", 40000, 53, 8 + len(SECRET), 0)
KEPT = [
    ("tcp", ethernet(0x0800, ipv4(6, tcp())), SECRET),
    ("tcp with options", ethernet(0x0800, ipv4(6, tcp(b"\1" * 12), options=b"\1" * 8)), SECRET),
    ("udp", ethernet(0x0800, ipv4(17, UDP)), SECRET),
    ("behind a tag", ethernet(0x0800, ipv4(17, UDP), tags=b"\x81\x00\x00\x07"), SECRET),
    ("behind two tags", ethernet(0x0800, ipv4(17, UDP), tags=b"\x88\xa8\x00\x07\x81\x00\x00\x08"), SECRET),
    ("tcp over 6", ethernet(0x86DD, ipv6(6, tcp())), SECRET),
    ("options of 6", ethernet(0x86DD, ipv6(0, b"\x3c\x01" + bytes(14) + b"\x11\x00" + bytes(6) + UDP)), SECRET),
    ("first fragment of 6", ethernet(0x86DD, ipv6(44, b"\x11\x00\x00\x01" + bytes(4) + UDP)), SECRET),
    ("later fragment of 6", ethernet(0x86DD, ipv6(44, b"\x11\x00\x00\x51" + bytes(4))), SECRET),
    ("later fragment", ethernet(0x0800, ipv4(17, b"", fragment=0x2005)), SECRET),
    ("icmp error that quotes", ethernet(0x0800, ipv4(1, struct.pack(">BBHI", 3, 1, 0, 0))), SECRET),
    ("icmpv6", ethernet(0x86DD, ipv6(58, struct.pack(">BBHI", 128, 0, 0, 0))), SECRET),
    ("esp", ethernet(0x0800, ipv4(50, b"")), SECRET),
    ("a tunnel", ethernet(0x0800, ipv4(4, b"")), SECRET),
    ("gre", ethernet(0x0800, ipv4(47, b"")), SECRET),
    ("lldp", ethernet(0x88CC, b""), SECRET),
    ("eapol", ethernet(0x888E, b""), SECRET),
    ("802.3", ethernet(60, b""), SECRET),
    ("three tags", ethernet(0x0800, b"", tags=b"\x81\x00\x00\x07" * 3)[:22], SECRET),
    ("arp", ethernet(0x0806, bytes(28)), SECRET),
]  # fmt: skip


@pytest.mark.parametrize(("head", "rest"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])
def test_headers_stay_and_names_go(head: bytes, rest: bytes) -> None:
    frame = head + rest
    batch = shaped(batch_of_frames([(7_000_001, frame)]), frozenset(), frozenset([TV]))
    (record,) = [records_of(batch, 262_144).data]
    seconds, micros, kept, wire = struct.unpack_from("=IIII", record)
    assert (seconds, micros, wire) == (7, 1, len(frame))
    assert kept == len(record) - 16
    assert record[16:] == head, "exactly the headers"


@pytest.mark.parametrize(
    "lies", [0x4F, 0x41, 0x65], ids=["longer than it is", "shorter than can be", "another version"]
)
def test_a_header_that_lies_about_its_length_keeps_no_names(lies: int) -> None:
    frame = ethernet(0x0800, bytes([lies]) + ipv4(17, UDP)[1:] + SECRET)
    assert headers_end(frame, 0, len(frame)) <= 14 + 60 + 8


@given(frame=HOSTILE, before=HOSTILE, after=HOSTILE)
def test_any_bytes_are_cut_within_themselves(frame: bytes, before: bytes, after: bytes) -> None:
    end = headers_end(before + frame + after, len(before), len(frame))
    assert 0 <= end <= len(frame)
    assert end == headers_end(frame, 0, len(frame)), "what is around it does not matter"


@given(kind=st.sampled_from([0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806]), rest=st.binary(max_size=300))
def test_hostile_headers_are_bounded(kind: int, rest: bytes) -> None:
    frame = ethernet(kind, rest)
    end = headers_end(frame, 0, len(frame))
    assert 14 <= end <= len(frame)


def test_headers_without_end_are_walked_a_few_at_most() -> None:
    frame = ethernet(0x86DD, ipv6(0, b"\x00\x00" + bytes(6)) + b"\x00\x00" * 30_000)
    assert headers_end(frame, 0, len(frame)) == 14 + 40 + 8 * 8


@given(payload=st.binary(min_size=1, max_size=60), ports=st.tuples(st.integers(0, 65535), st.integers(0, 65535)))
def test_agrees_with_dpkt_where_dpkt_understands(payload: bytes, ports: tuple[int, int]) -> None:
    for carrier in (
        dpkt.udp.UDP(sport=ports[0], dport=ports[1], data=payload),
        dpkt.tcp.TCP(sport=ports[0], dport=ports[1], data=payload),
    ):
        inner = dpkt.ip.IP(
            src=b"\xc0\0\2\1", dst=b"\xc0\0\2\2", p=17 if isinstance(carrier, dpkt.udp.UDP) else 6, data=carrier
        )
        frame = bytes(dpkt.ethernet.Ethernet(src=TV, dst=BOX, data=inner))
        assert headers_end(frame, 0, len(frame)) == len(frame) - len(payload)


FRAMES = st.lists(
    st.tuples(
        st.sampled_from([TV, RADIO, BOX]), st.sampled_from([TV, RADIO, BOX, b"\xff" * 6]), st.binary(max_size=90)
    ),
    max_size=30,
)


@given(frames=FRAMES, off=st.sets(st.sampled_from([TV, RADIO])), bare=st.sets(st.sampled_from([TV, RADIO, BOX])))
def test_who_is_off_is_gone_who_is_unnamed_is_cut_and_others_are_untouched(
    frames: list[tuple[bytes, bytes, bytes]], off: set[bytes], bare: set[bytes]
) -> None:
    whole = [(number, target + source + rest) for number, (source, target, rest) in enumerate(frames)]
    got = shaped(batch_of_frames(whole), frozenset(off), frozenset(bare))
    kept = got.kept if got.kept is not None else got.heads[3::4]
    found = {
        got.heads[4 * row + 1]: (got.data[got.heads[4 * row + 2] :][: kept[row]], got.heads[4 * row + 3])
        for row in range(len(got))
    }
    expected = {}
    for (number, frame), (source, target, _) in zip(whole, frames, strict=True):
        if not {source, target} & off:
            length = headers_end(frame, 0, len(frame)) if {source, target} & bare else len(frame)
            expected[number] = (frame[:length], len(frame))
    assert found == expected
    assert list(found) == sorted(found), "in order"


def test_snaplen_and_split_hold_for_cut_packets_too() -> None:
    frame = ethernet(0x86DD, ipv6(6, tcp()) + SECRET)
    got = shaped(batch_of_frames([(1, frame), (2, frame), (3, frame)]), frozenset(), frozenset([TV]))
    old, new = got.split(lambda time_us: time_us < 2)
    assert (len(old), len(new)) == (1, 2)
    for some in (old, new):
        data = records_of(some, 262_144).data
        assert SECRET not in data
        assert data.endswith(tcp())
    assert len(records_of(got, 64).data) == 3 * (16 + 64)
