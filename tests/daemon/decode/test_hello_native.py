"""Hellos of TLS in C against the parsers in Python, which are the oracle: every result is the same, errors included."""

from __future__ import annotations

import itertools
import random
import ssl
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.ja4 import GREASE
from daemon.decode.packet import TCP
from daemon.decode.tls import NATIVE, parse_client_hello, parse_records, parse_server_hello
from tests.daemon.decode import hellos as h
from tests.daemon.decode.oracle import CORPUS, RECORDED, outcome, payloads
from tests.support.hostile import every_cut, hostile

if not NATIVE:
    pytest.skip("daemon/decode/_hello.c is not built", allow_module_level=True)

from daemon.decode import _hello


def assert_same_message(message: bytes) -> None:
    for transport in "tqd":
        for cut in (False, True):
            native = outcome(parse_client_hello, message, transport, cut=cut, native=True)
            assert native == outcome(parse_client_hello, message, transport, cut=cut, native=False)
    assert outcome(parse_server_hello, message, native=True) == outcome(parse_server_hello, message, native=False)


def assert_same_stream(stream: bytes, limit: int = 65536) -> list[bytes]:
    """The messages of the stream."""
    flight = outcome(parse_records, stream, limit, native=True)
    assert flight == outcome(parse_records, stream, limit, native=False)
    assert flight == outcome(parse_records, bytearray(stream), limit, native=True)
    return [] if flight is None or isinstance(flight, str) else [*flight.messages, flight.tail]


# --- hellos


def server_hello(extensions: bytes | None, version: int = 0x0303, session: bytes = b"") -> bytes:
    body = h.codes(version) + bytes(range(32)) + h.vector(1, session) + h.codes(0x1301) + b"\0"
    return b"\x02" + h.vector(3, body + (h.vector(2, extensions) if extensions is not None else b""))


GREASED = sorted(GREASE)
SIGNATURES = h.extension(13, h.vector(2, h.codes(0x0403, GREASED[3], 0x0804, 0x0401)))
FULL = h.sni(b"WWW.Example.com.") + h.alpn(b"h2", b"http/1.1") + SIGNATURES + h.versions(GREASED[0], 0x0304, 0x0303)
CLIENTS = {
    "openssl": h.openssl_hello()[5:],
    "openssl without a name": h.openssl_hello(None, ())[5:],
    "no extensions": h.client_hello(None),
    "no extension": h.client_hello(),
    "no suites": h.client_hello(FULL, ()),
    "full": h.client_hello(FULL, (GREASED[7], 0xC02B, 0x1303, 0x1301, 0x1301, 0x00FF)),
    "every grease": h.client_hello(b"".join(map(h.extension, GREASED)) + FULL, GREASED),
    "nearly grease": h.client_hello(h.extension(0x0A1A), (0x0A1A, 0x1A0A, 0x0A0B, 0x0B0A)),
    "versions": h.client_hello(h.versions(0x0302, 0x7F1C, 0x0301)),
    "only grease versions": h.client_hello(h.versions(*GREASED[:3])),
    "odd versions": h.client_hello(h.extension(43, b"\x05\x03\x03\x03\x02\x03")),
    "empty versions": h.client_hello(h.extension(43)),
    "dtls": h.client_hello(h.versions(0xFEFD, 0xFEFC, 0xFEFF), version=0xFEFD, cookie=b"cookie"),
    "dtls without a cookie": h.client_hello(version=0xFEFF, cookie=b""),
    "old": h.client_hello(version=0x0002),
    "ech": h.client_hello(FULL + h.extension(0xFE0D, b"\0\0\1") + h.extension(0xFFCE)),
    "ech, inner": h.client_hello(h.extension(0xFE0D, b"\1")),
    "ech, empty": h.client_hello(h.extension(0xFE0D)),
    "esni": h.client_hello(h.extension(0xFFCE)),
    "twice": h.client_hello(h.sni(b"a.example") + h.sni(b"b.example") + h.alpn(b"h3") + h.alpn(b"h2")),
    "empty before full": h.client_hello(h.extension(0) + h.extension(16) + FULL),
    "names": h.client_hello(h.sni(b"first.example", b"second.example")),
    "another kind of name": h.client_hello(h.sni(b"\0\0", kind=1)),
    "empty name": h.client_hello(h.sni(b"")),
    "name of dots": h.client_hello(h.sni(b"...")),
    "odd name": h.client_hello(h.sni(b"a b\\c\xff.example")),
    "name of 255": h.client_hello(h.sni(b"N" * 255)),
    "name of 256": h.client_hello(h.sni(b"n" * 255 + b" ")),
    "name past its list": h.client_hello(h.extension(0, b"\0\x05\0\0\x09abc")),
    "empty protocol": h.client_hello(h.alpn(b"", b"h2")),
    "no protocol": h.client_hello(h.alpn()),
    "odd protocols": h.client_hello(h.alpn(b"\x0a\x0a", "hé".encode(), b"\\")),
    "protocols with odd ends": h.client_hello(h.alpn(b"-h2~")),
    "protocol past its list": h.client_hello(h.extension(16, b"\0\x05\x02h2\x09h")),
    "32 protocols": h.client_hello(h.alpn(*[b"p%d" % number for number in range(32)])),
    "33 protocols": h.client_hello(h.alpn(*[b"p%d" % number for number in range(32)], b"\xff")),
    "odd signatures": h.client_hello(h.extension(13, b"\0\x03\x04\x03\x08")),
    "short signatures": h.client_hello(h.extension(13, b"\0")),
    "256 suites": h.client_hello(FULL, range(256, 0, -1)),
    "257 suites": h.client_hello(FULL, range(257)),
    "128 extensions": h.client_hello(b"".join(map(h.extension, range(200, 328)))),
    "129 extensions": h.client_hello(b"".join(map(h.extension, range(200, 329)))),
    "128 signatures": h.client_hello(h.extension(13, h.vector(2, h.codes(*range(128))))),
    "129 signatures": h.client_hello(h.extension(13, h.vector(2, h.codes(*range(129))))),
}
SERVERS = {
    "tls 1.2": server_hello(h.alpn(b"http/1.1"), session=b"S" * 32),
    "tls 1.3": server_hello(h.extension(43, h.codes(0x0304))),
    "no extensions": server_hello(None, 0x0301),
    "three bytes of versions": server_hello(h.extension(43, b"\3\4\0")),
    "odd protocol": server_hello(h.alpn(b"\xff")),
    "retry": b"\x02" + h.vector(3, b"\3\3" + bytes.fromhex(
        "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c") + b"\0\x13\x01\0" + h.vector(2, b"")),
}  # fmt: skip
LEFT_TO_PYTHON = {"odd name", "odd protocols", "257 suites", "129 extensions", "129 signatures"}
MESSAGES = [*CLIENTS.values(), *SERVERS.values()]


