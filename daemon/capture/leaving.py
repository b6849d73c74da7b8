"""Files that have a successor: they stay open until nothing of theirs can be on its way any more.

Rule 1: what was seen before the border goes into the old file, also when it arrives a moment later.
Rule 2: a file is closed when the kernel has handed over all it held and a moment has passed, and when all of it is on the
        disk; nobody waits for that meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from daemon.capture.clock import Reading
from daemon.capture.recording import Recording
from daemon.capture.records import Batch
from daemon.capture.writer import Flusher, TroubleError


@dataclass(slots=True)
class _Leaving:
    recording: Recording
    is_old: Callable[[int], bool]
    since_us: int
    reason: str
    closing: bool = False


class Leavers:
    """The old files of one recorder, the oldest first."""

    def __init__(self, flusher: Flusher, linger_us: int) -> None:
        """`linger_us`: so long a file takes packets from before its border."""
        self._flusher, self._linger_us = flusher, linger_us
        self._files: list[_Leaving] = []

    def __iter__(self) -> Iterator[Recording]:
        return iter([leaving.recording for leaving in self._files])

    def add(self, recording: Recording, is_old: Callable[[int], bool], now: Reading, reason: str) -> None:
        """A file that ends; `is_old` tells by a packet's time whether it belongs here still."""
        self._files.append(_Leaving(recording, is_old, now.monotonic_us, reason))

    def drop(self, recording: Recording) -> None:
        """A file that was given up."""
        self._files = [leaving for leaving in self._files if leaving.recording is not recording]

    def take(self, batch: Batch, write: Callable[[Recording, Batch], None]) -> Batch:
        """Write the packets that belong to the old files; the others."""
        for leaving in list(self._files):
            if not leaving.closing and batch:
                old, batch = batch.split(leaving.is_old)
                write(leaving.recording, old)
        return batch

    def let_go(
        self, now: Reading, trouble: Callable[[Recording, Reading, TroubleError], None], *, drained: bool
    ) -> None:
        """Bring those to their end that nothing can come for any more; `trouble` is told of what the disk did not do."""
        for leaving in list(self._files):
            recording = leaving.recording
            try:
                if leaving.closing:
                    self._finish(leaving, now)
                elif drained and now.monotonic_us - leaving.since_us >= self._linger_us:
                    leaving.closing = True
                    recording.flush(self._flusher, now)
            except TroubleError as error:
                trouble(recording, now, error)

    def _finish(self, leaving: _Leaving, now: Reading) -> None:
        """One step further towards the end of a file: fdatasync, the last line, the close."""
        recording = leaving.recording
        if recording.flushed():
            if recording.dirty:  # that flush was begun before the last packets came
                recording.flush(self._flusher, now)
                return
            recording.note("close", now, reason=leaving.reason)
        elif recording.flushing_since_us() is not None:
            return
        recording.write_waiting()
        if not recording.waiting:
            self._files.remove(leaving)
            recording.finish(self._flusher)

    def end(self, close: Callable[[Recording, str], None]) -> None:
        """Close them all at once, each with its reason."""
        for leaving in self._files:
            close(leaving.recording, leaving.reason)
        self._files = []
