"""DNS messages: one wire format for UDP, TCP, mDNS and LLMNR (RFC 1035 section 4, RFC 6762 section 18, RFC 4795).

Rule 1: a message is believed for its header and its questions, which must be whole; without questions (an mDNS answer),
        for its first record. What follows is kept as far as it is whole: a capture that cut the message, or a record
        that cannot be told from the next, ends the records and sets `truncated`, it does not lose the message.
Rule 2: a header that DNS does not send (Z bit set, response code in a query) earns no such patience: the message then
        has to be whole and end with its last record.
Rule 3: a record whose data breaks the format of its type keeps its place with the generic value `\\# length hex`. An
        address or alias that cannot be one (A, AAAA, CNAME) is left out: these values are used as evidence.
Rule 4: the class is not reported. The top bit that mDNS puts there (cache-flush, unicast response wanted) means nothing
        here; addresses of a class other than IN are left out.
Rule 5: the OPT pseudo-record (RFC 6891) is part of the header, not data: it gives the upper bits of the response code.
Rule 6: UPDATE (RFC 2136) and DSO (RFC 8490) use the four sections for something else: they come back without questions
        and records.
Rule 7: messages are read twice, here and in C (`_dns.c`), with the same result. C reads what is whole and common and
        leaves the rest; this is the full reader (a test compares).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_names import HEADER, Names, read_name
from daemon.decode.dns_native import load
from daemon.decode.dns_rdata import READERS
from daemon.decode.dns_text import generic_text
from daemon.decode.dns_types import AAAA, CNAME, OPT, TYPES, A, rcode_text, type_text
from daemon.decode.wire import ipv4_text

_UPDATE, _DSO = 5, 6
_OPCODES = frozenset({0, 1, 2, 4, 5, 6})  # QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO; IANA has assigned no other
_CLASS_IN = 1
_TC, _Z = 0x0200, 0x0040

_SMALLEST_QUESTION, _SMALLEST_RECORD = 5, 11  # both with the root as name
_LARGEST_BODY = 0xFFFF - HEADER
_REPEATED_LIMIT = 512  # bytes: bounds what the cache of whole messages can hold

_HEADER = struct.Struct(">HHHHHH").unpack_from
_FIXED = struct.Struct(">HHIH").unpack_from  # type, class, TTL, length of the data
_UINT16 = struct.Struct(">H").unpack_from
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'


class Question(NamedTuple):
    """What was asked. `name` as `daemon.decode.text` writes names, `type` an IANA mnemonic or `TYPE<n>`."""

    name: str
    type: str


class Record(NamedTuple):
    """A resource record. `ttl` in seconds, as sent; `value` as `dns_rdata` and `dns_text` write it."""

    section: str  # answer, authority, additional
    name: str
    type: str
    ttl: int
    value: str


class Message(NamedTuple):
    """A DNS message, or as much of it as was captured (`truncated`: TC bit set, or fewer records than announced)."""

    id: int
    response: bool
    opcode: int
    rcode: str
    truncated: bool
    questions: tuple[Question, ...]
    records: tuple[Record, ...]


# Reads what is common; None from it: `parse_plainly` has to say what it is.
parse_common: Callable[[bytes], Message | None] | None = load(Message, Question, Record)


def parse_message(buf: bytes) -> Message:
    """The message in `buf` (a UDP payload, or what `parse_stream` gave). Raises DecodeError if it is not DNS."""
    if parse_common is not None:
        message = parse_common(buf)
        if message is not None:
            return message
    return parse_plainly(buf)


def parse_plainly(buf: bytes) -> Message:
    """`parse_message` without C."""
    try:
        ident = buf[0] << 8 | buf[1]
        # Queries, and what mDNS announces (ID 0), come again and again with nothing changed but the ID.
        if len(buf) <= _REPEATED_LIMIT and (buf[2] < 0x80 or ident == 0):
            return _new(Message, (ident, *_parse_repeated(buf[2:])))
        return _new(Message, (ident, *_parse(buf)))
    except (IndexError, struct.error):
        raise DecodeError("DNS message ends inside its header or questions") from None


def parse_stream(buf: bytes) -> tuple[list[bytes], int]:
    """Messages in one direction of a TCP connection (RFC 1035 section 4.2.2, RFC 7766 section 8).

    Gives the whole messages from the start of `buf`, without their two bytes of length, and the number of bytes they
    took; the rest is the begin of a message that is not complete. Raises DecodeError for a length that is none of DNS.
    """
    messages: list[bytes] = []
    pos = 0
    while pos + 2 <= len(buf):
        size = buf[pos] << 8 | buf[pos + 1]
        if size < HEADER:
            raise DecodeError("DNS message shorter than its header")
        end = pos + 2 + size
        if end > len(buf):
            break
        messages.append(buf[pos + 2 : end])
        pos = end
    return messages, pos


# A message without its ID.
_Body = tuple[bool, int, str, bool, tuple[Question, ...], tuple[Record, ...]]


@lru_cache(maxsize=1024)
def _parse_repeated(tail: bytes) -> _Body:
    return _parse(b"\0\0" + tail)


def _parse(buf: bytes) -> _Body:
    _, flags, question_count, answers, authorities, additionals = _HEADER(buf)
    record_count = answers + authorities + additionals
    response = flags >= 0x8000
    opcode = flags >> 11 & 15
    rcode = flags & 15
    if question_count * _SMALLEST_QUESTION + record_count * _SMALLEST_RECORD > _LARGEST_BODY:
        raise DecodeError("DNS counts that no message can hold")
    if opcode and _is_foreign(opcode, question_count + record_count):
        return response, opcode, rcode_text(rcode), flags & _TC != 0, (), ()
    # A server that cannot even read the question answers an error with its header alone.
    if not (question_count or record_count) and not (response and rcode and len(buf) == HEADER):
        raise DecodeError("DNS message about nothing")
    names: Names = {}
    questions, pos = _questions(buf, question_count, names)
    records: list[Record] = []
    whole = True
    if record_count:
        pos, upper, whole = _records(buf, pos, (answers, authorities, additionals), names, records)
        rcode |= upper << 4
        if not (whole or questions or records):
            raise DecodeError("neither a question nor a record")
    # RFC 6895 section 2: Z is zero in queries and responses, RCODE in queries.
    if (flags & _Z or (rcode and not response)) and not (whole and pos == len(buf)):
        raise DecodeError("header bits that DNS does not use, and the message is not whole")
    return response, opcode, rcode_text(rcode), not whole or flags & _TC != 0, tuple(questions), tuple(records)


def _is_foreign(opcode: int, count: int) -> bool:
    """Whether the sections of a message with this opcode hold something else than questions and records."""
    if opcode not in _OPCODES:
        raise DecodeError(f"DNS opcode {opcode}")
    if opcode == _DSO and count:  # RFC 8490 section 5.4
        raise DecodeError("DSO message with counts")
    if opcode == _UPDATE and not count:
        raise DecodeError("UPDATE message about nothing")
    return opcode in (_UPDATE, _DSO)


@lru_cache(maxsize=2048)
def _question(wire: bytes) -> Question:
    """The question in `wire`, which holds nothing else: the same names are asked again, and answers repeat them.

    Raises DecodeError or IndexError; a pointer cannot occur, as nothing stands before the first question.
    """
    name, pos = read_name(wire, 0, {})
    if pos + 4 != len(wire):
        raise DecodeError("question of another length")
    return Question(name, type_text(wire[pos] << 8 | wire[pos + 1]))


def _questions(buf: bytes, count: int, names: Names) -> tuple[list[Question], int]:
    questions: list[Question] = []
    pos = HEADER
    if count:
        end = buf.find(0, HEADER)  # usually the root that ends the first name
        try:
            first = _question(buf[HEADER : end + 5])
        except (DecodeError, IndexError):  # a zero byte inside a label, or no question at all: read it the plain way
            end = -1
        if end >= 0:
            questions.append(first)
            names[HEADER] = first.name, end + 1 - HEADER
            pos = end + 5
    for _ in range(count - len(questions)):
        name, pos = read_name(buf, pos, names)
        kind = _UINT16(buf, pos)[0]
        pos += 4
        if pos > len(buf):
            raise IndexError
        questions.append(Question(name, type_text(kind)))
    return questions, pos


def _records(
    buf: bytes, pos: int, counts: tuple[int, int, int], names: Names, records: list[Record]
) -> tuple[int, int, bool]:
    """Read the three sections into `records`; gives the offset behind, the upper bits of the rcode, and: all whole?"""
    upper = 0
    size = len(buf)
    try:
        for section, count in zip(("answer", "authority", "additional"), counts, strict=True):
            for _ in range(count):
                name, start = read_name(buf, pos, names)
                kind, klass, ttl, length = _FIXED(buf, start)
                start += 10
                end = start + length
                if end > size:
                    return pos, upper, False
                pos = end
                if kind == A and length == 4 and klass == _CLASS_IN:  # most records; `_value` would say the same
                    value: str | None = ipv4_text(buf[start:end])
                elif kind == OPT:
                    if section == "additional":  # RFC 6891 section 6.1.1; elsewhere it means nothing
                        upper = ttl >> 24
                    continue
                else:
                    value = _value(buf, kind, klass, start, end, names)
                if value is not None:
                    records.append(_new(Record, (section, name, TYPES.get(kind) or f"TYPE{kind}", ttl, value)))
    except (DecodeError, IndexError, struct.error):  # an owner name that cannot be read: where it ends is unknown
        return pos, upper, False
    return pos, upper, True


def _value(buf: bytes, kind: int, klass: int, start: int, end: int, names: Names) -> str | None:
    """The data of one record as text; None for an address or alias that cannot be one."""
    if klass & 0x7FFF != _CLASS_IN and kind in (A, AAAA):
        return None
    reader = READERS.get(kind)
    if reader is None:
        return generic_text(buf[start:end])
    try:
        return reader(buf, start, end, names)
    except (DecodeError, IndexError, struct.error):
        return None if kind in (A, AAAA, CNAME) else generic_text(buf[start:end])
