"""ClientHellos however they are cut, ordered and repeated, and what the server answers."""

from __future__ import annotations

import ssl
from functools import cache
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.decode import hellos as h
from tests.support import packets as p
from tests.support.flows import Outcome, Tcp, cut, outcome, watch

NAME = "www.example.com"
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 4.1.3


@cache
def record() -> bytes:
    """A real client's first flight."""
    return h.openssl_hello(NAME)


def message() -> bytes:
    return record()[5:]


@cache
def flights(version: ssl.TLSVersion) -> tuple[bytes, bytes]:
    return h.handshake(version)


def post_quantum(name: str = "pq.example.org") -> bytes:
    """About 1.8 KB: a key share of X25519MLKEM768 (1,216 bytes) before the name, and padding, as browsers send it."""
    share = h.extension(51, h.vector(2, h.codes(0x11EC) + h.vector(2, bytes(range(256)) * 4 + bytes(192))))
    extensions = share + h.sni(name.encode()) + h.alpn(b"h2") + h.versions(0x0304) + h.extension(21, bytes(430))
    return h.records(h.client_hello(extensions))


def one_hello(found: Outcome, name: str = NAME) -> None:
    """One row, its name on its flow, and the flow known for TLS."""
    assert found.hello.name == name
    assert found.hello.source == "tls"
    flow = found.flow.fact
    assert (flow.name, flow.name_source, flow.kind.service, flow.kind.encrypted) == (name, "tls", "https", "yes")


def test_hello_of_one_segment() -> None:
    found = watch(Tcp().open().up(record()).frames)
    one_hello(found)
    hello = found.hello
    assert (hello.alpn, hello.version, hello.chosen_version) == ("h2,http/1.1", "TLS1.3", None)
    assert hello.ja4 is not None
    assert hello.ja4.startswith("t13d")
    assert hello.seen_us == p.START_US + 3000
    assert found.flow.client == f"{p.HOST}:40000"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 40, 100, 200])
