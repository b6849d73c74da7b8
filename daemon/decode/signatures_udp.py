"""Signatures of services over UDP: one function each, `check(payload, source_port, destination_port) -> name or None`.

Rule: a check reads nothing that it has not measured first (slices of a short payload compare unequal, they do not
      fail), and says where its strength comes from.
"""

from __future__ import annotations

from daemon.decode.dns_shape import looks_like_dns

_COOKIE = b"\x21\x12\xa4\x42"
_TURN_METHODS = frozenset({3, 4, 6, 7, 8, 9})  # RFC 8656 section 17
_STUN_PORTS = frozenset({3478, 5349, 19302})

# RFC 9000, RFC 9369, and the drafts whose long header has the same form.
_QUIC_DRAFTS = frozenset([b"\xff\x00\x00" + bytes([draft]) for draft in range(12, 35)])
_QUIC_VERSIONS = _QUIC_DRAFTS | {b"\x00\x00\x00\x01", b"\x6b\x33\x43\xcf"}
_QUIC_GREASE = bytes.maketrans(bytes(range(256)), bytes(b & 0x0F for b in range(256)))

_SIP_METHODS = (
    *(b"REGISTER sip", b"INVITE sip", b"OPTIONS sip", b"SUBSCRIBE sip", b"NOTIFY sip", b"MESSAGE sip", b"ACK sip"),
    *(b"BYE sip", b"CANCEL sip", b"PUBLISH sip", b"UPDATE sip", b"REFER sip", b"PRACK sip", b"INFO sip", b"SIP/2.0 "),
)


