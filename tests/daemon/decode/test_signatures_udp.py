from __future__ import annotations

import pytest

from daemon.decode.signatures import recognise_udp
from tests.daemon.decode.test_dns_shape import QUERY

COOKIE = b"\x21\x12\xa4\x42"
TRANSACTION = bytes(range(12))
QUIC_V1 = b"\xc3\x00\x00\x00\x01\x08" + bytes(8) + b"\x00" + bytes(1185)
WIREGUARD_START = b"\x01\x00\x00\x00" + bytes(range(144))
IKE = bytes(range(1, 9)) + bytes(8) + b"\x21\x20\x22\x08" + bytes(4) + (28).to_bytes(4, "big")
NTP = b"\x23" + bytes(47)
RECEIVER_REPORT = b"\x81\xc9\x00\x07" + bytes(28)
DESCRIPTION = b"\x81\xca\x00\x02" + bytes(8)
DHCP = b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\xff"
TUYA = bytes.fromhex("000055aa0000000000000000") + bytes(12) + bytes.fromhex("0000aa55")


def test_stun_by_cookie_and_exact_length_on_any_port() -> None:
    binding = b"\x00\x01\x00\x00" + COOKIE + TRANSACTION
    assert recognise_udp(binding, 50000, 40000) == "stun"
    assert recognise_udp(b"\x01\x01\x00\x08" + COOKIE + TRANSACTION + bytes(8), 40000, 50000) == "stun"
    assert recognise_udp(binding + b"\x00", 50000, 40000) is None
    assert recognise_udp(binding[:4] + b"\x21\x12\xa4\x43" + TRANSACTION, 50000, 40000) is None


def test_relay_methods_and_channels_are_turn() -> None:
    assert recognise_udp(b"\x00\x03\x00\x00" + COOKIE + TRANSACTION, 50000, 3478) == "turn"  # Allocate
    assert recognise_udp(b"\x01\x13\x00\x00" + COOKIE + TRANSACTION, 3478, 50000) == "turn"  # its error
    assert recognise_udp(b"\x40\x01\x00\x05hello", 50000, 3478) == "turn"
    assert recognise_udp(b"\x40\x01\x00\x05hello", 50000, 40000) is None


def test_stun_without_cookie_needs_its_port() -> None:
    old = b"\x00\x01\x00\x00" + bytes(16)
    assert recognise_udp(old, 50000, 3478) == "stun"
    assert recognise_udp(old, 50000, 40000) is None


def test_dtls_record_must_fit() -> None:
    record = b"\x16\xfe\xfd" + bytes(8) + b"\x00\x05hello"
    assert recognise_udp(record, 50000, 40000) == "dtls"
    assert recognise_udp(record[:-1], 50000, 40000) is None
    assert recognise_udp(b"\x16\x03\x03" + record[3:], 50000, 40000) is None


@pytest.mark.parametrize("version", ["00000001", "6b3343cf", "ff00001d", "ff000022"])
def test_quic_versions(version: str) -> None:
    assert recognise_udp(QUIC_V1[:1] + bytes.fromhex(version) + QUIC_V1[5:], 50000, 40000) == "quic"


def test_quic_greased_version_comes_in_a_full_datagram() -> None:
    greased = QUIC_V1[:1] + bytes.fromhex("1a2a3a4a") + QUIC_V1[5:]
    assert recognise_udp(greased, 50000, 443) == "quic"
    assert recognise_udp(greased[:1000], 50000, 443) is None


def test_quic_version_negotiation_lists_a_known_version() -> None:
    answer = b"\xf3" + bytes(4) + b"\x00\x08" + bytes(8) + bytes.fromhex("1a2a3a4a 00000001")
    assert recognise_udp(answer, 443, 50000) == "quic"
    assert recognise_udp(answer + b"\x00", 443, 50000) is None
    assert recognise_udp(answer[:-4] + b"\x12\x34\x56\x78", 443, 50000) is None


def test_quic_connection_ids_must_fit() -> None:
    assert recognise_udp(QUIC_V1[:5] + b"\x15" + QUIC_V1[6:], 50000, 443) is None
    assert recognise_udp(QUIC_V1[:10], 50000, 443) is None


def test_google_quic() -> None:
    assert recognise_udp(b"\x0d" + bytes(8) + b"Q043\x01" + bytes(1300), 50000, 443) == "quic"
    assert recognise_udp(b"\xc3Q046\x50" + bytes(1300), 50000, 443) == "quic"


def test_dns_on_any_port_named_by_the_ports_of_its_relatives() -> None:
    assert recognise_udp(QUERY, 50000, 31337) == "dns"
    assert recognise_udp(QUERY, 50000, 5355) == "llmnr"
    assert recognise_udp(QUERY, 5353, 5353) == "mdns"
    assert recognise_udp(QUERY, 137, 137) == "netbios-ns"


