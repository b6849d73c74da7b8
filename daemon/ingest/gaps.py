"""What a recording lacks, as its sidecar tells: pauses, drops, and the time in which nobody recorded.

Rule 1: a gap has a beginning, an end and a reason in words; times are wall clock as the sidecar has them, microseconds.
Rule 2: how long nobody recorded is told by the clock that nobody sets, where both files are of one boot: a wall clock
        that is moved leaves no gap, and hides none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from daemon.decode.sidecar import SidecarLine

LEAST_US = 1_000_000  # a rotation takes less
_JOINED_US = 30_000_000  # drops this near to each other are one gap
_LONGEST = 200  # characters of a reason


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets of this time are missing, some or all."""

    from_us: int
    to_us: int
    reason: str

    def moved(self, offset_us: int) -> Gap:
        """The same by a clock that is set."""
        return replace(self, from_us=self.from_us + offset_us, to_us=self.to_us + offset_us) if offset_us else self


@dataclass(slots=True)
class GapBook:
    """The gaps within one file, line by line."""

    gaps: list[Gap] = field(default_factory=list)
    _before: SidecarLine | None = None
    _paused: SidecarLine | None = None
    _dropped: tuple[int, int, int] | None = None  # from, to, packets of the drops that may still go on

    def add(self, line: SidecarLine) -> None:
        """Take the next line of the sidecar."""
        if self._before is not None:
            self._drops(self._before, line)
        if line.event == "pause":
            self._paused = line
        elif line.event in ("resume", "close") and self._paused is not None:
            said = line.more.get("from_us")
            begin = said if isinstance(said, int) else self._paused.time_us
            self.gaps.append(Gap(begin, line.time_us, _pause_reason(self._paused, line)))
            self._paused = None
        self._before = line

    def _drops(self, before: SidecarLine, line: SidecarLine) -> None:
        lost = (line.kernel_drops - before.kernel_drops) + (line.interface_drops - before.interface_drops)
        if lost <= 0:
            return
        if self._dropped is not None and before.time_us - self._dropped[1] <= _JOINED_US:
            begin, lost = self._dropped[0], self._dropped[2] + lost
            self.gaps = [
                gap for gap in self.gaps if (gap.from_us, gap.reason) != (begin, _drop_reason(self._dropped[2]))
            ]
        else:
            begin = before.time_us
        self._dropped = begin, line.time_us, lost
        self.gaps.append(Gap(begin, line.time_us, _drop_reason(lost)))


def _pause_reason(pause: SidecarLine, resume: SidecarLine) -> str:
    why, lost = pause.more.get("reason"), resume.more.get("lost")
    said = str(why).encode("utf-8", "replace").decode()[:_LONGEST] if why else ""  # JSON can hold what no text is
    words = f"recording paused: {said}" if said else "recording paused"
    return f"{words} ({lost:,} packets not written)" if isinstance(lost, int) and lost > 0 else words


def _drop_reason(packets: int) -> str:
    return f"{packets:,} packets dropped while recording"


def between(last: SidecarLine, opened: SidecarLine, offset_us: int) -> Gap | None:
    """The time between the last sign of one file of a series and the beginning of the next, if it is worth a word.

    `offset_us` sets the clock of the later file; so times of a boot whose clock was not set yet are told by it, too.
    """
    to_us = opened.time_us + offset_us
    if last.boot_id == opened.boot_id and last.monotonic_us and opened.monotonic_us:
        from_us = to_us - (opened.monotonic_us - last.monotonic_us)
    else:
        from_us = last.time_us
    if to_us - from_us < LEAST_US:
        return None
    if last.boot_id != opened.boot_id:
        return Gap(from_us, to_us, "not recording: the machine was off or restarted")
    stopped = last.event == "close"
    return Gap(
        from_us, to_us, "not recording: it was stopped" if stopped else "not recording: it had ended unexpectedly"
    )
