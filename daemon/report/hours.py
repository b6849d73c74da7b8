"""Hours of the house's day: which slots of a span are its nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.store.columns import Ints

_MOST_DAYS = 100  # traffic by slot is kept for about so long; nothing older is asked for
SLOTS_A_DAY, SLOTS_AN_HOUR = 96, 4
_SLOT_S = SLOT_US // 1_000_000


def slots_of(scope: Scope) -> range:
    """The slots of a span, the newest that may still be kept."""
    last = -(-scope.span.until_us // SLOT_US)
    return range(max(scope.span.since_us // SLOT_US, last - _MOST_DAYS * SLOTS_A_DAY), last)


def local_slots(slots: range, zone: str) -> Ints:
    """Each slot by the house's calendar: quarters of an hour since its own first of January 1970.

    `// 96` is the day, `% 96` the place in it. A day in which no clock changes takes one look at the calendar.
    """
    clock = ZoneInfo(zone)
    out = np.arange(slots.start, slots.stop, dtype=np.int64)
    for begin in range(slots.start, slots.stop, SLOTS_A_DAY):
        end = min(begin + SLOTS_A_DAY, slots.stop)
        first, last = _ahead(begin, clock), _ahead(end - 1, clock)
        part = out[begin - slots.start : end - slots.start]
        part += first if first == last else np.array([_ahead(slot, clock) for slot in range(begin, end)])
    return out


def local_hours(slots: range, zone: str) -> Ints:
    """The hour of the house's day in which each slot begins."""
    return local_slots(slots, zone) % SLOTS_A_DAY // SLOTS_AN_HOUR


def _ahead(slot: int, clock: ZoneInfo) -> int:
    """By how many slots the house's clock is ahead of UTC then."""
    offset = datetime.fromtimestamp(slot * _SLOT_S, UTC).astimezone(clock).utcoffset() or timedelta()
    return offset // timedelta(seconds=_SLOT_S)


def local_hour(time_us: int, zone: str) -> int:
    """The hour of the house's day in which a time lies."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(ZoneInfo(zone)).hour


def is_night(hour: int, night: tuple[int, int]) -> bool:
    """Whether an hour lies in the night; one that begins when it ends is the whole day."""
    first, end = night
    return first <= hour < end if first < end else hour >= first or hour < end


def night_slots(scope: Scope) -> list[int]:
    """The slots of a span that are at night."""
    slots = slots_of(scope)
    dark = np.array([is_night(hour, scope.night) for hour in range(24)])
    hours = local_hours(slots, scope.zone)
    out: list[int] = (np.flatnonzero(dark[hours]) + slots.start).tolist()
    return out


def night_words(night: tuple[int, int]) -> str:
    """`between 22:00 and 06:00`"""
    return f"between {night[0]:02}:00 and {night[1]:02}:00"
