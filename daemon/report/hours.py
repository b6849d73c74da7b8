"""Hours of the house's day: which slots of a span are its nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope

_MOST_DAYS = 100  # traffic by slot is kept for about so long; nothing older is asked for


def slots_of(scope: Scope) -> range:
    """The slots of a span, the newest that may still be kept."""
    last = -(-scope.span.until_us // SLOT_US)
    return range(max(scope.span.since_us // SLOT_US, last - _MOST_DAYS * 96), last)


def local_hours(slots: range, zone: str) -> list[int]:
    """The hour of the house's day in which each slot begins."""
    clock = ZoneInfo(zone)
    begin = datetime.fromtimestamp(slots.start * SLOT_US // 1_000_000, UTC)
    return [(begin + timedelta(minutes=15 * number)).astimezone(clock).hour for number in range(len(slots))]


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
    hours = local_hours(slots, scope.zone)
    return [slot for slot, hour in zip(slots, hours, strict=True) if is_night(hour, scope.night)]


def night_words(night: tuple[int, int]) -> str:
    """`between 22:00 and 06:00`"""
    return f"between {night[0]:02}:00 and {night[1]:02}:00"
