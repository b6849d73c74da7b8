"""Router advertisements: what is on the link, and who routes."""

from __future__ import annotations

import pytest

from daemon.decode.ndp import parse_router_advertisement
from daemon.flow.facts import DAY_US, NetworkFact, RouterFact
from tests.daemon.decode import test_ndp as ndp
from tests.support import packets as p
from tests.support.flows import Outcome, timed, watch

ROUTER = "fe80::1"
MAC = p.mac_int(p.ROUTER_MAC)
DAY = p.START_US // DAY_US


def announced(*messages: bytes, src: str = ROUTER) -> Outcome:
    return watch(
        timed([p.ethernet(p.ipv6(each, src, "ff02::1", 58), p.ROUTER_MAC, "33:33:00:00:00:01") for each in messages])
    )


def test_prefixes_and_router() -> None:
    found = announced(ndp.FULL, ndp.FULL)
    span = [p.START_US, p.START_US + 1000]
    assert found.networks == {
        NetworkFact("2001:db8:1:2::/64", "ra", 86400, DAY): span,
        NetworkFact("fd00:1::/48", "ra", 0x7FFFFFFF, DAY): span,
    }
    assert found.routers == {RouterFact(MAC, ROUTER, "ra"): span}
    assert (found.flow.fact.kind.protocol, found.flow.fact.kind.chatter) == ("icmpv6", True)


def test_dns_servers_that_a_router_names_are_its_words() -> None:
    said = announced(ndp.FULL).hints
    assert {(hint.mac, hint.address, hint.source, hint.key) for hint in said} == {(MAC, ROUTER, "ra", "resolver")}
    assert sorted(hint.value for hint in said) == sorted(parse_router_advertisement(ndp.FULL).resolvers)
    assert said


def test_router_without_its_link_address_is_known_by_the_frame() -> None:
    assert list(announced(ndp.advertisement()).routers) == [RouterFact(MAC, ROUTER, "ra")]


def test_router_that_is_no_default_router_still_announces() -> None:
    found = announced(ndp.advertisement(ndp.prefix("2001:db8:1:2::", 64), lifetime=0))
    assert found.routers == {}
    assert [network.prefix for network in found.networks] == ["2001:db8:1:2::/64"]


def test_prefix_that_is_neither_on_link_nor_for_addresses() -> None:
    assert announced(ndp.advertisement(ndp.prefix("2001:db8:1:2::", 64, flags=0))).networks == {}


@pytest.mark.parametrize("length", [0, 1, 15])
def test_prefix_of_half_the_internet_is_not_believed(length: int) -> None:
    assert announced(ndp.advertisement(ndp.prefix("2000::", length))).networks == {}


def test_only_neighbours_announce() -> None:
    """RFC 4861 section 6.1.2: the source is a link-local address."""
    found = announced(ndp.FULL, src="2001:db8:dead::1")
    assert (found.networks, found.routers) == ({}, {})


NEIGHBOUR = b"\x88\0\0\0\x60\0\0\0\xfe\x80" + bytes(13) + b"\x01"  # an advertisement of fe80::1


@pytest.mark.parametrize("message", [NEIGHBOUR, b"\x80\0\0\0ping", b"\x86", b"\x86\0\0\0" + bytes(12) + b"\x03\0", b""])
def test_other_messages_are_traffic_only(message: bytes) -> None:
    found = announced(message)
    assert (found.networks, found.routers) == ({}, {})
    assert found.flow.fact.packets_up == 1
