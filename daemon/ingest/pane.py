"""What a decoder has before its eyes of a stream: a window that moves on, mapped where that is safe, else copied.

Rule 1: behind the bytes at hand lie SPARE more that may be read, whatever they are.
Rule 2: bytes come piece by piece: whoever wants each of them once takes a piece while it is in the nearest cache.
Rule 3: where a file is cut, or its disk fails, while it is mapped, what is not there reads as zeros: nothing that was made
        of a window is to be believed before `check`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from daemon.decode.columns import SPARE
from daemon.ingest.source import Source
from daemon.ingest.streams import Stretch

_PIECE = 512 << 10  # bytes


class Pane:
    """A window of up to `most` bytes of a source's stream."""

    def __init__(self, source: Source, most: int) -> None:
        self._source = source
        self._most = most
        self._stretch: Stretch | None = None
        self._copy: memoryview | None = None  # made when it is needed: most of a large file is mapped
        self._begin = self._end = -1  # of what was copied
        self.view = memoryview(b"")
        self.filled = 0  # bytes at hand
        self.ended = False  # behind them is nothing, for now

    def fill(self, begin: int, size: int) -> Iterator[int]:
        """Move the window to `begin`, an offset of the stream; how many bytes are at hand as they come, at last `size`.

        They are fewer only where the stream ends, and more where more were at hand.
        """
        self.view, self._stretch, self.filled = memoryview(b""), None, 0  # what was mapped goes before the next comes
        self._stretch = self._source.mapped(begin, size + SPARE)
        return self._mapped(self._stretch, size) if self._stretch else self._copied(begin, size)

    def _mapped(self, stretch: Stretch, size: int) -> Iterator[int]:
        self.view, self.ended = memoryview(stretch), False
        for self.filled in (*range(_PIECE, size, _PIECE), size):
            yield self.filled

    def _copied(self, begin: int, size: int) -> Iterator[int]:
        if self._copy is None:
            self._copy = memoryview(bytearray(self._most + SPARE))
        view = self.view = self._copy
        if self._begin <= begin <= self._end:
            self.filled = self._end - begin
            view[: self.filled] = view[begin - self._begin : self._end - self._begin]
        else:
            self._source.seek(begin)
        self._begin, self._end = begin, begin + self.filled
        size = max(size, self.filled + 1)
        while self.filled < size:
            count = self._source.read_into(view[self.filled : min(self.filled + _PIECE, size)])
            if not count:
                break
            self.filled += count
            self._end += count
            yield self.filled
        self.ended = self.filled < size

    def check(self) -> None:
        """Raises OSError where what was seen of the window was not all in the file."""
        if self._stretch is not None and self._stretch.failed():
            raise OSError(errno.EIO, "it was cut, or its disk failed, while it was being read")
