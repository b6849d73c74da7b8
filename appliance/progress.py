"""How far an import is, for a person who waits (a bar) and for a log (lines).

Rule: both follow the same arithmetic (`Pace`) and neither ever fails an import; the clock is passed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from appliance.console import count, duration, note, plural, printable
from appliance.console import size as in_words

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

    from daemon.ingest import FileOutcome

Clock = Callable[[], float]
QUIET_S = 10.0  # seconds between lines while one file is read
_WIDE = 72  # columns that the bar needs beside all the words


class Pace:
    """Bytes and packets done since `began`, and what follows from them. Sizes in bytes, times in seconds."""

    def __init__(self, began: float, total: int = 0) -> None:
        self.began, self.total = began, total
        self.done = self.packets = 0

    def add(self, octets: int, packets: int) -> None:
        """Another piece is done."""
        self.done += octets
        self.packets += packets

    def rates(self, now: float) -> tuple[float, float]:
        """Bytes and packets per second since the beginning; 0 before any time has passed."""
        passed = now - self.began
        return (self.done / passed, self.packets / passed) if passed > 0 else (0.0, 0.0)

    def left(self, now: float) -> float | None:
        """Seconds until everything is done at this rate; None where nothing can be said."""
        rate, _ = self.rates(now)
        return max(0, self.total - self.done) / rate if rate > 0 else None

    def words(self, now: float, *, short: bool = False) -> str:
        """`45.1 MB/s, 50,000 packets/s, 12 s left`; the time alone where there is no room."""
        octets, packets = self.rates(now)
        left = self.left(now)
        rates = [] if short else [f"{in_words(octets)}/s", f"{count(round(packets))} packets/s"]
        return ", ".join(rates if left is None else [*rates, f"{duration(left)} left"])


def outcome_line(outcome: FileOutcome) -> str:
    """One line about one file that is done."""
    name = printable(outcome.path)
    if outcome.message:
        return f"{name}: {outcome.status}: {printable(outcome.message)}"
    if outcome.status == "known":
        return f"{name}: nothing new in it"
    if outcome.status == "empty":
        return f"{name}: no packet in it"
    status = "" if outcome.status == "done" else f"{outcome.status}, "
    if outcome.new_packets == outcome.packets:
        return f"{name}: {status}{plural(outcome.packets, 'packet')}"
    return f"{name}: {status}{plural(outcome.packets, 'packet')}, {count(outcome.new_packets)} of them new"


class LineProgress:
    """Plain lines on standard error: one a finished file, and one each ten seconds while a file takes long."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._pace = Pace(clock())
        self._spoke = self._pace.began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def started(self, files: int, size: int) -> None:
        """So many captures, so many bytes."""
        self._pace = Pace(self._clock(), size)
        if files:
            note(f"{plural(files, 'capture')}, {in_words(size)}")

    def advanced(self, path: Path, done_bytes: int, packets: int) -> None:
        """A piece of a capture is done."""
        self._pace.add(done_bytes, packets)
        now = self._clock()
        if now - self._spoke >= QUIET_S:
            self._spoke = now
            done = f"{in_words(self._pace.done)} of {in_words(self._pace.total)}"
            note(f"{printable(path)}: {done}, {self._pace.words(now)}")

    def finished(self, outcome: FileOutcome) -> None:
        """A capture is done."""
        self._spoke = self._clock()
        note(outcome_line(outcome))


class BarProgress:
    """One moving bar on a terminal, with rates and time left; only files that are not simply done get a line."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._clock = clock
        self._pace = Pace(clock())
        self._files = self._finished = 0
        self._bar: Bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            console=Console(stderr=True, highlight=False),
            refresh_per_second=4,
            expand=True,
            transient=True,
        )
        self._task = self._bar.add_task("looking for captures", total=None, words="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _show(self) -> None:
        files = f"{self._finished}/{plural(self._files, 'file')}"
        words = self._pace.words(self._clock(), short=self._bar.console.width < _WIDE)
        self._bar.update(self._task, description=files, total=self._pace.total, completed=self._pace.done, words=words)

    def started(self, files: int, size: int) -> None:
        """So many captures, so many bytes."""
        self._files = files
        self._pace = Pace(self._clock(), size)
        self._show()

    def advanced(self, path: Path, done_bytes: int, packets: int) -> None:  # noqa: ARG002 - daemon.ingest.Progress
        """A piece of a capture is done."""
        self._pace.add(done_bytes, packets)
        self._show()

    def finished(self, outcome: FileOutcome) -> None:
        """A capture is done."""
        self._finished += 1
        self._show()
        if outcome.status not in ("done", "known"):
            self._bar.console.print(outcome_line(outcome), markup=False, soft_wrap=True)
