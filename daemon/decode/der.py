"""DER, as far as the names in a certificate take it (X.690 sections 8.1 and 10.1).

Rule: an element is told by its place and its tag; content is handed out as it is, unread.
"""

from __future__ import annotations

from collections.abc import Iterator

from daemon.decode.cursor import DecodeError

SEQUENCE, OCTET_STRING, OBJECT_IDENTIFIER = 0x30, 0x04, 0x06
_LONG, _MOST_LENGTH_BYTES = 0x80, 3  # no certificate in a handshake is longer (RFC 5246 section 7.4.2)
_HIGH_TAG = 0x1F


def element(der: bytes, at: int, end: int) -> tuple[int, int, int]:
    """(tag, start of the content, its end) of the element that begins at `at`. Raises DecodeError where there is none."""
    if at + 2 > end or der[at] & _HIGH_TAG == _HIGH_TAG:
        raise DecodeError("not an element of DER")
    tag, size, at = der[at], der[at + 1], at + 2
    if size >= _LONG:
        count = size - _LONG
        if not 1 <= count <= _MOST_LENGTH_BYTES:
            raise DecodeError("a length that DER does not write")
        size = int.from_bytes(der[at : at + count], "big")
        at += count
    if at + size > end:
        raise DecodeError("an element of DER behind the end of its container")
    return tag, at, at + size


def elements(der: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """All elements between two places, which they fill. Raises DecodeError."""
    while at < end:
        found = element(der, at, end)
        yield found
        at = found[2]


def content(der: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Start and end of the content of the element at `at`, which must have this tag. Raises DecodeError."""
    found, start, stop = element(der, at, end)
    if found != tag:
        raise DecodeError(f"tag {found:#x} in place of {tag:#x}")
    return start, stop
