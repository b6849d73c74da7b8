"""A pickle for old notebooks, written opcode by opcode: dict, list and str, protocol 2, and nothing that could be called.

Rule 1: Homeport writes this and reads none: loading a pickle may run whatever its author wished.
Rule 2: equal mappings give equal bytes, which the standard library does not promise.

Opcodes as in Python's Lib/pickletools.py.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

_PROTO_2, _STOP, _MARK = b"\x80\x02", b".", b"("
_EMPTY_DICT, _SETITEMS = b"}", b"u"
_EMPTY_LIST, _APPENDS = b"]", b"e"
_BINUNICODE = b"X"


def dumps(mapping: Mapping[str, Sequence[str]]) -> bytes:
    """`pickle.loads` makes of it a dict of lists of str, in the mapping's order."""
    body = b"".join(_text(key) + _list(values) for key, values in mapping.items())
    return _PROTO_2 + _EMPTY_DICT + (_MARK + body + _SETITEMS if body else b"") + _STOP


def _list(values: Sequence[str]) -> bytes:
    return _EMPTY_LIST + (_MARK + b"".join(map(_text, values)) + _APPENDS if values else b"")


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return _BINUNICODE + struct.pack("<I", len(raw)) + raw
