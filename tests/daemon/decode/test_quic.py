from __future__ import annotations

import json
import random
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import quic
from daemon.decode.cursor import DecodeError
from daemon.decode.quic import HelloAssembler, is_client_initial
from daemon.decode.tls import parse_client_hello
from tests.daemon.decode.hellos import alpn, client_hello, extension, sni, vector, versions
from tests.daemon.decode.quic_wire import DRAFT_29, MVFST, V1, V2, crypto, initial, varint

HELLO = client_hello(sni(b"video.example") + alpn(b"h3") + versions(0x0304) + extension(0x33, bytes(1200)))
SMALL = client_hello(sni(b"small.example") + alpn(b"h3") + versions(0x0304))

RFC_DCID = bytes.fromhex("8394c8f03e515708")
RFC_HELLO = bytes.fromhex(  # RFC 9001 appendix A.2
    "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000"
    "000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500"
    "050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b"
    "0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffff"
    "ff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
)


@pytest.mark.parametrize(
    ("version", "head", "tag"),
    [
        # RFC 9001 appendix A.2 and RFC 9369 appendix A.2: the protected header, what follows it, the tag of the former.
        (
            V1,
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
            "e221af44860018ab0856972e194cd934",
        ),
        (V2, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071", ""),
    ],
)
def test_rfc_client_initials(version: int, head: str, tag: str) -> None:
    packet = initial(crypto(0, RFC_HELLO), RFC_DCID, version=version, number=2)
    assert packet.hex().startswith(head)
    assert packet.hex().endswith(tag)
    assert len(packet) == 1200
    assert is_client_initial(packet)
    message = HelloAssembler().feed(packet)
    assert message == RFC_HELLO
    assert parse_client_hello(message, "q").name == "example.com"


@pytest.mark.parametrize("version", [V1, V2, 0xFF00001B, DRAFT_29, 0xFF000022, MVFST])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_versions_and_packet_number_widths(version: int, width: int) -> None:
    packet = initial(crypto(0, SMALL), version=version, width=width, number=1)
    message = HelloAssembler().feed(packet)
    assert message == SMALL
    assert parse_client_hello(message, "q").ja4.startswith("q13d02")


def test_a_hello_over_two_initials_in_either_order() -> None:
    packets = [initial(crypto(0, HELLO[:1000])), initial(crypto(1000, HELLO[1000:]), number=1)]
    for order in (packets, packets[::-1]):
        assembler = HelloAssembler()
        assert assembler.feed(order[0]) is None
        assert assembler.feed(order[1]) == HELLO


def test_two_initials_in_one_datagram() -> None:
    first = initial(crypto(0, HELLO[:500]), size=600)
    assert HelloAssembler().feed(first + initial(crypto(500, HELLO[500:]), number=1, size=600) + bytes(40)) == HELLO


def test_scattered_frames_between_pings_and_padding() -> None:
    # As Chromium sends them: out of order, with everything an Initial may carry in between.
    cuts = [0, 1, 40, 41, 300, 301, 302, 700, len(HELLO)]
    frames = [crypto(start, HELLO[start:end]) for start, end in pairwise(cuts)]
    random.Random(4).shuffle(frames)
    payload = (b"\x01" + bytes(5)).join(frames) + b"\x02\x03\x00\x01\x00\x01\x02" + b"\x03\x03\x00\x00\x00\x01\x02\x03"
    assert HelloAssembler().feed(initial(payload, size=1500)) == HELLO


@given(st.lists(st.tuples(st.integers(0, len(HELLO) - 1), st.integers(1, 600)), max_size=12), st.randoms())
def test_any_overlap_and_order_of_frames_and_any_interruption(
    parts: list[tuple[int, int]], order: random.Random
) -> None:
    pieces = [(start, HELLO[start : start + size]) for start, size in parts]
    pieces += [(start, HELLO[start : start + 700]) for start in range(0, len(HELLO), 700)]
    order.shuffle(pieces)
    assembler, found = HelloAssembler(), []
    for number, (offset, data) in enumerate(pieces):
        found.append(assembler.feed(initial(crypto(offset, data), number=number)))
        assembler = HelloAssembler.from_state(json.loads(json.dumps(assembler.state())))
    assert [message for message in found if message] == [HELLO]


def test_the_first_version_of_a_byte_counts() -> None:
    assembler = HelloAssembler()
    assembler.feed(initial(crypto(10, HELLO[10:600])))
    assembler.feed(initial(crypto(0, b"\x01" + HELLO[1:10] + b"\xee" * 800), number=1))
    assert assembler.prefix()[:600] == HELLO[:600]
    assert assembler.prefix()[600:] == b"\xee" * 210


def test_a_repeated_hello_is_delivered_once() -> None:
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, SMALL))) == SMALL
    assert assembler.feed(initial(crypto(0, SMALL), number=1)) is None


def test_a_hello_repeated_under_another_id_is_delivered_once() -> None:
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, SMALL))) == SMALL
    assert assembler.feed(initial(crypto(0, SMALL), b"another-id")) is None


def test_an_initial_of_other_keys_behind_a_readable_one_is_left_alone() -> None:
    datagram = initial(crypto(0, SMALL), size=600) + initial(b"\x01", key_dcid=b"other", size=600)
    assert HelloAssembler().feed(datagram) == SMALL


def test_keys_stay_when_the_client_takes_up_the_servers_connection_id() -> None:
    assembler = HelloAssembler()
    assembler.feed(initial(crypto(0, HELLO[:700])))
    assert assembler.feed(initial(crypto(700, HELLO[700:]), b"servers-id", key_dcid=b"original", number=1)) == HELLO