def test_dns_id_that_looks_like_a_quic_version() -> None:
    query = b"\xd8\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06isatap\x07example\x00\x00\x01\x00\x01"
    assert recognise_udp(query, 40000, 53) == "dns"


@pytest.mark.parametrize(("size", "kind"), [(148, 1), (92, 2), (64, 3), (32, 4), (96, 4), (1456, 4)])
def test_wireguard_sizes(size: int, kind: int) -> None:
    message = bytes([kind, 0, 0, 0]) + bytes(range(7, 0x87)) * 12
    assert recognise_udp(message[:size], 50000, 40000) == "wireguard"
    assert recognise_udp(message[: size + 1], 50000, 40000) is None
    assert recognise_udp(bytes([kind, 0, 0, 1]) + message[4:size], 50000, 40000) is None


def test_ipsec_by_header_and_port() -> None:
    assert recognise_udp(IKE, 500, 500) == "ipsec"
    assert recognise_udp(bytes(4) + IKE, 10954, 4500) == "ipsec"
    assert recognise_udp(b"\xff", 4500, 4500) == "ipsec"  # keep-alive of a NAT mapping
    assert recognise_udp(b"\x12\x34\x56\x78" + bytes(range(40)), 4500, 4500) == "ipsec"  # ESP
    assert recognise_udp(IKE + b"\x00", 500, 500) is None
    assert recognise_udp(IKE, 50000, 40000) is None


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (NTP, "ntp"),
        (NTP + bytes(20), "ntp"),  # with a signature
        (b"\x1b" + bytes(47), "ntp"),
        (b"\x16\x02" + bytes(10), "ntp"),  # control message
        (NTP[:40], None),
        (b"\xff" + bytes(47), None),
    ],
)
def test_ntp(payload: bytes, name: str | None) -> None:
    assert recognise_udp(payload, 50000, 123) == name
    assert recognise_udp(payload, 50000, 40000) is None


def test_ssdp_search_notice_and_answer() -> None:
    assert recognise_udp(b"M-SEARCH * HTTP/1.1\r\n\r\n", 50000, 1900) == "ssdp"
    assert recognise_udp(b"NOTIFY * HTTP/1.1\r\n\r\n", 50000, 1900) == "ssdp"
    assert recognise_udp(b"HTTP/1.1 200 OK\r\nST: x\r\nUsn: uuid:1\r\n\r\n", 40000, 50000) == "ssdp"
    assert recognise_udp(b"HTTP/1.1 200 OK\r\n\r\n", 40000, 50000) is None


def test_dhcp_and_dhcpv6_by_port_and_form() -> None:
    assert recognise_udp(DHCP, 68, 67) == "dhcp"
    assert recognise_udp(DHCP, 50000, 40000) is None
    assert recognise_udp(b"\x01\x12\x34\x56\x00\x08\x00\x02\x00\x00", 546, 547) == "dhcpv6"
    assert recognise_udp(b"\x01\x12\x34\x56\x00\x08\x00\x09\x00\x00", 546, 547) is None


@pytest.mark.parametrize(
    ("payload", "source", "destination", "name"),
    [
        (b"INVITE sip:bob@example.com SIP/2.0\r\n", 5060, 5060, "sip"),
        (b"SIP/2.0 200 OK\r\n", 40000, 50000, "sip"),
        (TUYA, 50000, 6667, "tuya"),
        (b"\xd0\xf2\x81\xf8", 50000, 9999, "kasa"),
        (b"\xd0\xf2\x81\xf8", 50000, 40000, None),
        (b"d1:ad2:id20:" + bytes(20), 6881, 50000, "bittorrent"),
        (b"\x00\x01boot.bin\x00octet\x00", 50000, 69, "tftp"),
        (b"\x00\x01boot.bin\x00octet\x00", 50000, 40000, None),
        (b"\x44\x01\x00\x01abcd\xb1a", 50000, 5683, "coap"),
        (b"\x49\x01\x00\x01" + bytes(9), 50000, 5683, None),  # token longer than 8
        (b"\x44\x21\x00\x01abcd", 50000, 5683, None),  # code class 1 does not exist
    ],
)
def test_others(payload: bytes, source: int, destination: int, name: str | None) -> None:
    assert recognise_udp(payload, source, destination) == name


def test_rtcp_compound_must_add_up() -> None:
    assert recognise_udp(RECEIVER_REPORT + DESCRIPTION, 50001, 40001) == "rtcp"
    assert recognise_udp(RECEIVER_REPORT + DESCRIPTION[:-1], 50001, 40001) is None
    assert recognise_udp(DESCRIPTION + RECEIVER_REPORT, 50001, 40001) is None  # the first must be a report
    assert recognise_udp(b"\x81\xc9\x00\x01" + bytes(4), 50001, 40001) is None  # one report announced, none there
    assert recognise_udp(b"\x80\xc9\x00", 50001, 40001) is None
    assert recognise_udp(b"\x80\xc9\x00\x00", 50001, 40001) is None  # shorter than a report can be