@pytest.mark.parametrize("name", CLIENTS)
def test_client_hellos(name: str) -> None:
    message = CLIENTS[name]
    assert_same_message(message)
    answered = _hello.parse_client_hello(message, "d" if name.startswith("dtls") else "t") is not None
    assert answered == (name not in LEFT_TO_PYTHON)


@pytest.mark.parametrize("name", SERVERS)
def test_server_hellos(name: str) -> None:
    assert_same_message(SERVERS[name])
    assert (_hello.parse_server_hello(SERVERS[name]) is None) == (name == "odd protocol")


@pytest.mark.parametrize("name", ["openssl", "full", "dtls", "ech", "names", "odd versions"])
def test_a_client_hello_cut_anywhere(name: str) -> None:
    for message in every_cut(CLIENTS[name]):
        assert_same_message(message)
        assert_same_message(b"\x01" + h.vector(3, message[4:]))  # whole by its own account


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_hello_cut_anywhere(name: str) -> None:
    for message in every_cut(SERVERS[name]):
        assert_same_message(message)
        assert_same_message(b"\x02" + h.vector(3, message[4:]))


def test_every_length_changed() -> None:
    """Each byte of a hello, which many lengths are among, at the values where something ends or passes its end."""
    for message in (CLIENTS["full"], CLIENTS["dtls"], SERVERS["tls 1.2"]):
        for at in range(len(message)):
            for value in {0, 1, 2, 255, message[at] - 1 & 255, message[at] + 1 & 255}:
                assert_same_message(message[:at] + bytes([value]) + message[at + 1 :])


@given(hostile(MESSAGES))
def test_hostile_messages(message: bytes) -> None:
    assert_same_message(message)


TELLING = st.sampled_from([0, 13, 16, 43, 0xFE0D, 0xFFCE, 0x0304, 0x0303, 0xFEFD, *GREASED[:4]]) | st.integers(0, 65535)
BODY = st.one_of(
    st.binary(max_size=12),
    st.lists(TELLING, max_size=6).map(lambda values: h.vector(2, h.codes(*values))),
    st.lists(TELLING, max_size=6).map(lambda values: h.vector(1, h.codes(*values))),
    st.lists(st.text(max_size=6).map(str.encode), max_size=3).map(lambda names: h.alpn(*names)[4:]),
    st.text(max_size=9).map(lambda name: h.sni(name.encode())[4:]),
)


