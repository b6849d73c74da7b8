"""Names that came by a chain of aliases or a service record, from captures to the views."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.ingest.houses import (
    CDN,
    MINUTE,
    OTHER,
    SIX,
    any_order,
    home,
    infrastructure,
    names,
)
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, dhcp_request, lookup, talk, write
from tests.support.answers import chain, told
from tests.support.packets import START_US


def test_a_chain_is_named_by_its_beginning_and_carried_by_its_end(tmp_path: Path) -> None:
    links = ("shop.example", "edge.cdn.example", "node7.cloud.example")
    database = home(tmp_path, told(START_US, "shop.example", *chain(CDN, *links)), talk(START_US + SECOND, server=CDN))
    assert names(database) == [("shop.example", "dns")]
    assert infrastructure(database) == [("shop.example", "node7.cloud.example")]


def test_of_several_ends_of_a_chain_the_latest_in_the_month_is_shown(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        told(START_US, "shop.example", *chain(CDN, "shop.example", "one.cdn.example")),
        told(START_US + MINUTE, "shop.example", *chain(OTHER, "shop.example", "two.cdn.example")),
        talk(START_US + 2 * MINUTE, server=CDN, port=40001),
        talk(START_US + 2 * MINUTE, server=OTHER, port=40002),
    )
    assert names(database) == [("shop.example", "dns")] * 2
    assert infrastructure(database) == [("shop.example", "two.cdn.example")]


def test_a_chain_that_comes_piece_by_piece(tmp_path: Path) -> None:
    """A client that is told only the next name asks for that one; it still wants what it asked for first."""
    database = home(
        tmp_path,
        told(START_US, "shop.example", ("shop.example", "CNAME", "edge.cdn.example")),
        told(START_US + SECOND, "edge.cdn.example", *chain(CDN, "edge.cdn.example", "node7.cloud.example")),
        talk(START_US + 2 * SECOND, server=CDN, port=40001),
        told(START_US + HOUR, "edge.cdn.example", *chain(OTHER, "edge.cdn.example", "node7.cloud.example")),
        talk(START_US + HOUR + SECOND, server=OTHER, port=40002),  # nobody asked for the shop lately
    )
    assert names(database) == [("shop.example", "dns"), ("edge.cdn.example", "dns")]
    assert infrastructure(database) == [
        ("shop.example", "node7.cloud.example"), ("edge.cdn.example", "node7.cloud.example"),
    ]  # fmt: skip


def test_the_end_of_a_chain_is_known_whatever_else_is_known_of_it(tmp_path: Path) -> None:
    """An answer may hold the alias alone; whether another capture speaks of that name must not matter."""
    paths = [
        write(
            tmp_path / "alias.pcap",
            told(START_US, "shop.example", ("shop.example", "CNAME", "edge.cdn.example"), kind="AAAA"),
            talk(START_US + SECOND, "shop.example", server=CDN),
        ),
        write(tmp_path / "later.pcap", lookup(START_US + DAY, "edge.cdn.example", CDN)),
    ]
    database = any_order(tmp_path, *paths)
    assert ("shop.example", "edge.cdn.example") in infrastructure(database)


def test_aliases_that_go_in_a_circle(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        told(START_US, "a.example", ("a.example", "CNAME", "b.example")),
        told(START_US + 1, "b.example", ("b.example", "CNAME", "a.example")),
        told(START_US + 2, "b.example", *chain(CDN, "b.example")),
        talk(START_US + SECOND, server=CDN),
    )
    assert names(database) == [("a.example", "dns")]


@pytest.mark.parametrize(
    ("kind", "asked", "value", "name"),
    [
        ("HTTPS", "www.example", "1 . ipv4hint=198.51.100.10,198.51.100.9", "www.example"),
        ("HTTPS", "_8443._https.www.example", "1 . ipv4hint=198.51.100.9", "www.example"),
        ("HTTPS", "www.example", "1 pool.cdn.example ipv4hint=198.51.100.9", "www.example"),
        ("SVCB", "_dns.resolver.example", "1 . ipv4hint=198.51.100.9", "resolver.example"),
        ("SVCB", "_dns.resolver.arpa", "1 dns.resolver.example ipv4hint=198.51.100.9", "dns.resolver.example"),
    ],
)
def test_hints_of_service_records(tmp_path: Path, kind: str, asked: str, value: str, name: str) -> None:
    database = home(
        tmp_path, told(START_US, asked, (asked, kind, value), kind=kind), talk(START_US + SECOND, server=CDN)
    )
    assert names(database) == [(name, "dns")]


def test_hints_of_ipv6(tmp_path: Path) -> None:
    service = ("www.example", "HTTPS", f"1 . ipv6hint={SIX}")
    mine = "2001:db8:1::10"
    database = home(
        tmp_path,
        [dhcp_request(START_US, "laptop")],
        lookup(START_US, "x.example", CDN, client="192.168.1.10"),
        told(START_US + 1, "www.example", service, kind="HTTPS"),
        talk(START_US + SECOND, client=mine, server=SIX),
    )
    assert names(database) == [("www.example", "house")]


def test_a_service_record_that_names_another_host(tmp_path: Path) -> None:
    """Alias mode (RFC 9460 section 2.4.2): the addresses are asked for under the other name."""
    database = home(
        tmp_path,
        told(START_US, "example.org", ("example.org", "HTTPS", "0 pool.cdn.example"), kind="HTTPS"),
        told(START_US + SECOND, "pool.cdn.example", *chain(CDN, "pool.cdn.example")),
        talk(START_US + 2 * SECOND, server=CDN),
    )
    assert names(database) == [("example.org", "dns")]
