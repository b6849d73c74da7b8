"""The bounded reader and the one exception of every parser.

Rule 1: a parser answers with a value, with None ("need more bytes", stream parsers only) or with DecodeError ("not this").
Rule 2: running off the end is DecodeError, never a short slice: Python's slices do not fail, so a truncated message
        would otherwise pass for a shorter one.
"""

from __future__ import annotations


class DecodeError(Exception):
    """The bytes are not what the parser reads; the message says which rule they break."""


class Cursor:
    """A position in an immutable buffer that cannot leave it.

    Integers are big-endian (network order). `end` is exclusive; `limit()` narrows it for a nested structure.
    """

    __slots__ = ("buf", "end", "pos")

    def __init__(self, buf: bytes, pos: int = 0, end: int | None = None) -> None:
        self.buf = buf
        self.pos = pos
        self.end = len(buf) if end is None else end
        if not 0 <= self.pos <= self.end <= len(buf):
            raise DecodeError("cursor outside its buffer")

    @property
    def remaining(self) -> int:
        """Bytes left before the end."""
        return self.end - self.pos

    def _take(self, size: int) -> int:
        start = self.pos
        if size < 0 or start + size > self.end:
            raise DecodeError(f"{size} bytes wanted, {self.end - start} left")
        self.pos = start + size
        return start

    def get_bytes(self, size: int) -> bytes:
        """The next `size` bytes."""
        start = self._take(size)
        return self.buf[start : start + size]

    def get_uint8(self) -> int:
        """One byte."""
        return self.buf[self._take(1)]

    def get_uint16(self) -> int:
        """Two bytes."""
        start = self._take(2)
        return int.from_bytes(self.buf[start : start + 2], "big")

    def get_uint24(self) -> int:
        """Three bytes."""
        start = self._take(3)
        return int.from_bytes(self.buf[start : start + 3], "big")

    def get_uint32(self) -> int:
        """Four bytes."""
        start = self._take(4)
        return int.from_bytes(self.buf[start : start + 4], "big")

    def get_counted(self, width: int) -> bytes:
        """A byte string behind its own length of `width` bytes."""
        return self.get_bytes(int.from_bytes(self.get_bytes(width), "big"))

    def limit(self, size: int) -> Cursor:
        """A cursor over the next `size` bytes only; this one moves behind them."""
        start = self._take(size)
        return Cursor(self.buf, start, start + size)

    def skip(self, size: int) -> None:
        """Move on by `size` bytes."""
        self._take(size)
