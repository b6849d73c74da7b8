"""Record data of DNS as people write it: quoted strings, addresses, and the generic form.

Rule 1: a character string is written as zone files write it (RFC 1035 section 5.1): in double quotes, `\\"` and `\\\\`
        for the two characters that would be ambiguous. Printable UTF-8 stays readable; every other byte is `\\DDD`.
        Nothing is lost: `get_strings` gives the bytes of a TXT value back.
Rule 2: a value is at most about VALUE_LIMIT characters. What does not fit is replaced by ` ...` between two strings,
        parameters or types, never inside one.
"""

from __future__ import annotations

from collections.abc import Iterable

from daemon.decode.cursor import DecodeError

VALUE_LIMIT = 4096
GENERIC_LIMIT = 256  # bytes, twice as many hexadecimal digits

_QUOTED = {0x22: '\\"', 0x5C: "\\\\"}
_PRINTABLE = bytes(b for b in range(0x20, 0x7F) if b not in _QUOTED)


def generic_text(raw: bytes) -> str:
    """Data of any type: `\\# length hex` (RFC 3597 section 5); behind 256 bytes the rest is `...`."""
    if not raw:
        return "\\# 0"
    return f"\\# {len(raw)} {raw[:GENERIC_LIMIT].hex()}{'...' if len(raw) > GENERIC_LIMIT else ''}"


def get_strings(value: str) -> tuple[bytes, ...]:
    """The character strings of a TXT value made here, as they were on the wire.

    Raises DecodeError if the value is not a list of quoted strings, which the generic form is not. Strings that
    VALUE_LIMIT left out (`...`) are missing.
    """
    strings: list[bytes] = []
    pos = 0
    try:
        while pos < len(value):
            if value[pos:] == "...":
                break
            raw, pos = _unquote(value, pos)
            strings.append(raw)
            if pos < len(value) and value[pos] != " ":
                raise DecodeError("no space between two strings")
            pos += 1
    except (IndexError, ValueError):
        raise DecodeError("not a list of quoted strings") from None
    return tuple(strings)


def _unquote(value: str, pos: int) -> tuple[bytes, int]:
    if value[pos] != '"':
        raise DecodeError("a string does not begin with a quote")
    pos += 1
    raw = bytearray()
    while value[pos] != '"':
        if value[pos] != "\\":
            raw += value[pos].encode()
            pos += 1
        elif value[pos + 1].isdigit():
            raw.append(int(value[pos + 1 : pos + 4]))
            pos += 4
        else:
            raw += value[pos + 1].encode()
            pos += 2
    return bytes(raw), pos + 1


def _escape(raw: bytes) -> str:
    if not raw.translate(None, _PRINTABLE):
        return raw.decode("ascii")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join([_QUOTED.get(b) or (chr(b) if 0x20 <= b <= 0x7E else f"\\{b:03d}") for b in raw])
    return "".join(
        [_QUOTED.get(ord(c)) or (c if c.isprintable() else "".join([f"\\{b:03d}" for b in c.encode()])) for c in text]
    )


def quote(raw: bytes) -> str:
    """A character string in quotes."""
    return f'"{_escape(raw)}"'


def join_parts(parts: Iterable[str]) -> str:
    """Parts with a space between, as many as VALUE_LIMIT allows."""
    kept: list[str] = []
    size = 0
    for part in parts:
        size += len(part) + 1
        if size > VALUE_LIMIT:
            kept.append("...")
            break
        kept.append(part)
    return " ".join(kept)


def get_string(buf: bytes, pos: int, end: int) -> tuple[bytes, int]:
    """A <character-string> (RFC 1035 section 3.3) and the offset behind it."""
    if pos >= end:
        raise DecodeError("a string is missing")
    start = pos + 1
    pos = start + buf[pos]
    if pos > end:
        raise DecodeError("string longer than its record")
    return buf[start:pos], pos
