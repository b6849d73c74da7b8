"""The loop of a recording: wait, take, hand over; and every few seconds what else is due.

Rule 1: a turn takes at most as long as one wait (a fifth of a second) and one batch, so that a signal, a midnight or a
        jump of the clock is met at once on a link on which nothing happens.
Rule 2: a beat is given after a turn that was come through, and not while the disk has owed the end of an fdatasync for
        a minute: whoever watches learns of a loop that is stuck.
Rule 3: an interface that goes away is waited for.
Rule 4: what the owner wishes of devices is looked for every second, and holds from the next packet that is taken; the
        sidecar of each file says how many it concerns, and names nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daemon.capture.clock import Clock, Reading
from daemon.capture.levels import LevelsWatch
from daemon.capture.recorder import Recorder
from daemon.capture.recording import Recording
from daemon.capture.records import EMPTY
from daemon.capture.source import InterfaceError, LostError, Source
from daemon.decode.levels import Levels

WAIT_S = 0.2

_COUNT_US = 1_000_000  # so often drops are asked for
_HEED_US = 1_000_000
_TEND_US = 10_000_000
_REOPEN_US = 1_000_000
_STUCK_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Beat:
    """A turn of the loop that was come through."""

    now: Reading
    synced: bool
    waiting: bool = False  # there were packets
    advanced: bool = False  # they were written


class Loop:
    """Runs one recording; all of the world is passed in."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        recorder: Recorder,
        clock: Clock,
        heartbeat: Callable[[Beat], None],
        sleep: Callable[[float], None],
        levels: LevelsWatch | None = None,
    ) -> None:
        """`sleep`: waits while there is no interface to wait on. `open_source` follows `levels` by itself."""
        self._open_source = open_source
        self._recorder = recorder
        self._clock = clock
        self._heartbeat = heartbeat
        self._sleep = sleep
        self._levels = levels
        self._told: tuple[Recording | None, Levels] = (None, Levels())
        self._trouble = ""
        self._source: Source | None = None
        self._heeded_us = 0
        self._counted_us = self._tended_us = self._tried_us = 0

    def run(self, source: Source, stopped: Callable[[], bool]) -> None:
        """Until `stopped()`; then everything is brought to the disk. The first source is open already."""
        self._source = source
        now = self._clock.read()
        self._counted_us = self._tended_us = now.monotonic_us
        try:
            self._recorder.begin(now, synced=self._clock.synced(), link=source.link)
            drained = True
            while not stopped():
                drained = self._turn(wait=drained)
            self._last_packets()
        finally:
            self._recorder.end(self._clock.read())
            if self._source is not None:
                self._source.close()

    def _turn(self, *, wait: bool) -> bool:
        """Whether the kernel has no more packets for now."""
        if self._source is None:
            self._sleep(WAIT_S)
            self._look_for_it()
        if self._source is None:
            self._idle()
            return True
        try:
            if wait:
                self._source.wait(WAIT_S)
            return self._take(self._source)
        except LostError as error:
            self._lose(str(error))
            return True

    def _take(self, source: Source) -> bool:
        batch, drained = source.take()
        now = self._clock.read()  # after the packets: none of them is of a later time
        synced = self._clock.synced()
        before = self._recorder.written
        self._recorder.round(batch, now, synced=synced, drops=self._drops(source, now), drained=drained)
        due = now.monotonic_us - self._heeded_us >= _HEED_US or self._recorder.current is not self._told[0]
        if due and self._levels is not None:  # asked thousands of times a second
            self._heed(source, self._levels, now)
        if now.monotonic_us - self._tended_us >= _TEND_US:
            self._tended_us = now.monotonic_us
            source.tend()
        written = self._recorder.written > before
        waiting = (
            bool(batch) and self._recorder.pause is None
        )  # in a pause packets are thrown away, and that is the work
        self._beat(Beat(now, synced, waiting, written))
        return drained

    def _last_packets(self) -> None:
        """What the kernel held when the end was asked for; bounded by what the ring holds."""
        try:
            for _ in range(256):
                if self._source is None or self._take(self._source):
                    return
        except LostError as error:
            self._lose(str(error))

    def _heed(self, source: Source, levels: LevelsWatch, now: Reading) -> None:
        """Rule 4."""
        if now.monotonic_us - self._heeded_us >= _HEED_US:
            self._heeded_us = now.monotonic_us
            if levels.changed():
                source.heed(levels.now)
            if levels.trouble != self._trouble:
                self._trouble = levels.trouble
                if self._trouble:
                    self._recorder.say(f"{self._trouble}; what was wished before holds")
        current = self._recorder.current
        if current is not None and self._told != (current, levels.now):
            if levels.now or self._told[1]:
                off, no_names = len(levels.now.off), len(levels.now.no_names)
                self._recorder.note(current, "levels", now, off=off, no_names=no_names)
            self._told = current, levels.now

    def _drops(self, source: Source, now: Reading) -> tuple[int, int]:
        if now.monotonic_us - self._counted_us < _COUNT_US:
            return (0, 0)
        self._counted_us = now.monotonic_us
        return source.drops()

    def _idle(self) -> None:
        now, synced = self._clock.read(), self._clock.synced()
        self._recorder.round(EMPTY, now, synced=synced)
        self._beat(Beat(now, synced))

    def _beat(self, beat: Beat) -> None:
        since_us = self._recorder.flushing_since_us()
        if since_us is None or beat.now.monotonic_us - since_us < _STUCK_US:
            self._heartbeat(beat)

    def _lose(self, why: str) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
        self._recorder.link_lost(self._clock.read(), why)

    def _look_for_it(self) -> None:
        now = self._clock.read()
        if now.monotonic_us - self._tried_us < _REOPEN_US:
            return
        self._tried_us = now.monotonic_us
        try:
            self._source = self._open_source()
        except InterfaceError:
            return  # said when it was lost; `homeport doctor` and the status file go on saying it
        self._recorder.link_back(now, synced=self._clock.synced(), link=self._source.link)
