"""The one table of services, and the names of IP protocols and of frames without IP.

Rule 1: a payload signature (daemon.decode.signatures) says more than a port; a port alone is a guess.
Rule 2: a guess may say "not encrypted" of a service that has no encrypted form there, and never says "encrypted".
Rule 3: every name is lower case and stands in SERVICES, whether it came from a port, a signature or a frame type.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

YES, NO, UNKNOWN = "yes", "no", "unknown"


class Service(NamedTuple):
    """One service. `over` names the carrier whose signature, on one of these ports, means this service."""

    name: str
    encrypted: str  # what is true once the service itself was seen: yes, no, or unknown where it varies
    chatter: bool  # discovery and control of the house itself (DESIGN.md, section 4, `traffic.scope`)
    tcp_ports: frozenset[int]
    udp_ports: frozenset[int]
    about: str
    over: str = ""  # tls, dtls, quic or http


def _service(
    name: str,
    encrypted: str,
    about: str,
    *,
    tcp: tuple[int, ...] = (),
    udp: tuple[int, ...] = (),
    chatter: bool = False,
    over: str = "",
) -> Service:
    return Service(name, encrypted, chatter, frozenset(tcp), frozenset(udp), about, over)


# Ports from the IANA registry, or from the maker's own habit where the registry has none.
_NAMES = (
    _service("dns", NO, "names asked in the open", tcp=(53,), udp=(53,)),
    _service("dot", YES, "DNS over TLS (RFC 7858)", tcp=(853,), over="tls"),
    _service("doq", YES, "DNS over QUIC (RFC 9250)", udp=(853, 784, 8853), over="quic"),
    _service("doh", YES, "DNS over HTTPS (RFC 8484), known by the resolver's name"),
    _service("mdns", NO, "names and services in the house (RFC 6762)", udp=(5353,), chatter=True),
    _service("llmnr", NO, "names in the house, Windows (RFC 4795)", tcp=(5355,), udp=(5355,), chatter=True),
    _service("netbios-ns", NO, "NetBIOS names (RFC 1002)", udp=(137,), chatter=True),
    _service("netbios-dgm", NO, "NetBIOS datagrams (RFC 1002)", udp=(138,), chatter=True),
    _service("ssdp", NO, "UPnP discovery", udp=(1900,), chatter=True),
    _service("ws-discovery", NO, "discovery of printers and cameras", udp=(3702,), chatter=True),
    _service("natpmp", NO, "port mapping asked of the router (RFC 6886, 6887)", udp=(5350, 5351), chatter=True),
    _service("dropbox-lan", NO, "Dropbox looking for others in the house", udp=(17500,), chatter=True),
    _service("dhcp", NO, "addresses for IPv4 (RFC 2131)", udp=(67, 68), chatter=True),
    _service("dhcpv6", NO, "addresses for IPv6 (RFC 8415)", udp=(546, 547), chatter=True),
)

_WEB = (
    _service("http", NO, "web in the open", tcp=(80, 3128, 8000, 8008, 8080, 8081, 8888)),
    _service("https", YES, "web over TLS", tcp=(443, 8443, 4443), over="tls"),
    _service("quic", YES, "web over QUIC (RFC 9000)", udp=(443,)),
    _service("tls", YES, "TLS, what it carries is not visible"),
    _service("dtls", YES, "TLS over UDP (RFC 9147)"),
    _service("upnp-http", NO, "UPnP descriptions and control", tcp=(2869, 49152, 49153, 49154, 52323), over="http"),
    _service("socks", UNKNOWN, "proxy (RFC 1928)", tcp=(1080,)),
)

_MESSAGES = (
    _service("mqtt", NO, "messages of things, in the open", tcp=(1883,)),
    _service("mqtts", YES, "messages of things over TLS", tcp=(8883,), over="tls"),
    _service("coap", NO, "requests of small things (RFC 7252)", tcp=(5683,), udp=(5683,)),
    _service("coaps", YES, "CoAP over DTLS", tcp=(5684,), udp=(5684,), over="dtls"),
    _service("amqp", UNKNOWN, "message queues", tcp=(5672,)),
    _service("amqps", YES, "message queues over TLS", tcp=(5671,), over="tls"),
    _service("xmpp", UNKNOWN, "messages (RFC 6120); may change to TLS on the way", tcp=(5222, 5269)),
    _service("xmpps", YES, "messages over TLS", tcp=(5223,), over="tls"),
    _service("fcm", YES, "push messages of Android and Chrome", tcp=(5228, 5229, 5230), over="tls"),
    _service("irc", NO, "chat", tcp=(6667, 6660)),
    _service("ircs", YES, "chat over TLS", tcp=(6697,), over="tls"),
    _service("smtp", UNKNOWN, "mail sent; may change to TLS on the way", tcp=(25, 587)),
    _service("smtps", YES, "mail sent over TLS", tcp=(465,), over="tls"),
    _service("imap", UNKNOWN, "mail read; may change to TLS on the way", tcp=(143,)),
    _service("imaps", YES, "mail read over TLS", tcp=(993,), over="tls"),
    _service("pop3", UNKNOWN, "mail fetched; may change to TLS on the way", tcp=(110,)),
    _service("pop3s", YES, "mail fetched over TLS", tcp=(995,), over="tls"),
)

_MEDIA = (
    _service("stun", UNKNOWN, "a way through the router, then calls (RFC 8489)", udp=(3478, 19302), tcp=(3478,)),
    _service("turn", UNKNOWN, "calls and video through a relay (RFC 8656)"),
    _service("stuns", YES, "STUN or TURN over TLS or DTLS", tcp=(5349,), over="tls"),
    _service("rtp", UNKNOWN, "sound and picture (RFC 3550)"),
    _service("rtcp", UNKNOWN, "reports on sound and picture (RFC 3550)"),
    _service("rtsp", NO, "control of a camera's stream (RFC 7826)", tcp=(554, 8554)),
    _service("rtmp", NO, "video sent to a server", tcp=(1935,)),
    _service("sip", NO, "telephone calls (RFC 3261)", tcp=(5060,), udp=(5060,)),
    _service("sips", YES, "telephone calls over TLS", tcp=(5061,), over="tls"),
    _service("airplay", UNKNOWN, "sound and picture to an Apple device", tcp=(7000, 7100)),
    _service("googlecast", YES, "sound and picture to a Google device", tcp=(8009,), over="tls"),
    _service("spotify", UNKNOWN, "Spotify in the house and from outside", tcp=(4070, 57621), udp=(57621,)),
    _service("sonos", NO, "control between Sonos speakers", tcp=(1400,), over="http"),
    _service("sonos-tls", YES, "control between Sonos speakers over TLS", tcp=(1443,), over="tls"),
)

_THINGS = (
    _service("tuya", UNKNOWN, "Tuya devices in the house", tcp=(6668,), udp=(6666, 6667)),
    _service("kasa", NO, "TP-Link plugs and lamps in the house; scrambled with a public key", tcp=(9999,), udp=(9999,)),
    _service("lifx", NO, "LIFX lamps in the house", udp=(56700,)),
    _service("miio", UNKNOWN, "Xiaomi devices in the house and to their cloud", udp=(54321, 8053)),
    _service("matter", YES, "Matter devices in the house", udp=(5540,)),
    _service("printer", NO, "raw printing", tcp=(9100, 515)),
    _service("ipp", UNKNOWN, "printing", tcp=(631,), udp=(631,)),
)

_COMPUTERS = (
    _service("ssh", YES, "remote shell (RFC 4253)", tcp=(22,)),
    _service("telnet", NO, "remote shell in the open (RFC 854)", tcp=(23, 2323)),
    _service("ftp", UNKNOWN, "files; may change to TLS on the way", tcp=(21,)),
    _service("ftp-data", UNKNOWN, "files, the data connection", tcp=(20,)),
    _service("tftp", NO, "small files, mostly at start-up (RFC 1350)", udp=(69,)),
    _service("smb", UNKNOWN, "shared folders", tcp=(139, 445)),
    _service("nfs", UNKNOWN, "shared folders", tcp=(2049,), udp=(2049,)),
    _service("rdp", UNKNOWN, "remote desktop; changes to TLS on the way", tcp=(3389,), udp=(3389,)),
    _service("vnc", UNKNOWN, "remote desktop (RFC 6143)", tcp=(5900, 5901)),
    _service("ntp", NO, "time (RFC 5905)", udp=(123,)),
    _service("snmp", UNKNOWN, "network management", udp=(161, 162)),
    _service("syslog", NO, "log messages", tcp=(514,), udp=(514,)),
    _service("syslogs", YES, "log messages over TLS", tcp=(6514,), over="tls"),
    _service("ldap", UNKNOWN, "directories", tcp=(389,), udp=(389,)),
    _service("ldaps", YES, "directories over TLS", tcp=(636,), over="tls"),
    _service("radius", UNKNOWN, "sign-on to a network (RFC 2865)", udp=(1812, 1813)),
    _service("wireguard", YES, "virtual private network", udp=(51820,)),
    _service("openvpn", YES, "virtual private network", tcp=(1194,), udp=(1194,)),
    _service("ipsec", YES, "virtual private network (RFC 7296, 4303)", udp=(500, 4500)),
    _service("l2tp", NO, "tunnel (RFC 2661)", udp=(1701,)),
    _service("pptp", UNKNOWN, "virtual private network, outdated", tcp=(1723,)),
    _service("vxlan", NO, "tunnel (RFC 7348)", udp=(4789,)),
    _service("teredo", NO, "IPv6 through an IPv4 router (RFC 4380)", udp=(3544,)),
    _service("bittorrent", UNKNOWN, "files shared among many", tcp=(6881,), udp=(6881,)),
)

_WITHOUT_PORTS = (
    _service("icmp", NO, "errors and echo (RFC 792)", chatter=True),
    _service("icmpv6", NO, "errors, echo and neighbours (RFC 4443)", chatter=True),
    _service("igmp", NO, "multicast groups (RFC 3376)", chatter=True),
    _service("arp", NO, "which MAC has this IPv4 address (RFC 826)", chatter=True),
    _service("lldp", NO, "neighbouring network devices (IEEE 802.1AB)", chatter=True),
    _service("ieee1905", UNKNOWN, "mesh of access points", chatter=True),
    _service("eapol", UNKNOWN, "sign-on to Wi-Fi (IEEE 802.1X)", chatter=True),
    _service("llc", NO, "bridges and other IEEE 802.2 frames", chatter=True),
)

SERVICES: dict[str, Service] = {
    service.name: service
    for group in (_NAMES, _WEB, _MESSAGES, _MEDIA, _THINGS, _COMPUTERS, _WITHOUT_PORTS)
    for service in group
}

_BY_PORT: dict[str, dict[int, str]] = {
    "tcp": {port: service.name for service in SERVICES.values() for port in service.tcp_ports},
    "udp": {port: service.name for service in SERVICES.values() for port in service.udp_ports},
}

# Both ends use the port, or the answer comes from it, so it may stand on the side that looks like the client.
_EITHER_SIDE = frozenset({1701, 1900, 3702, 5353, 5355, 5683, 6666, 6667, 9999, 17500, 51820, 56700, 57621})
_SYSTEM_PORTS = 1024  # RFC 6335 section 6: those below


ASKS, SERVES = 1, {6: 2, 17: 4}  # bits of PORTS; the latter by IP protocol


def _ports() -> bytes:
    flags = bytearray(1 << 16)
    for port in (*range(1, _SYSTEM_PORTS), *_EITHER_SIDE):
        flags[port] = ASKS
    for bit, ports in zip(SERVES.values(), (_BY_PORT["tcp"], _BY_PORT["udp"]), strict=True):
        for port in ports:
            flags[port] |= bit
    return bytes(flags)


# By port: whether that of the side that looks like the client could tell the service (see `by_port`), and whether a
# service is known by it.
PORTS = _ports()

PROTOCOLS: dict[int, str] = {
    0: "hopopt",
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "6in4",
    46: "rsvp",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    59: "ipv6-nonxt",
    88: "eigrp",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    115: "l2tp",
    132: "sctp",
    136: "udplite",
}

FRAMES: dict[int, str] = {
    0x0000: "llc",
    0x0806: "arp",
    0x888E: "eapol",
    0x88CC: "lldp",
    0x893A: "ieee1905",
}


def by_port(protocol: Literal["tcp", "udp"], server_port: int, other_port: int) -> str | None:
    """The service that a port suggests, or None.

    The other side's port counts only where it is a system port (below 1024) or one that both ends use: an ephemeral
    port that happens to equal a service's says nothing.
    """
    ports = _BY_PORT[protocol]
    guess = ports.get(server_port)
    if guess is None and (0 < other_port < _SYSTEM_PORTS or other_port in _EITHER_SIDE):
        guess = ports.get(other_port)
    return guess


def narrow(signature: str, protocol: Literal["tcp", "udp"], server_port: int) -> str:
    """What a recognised carrier means on this port: tls on 8883 is mqtts, quic on 853 is doq; else itself."""
    guess = _BY_PORT[protocol].get(server_port)
    return guess if guess is not None and SERVICES[guess].over == signature else signature


def encrypted(service: str, confirmed: bool) -> str:
    """Yes, no or unknown. `confirmed`: the payload was recognised, it is not the port alone that says so."""
    known = SERVICES.get(service)
    if known is None:
        return UNKNOWN
    return known.encrypted if confirmed or known.encrypted != YES else UNKNOWN


def is_chatter(service: str) -> bool:
    """Whether the service is discovery or control of the house itself."""
    known = SERVICES.get(service)
    return known is not None and known.chatter


def protocol_name(number: int) -> str:
    """An IP protocol number as the public schema writes it."""
    return PROTOCOLS.get(number) or f"ip-{number}"


def frame_name(ethertype: int) -> str:
    """A frame without IP as the public schema writes it: its name, else `0x88e1`."""
    return FRAMES.get(ethertype) or f"0x{ethertype:04x}"


def frame_number(name: str) -> int | None:
    """The ethertype of a frame without IP, of its name or of `0x88e1`; None where that is no such frame."""
    known = next((number for number, called in FRAMES.items() if called == name), None)
    if known is not None:
        return known
    digits = name[2:]
    good = name[:2] == "0x" and len(digits) == 4 and not digits.strip("0123456789abcdef")
    return int(digits, 16) if good else None
