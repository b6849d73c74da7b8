from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given

from daemon.decode.cursor import DecodeError
from daemon.decode.dhcpv6 import RELAYS, Dhcpv6, parse_dhcpv6
from daemon.decode.discovery import LIMIT
from tests.support.hostile import every_cut, hostile

MAC = bytes.fromhex("020000000010")
DUID = b"\x00\x01\x00\x01\x2a\x2b\x2c\x2d" + MAC


def option(code: int, value: bytes) -> bytes:
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def message(kind: int, *options: bytes) -> bytes:
    return bytes([kind, 0x12, 0x34, 0x56]) + b"".join(options)


def address(text: str, valid: int = 7200) -> bytes:
    return option(5, ipaddress.ip_address(text).packed + (3600).to_bytes(4, "big") + valid.to_bytes(4, "big"))


def delegated(text: str, length: int, valid: int = 7200) -> bytes:
    lifetimes = (3600).to_bytes(4, "big") + valid.to_bytes(4, "big")
    return option(26, lifetimes + bytes([length]) + ipaddress.ip_address(text).packed)


def association(code: int, *options: bytes) -> bytes:
    return option(code, bytes(4 if code == 4 else 12) + b"".join(options))


def relay(inner: bytes, kind: int = 12) -> bytes:
    return bytes([kind, 0]) + bytes(32) + option(18, b"port1") + option(9, inner)


def hints(parsed: Dhcpv6) -> dict[str, str]:
    return {hint.key: hint.value for hint in parsed.hints}


SOLICIT = message(
    1,
    option(1, DUID),
    option(39, b"\x00\x05Lamp1\x04home\x00"),
    option(16, (311).to_bytes(4, "big") + b"\x00\x08MSFT 5.0"),
    association(3),
)
REPLY = message(
    7,
    option(1, DUID),
    option(2, b"\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01"),
    association(3, address("2001:db8:1::20"), address("2001:db8:1::21", valid=0)),
    association(4, address("2001:db8:1::30")),
    association(25, delegated("2001:db8:8::", 56)),
    option(23, ipaddress.ip_address("2001:db8:1::1").packed),
    option(39, b"\x00\x05Lamp1\x04home\x00"),
)


def test_solicit_says_who_the_client_is() -> None:
    parsed = parse_dhcpv6(SOLICIT)
    assert parsed.message_type == "solicit"
    assert parsed.from_client
    assert parsed.mac == 0x020000000010
    assert parsed.duid == DUID.hex()
    assert {hint.source for hint in parsed.hints} == {"dhcpv6"}
    assert hints(parsed) == {"fqdn": "Lamp1.home", "vendor_class": "MSFT 5.0", "duid": DUID.hex()}


def test_reply_says_what_the_client_is_given() -> None:
    parsed = parse_dhcpv6(REPLY)
    assert parsed.message_type == "reply"
    assert not parsed.from_client
    assert parsed.addresses == ("2001:db8:1::20", "2001:db8:1::30")  # one of valid lifetime 0 is withdrawn
    assert parsed.prefixes == (("2001:db8:8::", 56, 7200),)
    assert parsed.resolvers == ("2001:db8:1::1",)
    assert parsed.duid == DUID.hex()
    assert parsed.hints == ()  # also not the name that the server repeats


@pytest.mark.parametrize(
    ("kind", "name", "client"),
    [
        (3, "request", True),
        (5, "renew", True),
        (2, "advertise", False),
        (10, "reconfigure", False),
        (11, "information-request", True),
    ],
)
def test_message_types(kind: int, name: str, client: bool) -> None:
    parsed = parse_dhcpv6(message(kind))
    assert (parsed.message_type, parsed.from_client) == (name, client)


@pytest.mark.parametrize(
    ("duid", "mac"),
    [
        (b"\x00\x03\x00\x01" + MAC, 0x020000000010),  # link-layer address without time
        (b"\x00\x03\x00\x06" + MAC, -1),  # another hardware type
        (b"\x00\x04" + bytes(16), -1),  # UUID, RFC 6355
        (b"\x00\x01\x00\x01" + MAC, -1),  # too short
    ],
)
def test_mac_of_a_duid(duid: bytes, mac: int) -> None:
    assert parse_dhcpv6(message(1, option(1, duid))).mac == mac


def test_relays_are_unwrapped() -> None:
    assert parse_dhcpv6(relay(SOLICIT)) == parse_dhcpv6(SOLICIT)
    assert parse_dhcpv6(relay(REPLY, kind=13)) == parse_dhcpv6(REPLY)
    wire = SOLICIT
    for _ in range(RELAYS):
        wire = relay(wire)
    assert parse_dhcpv6(wire) == parse_dhcpv6(SOLICIT)
    with pytest.raises(DecodeError):
        parse_dhcpv6(relay(wire))


@pytest.mark.parametrize("wrong", [b"", b"\x01\x00\x00", message(0), message(14), relay(b""), relay(SOLICIT)[:34]])
def test_not_dhcpv6(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_dhcpv6(wrong)


def test_malformed_options_say_nothing() -> None:
    parsed = parse_dhcpv6(
        message(
            1,
            option(39, b""),
            option(39, b"\x00\x09short"),
            option(16, b"\x00"),
            option(3, bytes(3)),
            association(3, option(5, bytes(23))),
            association(25, option(26, bytes(24)), delegated("::", 129)),
            option(1, DUID),
            b"\x00\x27\x00\xff\x00",
        )
    )
    assert hints(parsed) == {"duid": DUID.hex()}
    assert parsed.addresses == ()
    assert parsed.prefixes == ()


def test_cut_messages_give_less_or_nothing() -> None:
    whole = parse_dhcpv6(REPLY)
    for cut in every_cut(REPLY):
        try:
            parsed = parse_dhcpv6(cut)
        except DecodeError:
            assert len(cut) < 4
        else:
            assert set(parsed.addresses) <= set(whole.addresses)
            assert set(parsed.prefixes) <= set(whole.prefixes)


@given(hostile([SOLICIT, REPLY, relay(SOLICIT)]))
def test_hostile_bytes(wire: bytes) -> None:
    try:
        parsed = parse_dhcpv6(wire)
    except DecodeError:
        return
    assert all(0 < len(hint.value) <= LIMIT for hint in parsed.hints)
