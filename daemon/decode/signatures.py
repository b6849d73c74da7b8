"""Which service a payload belongs to, by what it looks like.

Rule 1: a signature must be strong enough to stand without its port; a weak one asks for its port as well.
Rule 2: one payload, one answer, no state. What a single packet cannot show (RTP) needs two: `recognise_udp_pair`.
Rule 3: never an exception: bytes that fit nothing are None. All reads are checked against the length first.

The checks lie in `signatures_udp` and `signatures_tcp`; here they are put in order, by the first byte of the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from daemon.decode import signatures_tcp as tcp
from daemon.decode import signatures_udp as udp

_Check = TypeVar("_Check", bound=Callable[..., str | None])

_ANY = range(256)


def _by_first_byte(rows: Iterable[tuple[Iterable[int], _Check]]) -> tuple[tuple[_Check, ...], ...]:
    """256 short lists of checks, so that a payload meets only those that could claim it."""
    lists: list[list[_Check]] = [[] for _ in _ANY]
    for first_bytes, check in rows:
        for byte in first_bytes:
            lists[byte].append(check)
    return tuple([tuple(checks) for checks in lists])


# (first bytes that the check could accept, check); earlier rows win.
_UDP = _by_first_byte(
    (
        (range(1, 14), udp.dhcp),
        (range(0x40), udp.stun),
        (range(0x40, 0x50), udp.turn_channel),
        (range(1, 5), udp.wireguard),
        (_ANY, udp.dns),  # before those whose fixed bytes an id with few flags and counts can equal
        (range(20, 26), udp.dtls),
        (range(0x80, 0x100), udp.quic),
        (range(0x40), udp.gquic),
        (_ANY, udp.ipsec),
        (range(0x08, 0x100), udp.ntp),
        (b"HMN", udp.ssdp),
        (b"ABCIMNOPRSU", udp.sip),
        (b"\x00", udp.tuya),
        (b"\xd0", udp.kasa),
        (b"Bd", udp.bittorrent),
        (b"\x00", udp.tftp),
        (range(0x40, 0x80), udp.coap),
        (range(0x80, 0xC0), udp.rtcp),
    )
)

_TCP = _by_first_byte(
    (
        (range(20, 24), tcp.tls),
        (b"ACDFGHILMNOPRSTU", tcp.text_request),
        (b"S", tcp.ssh),
        (b"\x10", tcp.mqtt),
        (b"<", tcp.xmpp),
        (b"2+*EHLeh", tcp.mail),
        (b"\xff", tcp.telnet),
        (b"\x03", tcp.rdp),
        (b"\x03", tcp.rtmp),
        (b"\x04\x05", tcp.socks),
        (b"A", tcp.amqp),
        (b"\x00", tcp.smb),
        (b"\x00", tcp.tuya),
        (b"\x00", tcp.kasa),
        (b"R", tcp.vnc),
        (b"\x13", tcp.bittorrent),
        (range(0x40), tcp.stun),
        (range(0x40), tcp.dns),
    )
)


def recognise_udp(payload: bytes, source_port: int, destination_port: int) -> str | None:
    """The service of one UDP payload, or None. The ports are needed only where the payload alone is too weak."""
    if payload:
        for check in _UDP[payload[0]]:
            service = check(payload, source_port, destination_port)
            if service is not None:
                return service
    return None


def recognise_tcp(payload: bytes) -> str | None:
    """The service of the first payload bytes of a TCP connection, of either direction, or None."""
    if payload:
        for check in _TCP[payload[0]]:
            service = check(payload)
            if service is not None:
                return service
    return None


def looks_like_rtp(payload: bytes) -> bool:
    """Whether the bytes could be an RTP packet (RFC 3550 section 5.1). One in some 30 random payloads could."""
    if len(payload) < 13 or payload[0] >> 6 != 2:
        return False
    # RFC 5761 section 4: 64 to 95 would be taken for RTCP, so nobody sends them.
    payload_type = payload[1] & 0x7F
    if 64 <= payload_type < 96:
        return False
    header = 12 + 4 * (payload[0] & 0x0F)
    if payload[0] & 0x10:  # header extension, section 5.3.1
        if header + 4 > len(payload):
            return False
        header += 4 + 4 * int.from_bytes(payload[header + 2 : header + 4], "big")
    return header <= len(payload)


def recognise_udp_pair(first: bytes, second: bytes) -> str | None:
    """`rtp` where two payloads that follow each other in one direction are of one RTP stream, else None.

    One stream: same source and payload type, sequence number up by one to five, and a timestamp that did not jump.
    """
    if not (looks_like_rtp(first) and looks_like_rtp(second)):
        return None
    if first[8:12] != second[8:12] or (first[1] ^ second[1]) & 0x7F:
        return None
    step = (int.from_bytes(second[2:4], "big") - int.from_bytes(first[2:4], "big")) & 0xFFFF
    moved = (int.from_bytes(second[4:8], "big") - int.from_bytes(first[4:8], "big")) & 0xFFFFFFFF
    return (
        "rtp" if 1 <= step <= 5 and moved < 1 << 20 else None
    )  # 2^20 ticks are 11 s of video, 131 s of telephone sound
