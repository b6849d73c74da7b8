"""QUIC and DTLS hellos however they are spread and repeated, and services known by their datagrams."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import pytest

from daemon.flow.udp import MessageInspector, UdpInspector, make_udp, restore_udp
from tests.daemon.decode import hellos as h
from tests.daemon.decode import quic_wire as q
from tests.daemon.decode import test_dns as d
from tests.support import packets as p
from tests.support.flows import SECOND, Frame, Outcome, outcome, watch

PARAMETERS = h.extension(57, b"\x01\x04\x80\x00\x75\x30")  # QUIC transport parameters


@cache
def hello(name: str = "www.example.com", random: int = 0, pad: int = 0) -> bytes:
    extensions = h.sni(name.encode()) + h.alpn(b"h3") + h.versions(0x0304) + PARAMETERS
    message = h.client_hello(extensions + (h.extension(21, bytes(pad)) if pad else b""), ciphers=(0x1301, 0x1303))
    return message[:6] + bytes([random]) * 32 + message[38:]


def datagrams(
    *sent: tuple[int, bytes] | bytes, port: int = 443, gap_us: int = 1000, client: int = 50000
) -> list[Frame]:
    """Datagrams of the client, or (1, of the server)."""
    frames: list[Frame] = []
    for index, each in enumerate(sent):
        side, data = each if isinstance(each, tuple) else (0, each)
        if side:
            frame = p.ethernet(p.ipv4(p.udp(data, port, client), p.SERVER, p.HOST), p.ROUTER_MAC, p.HOST_MAC)
        else:
            frame = p.udp_frame(data, sport=client, dport=port)
        frames.append((p.START_US + gap_us * index, frame))
    return frames


def answer(dcid: bytes = b"original", scid: bytes = b"serverid") -> tuple[int, bytes]:
    """A server's Initial: its keys come from the client's first id, its own id is what the client turns to."""
    return 1, q.initial(q.crypto(0, b"\x02\x00\x00\x26" + bytes(38)), b"", key_dcid=dcid, scid=scid, server=True)


def one_hello(found: Outcome, name: str = "www.example.com") -> None:
    assert found.hello.name == name
    assert (found.hello.source, found.hello.alpn, found.hello.version) == ("quic", "h3", "TLS1.3")
    flow = found.flow
    assert (flow.fact.name, flow.fact.name_source, flow.fact.kind.service, flow.fact.kind.encrypted) == (
        name,
        "quic",
        "quic",
        "yes",
    )
    assert flow.client == f"{p.HOST}:50000"


SHORT = b"\x41" + bytes(range(100))  # a short header packet


@pytest.mark.parametrize("version", [q.V1, q.V2, q.DRAFT_29, 0xFF00001B, 0xFF000022])
def test_hello_of_one_initial(version: int) -> None:
    found = watch(datagrams(q.initial(q.crypto(0, hello()), version=version), answer(), SHORT, (1, SHORT)))
    one_hello(found)
    assert found.hello.seen_us == p.START_US
    assert found.hello.ja4 is not None
    assert found.hello.ja4.startswith("q13d")


def parts(count: int = 2) -> list[bytes]:
    data = hello(pad=700)
    size = -(-len(data) // count)
    return [q.initial(q.crypto(at, data[at : at + size]), number=at) for at in range(0, len(data), size)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_hello_over_several_initials_in_any_order(order: tuple[int, ...]) -> None:
    three = parts(3)
    found = watch(datagrams(*[three[i] for i in order]))
    one_hello(found)
    assert found.hello.seen_us == p.START_US


@pytest.mark.parametrize("order", [(0, 0, 1), (0, 1, 0, 1), (1, 1, 0), (1, 0, 1)])
def test_repeated_initials_add_nothing(order: tuple[int, ...]) -> None:
    two = parts()
    one_hello(watch(datagrams(*[two[i] for i in order])))
    one_hello(watch(datagrams(*[two[i] for i in order], answer(), *[two[i] for i in order], gap_us=SECOND)))


def test_repetition_after_a_long_while_adds_nothing() -> None:
    first = q.initial(q.crypto(0, hello()))
    one_hello(watch(datagrams(first, answer(), first, gap_us=30 * SECOND)))


def test_hello_after_a_retry() -> None:
    """RFC 9000 section 8.1.2: the same hello under the id that the server asked for."""
    retry = b"\xf0" + q.V1.to_bytes(4, "big") + b"\0" + b"\x08newserve" + bytes(60)
    first = q.initial(q.crypto(0, hello()), scid=b"me")
    again = q.initial(q.crypto(0, hello()), b"newserve", scid=b"me", token=b"token", number=1)
    one_hello(watch(datagrams(first, (1, retry), again, answer(b"newserve"), SHORT)))
    one_hello(watch(datagrams(first, (1, retry), again, answer(b"newserve"), SHORT, gap_us=20 * SECOND)))
    one_hello(watch(datagrams((1, retry), again)))


def test_acknowledging_initials_add_nothing() -> None:
    acknowledgement = q.initial(b"\x02\x00\x00\x00\x00", b"serverid", key_dcid=b"original", number=1)
    one_hello(watch(datagrams(q.initial(q.crypto(0, hello())), answer(), acknowledgement, acknowledgement)))


def test_servers_initial_comes_first() -> None:
    one_hello(watch(datagrams(answer(), q.initial(q.crypto(0, hello())), answer())))
    found = watch(datagrams(answer(), (1, SHORT), SHORT))
    assert found.hellos == {}
    assert (found.flow.client, found.flow.fact.kind.service) == (f"{p.HOST}:50000", "quic")


@pytest.mark.parametrize("gap_us", [1000, 30 * SECOND])
def test_other_connections_from_the_same_ports(gap_us: int) -> None:
    sent: list[tuple[int, bytes] | bytes] = []
    for number in range(25):
        dcid = b"dcid%04d" % number
        sent += [q.initial(q.crypto(0, hello(f"n{number}.example", number + 1)), dcid), answer(dcid, dcid[::-1])]
        sent.append(q.initial(b"\x02\x00\x00\x00\x00", dcid[::-1], key_dcid=dcid, number=1))
    found = outcome(datagrams(*sent, gap_us=gap_us))
    assert found.names == [f"n{number}.example" for number in range(25)]
    assert outcome(datagrams(*sent, gap_us=gap_us), stops=range(1, len(sent))) == found
    assert len(found.flows) == 1
    assert found.flow.fact.name == "n0.example"


def test_two_connections_over_two_initials_each() -> None:
    def halves(name: str, dcid: bytes, random: int) -> list[bytes]:
        data = hello(name, random)
        return [q.initial(q.crypto(100, data[100:]), dcid), q.initial(q.crypto(0, data[:100]), dcid, number=1)]

    found = watch(
        datagrams(*halves("a.example", b"first-id", 1), answer(b"first-id"), *halves("b.example", b"other-id", 2))
    )
    assert found.names == ["a.example", "b.example"]


def test_doq_by_its_protocol() -> None:
    data = h.client_hello(h.sni(b"dns.example") + h.alpn(b"doq") + h.versions(0x0304) + PARAMETERS)
    for port in (853, 8853, 12345):
        found = watch(datagrams(q.initial(q.crypto(0, data)), port=port))
        assert (found.flow.fact.kind.service, found.flow.fact.kind.encrypted) == ("doq", "yes")


def test_doh_over_quic_by_the_resolvers_name() -> None:
    found = watch(datagrams(q.initial(q.crypto(0, hello("cloudflare-dns.com")))))
    assert (found.flow.fact.kind.service, found.flow.fact.kind.encrypted) == ("doh", "yes")


# --- DTLS


def dtls_fragment(message: bytes, at: int, size: int, number: int = 0) -> bytes:
    body = message[4:][at : at + size]
    fragment = message[:4] + b"\0\0" + at.to_bytes(3, "big") + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xfd\0\0" + number.to_bytes(6, "big") + h.vector(2, fragment)


DTLS = h.client_hello(h.sni(b"dtls.example") + h.alpn(b"webrtc"), version=0xFEFD, cookie=b"", ciphers=(0xC02B,))


def dtls_hello(found: Outcome) -> None:
    assert (found.hello.source, found.hello.name, found.hello.version) == ("tls", "dtls.example", "DTLS1.2")
    fact = found.flow.fact
    assert (fact.kind.service, fact.kind.encrypted, fact.name) == ("dtls", "yes", "dtls.example")


def test_dtls_hello() -> None:
    whole = dtls_fragment(DTLS, 0, 1000)
    dtls_hello(watch(datagrams(whole, port=9000)))
    dtls_hello(watch(datagrams(whole, whole, port=9000)))
    assert watch(datagrams(whole, port=5684)).flow.fact.kind.service == "coaps"


def test_dtls_hello_answered_by_a_cookie() -> None:
    """RFC 6347 section 4.2.1: the hello comes again, with the cookie."""
    cookie = h.client_hello(
        h.sni(b"dtls.example") + h.alpn(b"webrtc"), version=0xFEFD, cookie=b"C" * 20, ciphers=(0xC02B,)
    )
    verify = b"\x16\xfe\xff" + bytes(8) + h.vector(2, b"\x03\0\0\x17\0\0\0\0\0\0\0\x17\xfe\xff\x14" + b"C" * 20)
    first, again = dtls_fragment(DTLS, 0, 1000), dtls_fragment(cookie, 0, 1000, 1)
    dtls_hello(watch(datagrams(first, (1, verify), again, port=9000)))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_dtls_hello_over_several_datagrams(order: tuple[int, ...]) -> None:
    size = -(-(len(DTLS) - 4) // 3)
    fragments = [dtls_fragment(DTLS, at * size, size, at) for at in range(3)]
    dtls_hello(watch(datagrams(*[fragments[i] for i in order], port=9000)))


# --- services


@pytest.mark.parametrize(
    ("port", "data", "service", "encrypted"),
    [
        (53, b"\x01\0\0\0" + bytes(range(100, 244)), "wireguard", "yes"),
        (443, b"\x01\0\0\0" + bytes(range(100, 244)), "wireguard", "yes"),
        (51820, bytes(40), "wireguard", "unknown"),
        (443, bytes(40), "quic", "unknown"),
        (9999, b"\0\x01\0\0\x21\x12\xa4\x42" + bytes(12), "stun", "unknown"),
        (123, b"\x23" + bytes(47), "ntp", "no"),
        (500, bytes(8) + bytes(8) + b"\x21\x20\x22\x08" + bytes(4) + (28).to_bytes(4, "big"), "ipsec", "unknown"),
        (853, bytes(40), "doq", "unknown"),
        (9000, d.QUERY, "dns", "no"),
    ],
)
def test_service(port: int, data: bytes, service: str, encrypted: str) -> None:
    fact = watch(datagrams(data, (1, data), port=port)).flow.fact
    assert (fact.kind.service, fact.kind.encrypted) == (service, encrypted)


def test_rtp_takes_two_datagrams() -> None:
    def packet(number: int) -> bytes:
        return b"\x80\x60" + number.to_bytes(2, "big") + (160 * number).to_bytes(4, "big") + b"same" + bytes(160)

    assert watch(datagrams(packet(1), port=20000)).flow.fact.kind.service is None
    assert watch(datagrams(packet(1), packet(2), port=20000)).flow.fact.kind.service == "rtp"


def test_message_ports_share_an_inspector() -> None:
    assert isinstance(make_udp((5353, 53), (-1, -1)), MessageInspector)
    assert make_udp((53, 40000), (-1, -1)) is make_udp((5353, 53), (-1, -1))
    assert restore_udp(make_udp((67, 68), (-1, -1)).state(), {}) is make_udp((67, 68), (-1, -1))
    assert isinstance(make_udp((443, 50000), (-1, -1)), UdpInspector)
