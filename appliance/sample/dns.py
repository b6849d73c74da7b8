"""DNS messages as resolvers, multicast responders and LLMNR hosts send them (RFC 1035, 6762, 9460, 4795).

Rules: a name is text with dots; names are compressed wherever RFC 1035 section 4.1.4 allows it; record data is a tuple
of parts, where a `str` is a name and `bytes` are themselves.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, NSEC, HTTPS = 1, 2, 5, 6, 12, 16, 28, 33, 41, 47, 65
IN = 1
FLUSH = 0x8001  # class IN with the cache-flush bit, RFC 6762 section 10.2
QUERY = 0x0100
ANSWER = 0x8180
NXDOMAIN = 0x8183
MULTICAST_ANSWER = 0x8400


class Question(NamedTuple):
    """One question: name, type number, class."""

    name: str
    kind: int
    klass: int = IN


class Record(NamedTuple):
    """One resource record; `data` parts of type `str` are names."""

    name: str
    kind: int
    ttl: int
    data: tuple[bytes | str, ...]
    klass: int = IN


EDNS = Record("", OPT, 0, (), 1232)


def _put_name(out: bytearray, name: str, places: dict[str, int]) -> None:
    rest = name
    while rest:
        place = places.get(rest)
        if place is not None:
            out += (0xC000 | place).to_bytes(2, "big")
            return
        if len(out) < 0x4000:
            places[rest] = len(out)
        label, _, rest = rest.partition(".")
        raw = label.encode()
        out.append(len(raw))
        out += raw
    out.append(0)


def message(
    ident: int,
    flags: int,
    questions: tuple[Question, ...] = (),
    answers: tuple[Record, ...] = (),
    authority: tuple[Record, ...] = (),
    additional: tuple[Record, ...] = (),
) -> bytes:
    """A whole DNS message with compressed names."""
    out = bytearray(struct.pack(">6H", ident, flags, len(questions), len(answers), len(authority), len(additional)))
    places: dict[str, int] = {}
    for question in questions:
        _put_name(out, question.name, places)
        out += struct.pack(">HH", question.kind, question.klass)
    for record in (*answers, *authority, *additional):
        _put_name(out, record.name, places)
        out += struct.pack(">HHIH", record.kind, record.klass, record.ttl, 0)
        start = len(out)
        for part in record.data:
            if isinstance(part, str):
                _put_name(out, part, places)
            else:
                out += part
        out[start - 2 : start] = (len(out) - start).to_bytes(2, "big")
    return bytes(out)


def srv(port: int, target: str) -> tuple[bytes | str, ...]:
    """Data of an SRV record of priority 0 and weight 0 (RFC 2782)."""
    return (struct.pack(">HHH", 0, 0, port), target)


def txt(text: str) -> tuple[bytes | str, ...]:
    """Data of a TXT record from strings joined by `|`; without any, one empty string (RFC 6763 section 6.1)."""
    return (b"".join(bytes([len(part)]) + part.encode() for part in text.split("|")),)


def https(alpn: tuple[str, ...], hints4: tuple[bytes, ...] = ()) -> tuple[bytes | str, ...]:
    """Data of an HTTPS record in service mode, priority 1, target the owner itself (RFC 9460 sections 2.2 and 7)."""
    ids = b"".join(bytes([len(name)]) + name.encode() for name in alpn)
    data = struct.pack(">HBHH", 1, 0, 1, len(ids)) + ids
    if hints4:
        data += struct.pack(">HH", 4, 4 * len(hints4)) + b"".join(hints4)
    return (data,)


def soa(zone: str) -> Record:
    """The record that a negative answer carries (RFC 2308 section 3)."""
    numbers = struct.pack(">5I", 2026010101, 7200, 900, 1209600, 300)
    return Record(zone, SOA, 300, (f"ns1.{zone}", f"hostmaster.{zone}", numbers))