def test_after_a_retry_the_new_id_gives_the_keys() -> None:
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, HELLO[:700]), scid=b"me")) is None
    again = [
        initial(crypto(start, HELLO[start : start + 700]), b"retry-id", scid=b"me", token=b"T" * 70, number=n)
        for n, start in enumerate((700, 0))
    ]
    assert [assembler.feed(packet) for packet in again] == [None, HELLO]


@pytest.mark.parametrize("scid", [b"", b"client"])
def test_a_hello_that_a_retry_makes_the_client_send_again_is_the_same_handshake(scid: bytes) -> None:
    changed = SMALL.replace(bytes(range(32)), bytes(32))
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, SMALL), scid=scid)) == SMALL
    assert assembler.feed(initial(crypto(0, changed), b"retry-id", scid=scid, token=b"T")) is None


def test_a_version_agreed_on_the_way_keeps_the_first_id() -> None:
    # RFC 9368 and RFC 9369 section 4: from version 1 to 2 in one connection.
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, HELLO[:700]))) is None
    assert assembler.feed(initial(crypto(700, HELLO[700:]), version=V2, number=1)) == HELLO


def test_a_new_connection_from_the_same_port_is_a_new_hello() -> None:
    other = SMALL.replace(b"small.example", b"other.example").replace(bytes(range(32)), bytes(32))
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, SMALL))) == SMALL
    assert assembler.feed(initial(crypto(0, other), b"another-id")) == other


def test_state_of_an_older_version_goes_on() -> None:
    assembler = HelloAssembler()
    assert assembler.feed(initial(crypto(0, HELLO[:700]))) is None
    older = [*assembler.state(), [0, False, []]]  # the server's side
    assert HelloAssembler.from_state(older).feed(initial(crypto(700, HELLO[700:]), number=1)) == HELLO


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    packet = initial(crypto(0, SMALL), size=400)
    for at in range(0, len(packet), 7):
        flipped = packet[:at] + bytes([packet[at] ^ 0x04]) + packet[at + 1 :]
        with suppress(DecodeError):
            assert HelloAssembler().feed(flipped) is None


def test_a_packet_the_capture_cut_shows_its_name_unverified() -> None:
    packet = initial(crypto(0, RFC_HELLO), RFC_DCID)
    assembler = HelloAssembler()
    assert assembler.feed(packet[:200]) is None
    hello = parse_client_hello(assembler.prefix(), "q", cut=True)
    assert (hello.name, hello.ja4) == ("example.com", "")
    assert HelloAssembler().feed(packet[:600]) == RFC_HELLO
    with pytest.raises(DecodeError):
        HelloAssembler().feed(initial(crypto(0, RFC_HELLO), RFC_DCID, key_dcid=b"other")[:200])
    for frames in (b"\x01", crypto(0, b"\x55" * 300)):
        with pytest.raises(DecodeError, match="hello"):
            HelloAssembler().feed(initial(frames)[:200])
    with pytest.raises(DecodeError):
        HelloAssembler().feed(packet[:30])


def test_bounds_of_one_connection() -> None:
    assembler = HelloAssembler()
    for number in range(quic.MAX_INITIALS):
        assembler.feed(initial(b"".join(crypto(5 + 4 * n + 300 * number, b"ab") for n in range(70)), number=number))
    with pytest.raises(DecodeError, match="bound"):
        assembler.feed(initial(crypto(0, SMALL), number=99))
    assert len(json.dumps(assembler.state())) < 20 * quic.MAX_PIECES
    far = HelloAssembler()
    assert far.feed(initial(crypto(quic.MAX_CRYPTO, b"beyond"))) is None
    assert far.prefix() == b""


def test_other_packets_before_and_behind_an_initial_are_stepped_over() -> None:
    zero_rtt = b"\xd0" + V1.to_bytes(4, "big") + vector(1, b"original") + b"\0" + varint(50) + bytes(50)
    handshake = b"\xe0" + zero_rtt[1:]
    assert HelloAssembler().feed(zero_rtt + initial(crypto(0, SMALL)) + handshake) == SMALL
    assert HelloAssembler().feed(handshake) is None


@given(st.binary(max_size=300), st.sampled_from([V1, V2, DRAFT_29]))
def test_arbitrary_bytes_raise_nothing_else(buf: bytes, version: int) -> None:
    head = (b"\xd0" if version == V2 else b"\xc0") + version.to_bytes(4, "big")
    for datagram in (buf, head + buf, head + b"\x08original\0\0" + buf):
        is_client_initial(datagram)
        assembler = HelloAssembler()
        with suppress(DecodeError):
            assembler.feed(datagram)


@given(st.integers(0, 1199), st.integers(0, 255), st.integers(0, 1200))
def test_mutated_and_cut_initials_raise_nothing_else(at: int, value: int, end: int) -> None:
    packet = initial(crypto(0, SMALL))
    for datagram in (packet[:at] + bytes([value]) + packet[at + 1 :], packet[:end]):
        assembler = HelloAssembler()
        with suppress(DecodeError):
            assembler.feed(datagram)
        with suppress(DecodeError):
            parse_client_hello(assembler.prefix(), "q", cut=True)


@given(st.binary(max_size=300))
def test_arbitrary_plaintext_behind_a_good_tag_raises_nothing_else(frames: bytes) -> None:
    with suppress(DecodeError):
        HelloAssembler().feed(initial(frames, size=0))
