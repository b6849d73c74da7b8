"""Names taken apart: registrable domain, tenant, and what stays in the house."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.names import ADDRESS, LOCAL, MEMO, PUBLIC, REVERSE, Names, stays_local

NAMES = Names()


@pytest.mark.parametrize(
    ("text", "registrable", "tenant"),
    [
        ("ws.sonos.com", "sonos.com", None),
        ("photos.s3.amazonaws.com", "amazonaws.com", "photos.s3.amazonaws.com"),
        ("a.photos.s3.eu-west-1.amazonaws.com", "amazonaws.com", "photos.s3.eu-west-1.amazonaws.com"),
        ("d111.cloudfront.net", "cloudfront.net", "d111.cloudfront.net"),
        ("cloudfront.net", "cloudfront.net", None),
        ("www.bbc.co.uk", "bbc.co.uk", None),
        ("co.uk", "co.uk", None),  # nobody's, but a name
        ("somebody.github.io", "github.io", "somebody.github.io"),
        ("WWW.Example.COM.", "example.com", None),
        (r"caf\195\169.example.com", "example.com", None),
        (r"a\047b.example.com", "example.com", None),
        ("x.y.nosuchtop", "y.nosuchtop", None),
        ("_dns-sd._udp.example.com", "example.com", None),
        ("a..example.com", "example.com", None),
    ],
)
def test_registrable_and_tenant(text: str, registrable: str, tenant: str | None) -> None:
    name = NAMES.parse(text)
    assert (name.sort, name.registrable, name.tenant) == (PUBLIC, registrable, tenant)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("192.0.2.7", ADDRESS),
        ("2001:db8::1", ADDRESS),
        ("[2001:db8::1]", ADDRESS),
        ("printer", LOCAL),
        ("_googlecast._tcp.local", LOCAL),
        ("hub.home.arpa", LOCAL),
        ("nas.fritz.box", LOCAL),
        ("", LOCAL),
        ("...", LOCAL),
        ("7.2.0.192.in-addr.arpa", REVERSE),
        ("1.0.ip6.arpa", REVERSE),
    ],
)
def test_what_is_no_public_name(text: str, sort: str) -> None:
    name = NAMES.parse(text)
    assert (name.sort, name.registrable) == (sort, None)


def test_public_suffixes() -> None:
    assert all(map(NAMES.is_public_suffix, ("com", "co.uk", "com.au")))
    assert not any(map(NAMES.is_public_suffix, ("amazonaws.com", "s3.amazonaws.com", "sonos.com")))


def test_no_question_leaves_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Names().parse("www.example.org").registrable == "example.org"


def test_what_is_remembered_is_bounded_and_changes_no_answer() -> None:
    names = Names()
    first = names.parse("0.example.com")
    for number in range(MEMO + 5):
        names.parse(f"{number}.local")
    assert names.parse.cache_info().currsize == MEMO  # type: ignore[attr-defined]  # as lru_cache has it
    assert names.parse("0.example.com") == first


@pytest.mark.parametrize(
    ("address", "local"),
    [("192.168.1.1", True), ("fe80::1", True), ("224.0.0.251", True), ("8.8.8.8", False), ("203.0.113.9", False)],
)
def test_what_stays_local(address: str, local: bool) -> None:
    assert stays_local(address) is local


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[a-z0-9_\\.\-]{0,60}", fullmatch=True)))
def test_any_text_is_answered(text: str) -> None:
    name = NAMES.parse(text)
    if name.sort == PUBLIC:
        assert name.registrable is not None
        assert name.text == name.registrable or name.text.endswith("." + name.registrable)
        assert name.tenant is None or name.tenant.endswith("." + name.registrable)
