"""Days and months of a site: packet time is UTC, but people live in a time zone.

Slots of 15 minutes are UTC; every zone in use begins its days at a full quarter of an hour, so a slot lies in one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from daemon.decode.slots import SLOT_US

_EPOCH = date(1970, 1, 1)
_SLOT_S = SLOT_US // 1_000_000
_HOUR_SLOTS = 4


class SlotDay(NamedTuple):
    """Where a slot lies in the site's calendar."""

    slot: int
    hour: int  # the slot with which its hour begins
    day: int  # days since the epoch
    month: int  # year * 12 + month - 1


def month_text(month: int) -> str:
    """`2025-07` of a month's number."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def month_number(text: str) -> int:
    """The inverse of `month_text`; ValueError for what is no month."""
    year, _, month = text.partition("-")
    if len(year) != 4 or len(month) != 2 or not (year + month).isascii() or not 1 <= int(month) <= 12:
        raise ValueError(f"{text!r} is not a month; write it as 2025-07")
    return int(year) * 12 + int(month) - 1


def month_days(month: int) -> tuple[int, int]:
    """The first and the last day of a month, since the epoch; they are the same in every time zone."""
    return day_number(_first_of(month)), day_number(_first_of(month + 1)) - 1


def date_of(day: int) -> date:
    """The date of a day since the epoch."""
    return _EPOCH + timedelta(days=day)


def day_number(on: date) -> int:
    """The inverse of `date_of`."""
    return (on - _EPOCH).days


def midnight_us(on: date, zone: tzinfo) -> int:
    """When a day begins in a time zone, microseconds UTC."""
    return int(datetime(on.year, on.month, on.day, tzinfo=zone).timestamp()) * 1_000_000


def month_of(day: int) -> int:
    """The month of a day since the epoch."""
    on = date_of(day)
    return on.year * 12 + on.month - 1


def known_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _zone(name: str) -> tzinfo:
    if name in ("UTC", "Etc/UTC"):  # what a machine has that nobody told where it is
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415  4 ms, with what it asks of the way Python was built

    return ZoneInfo(name)


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


class Calendar:
    """The days of one time zone, by slots."""

    def __init__(self, zone: str) -> None:
        self._zone = _zone(zone)
        self._days: dict[int, tuple[int, int]] = {}

    def span(self, slot: int) -> tuple[int, int, int]:
        """(day, its first slot, the first slot of the next) of the day in which a slot lies."""
        local = datetime.fromtimestamp(slot * _SLOT_S, UTC).astimezone(self._zone).date()
        day = day_number(local)
        if day not in self._days:
            self._days[day] = self.midnight(local), self.midnight(local + timedelta(days=1))
        return day, *self._days[day]

    def next_hour(self, hour: int) -> int:
        """The first slot of the hour that follows; the last of a day may be short."""
        return min(hour + _HOUR_SLOTS, self.span(hour)[2])

    def month(self, month: int) -> tuple[int, int]:
        """The half-open range of slots of a month."""
        return self.midnight(_first_of(month)), self.midnight(_first_of(month + 1))

    def midnight(self, day: date) -> int:
        """The first slot of a day."""
        return midnight_us(day, self._zone) // SLOT_US

    def whole_days(self, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Half-open ranges of slots, in order and apart, of all the days that times (first_us, last_us) touch."""
        out: list[tuple[int, int]] = []
        for first_us, last_us in sorted(spans):
            if out and last_us // SLOT_US < out[-1][1]:  # as most of thousands of spans are within the days of others
                continue
            begin = self.span(first_us // SLOT_US)[1]
            end = self.span(last_us // SLOT_US)[2]
            if out and begin <= out[-1][1]:
                out[-1] = out[-1][0], max(out[-1][1], end)
            else:
                out.append((begin, end))
        return out

    def place(self, slots: Iterable[int]) -> list[SlotDay]:
        """Hour, day and month of every slot."""
        out = []
        for slot in sorted(slots):
            day, begin, _ = self.span(slot)
            local = date_of(day)
            hour = begin + (slot - begin) // _HOUR_SLOTS * _HOUR_SLOTS
            out.append(SlotDay(slot, hour, day, local.year * 12 + local.month - 1))
        return out
