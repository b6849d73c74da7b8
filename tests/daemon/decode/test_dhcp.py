from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dhcp import Dhcp, parse_dhcp
from daemon.decode.discovery import LIMIT
from tests.support.hostile import every_cut, hostile

MAC = bytes.fromhex("020000000010")


def option(code: int, value: bytes) -> bytes:
    return bytes([code, len(value)]) + value


def message(
    *options: bytes,
    op: int = 1,
    htype: int = 1,
    hlen: int = 6,
    ciaddr: bytes = bytes(4),
    yiaddr: bytes = bytes(4),
    sname: bytes = b"",
    file: bytes = b"",
    cookie: bytes = b"\x63\x82\x53\x63",
    end: bytes = b"\xff",
) -> bytes:
    header = bytes([op, htype, hlen, 0]) + b"\x12\x34\x56\x78" + bytes(4) + ciaddr + yiaddr + bytes(8)
    fixed = header + MAC.ljust(16, b"\0") + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    assert len(fixed) == 236
    return fixed + cookie + b"".join(options) + end


def hints(parsed: Dhcp) -> dict[str, str]:
    return {hint.key: hint.value for hint in parsed.hints}


REQUEST = message(
    option(53, b"\x03"),
    option(61, b"\x01" + MAC),
    option(50, bytes([192, 168, 1, 20])),
    option(12, b"Living-Room"),
    option(60, b"udhcp 1.23.2"),
    option(55, bytes([1, 3, 6, 15])),
)
ACK = message(
    option(53, b"\x05"),
    option(1, bytes([255, 255, 255, 0])),
    option(3, bytes([192, 168, 1, 1])),
    option(6, bytes([192, 168, 1, 1, 9, 9, 9, 9])),
    option(51, (86400).to_bytes(4, "big")),
    option(12, b"Living-Room"),
    op=2,
    yiaddr=bytes([192, 168, 1, 20]),
)


def test_request_says_who_the_client_is() -> None:
    parsed = parse_dhcp(REQUEST)
    assert parsed.mac == 0x020000000010
    assert parsed.from_client
    assert parsed.message_type == "request"
    assert parsed.requested_address == "192.168.1.20"
    assert parsed.your_address == ""
    assert {hint.source for hint in parsed.hints} == {"dhcp"}
    assert hints(parsed) == {
        "hostname": "Living-Room",
        "vendor_class": "udhcp 1.23.2",
        "parameter_list": "1,3,6,15",
        "client_id": "01:02:00:00:00:00:10",
    }


def test_answer_says_what_the_client_is_given() -> None:
    parsed = parse_dhcp(ACK)
    assert not parsed.from_client
    assert parsed.message_type == "ack"
    assert parsed.your_address == "192.168.1.20"
    assert parsed.subnet_mask == "255.255.255.0"
    assert parsed.routers == ("192.168.1.1",)
    assert parsed.resolvers == ("192.168.1.1", "9.9.9.9")
    assert parsed.lease_seconds == 86400


def test_name_repeated_by_a_server_is_no_hint() -> None:
    assert parse_dhcp(ACK).hints == ()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1, "discover"),
        (2, "offer"),
        (3, "request"),
        (4, "decline"),
        (5, "ack"),
        (6, "nak"),
        (7, "release"),
        (8, "inform"),
        (9, ""),
    ],
)
def test_message_type(code: int, name: str) -> None:
    assert parse_dhcp(message(option(53, bytes([code])))).message_type == name


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Kitchen\x00", "Kitchen"),  # some count the final NUL
        (b"kitchen.", "kitchen"),
        ("Küche".encode(), "Küche"),
        (b"a\xffb", "a\\255b"),
        (b"HS100(EU)", "HS100(EU)"),
    ],
)
def test_hostname_text(raw: bytes, text: str) -> None:
    assert hints(parse_dhcp(message(option(12, raw)))) == {"hostname": text}


@pytest.mark.parametrize("raw", [b"", b"\x00", b"."])
def test_empty_hostname_is_no_hint(raw: bytes) -> None:
    assert parse_dhcp(message(option(12, raw))).hints == ()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x00\x00\x00pc.home", "pc.home"),  # ASCII form
        (b"\x05\x00\x00\x02PC\x04home\x00", "PC.home"),  # wire form, E flag
        (b"\x04\x00\x00\x02PC", "PC"),  # partial name, RFC 4702 section 2.3.1
        (b"\x04\x00\x00\x03a.b\x00", "a\\046b"),
    ],
)
def test_fqdn(raw: bytes, text: str) -> None:
    assert hints(parse_dhcp(message(option(81, raw)))) == {"fqdn": text}