def dhcp(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """RFC 2131 by port and magic cookie; RFC 8415 by port, message type and a first option that fits."""
    if destination_port in (67, 68) and source_port in (67, 68):
        return "dhcp" if len(payload) >= 240 and payload[236:240] == b"\x63\x82\x53\x63" and payload[0] <= 2 else None
    if destination_port in (546, 547) and len(payload) >= 8:
        relayed = payload[0] in (12, 13)  # RFC 8415 section 9: hop count and two addresses before the options
        fits = len(payload) >= 38 if relayed else 8 + int.from_bytes(payload[6:8], "big") <= len(payload)
        return "dhcpv6" if fits else None
    return None


def stun(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """RFC 8489 section 5: magic cookie, and a length that is a multiple of 4 and exact."""
    if len(payload) < 20 or 20 + int.from_bytes(payload[2:4], "big") != len(payload) or payload[3] & 3:
        return None
    kind = int.from_bytes(payload[:2], "big")
    if payload[4:8] == _COOKIE:
        method = kind & 0x000F | kind >> 1 & 0x0070 | kind >> 2 & 0x0F80
        return "turn" if method in _TURN_METHODS else "stun"
    # RFC 3489 had no cookie: only its types, on its ports.
    old = kind in (0x0001, 0x0101, 0x0111) and (source_port in _STUN_PORTS or destination_port in _STUN_PORTS)
    return "stun" if old else None


def turn_channel(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """RFC 8656 section 12.4: channel number and exact length, on a relay's port."""
    if len(payload) < 4 or not (source_port in _STUN_PORTS or destination_port in _STUN_PORTS):
        return None
    size = 4 + int.from_bytes(payload[2:4], "big")
    return "turn" if size <= len(payload) <= size + 3 else None


def dtls(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """RFC 6347 section 4.1: content type, version 1.0 or 1.2 (1.3 says 1.2), and a record that fits the datagram."""
    if len(payload) < 14 or payload[1:3] not in (b"\xfe\xff", b"\xfe\xfd"):
        return None
    size = int.from_bytes(payload[11:13], "big")
    return "dtls" if 0 < size <= len(payload) - 13 else None


def quic(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """RFC 8999 section 5.1: long header, a version that exists or is greased, connection ids that fit."""
    if len(payload) < 7:
        return None
    version = payload[1:5]
    if (
        version[0] in b"QT" and version[1:2].isdigit() and version[2:4].isdigit()
    ):  # Google QUIC 46 and later: Q046, T051
        return "quic"
    after_destination = 6 + payload[5]
    if after_destination >= len(payload):
        return None
    after_source = after_destination + 1 + payload[after_destination]
    if payload[5] > 20 or payload[after_destination] > 20 or after_source > len(payload):  # RFC 9000 section 17.2
        return None
    if version in _QUIC_VERSIONS:
        return "quic"
    if version == b"\x00\x00\x00\x00":  # version negotiation, section 17.2.1: a list of versions to the end
        listed = payload[after_source:]
        known = any(listed[i : i + 4] in _QUIC_VERSIONS for i in range(0, min(len(listed), 256), 4))
        return "quic" if known and len(listed) % 4 == 0 else None
    # Section 15 reserves 0x?a?a?a?a to provoke a negotiation; section 14.1: a client fills the datagram to 1200 bytes.
    greased = version.translate(_QUIC_GREASE) == b"\x0a\x0a\x0a\x0a" and len(payload) >= 1200 and payload[5] >= 8
    return "quic" if greased else None


def gquic(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """Google QUIC before 46: flags with version and 8-byte connection id, then `Q0` and two digits."""
    if len(payload) < 14 or payload[0] & 0x09 != 0x09:
        return None
    return "quic" if payload[9:11] == b"Q0" and payload[11:13].isdigit() else None


def wireguard(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """Message type, three zero bytes and the exact size of that type; data comes in multiples of 16."""
    if payload[1:4] != b"\x00\x00\x00":
        return None
    size = len(payload)
    if payload[0] == 4:
        return "wireguard" if size >= 32 and size % 16 == 0 else None
    return "wireguard" if size == (0, 148, 92, 64)[payload[0]] else None


def ipsec(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """IKE by its header (RFC 7296 section 3.1) on 500 and 4500; ESP in UDP and keep-alives (RFC 3948) on 4500."""
    if source_port in (500, 4500) or destination_port in (500, 4500):
        natted = source_port == 4500 or destination_port == 4500
        if natted and payload == b"\xff":  # RFC 3948 section 2.3
            return "ipsec"
        marked = payload[:4] == b"\x00\x00\x00\x00"
        if (
            natted and not marked
        ):  # section 2.1: what does not start with the marker is ESP; its SPI is not a reserved one
            return "ipsec" if len(payload) >= 24 and payload[:3] != b"\x00\x00\x00" else None
        ike = payload[4:] if natted else payload
        fits = len(ike) >= 28 and int.from_bytes(ike[24:28], "big") == len(ike)
        return "ipsec" if fits and ike[17] in (0x10, 0x20) and any(ike[:8]) else None
    return None


def ntp(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """RFC 5905 section 7.3 on port 123: version, mode and size; modes 6 and 7 are control messages."""
    if source_port != 123 and destination_port != 123:
        return None
    mode = payload[0] & 7
    if not 1 <= payload[0] >> 3 & 7 <= 4 or mode == 0:
        # A client of version 1 (RFC 1059) sends mode 0.
        return "ntp" if payload[0] == 0x08 and len(payload) == 48 else None
    least = (48, 48, 48, 48, 48, 48, 12, 8)[mode]
    return "ntp" if len(payload) >= least and len(payload) % 4 == 0 else None


def ssdp(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """UPnP 2.0 section 1: HTTP in a datagram, on any port: an answer comes from and goes to ephemeral ports."""
    if payload.startswith((b"NOTIFY * HTTP/1.", b"M-SEARCH * HTTP/1.")):
        return "ssdp"
    near = source_port == 1900 or destination_port == 1900
    if payload.startswith(b"HTTP/1.") and (near or b"\nUSN:" in payload[:1500].upper()):
        return "ssdp"
    return None


def sip(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """RFC 3261 section 7: a method and a sip URI, or a status line."""
    return "sip" if payload.startswith(_SIP_METHODS) else None


def tuya(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """Tuya's local broadcasts and commands: a four-byte mark at both ends."""
    if len(payload) < 20:
        return None
    old = payload[:4] == b"\x00\x00\x55\xaa" and payload[-4:] == b"\x00\x00\xaa\x55"
    new = payload[:4] == b"\x00\x00\x66\x99" and payload[-4:] == b"\x00\x00\x99\x66"
    return "tuya" if old or new else None


def kasa(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """TP-Link's plugs on 9999: JSON under a fixed autokey XOR that starts at 171, so `{"` is always d0 f2."""
    near = source_port == 9999 or destination_port == 9999
    return "kasa" if near and payload[:2] == b"\xd0\xf2" else None


def bittorrent(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """BEP 5: a bencoded query or response of the distributed hash table; BEP 14: a search in the house."""
    return (
        "bittorrent"
        if payload.startswith((b"d1:ad2:id20:", b"d1:rd2:id20:", b"d2:ip6:", b"BT-SEARCH * HTTP/1."))
        else None
    )


def tftp(payload: bytes, _source_port: int, destination_port: int) -> str | None:
    """RFC 1350 section 5 on port 69: read or write request with file name and mode."""
    if destination_port != 69 or payload[1:2] not in (b"\x01", b"\x02"):
        return None
    fields = payload[2:514].split(b"\x00", 2)
    return "tftp" if len(fields) == 3 and fields[1].lower() in (b"octet", b"netascii", b"mail") else None


def coap(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """RFC 7252 section 3 on port 5683: version 1, token up to 8 bytes, a code that exists."""
    if len(payload) < 4 or (source_port != 5683 and destination_port != 5683):
        return None
    token = payload[0] & 0x0F
    return "coap" if token <= 8 and 4 + token <= len(payload) and payload[1] >> 5 in (0, 2, 4, 5) else None


def rtcp(payload: bytes, _source_port: int, _destination_port: int) -> str | None:
    """RFC 3550 section 6.1: reports whose lengths add up to the datagram, the first a sender's or receiver's."""
    size = len(payload)
    if size < 8 or payload[1] not in (200, 201):
        return None
    reports = payload[0] & 0x1F
    least = (28 if payload[1] == 200 else 8) + 24 * reports  # section 6.4
    position = 0
    while position + 4 <= size:
        if payload[position] >> 6 != 2 or not 192 <= payload[position + 1] <= 223:
            return None
        length = 4 + 4 * int.from_bytes(payload[position + 2 : position + 4], "big")
        if position == 0 and length < least:
            return None
        position += length
    return "rtcp" if position == size else None


def dns(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """A DNS message on any port, named by its port where that makes it another service."""
    if not looks_like_dns(payload):
        return None
    for port, name in ((5353, "mdns"), (5355, "llmnr"), (137, "netbios-ns")):
        if port in (source_port, destination_port):
            return name
    return "dns"
