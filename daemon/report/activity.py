"""When devices are busy: always on, most of the time, or only when somebody uses them; one row a device.

Rule 1: hours count, because sums by hour are kept for good: an hour is busy if anything was exchanged with the internet,
        and heard if it did anything at all of its own accord.
Rule 2: a device is measured from the hour in which it was first heard in the span to the span's end: what came on
        Thursday was not silent on Monday.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daemon.decode.slots import SLOT_US
from daemon.report.hours import SLOTS_AN_HOUR, is_night, local_hours
from daemon.report.scope import Scope, Span
from daemon.report.table import COUNT, SHARE, Column, Report
from daemon.report.words import counted, span_words
from daemon.store.columns import Ints
from daemon.store.heard import Heard, read_heard

ALWAYS, MOSTLY, SOMETIMES = 0.9, 0.5, 0.02  # of the hours of a device, above which it counts as that
_HOUR = SLOTS_AN_HOUR
_MOST_DAYS = 31  # of a span, the newest: what a device did a year ago says little of how it lives
_FEW = 12  # hours, below which nothing is said
_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("pattern", "Pattern"),
    Column("hours", "Hours watched", COUNT),
    Column("heard", "Heard", SHARE),
    Column("busy", "Busy", SHARE),
    Column("busy_at_night", "Busy at night", SHARE),
    Column("busiest_hour", "Busiest hour"),
    Column("longest_silence", "Longest silence, hours", COUNT),
)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a device lives, in hours of a span."""

    hours: int
    heard: int
    busy: int
    nights: int  # hours of the night among them
    busy_nights: int
    busiest: int | None  # hour of the house's day that was busy most often
    silence: int  # longest run of hours in which nothing was heard

    @property
    def pattern(self) -> str:
        """In two words."""
        if self.hours < _FEW:
            return "too early to tell"
        busy, heard = self.busy / self.hours, self.heard / self.hours
        if busy >= ALWAYS:
            return "always on"
        if heard >= ALWAYS and busy < SOMETIMES:
            return "there, but silent"
        return "on most of the time" if busy >= MOSTLY else "on demand"


def report(scope: Scope) -> Report:
    """One row a device, the busiest first."""
    found = sorted(rhythms(scope).items(), key=lambda each: (-each[1].busy, scope.called(each[0])))
    rows = tuple(
        (
            scope.called(number), number, each.pattern, each.hours, each.heard / each.hours, each.busy / each.hours,
            each.busy_nights / each.nights if each.nights else None,
            None if each.busiest is None else f"{each.busiest:02}:00", each.silence,
        )
        for number, each in found
    )  # fmt: skip
    if not rows:
        return Report("Activity", _COLUMNS, (), ("Nothing was recorded in this time.",))
    if scope.device_id is not None:
        return Report("Activity", _COLUMNS, rows, (told(scope.called(scope.device_id), found[0][1]),))
    patterns = Counter(each.pattern for _, each in found)
    said = ", ".join(f"{counted(number, 'device')} {pattern}" for pattern, number in patterns.most_common())
    return Report("Activity", _COLUMNS, rows, (f"In {span_words(scope.span.seconds)}: {said}.",))


def rhythms(scope: Scope) -> dict[int, Rhythm]:
    """Device -> how it lives, by the newest months of the span; those that were not heard have none."""
    scope = scope.over(_newest(scope))
    found = read_heard(scope.db, scope.window)
    if not found:
        return {}
    end = min(scope.span.until_us, (scope.newest_us // SLOT_US + 1) * SLOT_US) // SLOT_US
    first = min(int(each.every[0]) for each in found.values())
    last = max(end, *(int(each.every[-1]) + 1 for each in found.values()))
    hours = local_hours(range(first, last), scope.zone)
    clock = _Clock(first, hours, np.array([is_night(hour, scope.night) for hour in range(24)])[hours])
    return {number: _rhythm(each, end, clock) for number, each in found.items()}


def _newest(scope: Scope) -> Span:
    return Span(max(scope.span.since_us, scope.span.until_us - _MOST_DAYS * 86_400_000_000), scope.span.until_us)


def told(name: str, rhythm: Rhythm) -> str:
    """The same in words."""
    if rhythm.hours < _FEW:
        return f"{name} was watched for {counted(rhythm.hours, 'hour')} only: too early to say when it is busy."
    share = f"{rhythm.busy} of {counted(rhythm.hours, 'hour')}"
    night = ""
    if rhythm.nights:
        night = f", and at night in {rhythm.busy_nights} of {rhythm.nights}"
    opening = {
        "always on": f"{name} is always on: it talked to the internet in {share}{night}.",
        "on most of the time": f"{name} is on most of the time: it talked to the internet in {share}{night}.",
        "there, but silent": f"{name} is there, but hardly talks to the internet: in {share}.",
        "on demand": f"{name} is on when it is used: it talked to the internet in {share}{night}.",
    }[rhythm.pattern]
    when = "" if rhythm.busiest is None else f" Most often around {rhythm.busiest:02}:00."
    silence = f" Once nothing was heard of it for {counted(rhythm.silence, 'hour')}." if rhythm.silence > 1 else ""
    return opening + (when if rhythm.pattern == "on demand" else "") + silence


@dataclass(frozen=True, slots=True)
class _Clock:
    """The hour of the house's day, and whether that is of the night, of every slot from `first` on."""

    first: int
    hours: Ints
    dark: npt.NDArray[np.bool_]

    def hour(self, slots: Ints) -> Ints:
        return self.hours[slots - self.first]

    def at_night(self, slots: Ints) -> Ints:
        return slots[self.dark[slots - self.first]]


def _rhythm(heard: Heard, end: int, clock: _Clock) -> Rhythm:
    begin, latest = int(heard.every[0]), int(heard.every[-1])
    every = np.arange(begin, max(end, latest + 1), _HOUR)
    nights = clock.at_night(every)
    often = np.bincount(clock.hour(heard.outside), minlength=24)
    pauses = np.diff(heard.every, append=int(every[-1]) + _HOUR)
    return Rhythm(
        hours=len(every), heard=len(heard.every), busy=len(heard.outside), nights=len(nights),
        busy_nights=len(np.intersect1d(nights, heard.outside, assume_unique=True)),
        busiest=int(often.argmax()) if len(heard.outside) else None,
        silence=int(pauses.max()) // _HOUR - 1,
    )  # fmt: skip
