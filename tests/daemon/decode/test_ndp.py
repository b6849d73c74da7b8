from __future__ import annotations

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given

from daemon.decode.cursor import DecodeError
from daemon.decode.ndp import Prefix, parse_router_advertisement
from tests.support.hostile import every_cut, hostile

MAC = bytes.fromhex("020000000001")


def option(kind: int, body: bytes) -> bytes:
    padded = body + bytes(-(len(body) + 2) % 8)
    return bytes([kind, (len(padded) + 2) // 8]) + padded


def prefix(network: str, length: int, flags: int = 0xC0, valid: int = 86400) -> bytes:
    lifetimes = valid.to_bytes(4, "big") + (3600).to_bytes(4, "big") + bytes(4)
    return option(3, bytes([length, flags]) + lifetimes + ipaddress.ip_address(network).packed)


def advertisement(*options: bytes, lifetime: int = 1800) -> bytes:
    return b"\x86\x00\x00\x00\x40\x00" + lifetime.to_bytes(2, "big") + bytes(8) + b"".join(options)


def resolvers(*addresses: str, lifetime: int = 600) -> bytes:
    return option(
        25, bytes(2) + lifetime.to_bytes(4, "big") + b"".join(ipaddress.ip_address(a).packed for a in addresses)
    )


FULL = advertisement(
    option(1, MAC),
    prefix("2001:db8:1:2::", 64),
    prefix("fd00:1::", 48, flags=0x40, valid=0xFFFFFFFF),
    resolvers("2001:db8:1:2::1", "fe80::1"),
    option(5, bytes(2) + (1500).to_bytes(4, "big")),
)


def test_router_advertisement() -> None:
    parsed = parse_router_advertisement(FULL)
    assert parsed.lifetime_s == 1800
    assert parsed.mac == 0x020000000001
    assert parsed.prefixes == (
        Prefix("2001:db8:1:2::/64", on_link=True, autonomous=True, valid_s=86400),
        Prefix("fd00:1::/48", on_link=False, autonomous=True, valid_s=0xFFFFFFFF),
    )
    assert parsed.resolvers == ("2001:db8:1:2::1", "fe80::1")


def test_host_bits_of_a_prefix_are_cleared() -> None:
    parsed = parse_router_advertisement(advertisement(prefix("2001:db8:1:2:ffff::1", 56)))
    assert parsed.prefixes[0].network == "2001:db8:1::/56"


def test_withdrawn_router_and_resolver() -> None:
    parsed = parse_router_advertisement(advertisement(resolvers("2001:db8::1", lifetime=0), lifetime=0))
    assert parsed.lifetime_s == 0
    assert parsed.mac == -1
    assert parsed.resolvers == ()


def test_routes_may_be_cut_to_their_length() -> None:
    lifetime = (600).to_bytes(4, "big")
    short = option(24, bytes([64, 0]) + lifetime + ipaddress.ip_address("fd11:2:3:4::").packed[:8])
    default = option(24, bytes([0, 0]) + lifetime)
    wrong = option(24, bytes([96, 0]) + lifetime + bytes(8))  # 96 bits do not fit in 8 bytes
    gone = option(24, bytes([64, 0]) + bytes(4) + bytes(8))
    parsed = parse_router_advertisement(advertisement(short, default, wrong, gone))
    assert parsed.routes == ("fd11:2:3:4::/64", "::/0")


def test_prefix_longer_than_an_address_is_passed_over() -> None:
    assert parse_router_advertisement(advertisement(prefix("2001:db8::", 129))).prefixes == ()


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        FULL[:15],
        b"\x85" + FULL[1:],  # router solicitation
        b"\x86\x01" + FULL[2:],  # code other than 0
        advertisement(b"\x01\x00" + MAC),  # option of length 0, RFC 4861 section 4.6
        advertisement(b"\x01\x02" + MAC),
        advertisement(b"\x01"),
    ],
)
def test_not_a_router_advertisement(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_router_advertisement(wrong)


def test_cut_in_an_option_is_not_a_shorter_advertisement() -> None:
    boundaries = {16, 24, 56, 88, 128, 136}
    for cut in every_cut(FULL):
        if len(cut) in boundaries:
            parse_router_advertisement(cut)
        else:
            with pytest.raises(DecodeError):
                parse_router_advertisement(cut)


@given(hostile([FULL]))
def test_hostile_bytes(wire: bytes) -> None:
    with suppress(DecodeError):
        assert -1 <= parse_router_advertisement(wire).mac < 1 << 48
