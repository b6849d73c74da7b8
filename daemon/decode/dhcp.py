"""DHCP and BOOTP (RFC 2131, 2132): who a client says it is, and what the server gives it.

Rule 1: only what the client itself sends is a hint; a name that a server repeats in its answer is none.
Rule 2: the fixed header must be whole, else DecodeError. Behind it, what was read whole counts: a malformed option
        yields nothing, and an option that runs off its field ends that field.
Rule 3: parts of a split option are joined (RFC 3396), over the options, file and sname fields in this order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import Hint, bounded, hint_text
from daemon.decode.wire import ipv4_list, ipv4_text, wire_name

_HEADER = 236  # RFC 2131 section 2: op to file
_MAGIC = b"\x63\x82\x53\x63"  # RFC 2131 section 3
_SNAME = (44, 108)
_FILE = (108, 236)
_ETHERNET = (1, 6)  # hardware types of IANA: Ethernet, IEEE 802

_PAD, _END = 0, 255
_SUBNET_MASK, _ROUTER, _RESOLVER, _HOSTNAME = 1, 3, 6, 12
_REQUESTED_ADDRESS, _LEASE_TIME, _OVERLOAD, _MESSAGE_TYPE = 50, 51, 52, 53
_PARAMETER_LIST, _VENDOR_CLASS, _CLIENT_ID, _USER_CLASS, _FQDN, _MUD_URL = 55, 60, 61, 77, 81, 161

# RFC 2132 section 9.6
_MESSAGE_TYPES = ("", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform")

_MOST_PARAMETERS = 64  # of option 55: as many as fit a hint as decimals with commas


class Dhcp(NamedTuple):
    """A DHCP or BOOTP message. Addresses are canonical text, "" where none is given."""

    mac: int  # chaddr as a 48-bit integer, -1 where the hardware is not Ethernet
    from_client: bool
    message_type: str  # discover offer request ack nak inform release decline; "" for BOOTP and other types
    client_address: str  # ciaddr: the client has it and answers ARP for it
    your_address: str  # yiaddr: what the server gives or offers
    requested_address: str
    subnet_mask: str
    routers: tuple[str, ...]
    resolvers: tuple[str, ...]
    lease_seconds: int  # 0 unknown, 0xFFFFFFFF for ever
    hints: tuple[Hint, ...]


def parse_dhcp(buf: bytes) -> Dhcp:
    """One message from a UDP payload (ports 67, 68); DecodeError where too short, or no request or reply."""
    if len(buf) < _HEADER:
        raise DecodeError("shorter than a BOOTP header")
    operation = buf[0]
    if operation not in (1, 2):
        raise DecodeError("neither BOOTREQUEST nor BOOTREPLY")
    options = _options(buf) if buf[_HEADER : _HEADER + 4] == _MAGIC else {}
    message_type = options.get(_MESSAGE_TYPE, b"")
    lease = options.get(_LEASE_TIME, b"")
    return Dhcp(
        mac=int.from_bytes(buf[28:34], "big") if buf[1] in _ETHERNET and buf[2] == 6 else -1,
        from_client=operation == 1,
        message_type=_MESSAGE_TYPES[message_type[0]] if message_type and message_type[0] < len(_MESSAGE_TYPES) else "",
        client_address=_address(buf[12:16]),
        your_address=_address(buf[16:20]),
        requested_address=_address(options.get(_REQUESTED_ADDRESS, b"")),
        subnet_mask=_address(options.get(_SUBNET_MASK, b"")),
        routers=ipv4_list(options.get(_ROUTER, b"")),
        resolvers=ipv4_list(options.get(_RESOLVER, b"")),
        lease_seconds=int.from_bytes(lease, "big") if len(lease) == 4 else 0,
        hints=_hints(options) if operation == 1 else (),
    )


def _options(buf: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    _walk(buf, _HEADER + 4, len(buf), options)
    overload = options.get(_OVERLOAD, b"\x00")[:1]
    if overload in (b"\x01", b"\x03"):  # RFC 2132 section 9.3; the order is RFC 3396 section 5
        _walk(buf, *_FILE, options)
    if overload in (b"\x02", b"\x03"):
        _walk(buf, *_SNAME, options)
    return options


def _walk(buf: bytes, position: int, end: int, options: dict[int, bytes]) -> None:
    """Add the options of one field to `options`, joined to what stands there already."""
    while position < end:
        code = buf[position]
        position += 1
        if code == _PAD:
            continue
        if code == _END or position == end:
            return
        start = position + 1
        position = start + buf[position]
        if position > end:
            return
        part = buf[start:position]
        known = options.get(code)
        # Some clients send an option twice. Equal copies are no parts: a split option's parts differ, or are 255 long.
        if known is None:
            options[code] = part
        elif known != part or len(part) == 255:
            options[code] = known + part


def _address(raw: bytes) -> str:
    return ipv4_text(raw) if len(raw) == 4 and any(raw) else ""


def _host_text(raw: bytes) -> str:
    # RFC 2132 section 2: receivers must be prepared for trailing NULs.
    return hint_text(raw.rstrip(b"\x00")).rstrip(".")


def _fqdn_text(raw: bytes) -> str:
    # RFC 4702 section 2: flags, two dead rcodes, the name; with the E flag (0x04) in DNS wire form, else ASCII.
    if len(raw) < 4:
        return ""
    return bounded(wire_name(raw[3:])) if raw[0] & 0x04 else _host_text(raw[3:])


def _parameter_text(raw: bytes) -> str:
    return ",".join([str(b) for b in raw[:_MOST_PARAMETERS]])


def _client_id_text(raw: bytes) -> str:
    # RFC 2132 section 9.14: type 0 is an identifier that is no hardware address, commonly text.
    if len(raw) < 2:
        return ""
    return _host_text(raw[1:]) if raw[0] == 0 else raw[:85].hex(":")


def _user_class_text(raw: bytes) -> str:
    # RFC 3004 section 4: strings, each behind its length. Widely sent as one bare string instead.
    classes: list[bytes] = []
    position = 0
    while position < len(raw):
        end = position + 1 + raw[position]
        if end > len(raw) or raw[position] == 0:
            return _plain_text(raw)
        classes.append(raw[position + 1 : end])
        position = end
    return hint_text(b",".join(classes))


def _plain_text(raw: bytes) -> str:
    return hint_text(raw.rstrip(b"\x00"))


_HINTS: tuple[tuple[int, str, Callable[[bytes], str]], ...] = (
    (_HOSTNAME, "hostname", _host_text),
    (_FQDN, "fqdn", _fqdn_text),
    (_VENDOR_CLASS, "vendor_class", _plain_text),
    (_USER_CLASS, "user_class", _user_class_text),
    (_PARAMETER_LIST, "parameter_list", _parameter_text),
    (_CLIENT_ID, "client_id", _client_id_text),
    (_MUD_URL, "mud_url", _plain_text),  # RFC 8520 section 10
)


def _hints(options: dict[int, bytes]) -> tuple[Hint, ...]:
    said = [(key, text(options[code])) for code, key, text in _HINTS if code in options]
    return tuple([Hint("dhcp", key, value) for key, value in said if value])
