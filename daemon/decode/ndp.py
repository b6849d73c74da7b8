"""IPv6 neighbour discovery (RFC 4861): what the router announces. Whose an address is, every frame of it says.

Rule 1: the buffer starts at the ICMPv6 type. Hop limit and checksum belong to the caller, who has the IPv6 header.
Rule 2: an option of length 0 or one that runs off the message makes the whole message invalid (RFC 4861 sections 4.6,
        6.1); an option whose content does not fit its type is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.wire import ipv6_list, ipv6_text

ROUTER_ADVERTISEMENT = 134

_SOURCE_LINK, _PREFIX, _ROUTE, _RESOLVERS = 1, 3, 24, 25
_MOST = 64  # prefixes or resolvers kept of one message; it fits in a frame, so this bounds only jumbo ones


class Prefix(NamedTuple):
    """A prefix information option (RFC 4861 section 4.6.2)."""

    network: str  # canonical address/length, host bits cleared
    on_link: bool
    autonomous: bool
    valid_s: int  # 0xFFFFFFFF for ever, 0 withdrawn


class RouterAdvertisement(NamedTuple):
    """What a router announces. A lifetime of 0 says: not a default router."""

    lifetime_s: int
    mac: int  # source link-layer address option, -1 without one
    prefixes: tuple[Prefix, ...]
    resolvers: tuple[str, ...]
    routes: tuple[str, ...] = ()  # more specific routes through this router (RFC 4191), address/length


def parse_router_advertisement(icmpv6: bytes) -> RouterAdvertisement:
    """A router advertisement, from its ICMPv6 type byte on."""
    if len(icmpv6) < 16 or icmpv6[0] != ROUTER_ADVERTISEMENT or icmpv6[1] != 0:
        raise DecodeError("not a router advertisement")
    mac = -1
    prefixes: list[Prefix] = []
    resolvers: list[str] = []
    routes: list[str] = []
    for kind, body in _options(icmpv6, 16):
        if kind == _SOURCE_LINK:
            mac = _mac(body)
        elif kind == _PREFIX and len(body) == 30 and body[0] <= 128 and len(prefixes) < _MOST:
            flags = body[1]
            network = _network(body[14:30], body[0])
            prefixes.append(Prefix(network, bool(flags & 0x80), bool(flags & 0x40), int.from_bytes(body[2:6], "big")))
        elif kind == _RESOLVERS and any(body[2:6]) and len(resolvers) < _MOST:
            resolvers += ipv6_list(body[6:])  # RFC 8106 section 5.1: a lifetime of zero withdraws them
        elif kind == _ROUTE and len(body) in (6, 14, 22) and any(body[2:6]) and len(routes) < _MOST:
            route = _route(body)
            routes += [route] if route else []
    return RouterAdvertisement(
        int.from_bytes(icmpv6[6:8], "big"), mac, tuple(prefixes), tuple(resolvers), tuple(routes)
    )


def _options(buf: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each option; RFC 4861 section 4.6: the length counts 8 bytes and includes type and length."""
    size = len(buf)
    while position < size:
        if position + 2 > size:
            raise DecodeError("option runs off the message")
        end = position + 8 * buf[position + 1]
        if end == position or end > size:
            raise DecodeError("option of length 0 or longer than the message")
        yield buf[position], buf[position + 2 : end]
        position = end


def _mac(body: bytes) -> int:
    return int.from_bytes(body, "big") if len(body) == 6 else -1


def _network(raw: bytes, length: int) -> str:
    kept = int.from_bytes(raw, "big") >> (128 - length) << (128 - length)
    return f"{ipv6_text(kept.to_bytes(16, 'big'))}/{length}"


def _route(body: bytes) -> str:
    """RFC 4191 section 2.3: the prefix may be cut to 0, 8 or 16 bytes, as its length allows."""
    length = body[0]
    if length > 8 * (len(body) - 6):
        return ""
    return _network(body[6:].ljust(16, b"\x00"), length)
