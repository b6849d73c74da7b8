from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import signatures_tcp, signatures_udp
from daemon.flow.services import (
    FRAMES,
    PROTOCOLS,
    SERVICES,
    by_port,
    encrypted,
    frame_name,
    is_chatter,
    narrow,
    protocol_name,
)

CHATTER = (
    "dhcp",
    "dhcpv6",
    "arp",
    "mdns",
    "lldp",
    "ssdp",
    "igmp",
    "icmp",
    "icmpv6",
    "ieee1905",
    "llmnr",
    "netbios-ns",
    "netbios-dgm",
)


@pytest.mark.parametrize(
    ("protocol", "server", "other", "name"),
    [
        ("udp", 53, 40000, "dns"),
        ("tcp", 443, 50000, "https"),
        ("udp", 443, 50000, "quic"),
        ("tcp", 853, 50000, "dot"),
        ("udp", 853, 50000, "doq"),
        ("udp", 67, 68, "dhcp"),
        ("udp", 68, 67, "dhcp"),
        ("udp", 123, 123, "ntp"),
        ("udp", 5353, 5353, "mdns"),
        ("tcp", 8883, 50000, "mqtts"),
        ("tcp", 31337, 50000, None),
    ],
)
def test_by_port(protocol: str, server: int, other: int, name: str | None) -> None:
    assert by_port("tcp" if protocol == "tcp" else "udp", server, other) == name


def test_other_ports_count_only_where_they_are_no_ephemeral_port() -> None:
    assert by_port("tcp", 50000, 443) == "https"  # a flow read from its middle, turned round
    assert by_port("udp", 50000, 1900) == "ssdp"  # the answer to a search
    assert by_port("tcp", 31337, 8883) is None  # an ephemeral port that equals a service's
    assert by_port("udp", -1, -1) is None  # a fragment without ports


def test_no_port_belongs_to_two_services() -> None:
    for protocol in ("tcp_ports", "udp_ports"):
        ports = list(itertools.chain.from_iterable(getattr(service, protocol) for service in SERVICES.values()))
        assert len(ports) == len(set(ports))


def test_table_is_consistent() -> None:
    for name, service in SERVICES.items():
        assert name == service.name == name.lower()
        assert service.encrypted in ("yes", "no", "unknown")
        assert service.about
        assert service.over in ("", "tls", "dtls", "quic", "http")
        if service.over in ("tls", "dtls", "quic"):
            assert service.encrypted == "yes"


def test_port_alone_never_says_encrypted() -> None:
    for name, service in SERVICES.items():
        assert encrypted(name, confirmed=True) == service.encrypted
        assert encrypted(name, confirmed=False) != "yes"
    assert encrypted("https", confirmed=False) == "unknown"
    assert encrypted("dns", confirmed=False) == "no"
    assert encrypted("no-such-service", confirmed=True) == "unknown"


def test_carrier_and_port_together_name_the_service() -> None:
    assert narrow("tls", "tcp", 8883) == "mqtts"
    assert narrow("tls", "tcp", 443) == "https"
    assert narrow("tls", "tcp", 31337) == "tls"
    assert narrow("quic", "udp", 853) == "doq"
    assert narrow("quic", "udp", 443) == "quic"
    assert narrow("dtls", "udp", 5684) == "coaps"
    assert narrow("http", "tcp", 1400) == "sonos"
    assert narrow("http", "tcp", 443) == "http"  # plain HTTP on 443 is not encrypted, whatever the port promises
    assert narrow("ssh", "tcp", 443) == "ssh"


def test_chatter_is_what_the_design_lists() -> None:
    assert all(is_chatter(name) for name in CHATTER)
    assert not any(is_chatter(name) for name in ("dns", "https", "ntp", "quic", "stun", "smb", "no-such-service"))


def test_names_of_protocols_and_frames() -> None:
    assert [protocol_name(n) for n in (1, 2, 6, 17, 47, 58, 253)] == [
        "icmp",
        "igmp",
        "tcp",
        "udp",
        "gre",
        "icmpv6",
        "ip-253",
    ]
    assert [frame_name(n) for n in (0x0806, 0x88CC, 0x893A, 0x888E, 0, 0x88E1)] == [
        *("arp", "lldp", "ieee1905", "eapol", "llc", "0x88e1")
    ]
    assert all(name in SERVICES for name in FRAMES.values())
    assert all(name == name.lower() for name in PROTOCOLS.values())
    assert len(set(PROTOCOLS.values())) == len(PROTOCOLS)


def test_every_name_that_a_signature_returns_is_in_the_table() -> None:
    # The checks have no list of their names: they are the words among their constants.
    returned: set[str] = set()
    for module in (signatures_tcp, signatures_udp):
        for name, check in vars(module).items():
            if name.startswith("_") or getattr(check, "__module__", "") != module.__name__:
                continue
            returned |= {word for word in check.__code__.co_consts if isinstance(word, str) and word != check.__doc__}
    assert {"dns", "tls", "http", "ntp", "turn"} <= returned
    assert returned - {"big"} <= SERVICES.keys()
    assert {"rtp", "rtcp", "rtsp", "sip", "http", "mdns", "llmnr", "netbios-ns"} <= SERVICES.keys()


@given(st.sampled_from(["tcp", "udp"]), st.integers(-1, 65535), st.integers(-1, 65535))
def test_any_ports(protocol: str, server: int, other: int) -> None:
    name = by_port("tcp" if protocol == "tcp" else "udp", server, other)
    assert name is None or name in SERVICES


@given(st.integers(0, 0xFFFF))
def test_any_number_has_a_name(number: int) -> None:
    assert frame_name(number) == frame_name(number).lower()
    assert protocol_name(number & 0xFF)