@given(st.lists(st.tuples(TELLING, BODY), max_size=8), st.lists(TELLING, max_size=8), TELLING,
       st.none() | st.binary(max_size=4))  # fmt: skip
def test_hellos_of_telling_parts(
    parts: list[tuple[int, bytes]], ciphers: list[int], version: int, cookie: bytes | None
) -> None:
    extensions = b"".join([h.extension(code, body) for code, body in parts])
    assert_same_message(h.client_hello(extensions, ciphers, version, cookie))
    assert_same_message(server_hello(extensions, version))


# --- records

FLIGHTS = [side for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3) for side in h.handshake(version)]
ALERTS = [b"\x15\x03\x03" + h.vector(2, body) for body in (b"\1\x70", b"\1\0", b"\2\x28", b"\1", bytes(20))]
STREAMS = [
    *FLIGHTS,
    h.records(CLIENTS["full"], 0, 1, 2, 3, 40),
    h.records(CLIENTS["full"] + SERVERS["tls 1.2"], 50),
    *[alert + h.records(SERVERS["tls 1.2"]) for alert in ALERTS],
    h.records(CLIENTS["full"]) + h.records(b"", content=24) + h.records(b"\x63abc"),
    h.records(SERVERS["tls 1.3"]) + b"\x16\x02\x00\0\0",
    h.records(SERVERS["tls 1.3"]) + b"\x16\x03\x03\x48\x01",
    b"\x80\x2e\x01\x03\x01\0\x03\0\0\0\x20" + bytes(35) + h.records(SERVERS["tls 1.2"]),
    h.records(b"\x0b" + (70000).to_bytes(3, "big") + bytes(70000), *[16384] * 4),
    h.records(CLIENTS["full"] + b"\x0b" + (70000).to_bytes(3, "big") + bytes(70000), *[16384] * 4),
    h.records(CLIENTS["full"], *[1] * 63),
    h.records(CLIENTS["full"], *[1] * 64),
]


def test_streams_of_records() -> None:
    for stream in STREAMS:
        for limit in (0, 4, 100, 65536):
            for message in assert_same_stream(stream, limit):
                assert_same_message(message)
    assert sum(_hello.parse_records(stream, 65536) is not None for stream in STREAMS) == len(STREAMS) - 3


def test_every_type_of_message() -> None:
    for kind in range(256):
        assert_same_stream(h.records(bytes([kind, 0, 0, 0]) + CLIENTS["full"]))


def test_every_type_of_record() -> None:
    for kind in range(256):
        assert_same_stream(h.records(CLIENTS["no extensions"]) + h.records(CLIENTS["no extensions"], content=kind))


@pytest.mark.parametrize("stream", [*FLIGHTS, *STREAMS[4:10]], ids=itertools.count())
def test_a_stream_cut_anywhere(stream: bytes) -> None:
    for cut in every_cut(stream[:2000]):
        assert_same_stream(cut)


@given(hostile([stream for stream in STREAMS if len(stream) < 5000]), st.integers(0, 300))
def test_hostile_streams(stream: bytes, limit: int) -> None:
    assert_same_stream(stream)
    assert_same_stream(stream, limit)


# --- arguments


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("parse_client_hello", ("text", "t")), ("parse_client_hello", (b"", b"t")), ("parse_client_hello", (b"", "")),
        ("parse_client_hello", (b"", "tq")), ("parse_client_hello", (b"", "\udc80")), ("parse_client_hello", (b"",)),
        ("parse_server_hello", (None,)), ("parse_server_hello", ()), ("parse_records", (b"", -1)),
        ("parse_records", (b"", "1")), ("parse_records", (b"", 1 << 80)), ("parse_records", (memoryview(b"abcd")[::2], 1)),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(function: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError, BufferError)):
        getattr(_hello, function)(*arguments)


# --- captures


def compare(path: Path, seen: Counter[str]) -> None:
    spoilt = random.Random(path.name)
    for protocol, payload in payloads(path):
        if protocol != TCP:
            continue
        for message in assert_same_stream(payload):
            assert_same_message(message)
            seen["client"] += _hello.parse_client_hello(message, "t") is not None
            seen["server"] += _hello.parse_server_hello(message) is not None
            if message:
                at = spoilt.randrange(len(message))
                assert_same_message(message[:at] + spoilt.randbytes(1) + message[at + 1 :])
                assert_same_message(message[:at])


def test_recorded_captures() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(RECORDED.glob("*.pcap*")):
        compare(path, seen)
    assert min(seen["client"], seen["server"]) > 0


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no captures at {CORPUS}: HOMEPORT_CORPUS names their folder")
def test_real_captures() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(CORPUS.rglob("*.pcap*")):
        compare(path, seen)
    assert min(seen["client"], seen["server"]) > 100
