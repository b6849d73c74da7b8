"""ARP (RFC 826): which MAC says that an IPv4 address is its own.

Rule: the payload starts behind the ethertype; padding behind the 28 bytes is ignored; anything but IPv4 on Ethernet or
      IEEE 802 is DecodeError.
"""

from __future__ import annotations

from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.wire import ipv4_text

REQUEST, REPLY = 1, 2

_ETHERNET = b"\x00\x01\x08\x00\x06\x04"
_IEEE_802 = b"\x00\x06\x08\x00\x06\x04"


class Arp(NamedTuple):
    """An ARP message. A probe (RFC 5227 section 1.1) has the sender address 0.0.0.0 and claims nothing yet."""

    sender_mac: int
    sender_address: str
    target_address: str
    operation: int  # REQUEST, REPLY or one of IANA's others


def parse_arp(payload: bytes) -> Arp:
    """One ARP message."""
    if len(payload) < 28:
        raise DecodeError("shorter than ARP for IPv4")
    if payload[:6] != _ETHERNET and payload[:6] != _IEEE_802:
        raise DecodeError("not ARP for IPv4 over Ethernet")
    return Arp(
        sender_mac=int.from_bytes(payload[8:14], "big"),
        sender_address=ipv4_text(payload[14:18]),
        target_address=ipv4_text(payload[24:28]),
        operation=int.from_bytes(payload[6:8], "big"),
    )
