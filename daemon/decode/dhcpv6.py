"""DHCPv6 (RFC 8415): who a client says it is, and the addresses and prefixes it is given.

Rule 1: only what the client sends is a hint.
Rule 2: the fixed header must be whole, else DecodeError. Behind it, an option that runs off its field ends that field,
        and an option whose content does not fit its type yields nothing.
Rule 3: a relayed message is unwrapped, at most RELAYS times (section 7.6, HOP_COUNT_LIMIT).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import Hint, bounded, hint_text
from daemon.decode.wire import ipv6_list, ipv6_text, wire_name

RELAYS = 8

_CLIENT_ID, _IA_NA, _IA_TA, _IA_ADDRESS, _RELAYED = 1, 3, 4, 5, 9
_VENDOR_CLASS, _RESOLVERS, _IA_PD, _IA_PREFIX, _FQDN = 16, 23, 25, 26, 39

# Section 7.3; RFC 5007 and others add types that homes do not see.
_MESSAGE_TYPES = (
    *("", "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release"),
    *("decline", "reconfigure", "information-request", "relay-forw", "relay-repl"),
)
_FROM_CLIENT = frozenset({1, 3, 4, 5, 6, 8, 9, 11})
_RELAYS_TYPES = (12, 13)
# Options of an identity association start behind IAID, T1 and T2; a temporary one has only IAID (21.4, 21.5, 21.21).
_ASSOCIATIONS = {_IA_NA: 12, _IA_TA: 4, _IA_PD: 12}
_MOST = 16  # addresses, and prefixes, kept of one message


class Dhcpv6(NamedTuple):
    """A DHCPv6 message, without the relays around it. Addresses are canonical text."""

    message_type: str  # as section 7.3 writes it, lower case
    from_client: bool
    addresses: tuple[str, ...]  # given by a server, or named by a client; withdrawn ones are left out
    prefixes: tuple[tuple[str, int, int], ...]  # delegated: prefix, length, valid seconds (0 withdrawn)
    resolvers: tuple[str, ...]
    duid: str  # the client's, hex; "" without one
    mac: int  # from a DUID that holds an Ethernet address, else -1; of any interface, not necessarily this one
    hints: tuple[Hint, ...]


def parse_dhcpv6(buf: bytes) -> Dhcpv6:
    """One message from a UDP payload (ports 546, 547)."""
    position, end = _unwrap(buf)
    kind = buf[position]
    addresses: list[str] = []
    prefixes: list[tuple[str, int, int]] = []
    resolvers: tuple[str, ...] = ()
    duid = b""
    fqdn = vendor = ""
    for code, start, stop in _options(buf, position + 4, end):
        if code in _ASSOCIATIONS:
            _association(buf, start + _ASSOCIATIONS[code], stop, addresses, prefixes)
        elif code == _CLIENT_ID:
            duid = buf[start:stop][:130]  # section 11.1: at most 128 bytes behind the type
        elif code == _RESOLVERS:
            resolvers = ipv6_list(buf[start:stop])  # RFC 3646 section 3
        elif code == _FQDN:
            fqdn = bounded(wire_name(buf[start + 1 : stop]))  # RFC 4704 section 4: flags, then the name
        elif code == _VENDOR_CLASS:
            vendor = hint_text(
                b", ".join(_counted(buf, start + 4, stop))
            )  # section 21.16: behind the enterprise number
    said = (("fqdn", fqdn), ("vendor_class", vendor), ("duid", bounded(duid.hex())))
    hints = [Hint("dhcpv6", key, value) for key, value in said if value] if kind in _FROM_CLIENT else []
    return Dhcpv6(
        message_type=_MESSAGE_TYPES[kind],
        from_client=kind in _FROM_CLIENT,
        addresses=tuple(addresses),
        prefixes=tuple(prefixes),
        resolvers=resolvers,
        duid=duid.hex(),
        mac=_duid_mac(duid),
        hints=tuple(hints),
    )


def _unwrap(buf: bytes) -> tuple[int, int]:
    """Start and end of the message inside its relays; a relay's options stand behind hops and addresses (section 9)."""
    position, end = 0, len(buf)
    for _ in range(RELAYS + 1):
        if position + 4 > end or not 1 <= buf[position] < len(_MESSAGE_TYPES):
            raise DecodeError("not a DHCPv6 message")
        if buf[position] not in _RELAYS_TYPES:
            return position, end
        inside = [(a, b) for code, a, b in _options(buf, position + 34, end) if code == _RELAYED]
        if not inside:
            raise DecodeError("a relay message without a message")
        position, end = inside[0]
    raise DecodeError("relayed too often")


def _options(buf: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(code, start, end) of the content of each option that is whole (section 21.1)."""
    while position + 4 <= end:
        start = position + 4
        position = start + int.from_bytes(buf[start - 2 : start], "big")
        if position > end:
            return
        yield int.from_bytes(buf[start - 4 : start - 2], "big"), start, position


def _association(buf: bytes, start: int, end: int, addresses: list[str], prefixes: list[tuple[str, int, int]]) -> None:
    for code, at, stop in _options(buf, start, end):
        # Section 21.6: address, preferred and valid lifetime.
        if code == _IA_ADDRESS and stop - at >= 24 and len(addresses) < _MOST:
            valid = int.from_bytes(buf[at + 20 : at + 24], "big")
            text = ipv6_text(buf[at : at + 16])
            # A client's request has lifetimes of 0 as well and is not taken for an address that it has.
            if valid and text not in addresses:
                addresses.append(text)
        # Section 21.22: preferred and valid lifetime, length, prefix.
        elif code == _IA_PREFIX and stop - at >= 25 and buf[at + 8] <= 128 and len(prefixes) < _MOST:
            valid = int.from_bytes(buf[at + 4 : at + 8], "big")
            prefixes.append((ipv6_text(buf[at + 9 : at + 25]), buf[at + 8], valid))


def _counted(buf: bytes, position: int, end: int) -> list[bytes]:
    """Strings, each behind its length of two bytes; what is not whole ends the list."""
    strings: list[bytes] = []
    while position + 2 <= end:
        start = position + 2
        position = start + int.from_bytes(buf[start - 2 : start], "big")
        if position > end:
            break
        strings.append(buf[start:position])
    return strings


def _duid_mac(duid: bytes) -> int:
    # Sections 11.2 and 11.4: type 1 has a time before the link-layer address, type 3 none; hardware type 1 is Ethernet.
    if duid[:4] == b"\x00\x01\x00\x01" and len(duid) == 14:
        return int.from_bytes(duid[8:], "big")
    if duid[:4] == b"\x00\x03\x00\x01" and len(duid) == 10:
        return int.from_bytes(duid[4:], "big")
    return -1
