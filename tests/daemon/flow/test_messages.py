"""Messages by their port: who asked whom, and what devices and routers say of themselves."""

from __future__ import annotations

import pytest

from daemon.flow.facts import DAY_US, HintFact, NetworkFact, RouterFact
from tests.daemon.decode import test_dhcp as dhcp
from tests.daemon.decode import test_dhcpv6 as dhcpv6
from tests.daemon.decode import test_dns as d
from tests.daemon.decode import test_netbios as netbios
from tests.daemon.decode import test_ssdp as ssdp
from tests.support import packets as p
from tests.support.flows import NOBODY, Frame, Outcome, watch

DAY = p.START_US // DAY_US

MAC = p.mac_int(p.HOST_MAC)
ROUTER = "192.168.1.1"


def down(data: bytes, sport: int, dport: int, src: str = ROUTER, dst: str = p.HOST) -> bytes:
    """A datagram of the router to the host."""
    packet = p.ipv6(p.udp(data, sport, dport), src, dst) if ":" in src else p.ipv4(p.udp(data, sport, dport), src, dst)
    return p.ethernet(packet, p.ROUTER_MAC, p.HOST_MAC)


def up(data: bytes, sport: int, dport: int, dst: str = ROUTER, src: str = p.HOST) -> bytes:
    return p.udp_frame(data, src, dst, sport, dport)


def frames(*wire: bytes) -> list[Frame]:
    return [(p.START_US + 1000 * i, frame) for i, frame in enumerate(wire)]


def said(found: Outcome, source: str) -> dict[str, str]:
    return {hint.key: hint.value for hint in found.hints if hint.source == source}


def test_query_and_answer() -> None:
    found = watch(frames(up(d.QUERY, 40000, 53), down(d.ANSWER, 53, 40000)))
    query, answer = found.dns
    assert (query.client, query.resolver, answer.client, answer.resolver) == (p.HOST, ROUTER, p.HOST, ROUTER)
    assert query.fact[:-1] == (p.START_US, 0, 0, "udp", False, "www.example.com", "A", None, 0)
    assert answer.fact[:-1] == (p.START_US + 1000, 0, 0, "udp", True, "www.example.com", "A", "NOERROR", 3)
    records = [(record.section, record.name, record.type, record.value, record.ttl) for record in answer.fact.records]
    assert records == [
        ("answer", "www.example.com", "CNAME", "edge.cdn.net", 300),
        ("answer", "edge.cdn.net", "A", "192.0.2.1", 60),
        ("answer", "edge.cdn.net", "A", "192.0.2.2", 60),
    ]
    assert (found.flow.fact.kind.service, found.flow.fact.kind.encrypted, found.flow.fact.kind.chatter) == (
        "dns",
        "no",
        False,
    )


def test_answer_comes_first() -> None:
    found = watch(frames(down(d.ANSWER, 53, 40000), up(d.QUERY, 40000, 53)))
    assert [(each.client, each.fact.response) for each in found.dns] == [(p.HOST, True), (p.HOST, False)]
    assert found.flow.client == f"{p.HOST}:40000"


def test_repeated_query_is_two_messages() -> None:
    """Datagrams have no sequence numbers: what was on the wire twice was asked twice."""
    assert len(watch(frames(up(d.QUERY, 40000, 53), up(d.QUERY, 40000, 53))).dns) == 2


def test_names_that_do_not_exist() -> None:
    nothing = d.message([d.question("nowhere.example")], flags=0x8183)
    found = watch(frames(down(nothing, 53, 40000)))
    assert (found.dns[0].fact.rcode, found.dns[0].fact.answers, found.dns[0].fact.records) == ("NXDOMAIN", 0, ())


@pytest.mark.parametrize(
    ("port", "group", "transport"), [(5353, "224.0.0.251", "mdns"), (5355, "224.0.0.252", "llmnr")]
)
def test_transport_follows_from_the_port(port: int, group: str, transport: str) -> None:
    found = watch(frames(up(d.QUERY, port, port, group), down(d.ANSWER, port, port, "192.168.1.7")))
    assert [each.fact.transport for each in found.dns] == [transport, transport]
    assert (found.dns[0].client, found.dns[0].resolver) == (p.HOST, group)
    assert {flow.fact.kind.service for flow in found.flows.values()} == {transport}
    assert all(flow.fact.kind.chatter for flow in found.flows.values())


def test_mdns_announcement_is_a_hint_of_its_sender() -> None:
    found = watch(frames(up(d.MDNS, 5353, 5353, "224.0.0.251")))
    assert HintFact(MAC, p.HOST, "mdns", "txt.md", "Nest Hub") in found.hints
    assert HintFact(MAC, p.HOST, "mdns", "instance", "living room") in found.hints
    assert all(span == [p.START_US, p.START_US] for span in found.hints.values())
    assert watch(frames(up(d.MDNS, 5355, 5355, "224.0.0.252"))).hints == {}


def test_hints_are_stretched_over_time() -> None:
    found = watch([*frames(up(d.MDNS, 5353, 5353, "224.0.0.251")), (p.START_US + 900_000_000, up(d.MDNS, 5353, 5353))])
    assert found.hints[HintFact(MAC, p.HOST, "mdns", "txt.md", "Nest Hub")] == [p.START_US, p.START_US + 900_000_000]