@pytest.mark.parametrize("raw", [b"", b"\x00\x00", b"\x04\x00\x00\x09PC", b"\x04\x00\x00\xc0\x0c"])
def test_malformed_fqdn_says_nothing(raw: bytes) -> None:
    assert parse_dhcp(message(option(81, raw), option(53, b"\x01"))).hints == ()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x00my client", "my client"),
        (b"\xff\x00\x01", "ff:00:01"),
        (b"\x01" + b"\xaa" * 200, ":".join(["01"] + ["aa"] * 84)),
    ],
)
def test_client_id(raw: bytes, text: str) -> None:
    assert hints(parse_dhcp(message(option(61, raw)))) == {"client_id": text}


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"\x04iPXE", "iPXE"), (b"\x01a\x02bc", "a,bc"), (b"iPXE", "iPXE"), (b"\x00ab", "\\000ab")],
)
def test_user_class_with_and_without_lengths(raw: bytes, text: str) -> None:
    assert hints(parse_dhcp(message(option(77, raw)))) == {"user_class": text}


def test_mud_url() -> None:
    assert hints(parse_dhcp(message(option(161, b"https://example.com/lamp")))) == {
        "mud_url": "https://example.com/lamp"
    }


def test_split_option_is_joined() -> None:
    parsed = parse_dhcp(message(option(12, b"Living"), option(53, b"\x01"), option(12, b"-Room")))
    assert hints(parsed)["hostname"] == "Living-Room"


def test_option_sent_twice_is_no_split_option() -> None:
    parsed = parse_dhcp(message(option(12, b"Lamp"), option(12, b"Lamp")))
    assert hints(parsed)["hostname"] == "Lamp"


@pytest.mark.parametrize(("overload", "name"), [(1, "ab"), (2, "ac"), (3, "abc"), (0, "a")])
def test_overload_reads_file_before_sname(overload: int, name: str) -> None:
    wire = message(
        option(52, bytes([overload])),
        option(12, b"a"),
        file=option(12, b"b") + b"\xff",
        sname=option(12, b"c") + b"\xff",
    )
    assert hints(parse_dhcp(wire))["hostname"] == name


def test_bootp_without_cookie_still_has_a_mac() -> None:
    parsed = parse_dhcp(message(option(12, b"no"), cookie=bytes(4)))
    assert parsed.mac == 0x020000000010
    assert parsed.hints == ()
    assert parsed.message_type == ""


@pytest.mark.parametrize(("htype", "hlen"), [(32, 6), (1, 0), (1, 16), (0, 6)])
def test_other_hardware_has_no_mac(htype: int, hlen: int) -> None:
    assert parse_dhcp(message(htype=htype, hlen=hlen)).mac == -1


def test_option_that_runs_off_ends_the_options() -> None:
    parsed = parse_dhcp(message(option(12, b"Lamp"), b"\x3c\x50short", end=b""))
    assert hints(parsed) == {"hostname": "Lamp"}


@pytest.mark.parametrize("wrong", [b"", REQUEST[:235], message(op=3), message(op=0)])
def test_not_dhcp(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_dhcp(wrong)


def test_incomplete_address_list_keeps_the_whole_ones() -> None:
    assert parse_dhcp(message(option(6, bytes([1, 1, 1, 1, 2, 2])), op=2)).resolvers == ("1.1.1.1",)


def test_long_parameter_list_is_bounded() -> None:
    text = hints(parse_dhcp(message(option(55, bytes([200]) * 255))))["parameter_list"]
    assert len(text) <= LIMIT
    assert set(text.split(",")) == {"200"}


def test_cut_messages_give_less_or_nothing() -> None:
    for cut in every_cut(REQUEST):
        try:
            parsed = parse_dhcp(cut)
        except DecodeError:
            assert len(cut) < 236
        else:
            assert hints(parsed).get("hostname", "Living-Room") == "Living-Room"


@given(hostile([REQUEST, ACK, message(option(52, b"\x03"), file=option(12, b"x"))]))
def test_hostile_bytes(wire: bytes) -> None:
    try:
        parsed = parse_dhcp(wire)
    except DecodeError:
        return
    assert all(0 < len(hint.value) <= LIMIT for hint in parsed.hints)


@given(st.binary(min_size=1, max_size=255), st.integers(1, 254))
def test_any_option_value(value: bytes, code: int) -> None:
    assert all(0 < len(hint.value) <= LIMIT for hint in parse_dhcp(message(option(code, value))).hints)
