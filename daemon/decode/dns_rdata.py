"""Resource record data as text: one reader for each type, and the generic form for all others.

Rule 1: a reader consumes its record's data exactly. Data that is too short, too long or inconsistent is DecodeError,
        and the caller decides what becomes of the record.
Rule 2: a name that is the whole value reads as every name does (root ""). Beside other fields the root is `.`, so that
        fields can be counted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_names import Names, read_name
from daemon.decode.dns_svcb import service_text
from daemon.decode.dns_text import VALUE_LIMIT, get_string, join_parts, quote
from daemon.decode.dns_types import TYPES, type_text
from daemon.decode.wire import ipv4_text, ipv6_text

_UINT16 = struct.Struct(">H").unpack_from
_SRV = struct.Struct(">HHH").unpack_from
_SOA = struct.Struct(">IIIII").unpack_from


def _names(buf: bytes, pos: int, end: int, names: Names, count: int) -> list[str]:
    """The last `count` fields of a record, all names, as parts of a longer value."""
    texts = []
    for _ in range(count):
        text, pos = read_name(buf, pos, names)
        texts.append(text or ".")
    if pos != end:
        raise DecodeError("record data does not end with its name")
    return texts


def _a(buf: bytes, start: int, end: int, _: Names) -> str:
    if end - start != 4:  # RFC 1035 section 3.4.1
        raise DecodeError("A of other than 4 bytes")
    return ipv4_text(buf[start:end])


def _aaaa(buf: bytes, start: int, end: int, _: Names) -> str:
    if end - start != 16:  # RFC 3596 section 2.2
        raise DecodeError("AAAA of other than 16 bytes")
    return ipv6_text(buf[start:end])


def _name(buf: bytes, start: int, end: int, names: Names) -> str:
    text, pos = read_name(buf, start, names)
    if pos != end:
        raise DecodeError("record data does not end with its name")
    return text


def _two_names(buf: bytes, start: int, end: int, names: Names) -> str:
    return " ".join(_names(buf, start, end, names, 2))


def _preference_name(buf: bytes, start: int, end: int, names: Names) -> str:
    return f"{_UINT16(buf, start)[0]} {_names(buf, start + 2, end, names, 1)[0]}"


def _preference_two_names(buf: bytes, start: int, end: int, names: Names) -> str:
    return f"{_UINT16(buf, start)[0]} {' '.join(_names(buf, start + 2, end, names, 2))}"


def _soa(buf: bytes, start: int, end: int, names: Names) -> str:
    numbers = end - 20  # RFC 1035 section 3.3.13: two names, five 32-bit numbers
    if numbers < start:
        raise DecodeError("SOA too short")
    texts = _names(buf, start, numbers, names, 2)
    return " ".join([*texts, *map(str, _SOA(buf, numbers))])


def _srv(buf: bytes, start: int, end: int, names: Names) -> str:
    priority, weight, port = _SRV(buf, start)  # RFC 2782
    return f"{priority} {weight} {port} {_names(buf, start + 6, end, names, 1)[0]}"


def _txt(buf: bytes, start: int, end: int, _: Names) -> str:
    if start == end:
        return '""'  # RFC 6763 section 6.1: no data means the same as one empty string
    strings = []
    while start < end:
        raw, start = get_string(buf, start, end)
        strings.append(quote(raw))
    return join_parts(strings)


def _hinfo(buf: bytes, start: int, end: int, _: Names) -> str:
    cpu, start = get_string(buf, start, end)  # RFC 1035 section 3.3.2
    system, start = get_string(buf, start, end)
    if start != end:
        raise DecodeError("HINFO of more than two strings")
    return f"{quote(cpu)} {quote(system)}"


def _naptr(buf: bytes, start: int, end: int, names: Names) -> str:
    order, preference = struct.unpack_from(">HH", buf, start)  # RFC 3403 section 4.1
    flags, pos = get_string(buf, start + 4, end)
    service, pos = get_string(buf, pos, end)
    expression, pos = get_string(buf, pos, end)
    replacement = _names(buf, pos, end, names, 1)[0]
    return f"{order} {preference} {quote(flags)} {quote(service)} {quote(expression)} {replacement}"


def _uri(buf: bytes, start: int, end: int, _: Names) -> str:
    if end - start < 5:  # RFC 7553 section 4.5: priority, weight, a target that is not empty
        raise DecodeError("URI too short")
    priority, weight = struct.unpack_from(">HH", buf, start)
    return join_parts([f"{priority} {weight}", quote(buf[start + 4 : end])])


def _caa(buf: bytes, start: int, end: int, _: Names) -> str:
    if end - start < 2:
        raise DecodeError("CAA too short")
    tag, pos = get_string(buf, start + 1, end)
    if not tag.isalnum():  # RFC 8659 section 4.1: one or more ASCII letters and digits
        raise DecodeError("CAA tag")
    return join_parts([f"{buf[start]} {tag.decode('ascii')}", quote(buf[pos:end])])


def _nsec(buf: bytes, start: int, end: int, names: Names) -> str:
    following, pos = read_name(buf, start, names)
    return join_parts([following or ".", *map(type_text, _type_bitmap(buf, pos, end))])


def _type_bitmap(buf: bytes, pos: int, end: int) -> list[int]:
    """Types named by the blocks of a type bitmap (RFC 4034 section 4.1.2), no more than a value can hold."""
    types: list[int] = []
    last = -1
    while pos < end:
        if pos + 2 > end:
            raise DecodeError("type bitmap cut")
        window, size = buf[pos], buf[pos + 1]
        pos += 2
        if window <= last or not 0 < size <= 32 or pos + size > end:
            raise DecodeError("type bitmap")
        last = window
        if len(types) < VALUE_LIMIT:
            for i in range(size):
                byte = buf[pos + i]
                if byte:
                    first = window << 8 | i << 3
                    types += [first + bit for bit in range(8) if byte & 0x80 >> bit]
        pos += size
    if pos != end:
        raise DecodeError("type bitmap missing or too long")
    return types


def _svcb(buf: bytes, start: int, end: int, _: Names) -> str:
    return service_text(buf[start:end])


Reader = Callable[[bytes, int, int, Names], str]

_BY_NAME: dict[str, Reader] = {
    "A": _a,
    "NS MD MF CNAME MB MG MR PTR NSAP-PTR DNAME": _name,
    "SOA": _soa,
    "HINFO": _hinfo,
    "MINFO RP TALINK": _two_names,
    "MX AFSDB RT KX LP": _preference_name,
    "PX": _preference_two_names,
    "TXT SPF NINFO AVC RESINFO WALLET": _txt,
    "AAAA": _aaaa,
    "SRV": _srv,
    "NAPTR": _naptr,
    "NSEC": _nsec,
    "SVCB HTTPS": _svcb,
    "URI": _uri,
    "CAA": _caa,
}
_NUMBERS = {name: number for number, name in TYPES.items()}

# Record type -> reader(message, start and end of the data, names read so far) -> value. A reader raises DecodeError,
# IndexError or struct.error for data that breaks its type's format.
READERS: dict[int, Reader] = {_NUMBERS[name]: reader for types, reader in _BY_NAME.items() for name in types.split()}