def test_dhcp_hint_belongs_to_the_address_in_the_message() -> None:
    """A relay (RFC 2131 section 4.1) forwards it under its own MAC and address."""
    direct = p.udp_frame(dhcp.REQUEST, NOBODY, "255.255.255.255", 68, 67)
    relayed = p.udp_frame(dhcp.REQUEST, "192.168.7.1", ROUTER, 67, 67, mac="02:00:00:00:00:77")
    for frame in (direct, relayed):
        found = watch(frames(frame))
        assert {(hint.mac, hint.address) for hint in found.hints} == {(MAC, "192.168.1.20")}
        assert said(found, "dhcp")["hostname"] == "Living-Room"
        assert said(found, "dhcp")["vendor_class"] == "udhcp 1.23.2"
        assert found.flow.fact.kind.service == "dhcp"
        assert found.networks == {}


def test_dhcp_answer_tells_network_and_router() -> None:
    found = watch(frames(down(dhcp.ACK, 67, 68, dst="192.168.1.20")))
    assert found.networks == {NetworkFact("192.168.1.0/24", "dhcp", 86400, DAY): [p.START_US, p.START_US]}
    assert found.routers == {RouterFact(-1, ROUTER, "dhcp"): [p.START_US, p.START_US]}
    assert [(hint.source, hint.key, hint.value) for hint in found.hints] == [
        ("dhcp", "resolver", ROUTER), ("dhcp", "resolver", "9.9.9.9"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "prefix"),
    [("255.255.0.0", "203.0.0.0/16"), ("255.255.255.252", "203.0.113.4/30"), ("255.0.255.0", None), (NOBODY, None),
     ("255.255.255.255", None), ("128.0.0.0", None)],
)  # fmt: skip
def test_dhcp_network_of_a_public_address(mask: str, prefix: str | None) -> None:
    offer = dhcp.message(
        dhcp.option(53, b"\x02"), dhcp.option(1, p.address(mask)), op=2, yiaddr=p.address("203.0.113.7")
    )
    found = watch(frames(down(offer, 67, 68)))
    assert [network.prefix for network in found.networks] == ([prefix] if prefix else [])


def test_dhcpv6() -> None:
    found = watch(frames(up(dhcpv6.SOLICIT, 546, 547, "ff02::1:2", "fe80::10")))
    assert said(found, "dhcpv6")["fqdn"] == "Lamp1.home"
    assert {(hint.mac, hint.address) for hint in found.hints} == {(MAC, "fe80::10")}
    found = watch(frames(down(dhcpv6.REPLY, 547, 546, "fe80::1", "fe80::10")))
    assert found.flow.fact.kind.service == "dhcpv6"
    assert {(hint.source, hint.key) for hint in found.hints} == {("dhcpv6", "resolver")}
    assert NetworkFact("2001:db8:8::/56", "dhcpv6", 7200, DAY) in found.networks


def test_dhcpv6_prefix_of_half_the_internet_is_not_believed() -> None:
    wide = dhcpv6.message(7, dhcpv6.association(25, dhcpv6.delegated("2000::", 3), dhcpv6.delegated("2001:db8::", 56)))
    found = watch(frames(down(wide, 547, 546, "fe80::1", "fe80::10")))
    assert [network.prefix for network in found.networks] == ["2001:db8::/56"]


def test_ssdp() -> None:
    found = watch(frames(up(ssdp.NOTIFY, 50001, 1900, "239.255.255.250")))
    assert said(found, "ssdp")["server"] == "Linux/3.14 UPnP/1.0 Lamp/2.1"
    answer = watch(frames(up(ssdp.ANSWER, 1900, 50001, "192.168.1.9")))
    assert "st" in said(answer, "ssdp")
    assert {(hint.mac, hint.address) for hint in answer.hints} == {(MAC, p.HOST)}
    assert answer.flow.fact.kind.service == "ssdp"


def test_netbios_names() -> None:
    found = watch(frames(up(netbios.claim("ANNA-PC"), 137, 137, "192.168.1.255")))
    assert found.hints == {HintFact(MAC, p.HOST, "netbios", "name", "ANNA-PC"): [p.START_US, p.START_US]}
    assert found.flow.fact.kind.service == "netbios-ns"


def test_netbios_datagrams() -> None:
    found = watch(frames(up(netbios.datagram("ANNA-PC"), 138, 138, "192.168.1.255")))
    assert found.hints == {HintFact(MAC, p.HOST, "netbios", "name", "ANNA-PC"): [p.START_US, p.START_US]}
    assert (found.flow.fact.kind.service, found.flow.fact.kind.chatter) == ("netbios-dgm", True)


@pytest.mark.parametrize("port", [53, 67, 137, 138, 546, 1900, 5353, 5355])
def test_what_a_parser_refuses_is_traffic_only(port: int) -> None:
    found = watch(frames(up(b"\xfe\xed" * 30, 40000, port), up(b"x", 40000, port), up(b"", 40000, port)))
    assert (found.dns, found.hints, found.networks, found.routers, found.hellos) == ([], {}, {}, {}, {})
    assert found.flow.fact.packets_up == 3


def test_fragmented_answer_is_read() -> None:
    whole = p.ipv4(p.udp(d.ANSWER, 53, 40000), ROUTER, p.HOST, ident=7)
    pieces = [p.ethernet(piece, p.ROUTER_MAC, p.HOST_MAC) for piece in p.fragments4(whole, 40)]
    for order in (pieces, pieces[::-1]):
        found = watch(frames(*order))
        assert [each.fact.name for each in found.dns] == ["www.example.com"]
        assert sum(flow.fact.packets_up + flow.fact.packets_down for flow in found.flows.values()) == len(pieces)
