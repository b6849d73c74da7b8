"""Packets of several captures in one order: by time, as each file has its own.

Rule 1: packets of one source stay in their order, also where its times run backwards; of two sources the one whose next
        packet is earlier goes first, of equal ones the one named first.
Rule 2: a source is asked for packets only when those before it are gone, so only files that overlap are open together.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.decode.records import Ints


class Cut(NamedTuple):
    """Chosen packets of one buffer, as columns of equal length. Valid until the next is asked for."""

    buf: memoryview
    offset: Ints  # of frames in the buffer
    captured: Ints
    wire: Ints
    time_ns: Ints  # since the epoch, UTC
    link: npt.NDArray[np.int32]

    def chosen(self, accepts: Callable[[int, bytes], bool]) -> Cut:
        """Those whose (link type, frame) is accepted."""
        columns = (self.offset.tolist(), self.captured.tolist(), self.link.tolist())
        rows = [
            row
            for row, (start, size, link) in enumerate(zip(*columns, strict=True))
            if accepts(link, bytes(self.buf[start : start + size]))
        ]
        return self._of(np.array(rows, np.int64))

    def part(self, start: int, stop: int) -> Cut:
        """The packets from `start` to before `stop`."""
        return self._of(slice(start, stop))

    def _of(self, rows: Ints | slice) -> Cut:
        columns = self.offset[rows], self.captured[rows], self.wire[rows], self.time_ns[rows], self.link[rows]
        return Cut(self.buf, *columns)


@dataclass(slots=True)
class _Open:
    """A source under way: its cut at hand and how far that is used. Its length is never 0."""

    rest: Iterator[Cut]
    cut: Cut
    at: int = 0


def merge(sources: Iterable[tuple[int, Iterator[Cut]]]) -> Iterator[Cut]:
    """Packets of all sources: (time in nanoseconds before which it has none, its packets), ascending by time."""
    waiting = iter(enumerate(sources))
    following = next(waiting, None)
    heap: list[tuple[int, int]] = []
    under_way: dict[int, _Open] = {}
    while heap or following is not None:
        while following is not None and (not heap or following[1][0] <= heap[0][0]):
            number, (_, cuts) = following
            _offer(heap, under_way, number, cuts)
            following = next(waiting, None)
        if not heap:
            continue
        _, number = heapq.heappop(heap)
        source = under_way.pop(number)
        limits = ([heap[0]] if heap else []) + ([(following[1][0], following[0])] if following is not None else [])
        stop = _reach(source, number, min(limits, default=None))
        yield source.cut.part(source.at, stop)
        if stop < len(source.cut.offset):
            source.at = stop
            under_way[number] = source
            heapq.heappush(heap, (int(source.cut.time_ns[stop]), number))
        else:
            _offer(heap, under_way, number, source.rest)


def _offer(heap: list[tuple[int, int]], under_way: dict[int, _Open], number: int, cuts: Iterator[Cut]) -> None:
    """Put a source with packets left in line."""
    for cut in cuts:
        if len(cut.offset):
            under_way[number] = _Open(cuts, cut)
            heapq.heappush(heap, (int(cut.time_ns[0]), number))
            return


def _reach(source: _Open, number: int, limit: tuple[int, int] | None) -> int:
    """Up to where the source's packets go before another's. At least one does: it was first in line."""
    times = source.cut.time_ns[source.at + 1 :]
    if limit is None:
        return len(source.cut.offset)
    later = times > limit[0] if number < limit[1] else times >= limit[0]
    return source.at + 1 + (int(np.argmax(later)) if later.any() else len(times))
