"""Headers and frames of QUIC in C against the parsers in Python, which are the oracle."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.packet import UDP
from daemon.decode.quic import HelloAssembler
from daemon.decode.quic_keys import CLIENTS, SALTS, V2, initial_keys, open_packet
from daemon.decode.quic_packet import NATIVE, parse_frames, parse_headers
from tests.daemon.decode import hellos as h
from tests.daemon.decode import quic_wire as q
from tests.daemon.decode.oracle import CORPUS, RECORDED, outcome, payloads
from tests.support.hostile import every_cut, hostile

if not NATIVE:
    pytest.skip("daemon/decode/_hello.c is not built", allow_module_level=True)

from daemon.decode import _hello, _quic


def assert_same_datagram(datagram: bytes) -> None:
    assert outcome(parse_headers, datagram, native=True) == outcome(parse_headers, datagram, native=False)


def assert_same_frames(plain: bytes) -> None:
    for crypto in (6, 8):
        for cut in (False, True):
            native = outcome(parse_frames, plain, crypto, cut=cut, native=True)
            assert native == outcome(parse_frames, plain, crypto, cut=cut, native=False)


CLIENT = h.client_hello(h.sni(b"www.example.com") + h.alpn(b"h3"))
ACK = b"\x02\x40\x05\x01\x01\x00\x00\x00"
ACK_ECN = b"\x03\x05\x01\x00\x00\x01\x02\x03"
FRAMES = [
    q.crypto(0, CLIENT),
    q.crypto(70, b"later") + bytes(70) + b"\x01" + q.crypto(0, b"\x01sooner") + bytes(900),
    ACK + q.crypto(0, b"\x02" + h.vector(3, bytes(70))) + ACK_ECN + bytes(3),
    q.crypto(1 << 40, b"far") + b"\x1c\x00\x06\x00 reason",
    q.crypto(0, b"") * 64,
    q.crypto(0, b"\x01") * 65,
    q.crypto(0, b"\x01") * 257,
    b"\x08\x00\x04\x01abc",
    q.crypto(0, b"\x01") + b"\x1d",
    b"\x02" + b"\x00\x00\xff" + b"\xff" * 7,
    b"",
]
DATAGRAMS = [
    q.initial(FRAMES[0]),
    q.initial(FRAMES[0], version=q.V2, token=b"t" * 70, scid=b"s" * 20),
    q.initial(FRAMES[0], version=q.DRAFT_29),
    q.initial(FRAMES[2], dcid=b"", size=200, server=True) + q.initial(b"\x01", scid=b"x", size=90) + bytes(30),
    b"\xd0\0\0\0\1\0\0\x04abcd" + b"\xe0" + q.V2.to_bytes(4, "big") + b"\0\0\x04abcd" + q.initial(b"\x01", size=90),
    b"\xf0\0\0\0\1\x04dcid\0token",
    q.initial(b"\x01", size=60) + b"\x80" * 20,
    q.initial(b"\x01", size=60) * 9,
]


def test_quic_datagrams() -> None:
    for datagram in DATAGRAMS:
        assert_same_datagram(datagram)
    assert [len(_hello.parse_headers(datagram) or ()) for datagram in DATAGRAMS] == [1, 1, 0, 2, 1, 0, 0, 0]


def test_every_first_byte() -> None:
    for version in (1, V2, q.DRAFT_29, 0):
        for first in range(256):
            assert_same_datagram(bytes([first]) + version.to_bytes(4, "big") + DATAGRAMS[3][5:])


@pytest.mark.parametrize("datagram", [DATAGRAMS[1], DATAGRAMS[3], DATAGRAMS[4]], ids=["v2", "coalesced", "others"])
def test_a_datagram_cut_anywhere(datagram: bytes) -> None:
    for cut in every_cut(datagram):
        assert_same_datagram(cut)


@given(hostile(DATAGRAMS))
def test_hostile_datagrams(datagram: bytes) -> None:
    assert_same_datagram(datagram)


def test_quic_frames() -> None:
    for plain in FRAMES:
        assert_same_frames(plain)
        for cut in every_cut(plain[:200]):
            assert_same_frames(cut)
    assert [_hello.parse_frames(plain, 6) is not None for plain in FRAMES] == [True] * 5 + [False] * 5 + [True]


@given(hostile(FRAMES) | st.lists(st.sampled_from([*FRAMES[:5], ACK, ACK_ECN, b"\0", b"\x01"])).map(b"".join))
def test_hostile_frames(plain: bytes) -> None:
    assert_same_frames(plain)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("parse_headers", (1,)), ("parse_headers", ()), ("parse_frames", (b"", -1)), ("parse_frames", (b"", None)),
     ("parse_frames", (b"",)), ("parse_frames", ("text", 6))],
)  # fmt: skip
def test_wrong_arguments_are_refused(function: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        getattr(_hello, function)(*arguments)


def compare(path: Path) -> int:
    """The number of Initials that could be opened."""
    opened = 0
    for protocol, datagram in payloads(path):
        if protocol != UDP:
            continue
        assert_same_datagram(datagram)
        headers = outcome(parse_headers, datagram)
        for header in headers if isinstance(headers, list) else ():
            keys = initial_keys(header.version, SALTS[header.version][0], header.dcid, "client")
            packet = datagram[header.start : header.end]
            plain = outcome(open_packet, keys, packet, header.number - header.start, header.end - header.start)
            if isinstance(plain, bytes):
                assert_same_frames(plain)
                opened += 1
    return opened


def test_recorded_captures() -> None:
    assert sum(map(compare, sorted(RECORDED.glob("*.pcap*")))) > 0


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no captures at {CORPUS}: HOMEPORT_CORPUS names their folder")
def test_real_captures() -> None:
    assert sum(map(compare, sorted(CORPUS.rglob("*.pcap*")))) > 50


# --- whole hellos


def told(datagrams: list[bytes]) -> None:
    """What read_hello says of these datagrams, if anything, is what HelloAssembler keeps of them."""
    assembler, held = HelloAssembler(), None
    for datagram in datagrams:
        found = _quic.read_hello(CLIENTS, datagram, held)
        try:
            message = assembler.feed(datagram)
        except DecodeError:
            assert found is None
            return
        if found is None:
            return  # left to the assembler
        held = found
        packets, whole, dcid, scid, pieces, keys = found
        first, second, delivered, (tried, taken, left) = assembler.state()
        assert (whole, dcid.hex(), scid.hex()) == (message, first, second)
        assert delivered == (whole[6:38].hex() if whole else "")
        assert left == ([] if whole else [[offset, data.hex()] for offset, data in pieces])
        assert taken == (whole is not None)
        assert tried >= packets > 0
        version = int.from_bytes(datagram[1:5], "big")
        assert keys == initial_keys(version, CLIENTS[version][0], dcid, "client").native
        if whole:
            return


LARGE = h.client_hello(h.sni(b"large.example.com") + h.alpn(b"h3") + h.extension(21, bytes(1500)))


def test_hellos_are_read_whole() -> None:
    for version in (q.V1, q.V2):
        found = _quic.read_hello(CLIENTS, q.initial(q.crypto(0, CLIENT), version=version, scid=b"me"), None)
        assert found is not None
        assert found[:5] == (1, CLIENT, b"original", b"me", ((0, CLIENT),))
    first = _quic.read_hello(CLIENTS, q.initial(q.crypto(700, LARGE[700:]) + q.crypto(0, LARGE[:200]), size=90), None)
    assert first is not None
    assert (*first[:2], first[4]) == (1, None, ((0, LARGE[:200]), (700, LARGE[700:])))
    second = _quic.read_hello(CLIENTS, q.initial(q.crypto(200, LARGE[200:700])), first)
    assert second is not None
    assert second[1] == LARGE


@given(st.data())
def test_hellos_are_read_as_the_assembler_reads_them(data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(LARGE)), max_size=6))
    edges = sorted({0, *cuts, len(LARGE)})
    frames = [q.crypto(a, LARGE[a:b]) for a, b in pairwise(edges)]
    frames = data.draw(st.permutations(frames)) + data.draw(
        st.lists(st.sampled_from([b"\x01", b"\0" * 9, *frames]), max_size=2)
    )
    at = data.draw(st.integers(0, len(frames)))
    version = data.draw(st.sampled_from([q.V1, q.V2, q.DRAFT_29]))
    sent = [q.initial(b"".join(part) or b"\x01", version=version, size=200) for part in (frames[:at], frames[at:])]
    if data.draw(st.booleans()):
        sent = [b"".join(sent)]
    if data.draw(st.booleans()):
        sent = [data.draw(hostile(sent, 1300)), *sent]
    told(sent)


def test_wrong_arguments_for_hellos_are_refused() -> None:
    whole = q.initial(q.crypto(0, CLIENT))
    held = _quic.read_hello(CLIENTS, q.initial(q.crypto(9, b"later")), None)
    assert held is not None
    wrong: list[tuple[Any, ...]] = [
        (whole,),
        (None, whole, None),
        (CLIENTS, whole, ()),
        (CLIENTS, "text", None),
        ({1: (b"", b"")}, whole, None),
        ({1: (bytes(65), (b"",) * 4)}, whole, None),
        (CLIENTS, whole, (*held[:5], b"keys")),
        (CLIENTS, whole, (*held[:4], ((0, "text"),), held[5])),
        (CLIENTS, whole, (*held[:4], ((0, b""),) * 65, held[5])),
    ]
    for arguments in wrong:
        with pytest.raises((TypeError, ValueError)):
            _quic.read_hello(*arguments)
    assert _quic.read_hello({}, whole, None) is None
    assert _quic.read_hello(CLIENTS, b"", None) is None
