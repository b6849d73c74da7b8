"""Service binding records, SVCB and HTTPS, as text (RFC 9460): `1 . alpn=h3,h2 ipv4hint=192.0.2.1 ech=...`.

Rule 1: parameters are written as RFC 9460 section 2.1 and appendix A write them; a key without a name is `key<n>`.
Rule 2: what the RFC calls malformed is DecodeError: keys out of order, a value that is not its key's, a mandatory key
        that is missing, a compressed target.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_names import read_name
from daemon.decode.dns_text import get_string, join_parts, quote
from daemon.decode.wire import ipv4_text, ipv6_text

_REPEATED_LIMIT = 512  # bytes: bounds what the cache can hold

# Characters that may stand in a zone file outside quotes.
_BARE = bytes(b for b in range(0x21, 0x7F) if b not in b'"\\;()')

_UINT16 = struct.Struct(">H").unpack_from
_PARAMETER = struct.Struct(">HH").unpack_from

# IANA "DNS Service Parameter Keys (SvcParamKeys)".
_KEYS = {
    0: "mandatory",
    1: "alpn",
    2: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
    7: "dohpath",
    8: "ohttp",
    9: "tls-supported-groups",
}


def _key_text(number: int) -> str:
    return _KEYS.get(number) or f"key{number}"


def _word(text: bytes) -> str:
    return text.decode("ascii") if text and not text.translate(None, _BARE) else quote(text)


def _uint16s(raw: bytes) -> tuple[int, ...]:
    if not raw or len(raw) % 2:
        raise DecodeError("list of 16-bit numbers")
    return struct.unpack(f">{len(raw) // 2}H", raw)


def _chunks(raw: bytes, size: int) -> list[bytes]:
    if not raw or len(raw) % size:
        raise DecodeError("list of addresses")
    return [raw[i : i + size] for i in range(0, len(raw), size)]


def _mandatory(raw: bytes) -> str:
    keys = _uint16s(raw)
    if keys[0] == 0 or any(a >= b for a, b in pairwise(keys)):
        raise DecodeError("mandatory keys out of order")  # RFC 9460 section 8
    return ",".join(map(_key_text, keys))


def _alpn(raw: bytes) -> str:
    """RFC 9460 section 7.1.1; commas and backslashes in an identifier are escaped once more (appendix A.1)."""
    return _word(b",".join([i.replace(b"\\", b"\\\\").replace(b",", b"\\,") for i in _counted(raw)]))


def _counted(raw: bytes) -> list[bytes]:
    if not raw:
        raise DecodeError("empty list")
    items = []
    pos = 0
    while pos < len(raw):
        item, pos = get_string(raw, pos, len(raw))
        if not item:
            raise DecodeError("empty item")
        items.append(item)
    return items


def _nothing(raw: bytes) -> str:
    if raw:
        raise DecodeError("parameter with a value it must not have")
    return ""


def _port(raw: bytes) -> str:
    if len(raw) != 2:
        raise DecodeError("port")
    return str(_UINT16(raw)[0])


def _ech(raw: bytes) -> str:
    if not raw:
        raise DecodeError("ech without a value")
    return b64encode(raw).decode("ascii")


_PARAMETERS: dict[int, Callable[[bytes], str]] = {
    0: _mandatory,
    1: _alpn,
    2: _nothing,
    3: _port,
    4: lambda raw: ",".join(map(ipv4_text, _chunks(raw, 4))),
    5: _ech,
    6: lambda raw: ",".join(map(ipv6_text, _chunks(raw, 16))),
    7: _word,  # RFC 9461 section 5
    8: _nothing,  # RFC 9540 section 4
    9: lambda raw: ",".join(map(str, _uint16s(raw))),
}


def service_text(raw: bytes) -> str:
    """The data of an SVCB or HTTPS record as text.

    Raises DecodeError if it is malformed, IndexError or struct.error where it is cut.
    """
    return _repeated_text(raw) if len(raw) <= _REPEATED_LIMIT else _service_text(raw)


def _service_text(raw: bytes) -> str:
    """`priority target key=value ...` (RFC 9460 section 2.1). Section 2.2: the target is not compressed."""
    priority = _UINT16(raw)[0]
    target, pos = read_name(raw, 2, {})
    parts = [f"{priority} {target or '.'}"]
    last = -1
    mandatory: tuple[int, ...] = ()
    keys = set()
    while pos < len(raw):
        key, size = _PARAMETER(raw, pos)
        pos += 4
        if key <= last or pos + size > len(raw):  # section 2.2: strictly increasing order
            raise DecodeError("service parameter")
        value = raw[pos : pos + size]
        pos += size
        last = key
        keys.add(key)
        if key == 0:
            mandatory = _uint16s(value)
        reader = _PARAMETERS.get(key)
        text = reader(value) if reader else _word(value) if value else ""
        parts.append(f"{_key_text(key)}={text}" if text else _key_text(key))
    if not keys.issuperset(mandatory):  # section 8
        raise DecodeError("mandatory parameter missing")
    return join_parts(parts)


# The same few hundred services are asked for all day.
_repeated_text = lru_cache(maxsize=1024)(_service_text)