def test_hello_over_records(size: int) -> None:
    sizes = [size] * (len(message()) // size)
    one_hello(watch(Tcp().open().up(h.records(message(), *sizes)).frames))


def test_hello_behind_an_empty_record() -> None:
    one_hello(watch(Tcp().open().up(h.records(message(), 0, 0, 3)).frames))


def test_hello_over_two_segments_cut_at_every_byte() -> None:
    data = record()
    for at in range(1, len(data)):
        one_hello(outcome(Tcp().open().up(data[:at]).up(data[at:]).frames))
        one_hello(outcome(Tcp().open().up(data[at:], at).up(data[:at], 0).frames))


def test_hello_in_segments_of_one_byte() -> None:
    flow = Tcp().open()
    for byte in record():
        flow.up(bytes([byte]))
    one_hello(watch(flow.frames))


@pytest.mark.parametrize("size", [1, 11, 100])
def test_hello_over_records_and_segments(size: int) -> None:
    data = h.records(message(), *[size] * (len(message()) // size))
    for at in range(1, len(data), 7):
        one_hello(outcome(Tcp().open().up(data[:at]).up(data[at:]).frames))
    flow = Tcp().open()
    for byte in data:
        flow.up(bytes([byte]))
    one_hello(outcome(flow.frames))


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(1, 3000), max_size=8),
    sizes=st.lists(st.integers(0, 300), max_size=8),
    isn=st.one_of(st.integers(0, (1 << 32) - 1), st.integers((1 << 32) - 600, (1 << 32) - 1)),
    data=st.data(),
)
def test_hello_in_any_records_segments_and_order(
    cuts: list[int], sizes: list[int], isn: int, data: st.DataObject
) -> None:
    wire = h.records(message(), *sizes)
    edges = sorted({0, *(at % len(wire) for at in cuts), len(wire)})
    pieces = data.draw(st.permutations(list(pairwise(edges))))
    twice = data.draw(st.lists(st.sampled_from(pieces), max_size=3))
    flow = Tcp(isn=(isn, 5000)).open()
    for begin, end in [*pieces[:1], *twice, *pieces[1:]]:
        flow.up(wire[begin:end], begin)
    one_hello(outcome(flow.frames))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_post_quantum_hello_over_three_segments(order: tuple[int, ...]) -> None:
    data = post_quantum()
    assert len(data) > 1750
    flow = Tcp().open()
    for at in order:
        flow.up(data[at * 640 : (at + 1) * 640], at * 640)
    one_hello(watch(flow.frames), "pq.example.org")


def test_sequence_numbers_wrap_inside_the_hello() -> None:
    data = record()
    for isn in range((1 << 32) - 6, 1 << 32):
        one_hello(outcome(Tcp(isn=(isn, 1)).open().up(data[:3]).up(data[3:]).frames))
    one_hello(watch(Tcp(isn=((1 << 32) - 100, 1)).open().up(data[150:], 150).up(data[:150], 0).frames))


def test_overlapping_segments() -> None:
    data = record()
    one_hello(watch(Tcp().open().up(data[:100]).up(data[50:], 50).frames))
    one_hello(watch(Tcp().open().up(data[80:], 80).up(data[40:120], 40).up(data[:60], 0).frames))


def test_of_overlapping_segments_that_differ_the_first_counts() -> None:
    data = record()
    where = data.index(NAME.encode())
    other = data.replace(b"www.example.com", b"evil.example.de")
    one_hello(watch(Tcp().open().up(data[: where + 15]).up(other[where:], where).frames))


def test_retransmission_before_the_hello_is_whole() -> None:
    data = record()
    one_hello(watch(Tcp().open().up(data[:99]).up(data[:99], 0).up(data[:50], 0).up(data[99:]).frames))


def test_retransmission_after_the_hello_adds_no_row() -> None:
    up, down = flights(ssl.TLSVersion.TLSv1_2)
    hello = record()
    flow = Tcp().open().up(hello).up(hello, 0).down(down[:100]).up(hello, 0).down(down[100:]).up(hello, 0)
    flow.up(up[len(hello) :], len(hello)).up(hello, 0).up(hello[:60], 0).up(hello, 0).close()
    found = watch(flow.frames)
    one_hello(found)
    assert found.hello.chosen_version == "TLS1.2"
    assert found.hello.certificate_names is not None


def test_duplicated_syn() -> None:
    flow = Tcp().syn().wait(1).syn().wait(2).syn().segment(1, b"", 0, p.SYN | p.ACK).up(b"", 0)
    found = watch(flow.up(record()).frames)
    one_hello(found)
    assert found.flow.fact.begun


def test_late_copy_of_the_syn_breaks_nothing() -> None:
    data = record()
    flow = Tcp().open().up(data[:70]).syn().up(data[70:], 70).syn()
    one_hello(watch(flow.frames))


def test_keep_alive_probes() -> None:
    data = record()
    flow = Tcp().open().up(data[:100]).wait(45).up(b"\0", 99).down(b"", 0).wait(45).up(b"\0", 99).up(data[100:], 100)
    one_hello(watch(flow.frames))


def test_keep_alive_probe_before_a_hello_in_a_flow_without_beginning() -> None:
    flow = Tcp().up(b"\0", 0).down(b"", 0).up(record(), 1)
    one_hello(watch(flow.frames))


def test_hello_in_the_syn() -> None:
    """TCP Fast Open (RFC 7413): whole, begun, or refused and sent again."""
    data = record()
    one_hello(watch(Tcp().syn(data).segment(1, b"", 0, p.SYN | p.ACK).up(b"", len(data)).frames))
    one_hello(watch(Tcp().syn(data[:120]).segment(1, b"", 0, p.SYN | p.ACK).up(data[120:], 120).frames))
    one_hello(watch(Tcp().syn(data).segment(1, b"", 0, p.SYN | p.ACK).up(data, 0).frames))


def test_hello_cut_by_the_snaplen_behind_its_name() -> None:
    data = post_quantum()
    where = data.index(b"pq.example.org") + 14
    whole = Tcp().open().up(data).down(b"answer")
    frame = whole.frames[3]
    found = watch([*whole.frames[:3], cut(frame, 54 + where), *whole.frames[4:]])
    one_hello(found, "pq.example.org")
    assert (found.hello.ja4, found.hello.version) == (None, None)


def test_hello_cut_by_the_snaplen_before_its_name() -> None:
    data = post_quantum()
    whole = Tcp().open().up(data).frames
    found = watch([*whole[:3], cut(whole[3], 54 + data.index(b"pq.example.org") + 13)])
    assert found.hellos == {}
    assert found.flow.fact.name is None
    assert found.flow.fact.kind.service == "https"


def test_name_before_a_hole_is_found() -> None:
    """A segment that the capture lacks, known to be lost once much more of the stream is there."""
    data = post_quantum()
    first = data.index(b"pq.example.org") + 20
    flow = Tcp().open().up(data[:first])
    for at in range(first + 50, first + 50 + 70 * 1000, 1000):
        flow.up(bytes(1000), at)
    found = watch(flow.frames)
    assert found.names == ["pq.example.org"]


def test_server_hello_and_certificate_of_tls_1_2() -> None:
    up, down = flights(ssl.TLSVersion.TLSv1_2)
    for size in (100, 1400):
        flow = Tcp().open().up(up[:250]).up(up[250:])
        for at in range(0, len(down), size):
            flow.down(down[at : at + size])
        found = watch(flow.frames)
        hello = found.hello
        assert (hello.version, hello.chosen_version, hello.alpn) == ("TLS1.3", "TLS1.2", "h2,http/1.1")
        assert hello.cipher is not None
        assert hello.cipher.startswith("TLS_ECDHE_ECDSA_")
        assert hello.certificate_names is not None
        assert hello.certificate_names.split(" ") == ["*.example.com", "example.com", "192.0.2.7"]


def test_server_flight_cut_at_every_byte_and_reordered() -> None:
    _, down = flights(ssl.TLSVersion.TLSv1_2)
    expected = outcome(Tcp().open().up(record()).down(down).frames).hello
    assert expected.certificate_names
    for at in range(1, len(down), 9):
        flow = Tcp().open().up(record())
        assert outcome(flow.down(down[:at]).down(down[at:]).frames).hello == expected
        flow = Tcp().open().up(record())
        assert outcome(flow.down(down[at:], at).down(down[:at], 0).frames).hello == expected


def test_server_flight_seen_before_the_end_of_the_hello() -> None:
    """Two taps, or two queues of one interface, may hand over the answer first."""
    _, down = flights(ssl.TLSVersion.TLSv1_2)
    data = record()
    found = watch(Tcp().open().up(data[:80]).down(down).up(data[80:]).frames)
    one_hello(found)
    assert found.hello.certificate_names
    found = watch(Tcp().open().down(down).up(data).frames)
    one_hello(found)


def test_tls_1_3_shows_version_and_cipher_only() -> None:
    up, down = flights(ssl.TLSVersion.TLSv1_3)
    found = watch(Tcp().open().up(up[: len(record())]).down(down).up(up[len(record()) :]).close().frames)
    assert found.hello.chosen_version == "TLS1.3"
    assert found.hello.cipher in ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
    assert found.hello.certificate_names is None


def test_hello_retry_request_is_one_handshake() -> None:
    """RFC 8446 section 4.1.2: the second hello has the first one's random."""
    _, down = flights(ssl.TLSVersion.TLSv1_3)
    retry = bytearray(down)
    retry[11:43] = RETRY_RANDOM
    size = 5 + int.from_bytes(down[3:5], "big")
    ccs = b"\x14\x03\x03\x00\x01\x01"
    second = h.records(message())
    for again in (second, ccs + second):
        flow = Tcp().open().up(record()).down(bytes(retry[:size])).down(ccs)
        found = watch(flow.up(again[:150]).up(again[150:]).down(down).close().frames)
        one_hello(found)
        assert found.hello.chosen_version == "TLS1.3"


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_old_versions(version: int) -> None:
    hello = h.records(h.client_hello(h.sni(b"old.example.com"), ciphers=(0xC013, 0x002F), version=version))
    one_hello(watch(Tcp().open().up(hello).frames), "old.example.com")


def test_hello_without_a_name() -> None:
    found = watch(Tcp().open().up(h.openssl_hello(None)).frames)
    assert found.hello.name is None
    assert (found.flow.fact.name, found.flow.fact.kind.service, found.flow.fact.kind.encrypted) == (
        None,
        "https",
        "yes",
    )


def test_garbage_that_starts_like_a_hello_is_none() -> None:
    whole = h.client_hello(h.sni(b"x.example"))
    for wrong in (b"\x16\x03\x01\x00\x40\x01" + b"\xff" * 80, h.records(whole[:38] + b"\xff" + whole[39:])):
        found = watch(Tcp(server_port=9999).open().up(wrong).up(b"more").down(b"answer").frames)
        assert found.hellos == {}
