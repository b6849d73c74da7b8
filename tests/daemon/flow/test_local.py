from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.local import GLOBAL, GROUP, OWN, PRIVATE, address_number, address_text, is_group, mac_text, scope_of
from tests.support.flows import NOBODY


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("10.0.0.0", PRIVATE), ("10.255.255.255", PRIVATE), ("11.0.0.0", GLOBAL), ("9.255.255.255", GLOBAL),
        ("172.15.255.255", GLOBAL), ("172.16.0.0", PRIVATE), ("172.31.255.255", PRIVATE), ("172.32.0.0", GLOBAL),
        ("192.167.255.255", GLOBAL), ("192.168.0.0", PRIVATE), ("192.169.0.0", GLOBAL),
        ("169.254.1.1", PRIVATE), ("169.253.255.255", GLOBAL), ("100.64.0.1", GLOBAL),
        (NOBODY, OWN), ("127.0.0.1", OWN), ("224.0.0.251", GROUP), ("239.255.255.255", GROUP), ("240.0.0.1", GLOBAL),
        ("255.255.255.255", GROUP), ("::", OWN), ("::1", OWN), ("::2", GLOBAL), ("ff02::fb", GROUP), ("fe80::1", PRIVATE),
        ("febf::1", PRIVATE), ("fec0::1", GLOBAL), ("fc00::1", PRIVATE), ("fdff::1", PRIVATE), ("fe00::1", GLOBAL),
        ("2001:db8::1", GLOBAL),
    ],
)  # fmt: skip
def test_scope(address: str, scope: int) -> None:
    version, number = address_number(address)
    assert scope_of(version, number) == scope
    assert is_group(version, number) == (scope == GROUP)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_text_and_back(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    text = address_text(address.version, int(address))
    assert address_number(text) == (address.version, int(address))
    if address.version == 4 or not address.ipv4_mapped:
        assert text == str(address) or "." in text  # inet_ntop shows what embeds an IPv4 address as such


def test_text_is_canonical() -> None:
    """RFC 5952."""
    assert address_text(6, 0x20010DB8 << 96 | 1) == "2001:db8::1"
    assert address_text(6, 0x20010DB8_00000001_00010001_00010001) == "2001:db8:0:1:1:1:1:1"


def test_zone_is_left_out() -> None:
    assert address_number("fe80::1%eth0") == address_number("fe80::1")


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "x::y", "host"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        address_number(text)


def test_mac_text() -> None:
    assert mac_text(0x020000000010) == "02:00:00:00:00:10"
    assert mac_text(0) == "00:00:00:00:00:00"
    assert mac_text(-1) is None
