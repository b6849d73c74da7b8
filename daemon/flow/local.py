"""Addresses: their text, and which of them can only stand for something in the house.

RFC 1918 and RFC 4193 (private), RFC 3927 and RFC 4291 (link-local, multicast, loopback, unspecified).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

GLOBAL, PRIVATE, GROUP, OWN = 0, 1, 2, 3  # scope of an address; OWN: unspecified or loopback, said only by oneself

BROADCAST = (1 << 32) - 1  # the limited broadcast (RFC 919)
LEAST_PREFIX = 32  # bits of IPv6; what a provider gets from its registry. A shorter one would make the Internet local

_PRIVATE_4 = tuple(
    (int(net.network_address) >> (32 - net.prefixlen), 32 - net.prefixlen)
    for net in (ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))
)
_PRIVATE_6 = tuple(
    (int(net.network_address) >> (128 - net.prefixlen), 128 - net.prefixlen)
    for net in (ip_network(text) for text in ("fc00::/7", "fe80::/10"))
)
_NEVER_PLAIN_4 = frozenset((0, 10, 127, 169, 172, 192))  # first octets below 224 of all that is not GLOBAL
_PLAIN_6 = 1  # first three bits: all that IANA has given away to be global unicast (2000::/3)


@lru_cache(maxsize=65536)
def address_text(version: int, address: int) -> str:
    """Canonical text (RFC 5952 for IPv6) of an address given as integer."""
    if version == 4:
        return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
    return inet_ntop(AF_INET6, address.to_bytes(16, "big"))


def is_group(version: int, address: int) -> bool:
    """Whether packets to this address go to many: multicast, or the limited broadcast."""
    if version == 4:
        return address >> 28 == 14 or address == BROADCAST
    return address >> 120 == 0xFF


def scope_of(version: int, address: int) -> int:
    """GLOBAL, PRIVATE, GROUP or OWN."""
    if version == 4:  # nearly all, told so at a glance
        if address >> 24 < 224 and address >> 24 not in _NEVER_PLAIN_4:
            return GLOBAL
    elif address >> 125 == _PLAIN_6:
        return GLOBAL
    if is_group(version, address):
        return GROUP
    if version == 4:
        if address >> 24 in (0, 127):
            return OWN
        return PRIVATE if any(address >> shift == head for head, shift in _PRIVATE_4) else GLOBAL
    if address <= 1:
        return OWN
    return PRIVATE if any(address >> shift == head for head, shift in _PRIVATE_6) else GLOBAL


@lru_cache(maxsize=65536)
def address_number(text: str) -> tuple[int, int]:
    """(version, integer) of an address in text form; ValueError if it is none."""
    if ":" in text:
        plain = text.partition("%")[0]
        try:
            return 6, int.from_bytes(inet_pton(AF_INET6, plain), "big")  # a tenth of what `ipaddress` takes
        except (OSError, ValueError):
            return 6, int(IPv6Address(plain))
    try:
        return 4, int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        return 4, int(IPv4Address(text))


def mac_text(mac: int) -> str | None:
    """`aa:bb:cc:dd:ee:ff`; None where there was no MAC."""
    return None if mac < 0 else mac.to_bytes(6, "big").hex(":")
