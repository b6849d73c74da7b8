"""Moments as people write them, in the time zone of the house. Pure: the present is passed in.

Rule 1: a day to end with counts as a whole; a time of day is an instant.
Rule 2: of an hour that the change of clocks repeats, the earlier begins a span and the later ends it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

WANTED = "a date (2025-07-01), a time (2025-07-01T21:00, 21:00, yesterday 21:00), or how long ago (90s, 30m, 2h, 7d)"

_AGO = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,6})?)?")
_DAYS = {"today": 0, "yesterday": 1}


def moment_us(text: str, zone: str, now_us: int, *, ends: bool = False) -> int:
    """Microseconds since the epoch of what `text` says; with `ends`, of the instant to stop before. Raises ValueError."""
    clock: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    said = text.strip()
    ago = _AGO.fullmatch(said.lower())
    if ago:
        return now_us - int(ago[1]) * _UNITS[ago[2]] * 1_000_000
    today = datetime.fromtimestamp(now_us // 1_000_000, clock).date()
    try:
        day, hour = _read(said, today)
        if hour is None:
            local = datetime.combine(day + timedelta(days=int(ends)), time())
        else:
            local = datetime.combine(day, hour)
        if local.tzinfo is None:
            local = local.replace(tzinfo=clock, fold=int(ends and hour is not None))
        return _microseconds(local)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:64]!r} is no time; write {WANTED}") from None


def _read(said: str, today: date) -> tuple[date, time | None]:
    """(day, time of the day with its zone if one was written, None where only a day was)."""
    word, _, rest = said.lower().partition(" ")
    if word in _DAYS:
        return today - timedelta(days=_DAYS[word]), _clock(rest.strip()) if rest.strip() else None
    if _CLOCK.fullmatch(said):
        return today, _clock(said)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
        return date.fromisoformat(said), None
    whole = datetime.fromisoformat(said)
    return whole.date(), whole.timetz()


def _clock(said: str) -> time:
    found = _CLOCK.fullmatch(said)
    if not found:
        raise ValueError(said)
    return time(int(found[1]), int(found[2]), int(found[3] or 0), int((found[4] or ".0")[1:].ljust(6, "0")))


def _microseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
