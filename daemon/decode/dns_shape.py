"""Whether bytes have the shape of a DNS message, strictly enough to say so on any port.

Rule: this is a look, not a reading (`dns` reads): header, question and first record must be what senders really send.
"""

from __future__ import annotations

# Types that are asked for in practice: a random 16-bit number rarely is one. 32 and 33 are NetBIOS' too (RFC 1002).
_TYPES = frozenset(
    {1, 2, 5, 6, 10, 12, 13, 15, 16, 17, 18, 24, 25, 28, 29, 32, 33, 35, 36, 37, 39}
    | {41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 59, 60, 61, 62, 63, 64, 65}
    | {99, 108, 109, 249, 250, 251, 252, 255, 256, 257}
)
_CLASSES = frozenset({1, 3, 254, 255, 0x8001, 0x80FF})  # IN, CH, NONE, ANY; top bit: RFC 6762 section 5.4
_OPT = 41
_MOST_QUESTIONS = 32  # several only in mDNS


def looks_like_dns(message: bytes) -> bool:
    """Whether the buffer is one DNS message from its id to its end (RFC 1035 section 4.1)."""
    size = len(message)
    # Opcode query, notify, update, or NetBIOS' registration, release, refresh (RFC 1002 section 4.2.1.1).
    if size < 17 or message[2] >> 3 & 0x0F not in (0, 4, 5, 6, 8, 9) or message[3] & 0x0F > 10:
        return False
    response = bool(message[2] & 0x80)
    questions = int.from_bytes(message[4:6], "big")
    records = sum(int.from_bytes(message[i : i + 2], "big") for i in (6, 8, 10))
    if (
        questions > _MOST_QUESTIONS
        or (questions == 0 and not (response and records))
        or 5 * questions + 11 * records > size - 12
    ):
        return False
    if not response and message[3] & 0x80:  # RA is a server's word
        return False
    position = 12
    for _ in range(questions):
        position = _fixed_part(message, position, 4)
        if position < 0:
            return False
    return position == size if records == 0 else _first_record(message, position)


def _fixed_part(message: bytes, position: int, size: int) -> int:
    """The position behind a name and `size` bytes that start with a known type and class, or -1."""
    end = _skip_name(message, position)
    if end < 0 or end + size > len(message):
        return -1
    kind = int.from_bytes(message[end : end + 2], "big")
    # RFC 6891 section 6.1.2: in OPT the class is a UDP payload size.
    known = kind in _TYPES and (kind == _OPT or int.from_bytes(message[end + 2 : end + 4], "big") in _CLASSES)
    return end + size if known else -1


def _first_record(message: bytes, position: int) -> bool:
    end = _fixed_part(message, position, 10)
    return end >= 0 and end + int.from_bytes(message[end - 2 : end], "big") <= len(message)


def _skip_name(message: bytes, position: int) -> int:
    """The position behind a name, or -1. A pointer ends it and must point back (RFC 1035 section 4.1.4)."""
    start, size = position, len(message)
    while position < size and position - start < 255:
        length = message[position]
        if length == 0:
            return position + 1
        if length >= 0xC0:
            if position + 2 > size:
                return -1
            target = int.from_bytes(message[position : position + 2], "big") & 0x3FFF
            return position + 2 if 12 <= target < position else -1
        if length > 63:
            return -1
        position += 1 + length
    return -1
