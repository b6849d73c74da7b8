"""The sample home over months, as the daily files that its access point would have written.

Rules:
1. The same seed, months and scale give the same bytes; every day can be made alone from its date.
2. A file holds one day of UTC in time order. A conversation over midnight goes on in the next day's file, if any.
3. The story: a new provider prefix each month, and in the last month new third parties on the television, a vacuum that
   wakes at night and a microcontroller that hammers one address.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.sample import chatter, habits
from appliance.sample.chance import chance
from appliance.sample.device import Device, Habit
from appliance.sample.devices import DEVICES
from appliance.sample.diary import DAY, SECOND, Diary, Said
from appliance.sample.wire import Frame

LAST_MONTH = (2026, 6)
DAYS = (2, 3, 6, 7, 12, 15, 17, 18, 24, 25)  # pairs, so that midnight can be passed; week-ends and working days
FIRST_START = dt.timedelta(hours=8, minutes=15)  # the box was set up in the morning
PACE = 0.38  # of the habits' own rates; with it three months stay under 30 MB
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


@dataclass(frozen=True, slots=True)
class HomeDay:
    """One day: when its file begins (UTC), its frames in order of time, and what they say."""

    begin: dt.datetime
    frames: list[Frame]
    said: list[Said]

    @property
    def file_name(self) -> str:
        """The name of the day's file, as the capture writes it."""
        return f"{self.begin:%Y-%m-%d_%H.%M.%S}_wlan0.pcap"


def write_home(folder: Path, *, seed: int = 1, months: int = 3, scale: float = 1.0) -> list[Path]:
    """Write the home's daily captures into `folder` and return their paths in order of time.

    `months` end with June 2026 and hold ten days each; `scale` multiplies how often things happen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in home_days(seed=seed, months=months, scale=scale):
        path = folder / day.file_name
        write_pcap(path, day.frames)
        paths.append(path)
    return paths


def write_pcap(path: Path, frames: list[Frame]) -> None:
    """Write a classic pcap file: Ethernet, microseconds, little-endian."""
    with path.open("wb") as out:
        out.write(_HEADER)
        for time_us, data in frames:
            out.write(struct.pack("<IIII", *divmod(time_us, SECOND), len(data), len(data)))
            out.write(data)


def home_days(*, seed: int, months: int, scale: float) -> Iterator[HomeDay]:
    """The days of the home in order of time; at most two are in memory."""
    if months < 1 or scale <= 0:
        raise ValueError("a home needs at least one month and a scale above zero")
    dates = [date for first in _months(months) for date in (first.replace(day=day) for day in DAYS)]
    late_frames: list[Frame] = []
    late_said: list[Said] = []
    for number, date in enumerate(dates):
        begin = dt.datetime.combine(date, dt.time(), dt.UTC)
        midnight = int(begin.timestamp()) * SECOND
        if not number:
            begin += FIRST_START
        frames, said = _one_day(date, midnight, int(begin.timestamp()) * SECOND, seed, scale)
        frames += [frame for frame in late_frames if frame.time_us >= midnight]
        said += [item for item in late_said if item.time_us >= midnight]
        frames.sort(key=lambda frame: frame.time_us)
        end = midnight + DAY
        goes_on = number + 1 < len(dates) and dates[number + 1] - date == dt.timedelta(days=1)
        late_frames = [frame for frame in frames if frame.time_us >= end] if goes_on else []
        late_said = [item for item in said if item.time_us >= end] if goes_on else []
        yield HomeDay(
            begin, [frame for frame in frames if frame.time_us < end], [item for item in said if item.time_us < end]
        )


def _months(count: int) -> list[dt.date]:
    last = LAST_MONTH[0] * 12 + LAST_MONTH[1] - 1
    return [dt.date(number // 12, number % 12 + 1, 1) for number in range(last - count + 1, last + 1)]


def _one_day(date: dt.date, midnight: int, begin: int, seed: int, scale: float) -> tuple[list[Frame], list[Said]]:
    # The provider renumbers every month; the documentation prefix stands for the provider's (RFC 3849).
    prefix = bytes.fromhex("20010db8") + struct.pack(">HH", 0x2A00 + date.month, 0)
    frames, said = chatter.access_point(midnight, begin, prefix), []
    for device in DEVICES:
        diary = Diary(device, seed, midnight, begin, prefix)
        chatter.arrive(diary, new=date.day == DAYS[0])
        chatter.keep_neighbours(diary, max(1, round(6 * scale)))
        chatter.announce(diary, max(1, round(2 * scale)))
        last = (date.year, date.month) == LAST_MONTH
        for habit in _today(device, date.day, last=last):
            _live(diary, habit, scale)
        frames += diary.frames
        said += diary.said
    return frames, said


def _today(device: Device, day: int, *, last: bool) -> Iterator[Habit]:
    for habit in device.habits:
        if (last or not habit.last) and (not habit.days or day in habit.days):
            yield habit


def _live(diary: Diary, habit: Habit, scale: float) -> None:
    """Let a habit happen as often as it does on such a day: the whole part surely, the rest by luck."""
    rng = chance("habit", diary.device.key, habit.to, habit.kind, diary.rng.random())
    if habit.days:  # part of the story, told at every scale
        count = round(habit.times)
    else:
        wanted = habit.times * PACE * scale * (0.7 + 0.6 * rng.random())
        count = int(wanted) + (rng.random() < wanted % 1)
    for time_us in sorted(diary.some_time(habit.hours) for _ in range(count)):
        habits.act(diary, habit, time_us)
