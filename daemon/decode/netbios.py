"""NetBIOS over UDP (RFC 1001, 1002): what a computer calls itself.

Rule 1: a plain query asks for somebody else and is no hint. Registrations, refreshes, answers of the owner itself, node
        status and datagrams are.
Rule 2: only names of the computer count: unique, with suffix <00> (workstation) or <20> (file server). The group name
        with <00> is its workgroup.
Rule 3: a name server (WINS) speaks about others: its answers have the RA bit (RFC 1002 section 4.2.1.1) and are none.
"""

from __future__ import annotations

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import Hint, hint_text

_QUERY = 0
_CLAIMS = frozenset({5, 8, 9, 15})  # RFC 1002 section 4.2.1.1: registration, refresh (twice), multi-homed
_NB, _NBSTAT = 0x20, 0x21
_GROUP = 0x8000
_WORKSTATION, _SERVER = 0x00, 0x20
_MOST_NAMES = 32  # of a node status answer
_ENCODED = 34  # length byte, 32 half-ASCII letters, end; a scope id would stand in place of the end

_DATAGRAMS = (0x10, 0x11, 0x12)  # RFC 1002 section 4.4.1: direct to one, to a group, broadcast


def parse_name_service(buf: bytes) -> tuple[Hint, ...]:
    """What a name service message (UDP port 137) says about its sender; empty for queries."""
    if len(buf) < 12 + 2:
        raise DecodeError("shorter than a NetBIOS header")
    response, opcode = bool(buf[2] & 0x80), buf[2] >> 3 & 0x0F
    questions, answers, additional = (int.from_bytes(buf[i : i + 2], "big") for i in (4, 6, 10))
    if not response and opcode in _CLAIMS and questions == 1 and additional == 1:
        return _claim(buf)
    if response and opcode == _QUERY and questions == 0 and answers >= 1 and buf[3] & 0x8F == 0:
        return _answer(buf)
    if opcode not in _CLAIMS and opcode not in (_QUERY, 6, 7):
        raise DecodeError("not a NetBIOS operation")
    return ()


def parse_datagram(buf: bytes) -> tuple[Hint, ...]:
    """The name under which a datagram (UDP port 138) was sent (RFC 1002 section 4.4.2)."""
    if len(buf) < 14 + _ENCODED or buf[0] not in _DATAGRAMS:
        raise DecodeError("not a NetBIOS datagram")
    name, suffix = _decode(buf, 14)
    return _hints([(name, suffix, False)])


def _claim(buf: bytes) -> tuple[Hint, ...]:
    """Section 4.2.2: the name stands in the question, its flags in the additional record that points back to it."""
    name, suffix = _decode(buf, 12)
    position = _skip_name(buf, _skip_name(buf, 12) + 4) + 10
    if position + 2 > len(buf):
        raise DecodeError("registration without flags")
    flags = int.from_bytes(buf[position : position + 2], "big")
    return _hints([(name, suffix, bool(flags & _GROUP))])


def _answer(buf: bytes) -> tuple[Hint, ...]:
    """Section 4.2.13, a positive answer of the owner; section 4.2.18, node status: all names of the sender."""
    position = _skip_name(buf, 12)
    kind = int.from_bytes(buf[position : position + 2], "big")
    position += 10
    end = position + int.from_bytes(buf[position - 2 : position], "big")
    if position > len(buf) or end > len(buf) or position == end:
        raise DecodeError("answer runs off the message")
    if kind == _NB:
        name, suffix = _decode(buf, 12)
        # One address of a unique name is the sender's; lists of members are a group's.
        unique = end - position == 6 and not buf[position] & 0x80
        return _hints([(name, suffix, False)]) if unique else ()
    if kind != _NBSTAT:
        return ()
    names: list[tuple[bytes, int, bool]] = []
    count = min(buf[position], _MOST_NAMES)
    if position + 1 + 18 * count > end:
        raise DecodeError("node status runs off its record")
    for i in range(count):
        at = position + 1 + 18 * i
        names.append((buf[at : at + 15], buf[at + 15], bool(buf[at + 16] & 0x80)))
    return _hints(names)


def _hints(names: list[tuple[bytes, int, bool]]) -> tuple[Hint, ...]:
    hints: dict[Hint, None] = {}
    for raw, suffix, group in names:
        text = hint_text(raw.rstrip(b" \x00"))
        if not text or text.startswith(("*", "\\")):  # a wildcard, or a browser's `\001\002__MSBROWSE__\002`
            continue
        if group and suffix == _WORKSTATION:
            hints[Hint("netbios", "workgroup", text)] = None
        elif not group and suffix in (_WORKSTATION, _SERVER):
            hints[Hint("netbios", "name", text)] = None
    return tuple(hints)


def _decode(buf: bytes, position: int) -> tuple[bytes, int]:
    """(15 bytes, suffix) of the name at `position`: each byte is two letters A to P (RFC 1001 section 14.1)."""
    letters = buf[position + 1 : position + 33]
    if len(letters) < 32 or buf[position] != 32:
        raise DecodeError("not an encoded name")
    if any(not 0x41 <= letter <= 0x50 for letter in letters):
        raise DecodeError("a letter outside A to P")
    name = bytes([letters[i] - 0x41 << 4 | letters[i + 1] - 0x41 for i in range(0, 32, 2)])
    return name[:15], name[15]


def _skip_name(buf: bytes, position: int) -> int:
    """The position behind a name with its scope, or behind a pointer (RFC 1002 section 4.1)."""
    start, size = position, len(buf)
    while position < size and position - start < 255:
        length = buf[position]
        if length == 0:
            return position + 1
        if length >= 0xC0:
            return position + 2
        position += 1 + length
    raise DecodeError("name runs off the message")
