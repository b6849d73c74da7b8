"""The sample home over months, as the daily files that its access point would have written.

Rules:
1. The same seed, months and scale give the same bytes; every day can be made alone from its date.
2. A file holds one day of UTC in time order, or what was recorded of it. A conversation over midnight goes on in the
   next day's file.
3. The story is a table: `devices` and `gadgets` say who does what when, `almanac` which days there are.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.sample import almanac, chatter, habits, recorder
from appliance.sample.chance import chance
from appliance.sample.device import Device, Habit
from appliance.sample.devices import DEVICES, GATEWAY_MAC
from appliance.sample.diary import DAY, SECOND, Diary, Said
from appliance.sample.wire import Frame

SNAP = 262_144
_FILM = 1_000_000  # bytes of a transfer that matters to the sums
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, 1)


@dataclass(frozen=True, slots=True)
class HomeDay:
    """One day, or a part of one: when its recording begins and ends (UTC), its frames in order of time, what they say."""

    begin: dt.datetime
    end: dt.datetime
    frames: list[Frame]
    said: list[Said]

    @property
    def file_name(self) -> str:
        """The name of the day's file, as the capture writes it."""
        return f"{self.begin:%Y-%m-%d_%H.%M.%S}_wlan0.pcap"


def write_home(
    folder: Path, *, seed: int = 1, months: int = almanac.MONTHS, scale: float = 1.0, newest: int = 0
) -> list[Path]:
    """Write the home's daily captures, with what the recorder noted beside each; the captures' paths in order of time.

    `months` end with June 2026, of which the `newest` so many days are written, or all; `scale` multiplies how often
    things happen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in home_days(seed=seed, months=months, scale=scale, newest=newest):
        path = folder / day.file_name
        write_pcap(path, day.frames)
        recorder.write_notes(path, day.begin, day.end, len(day.frames))
        paths.append(path)
    return paths


def write_pcap(path: Path, frames: list[Frame]) -> None:
    """Write a classic pcap file: Ethernet, microseconds, little-endian."""
    pack = struct.Struct("<IIII").pack
    pieces = [_HEADER]
    for time_us, data, length in frames:
        pieces += (pack(time_us // SECOND, time_us % SECOND, len(data), length or len(data)), data)
    path.write_bytes(b"".join(pieces))


def home_days(*, seed: int, months: int, scale: float, newest: int = 0) -> Iterator[HomeDay]:
    """The days of the home in order of time; at most two are in memory."""
    if months < 1 or scale <= 0:
        raise ValueError("a home needs at least one month and a scale above zero")
    late_frames: list[Frame] = []
    late_said: list[Said] = []
    for number, date in enumerate(almanac.days(months)[-newest:]):
        recorded = almanac.parts(date, first=not number)
        midnight = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp()) * SECOND
        frames, said = _one_day(date, midnight, _micros(recorded[0].begin), seed, scale)
        frames += late_frames
        said += late_said
        frames.sort(key=_when)
        late_frames = [frame for frame in frames if frame.time_us >= midnight + DAY]
        late_said = [item for item in said if item.time_us >= midnight + DAY]
        for part in recorded:
            begin, end = _micros(part.begin), _micros(part.end)
            yield HomeDay(
                part.begin,
                part.end,
                [frame for frame in frames if begin <= frame.time_us < end],
                [item for item in said if begin <= item.time_us < end],
            )


def _when(frame: Frame) -> int:
    return frame.time_us


def _micros(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * SECOND


def _one_day(date: dt.date, midnight: int, begin: int, seed: int, scale: float) -> tuple[list[Frame], list[Said]]:
    # The provider renumbers every month; the documentation prefix stands for the provider's (RFC 3849).
    prefix = bytes.fromhex("20010db8") + struct.pack(">HH", 0x2A00 + date.month, 0)
    frames, said = chatter.access_point(midnight, begin, prefix), []
    pace = almanac.pace(date) * scale
    for device in DEVICES:
        if not almanac.among(date, device.newest, device.days):
            continue
        diary = Diary(device, seed, midnight, begin, prefix, min(1.0, scale))
        chatter.arrive(diary, new=date.day == 1 or bool(device.days))
        chatter.keep_neighbours(diary, max(1, round(6 * pace)))
        chatter.announce(diary, max(1, round(2 * pace)))
        for habit in _today(device, date):
            large = max(habit.up, habit.down) >= _FILM and not almanac.among(date, almanac.FORTNIGHT, ())
            _live(diary, habit, pace * almanac.SUMS if large else pace)
        frames += diary.frames
        said += diary.said
    if date == almanac.BROKEN:
        frames += _broken(midnight)
    return frames, said


def _broken(midnight: int) -> list[Frame]:
    """Frames whose headers end too early or contradict themselves, as a bad radio link delivers them."""
    head = GATEWAY_MAC + DEVICES[0].mac
    bodies = (
        b"\x08\0\x43" + bytes(45),
        b"\x08\0\x45\0\0",
        b"\x86\xdd\x60" + bytes(10),
        b"\x08\0\x4f\0\xff" + bytes(20),
    )
    return [Frame(midnight + (20 * 3600 + number) * SECOND, head + body) for number, body in enumerate(bodies)]


def _today(device: Device, date: dt.date) -> Iterator[Habit]:
    for habit in device.habits:
        if almanac.among(date, habit.newest, habit.days):
            yield habit


def _live(diary: Diary, habit: Habit, pace: float) -> None:
    """Let a habit happen as often as it does on such a day: the whole part surely, the rest by luck."""
    rng = chance("habit", diary.device.key, habit.to, habit.kind, diary.rng.random())
    if habit.told:
        count = round(habit.times)
    else:
        wanted = habit.times * pace * (0.7 + 0.6 * rng.random())
        count = int(wanted) + (rng.random() < wanted % 1)
    for time_us in sorted(diary.some_time(habit.hours) for _ in range(count)):
        habits.act(diary, habit, time_us)
