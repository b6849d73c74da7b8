"""What else connections say: HTTP, DNS, changes to TLS on the way, and who is recognised without saying a name."""

from __future__ import annotations

import ssl

import pytest

from tests.daemon.decode import hellos as h
from tests.daemon.decode import test_dns as d
from tests.support import packets as p
from tests.support.flows import Outcome, Tcp, cut, outcome, timed, watch


def request(path: str, host: str = "example.com", *fields: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def hosts(found: Outcome) -> list[str | None]:
    assert {hello.fact.source for hello in found.hellos.values()} <= {"http"}
    return found.names


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


# --- HTTP


def test_request() -> None:
    flow = Tcp(server_port=80).open().up(request("/", "WWW.Example.com:8080", "User-Agent: curl/8")).down(OK)
    found = watch(flow.frames)
    hello = found.hello
    assert (hello.source, hello.name, hello.method) == ("http", "www.example.com:8080", "GET")
    assert hello.user_agent == "curl/8"
    fact = found.flow.fact
    assert (fact.name, fact.name_source, fact.kind.service, fact.kind.encrypted) == (
        "www.example.com",
        "http",
        "http",
        "no",
    )
    (hint,) = found.hints
    assert (hint.mac, hint.address, hint.source, hint.key) == (p.mac_int(p.HOST_MAC), p.HOST, "http", "user_agent")
    assert hint.value == "curl/8"


def test_keep_alive_and_pipelining() -> None:
    flow = Tcp(server_port=80).open().up(request("/1", "a.example")).down(OK)
    flow.up(request("/2", "b.example") + request("/3", "c.example")).down(OK + OK)
    flow.up(request("/4", "d.example", "Content-Length: 9", method="POST")).up(b"GET / HTT").down(OK)
    flow.up(request("/5", "e.example"))
    found = watch(flow.frames)
    assert hosts(found) == ["a.example", "b.example", "c.example", "d.example", "e.example"]
    assert found.flow.fact.name == "a.example"
    seen = [found.hellos[0, place].fact.seen_us for place in range(5)]
    assert seen[1] == seen[2]
    assert seen == sorted(seen)


def test_header_cut_at_every_byte() -> None:
    data = request("/path", "split.example", "User-Agent: x")
    for at in range(1, len(data)):
        assert hosts(outcome(Tcp(server_port=80).open().up(data[:at]).up(data[at:]).frames)) == ["split.example"]
        flow = Tcp(server_port=80).open().up(data[at:], at).up(data[:at], 0).up(data, 0)
        assert hosts(outcome(flow.frames)) == ["split.example"]


def test_request_behind_a_hole() -> None:
    first, second = request("/1", "a.example"), request("/2", "b.example")
    body = request("/", "up.example", "Content-Length: 1000", method="POST")
    flow = Tcp(server_port=80).open().up(body + bytes(1000)).up(first)
    frames = [*flow.frames[:3], cut(flow.frames[3], 54 + len(body) + 100), *flow.frames[4:]]
    assert hosts(watch(frames)) == ["up.example", "a.example"]
    flow = Tcp(server_port=80).open().up(first).up(second)
    frames = [*flow.frames[:3], cut(flow.frames[3], 54 + 20), *flow.frames[4:]]
    assert hosts(watch(frames)) == ["b.example"]


def test_requests_behind_a_segment_that_the_capture_lacks() -> None:
    """A device that reports twice a minute over one connection."""
    asked = [request(f"/{number}", f"n{number}.example") for number in range(6)]
    flow = Tcp(server_port=80).open()
    for number, data in enumerate(asked):
        offset = sum(map(len, asked[:number]))
        if number != 2:
            flow.wait(30).up(data, offset)
    assert hosts(watch(flow.frames)) == ["n0.example", "n1.example", "n3.example", "n4.example", "n5.example"]


def test_segment_that_comes_seconds_later_is_not_given_up() -> None:
    data = request("/long", "late.example", "User-Agent: " + "x" * 300)
    flow = Tcp(server_port=80).open().up(data[200:], 200).wait(7).up(data[200:], 200).wait(2).up(data[:200], 0)
    assert hosts(watch(flow.frames)) == ["late.example"]


def test_request_in_a_flow_without_beginning() -> None:
    flow = Tcp(server_port=8081).down(b"rest of an earlier answer").up(request("/", "late.example")).down(OK)
    found = watch(flow.frames)
    assert hosts(found) == ["late.example"]
    assert found.flow.client == f"{p.HOST}:40000"


def test_upgrade_that_the_server_refuses() -> None:
    flow = Tcp(server_port=80).open().up(request("/", "a.example", "Upgrade: h2c")).down(OK)
    assert hosts(watch(flow.up(request("/2", "b.example")).frames)) == ["a.example", "b.example"]


# --- TLS inside of something else


HELLO = h.openssl_hello("inner.example")
TO_TLS: dict[str, tuple[int, list[tuple[int, bytes]], str]] = {
    "smtp": (
        587,
        [
            (1, b"220 mail.example ESMTP Postfix\r\n"), (0, b"EHLO me\r\n"), (1, b"250-mail.example\r\n250 STARTTLS\r\n"),
            (0, b"STARTTLS\r\n"), (1, b"220 2.0.0 Ready to start TLS\r\n"),
        ],
        "tls",
    ),
    "imap": (143, [(1, b"* OK IMAP4rev1 ready\r\n"), (0, b"a1 STARTTLS\r\n"), (1, b"a1 OK begin\r\n")], "tls"),
    "xmpp": (
        5222,
        [
            (0, b"<?xml version='1.0'?><stream:stream to='x'>"), (1, b"<?xml version='1.0'?><stream:stream>"),
            (0, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), (1, b"<proceed/>"),
        ],
        "tls",
    ),
    "rdp": (3389, [(0, bytes.fromhex("030000130ee000000000000100080003000000")), (1, b"\x03\0\0\x13\x0e\xd0" + bytes(13))],
            "tls"),
    "postgres": (5432, [(0, bytes.fromhex("0000000804d2162f")), (1, b"S")], "tls"),
    "socks": (1080, [(0, b"\5\1\0"), (1, b"\5\0"), (0, b"\5\1\0\1\xc0\0\2\1\1\xbb"), (1, b"\5\0\0\1" + bytes(6))], "tls"),
    "proxy": (3128, [(0, b"CONNECT inner.example:443 HTTP/1.1\r\nHost: inner.example:443\r\n\r\n"),
                     (1, b"HTTP/1.1 200 Connection established\r\n\r\n")], "tls"),
}  # fmt: skip


@pytest.mark.parametrize("protocol", TO_TLS)
@pytest.mark.parametrize("at", [0, 6, 150])
def test_tls_on_the_way(protocol: str, at: int) -> None:
    port, talk, service = TO_TLS[protocol]
    flow = Tcp(server_port=port).open()
    for side, data in talk:
        (flow.down if side else flow.up)(data)
    start = sum(len(data) for side, data in talk if not side)
    flow.up(HELLO[:at] or HELLO, start).up(HELLO[at:], start + at)
    found = watch(flow.frames)
    assert [hello.fact.name for hello in found.hellos.values() if hello.fact.source == "tls"] == ["inner.example"]
    assert [hello.fact.name for hello in found.hellos.values() if hello.fact.source == "http"] == (
        ["inner.example:443"] if protocol == "proxy" else []
    )
    fact = found.flow.fact
    assert (fact.name, fact.name_source, fact.kind.service, fact.kind.encrypted) == (
        "inner.example",
        "tls",
        service,
        "yes",
    )


def test_server_flight_behind_a_proxy_is_read() -> None:
    up, down = h.handshake(ssl.TLSVersion.TLSv1_2)
    flow = Tcp(server_port=3128).open().up(TO_TLS["proxy"][1][0][1]).down(TO_TLS["proxy"][1][1][1])
    found = watch(flow.up(up[:250]).up(up[250:]).down(down[:200]).down(down[200:]).frames)
    (hello,) = [each.fact for each in found.hellos.values() if each.fact.source == "tls"]
    assert hello.chosen_version == "TLS1.2"
    assert hello.certificate_names


# --- ports that were taken again


def two(first: Tcp, second: Tcp) -> Outcome:
    return watch([*first.frames, *second.frames])


def test_fin_then_syn_within_ten_seconds() -> None:
    first = Tcp().open().up(h.openssl_hello("one.example")).close()
    second = Tcp(isn=(777, 888), start_us=first.clock_us + 1_000_000).open().up(h.openssl_hello("two.example"))
    found = two(first, second)
    assert found.names == ["one.example", "two.example"]
    assert [found.flows[i].fact.name for i in (0, 1)] == ["one.example", "two.example"]
    assert found.ends == ["fin", "cut"]


def test_fin_then_syn_after_ten_seconds() -> None:
    first = Tcp().open().up(h.openssl_hello("one.example")).close()
    second = Tcp(isn=(777, 888), start_us=first.clock_us + 60_000_000).open().up(h.openssl_hello("two.example"))
    found = two(first, second)
    assert [found.flows[i].fact.name for i in (0, 1)] == ["one.example", "two.example"]
    assert found.ends == ["fin", "cut"]


def test_rst_then_syn() -> None:
    first = Tcp().open().up(h.openssl_hello("one.example")).rst(1)
    second = Tcp(isn=(9, 1), start_us=first.clock_us).open().up(h.openssl_hello("two.example")).rst(0)
    found = two(first, second)
    assert [found.flows[i].fact.name for i in (0, 1)] == ["one.example", "two.example"]
    assert found.ends == ["rst", "rst"]


def test_same_ports_after_an_hour_of_silence() -> None:
    first = Tcp().open().up(h.openssl_hello("one.example"))
    second = Tcp(isn=(9, 1), start_us=first.clock_us + 3_601_000_000).open().up(h.openssl_hello("two.example"))
    found = two(first, second)
    assert [found.flows[i].fact.name for i in (0, 1)] == ["one.example", "two.example"]
    assert found.ends == ["idle", "cut"]


@pytest.mark.parametrize("isn", [(900, 100), (1000 + (1 << 31), 5), (5_000, 9_000), ((1 << 32) - 9, 77)])
def test_new_syn_although_nothing_closed_the_connection(isn: tuple[int, int]) -> None:
    """A device that lost its power: for us one flow, and still every handshake is a row."""
    _, down = h.handshake(ssl.TLSVersion.TLSv1_2)
    first = Tcp().open().up(h.openssl_hello("one.example")).down(down)
    second = Tcp(isn=isn, start_us=first.clock_us + 5_000_000).open().up(h.openssl_hello("two.example")).down(down)
    found = two(first, second)
    assert found.names == ["one.example", "two.example"]
    assert all(hello.fact.certificate_names for hello in found.hellos.values())
    assert found.flow.fact.name == "one.example"
    again = Tcp(80, 81).open().up(request("/", "one.example"))
    more = Tcp(80, 81, isn=isn, start_us=again.clock_us + 5_000_000).open().up(request("/", "two.example"))
    assert hosts(two(again, more)) == ["one.example", "two.example"]


# --- DNS


QUERY = d.message([d.question("www.example.com")], flags=d.RD)
OTHER = d.message([d.question("cdn.example.net", d.AAAA)], flags=d.RD, ident=9)


def framed(*messages: bytes) -> bytes:
    return b"".join([len(message).to_bytes(2, "big") + message for message in messages])


def test_dns_over_tcp() -> None:
    flow = Tcp(server_port=53).open().up(framed(QUERY)).down(framed(d.ANSWER)).close()
    found = watch(flow.frames)
    asked, answered = found.dns
    assert (asked.client, asked.resolver, asked.fact.transport) == (p.HOST, p.SERVER, "tcp")
    assert (asked.fact.response, asked.fact.name, asked.fact.type, asked.fact.rcode) == (
        False,
        "www.example.com",
        "A",
        None,
    )
    assert (answered.client, answered.fact.response, answered.fact.rcode) == (p.HOST, True, "NOERROR")
    assert [record.value for record in answered.fact.records][1:3] == ["192.0.2.1", "192.0.2.2"]
    assert (found.flow.fact.kind.service, found.flow.fact.kind.encrypted) == ("dns", "no")


def test_dns_over_tcp_cut_at_every_byte() -> None:
    data = framed(QUERY, OTHER)
    for at in range(1, len(data)):
        found = outcome(Tcp(server_port=53).open().up(data[:at]).up(data[at:]).frames)
        assert [each.fact.name for each in found.dns] == ["www.example.com", "cdn.example.net"]
        found = outcome(Tcp(server_port=53).open().up(data[at:], at).up(data[:at], 0).up(data, 0).frames)
        assert [each.fact.name for each in found.dns] == ["www.example.com", "cdn.example.net"]
    flow = Tcp(server_port=53).open()
    for byte in data:
        flow.up(bytes([byte]))
    assert [each.fact.name for each in watch(flow.frames).dns] == ["www.example.com", "cdn.example.net"]


def test_dns_over_tcp_several_messages_and_a_hole() -> None:
    flow = Tcp(server_port=53).open().up(framed(QUERY, OTHER)).down(framed(d.ANSWER, d.ANSWER)).up(framed(QUERY))
    assert [each.fact.response for each in watch(flow.frames).dns] == [False, False, True, True, False]
    frames = [*flow.frames[:4], cut(flow.frames[4], 54 + len(framed(d.ANSWER)) + 30), *flow.frames[5:]]
    assert [each.fact.response for each in watch(frames).dns] == [False, False, True, False]


def test_dns_over_tcp_without_beginning_and_answer_first() -> None:
    found = watch(Tcp(server_port=53).down(framed(d.ANSWER)).up(framed(QUERY)).frames)
    assert [(each.client, each.fact.response) for each in found.dns] == [(p.HOST, True), (p.HOST, False)]
    assert found.flow.client == f"{p.HOST}:40000"


def test_no_dns_on_its_port() -> None:
    for junk in (b"\0\0" * 20, b"\0\x20" + b"\xff" * 32, b"\xff\xff" + bytes(70_000)):
        flow = Tcp(server_port=53).open()
        for at in range(0, len(junk), 1000):
            flow.up(junk[at : at + 1000])
        assert watch(flow.frames).dns == []


# --- signature before port


@pytest.mark.parametrize(
    ("port", "first", "service", "encrypted"),
    [
        (80, HELLO, "tls", "yes"),
        (53, HELLO, "tls", "yes"),
        (8883, HELLO, "mqtts", "yes"),
        (853, HELLO, "dot", "yes"),
        (5223, HELLO, "xmpps", "yes"),
        (993, HELLO, "imaps", "yes"),
        (8443, request("/"), "http", "no"),
        (443, request("/"), "http", "no"),
        (53, request("/"), "http", "no"),
        (49152, request("/"), "upnp-http", "no"),
        (443, b"SSH-2.0-OpenSSH_9.6\r\n", "ssh", "yes"),
        (443, b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04cl", "mqtt", "no"),
        (1883, b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04cl", "mqtt", "no"),
        (443, h.openssl_hello("dns.google"), "doh", "yes"),
        (853, h.openssl_hello("dns.google"), "dot", "yes"),
        (443, h.openssl_hello("dns.google.evil.example"), "https", "yes"),
    ],
)
def test_signature_counts_more_than_port(port: int, first: bytes, service: str, encrypted: str) -> None:
    fact = watch(Tcp(server_port=port).open().up(first).down(b"\x20\x02\0\0").frames).flow.fact
    assert (fact.kind.service, fact.kind.encrypted) == (service, encrypted)


@pytest.mark.parametrize(
    ("port", "service", "encrypted"),
    [
        (443, "https", "unknown"),
        (80, "http", "no"),
        (22, "ssh", "unknown"),
        (25, "smtp", "unknown"),
        (40001, None, "unknown"),
    ],
)
def test_a_port_alone_never_says_encrypted(port: int, service: str | None, encrypted: str) -> None:
    fact = watch(Tcp(server_port=port).open().up(b"\xde\xad\xbe\xef" * 8).frames).flow.fact
    assert (fact.kind.service, fact.kind.encrypted) == (service, encrypted)


@pytest.mark.parametrize(
    ("banner", "answer", "service"),
    [
        (b"SSH-2.0-dropbear\r\n", b"SSH-2.0-x\r\n", "ssh"),
        (b"220 mail.example ESMTP\r\n", b"EHLO me\r\n", "smtp"),
        (b"* OK IMAP4rev1 ready\r\n", b"a1 NOOP\r\n", "imap"),
        (b"RFB 003.008\n", b"RFB 003.008\n", "vnc"),
    ],
)
def test_server_that_speaks_first(banner: bytes, answer: bytes, service: str) -> None:
    found = watch(Tcp(server_port=2022).open().down(banner).up(answer).frames)
    assert found.flow.fact.kind.service == service
    assert found.flow.client == f"{p.HOST}:40000"


def test_payload_of_tunnelled_tcp_is_read() -> None:
    frames = [frame[1] for frame in Tcp().open().up(HELLO).frames]
    frames = [frame[:14] + p.ipv4(b"\0\0\x08\0" + frame[14:], "192.0.2.1", "192.0.2.2", 47) for frame in frames]
    found = watch(timed(frames))
    assert found.names == ["inner.example"]
    assert found.flow.fact.kind.tunnel == "gre"
