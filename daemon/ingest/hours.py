"""Hours of the day: which packets, stretches of a capture and captures have any, in the time zone of a home.

Rule 1: a packet is of the hour in which its quarter of an hour begins by the home's calendar, as sums of nights count it;
        so a day on which the clocks change has as many nights as any other.
Rule 2: a look at the calendar costs more than a packet: each quarter of an hour takes one, however many packets it has.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from daemon.decode.cut_flows import Mask
from daemon.decode.slots import SLOT_US
from daemon.report.hours import is_night

_FORM = re.compile(r"(\d{1,2})(?::00)?\s*-\s*(\d{1,2})(?::00)?")
_SLOT_S = SLOT_US // 1_000_000
_A_DAY = 96  # quarters of an hour, with one more no hour of the day is missing but one that the clocks leave out
_MOST_KNOWN = 1 << 14  # quarters of an hour, half a year of them


def read_hours(text: str) -> tuple[int, int] | None:
    """(first hour, hour before which it ends) of `23-6`, `22:00-06:00`, `18-24`; None where that is no such thing."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    first, end = int(found[1]), int(found[2])
    return (first, end % 24) if first < 24 and end <= 24 else None


class HoursOfDay:
    """Some hours of every day of a home; from an hour to itself is the whole day."""

    def __init__(self, hours: tuple[int, int], zone: str) -> None:
        self._hours, self._clock = hours, UTC if zone == "UTC" else ZoneInfo(zone)
        self._known: dict[int, bool] = {}

    def mark(self, times_us: NDArray[Any]) -> Mask:
        """Which of these times lie in the hours."""
        slots, at = np.unique(times_us // SLOT_US, return_inverse=True)
        return np.array([self._in(slot) for slot in slots.tolist()], bool)[at]

    def any(self, first_us: int, last_us: int) -> bool:
        """Whether any time from one to the other may lie in the hours."""
        first, last = first_us // SLOT_US, last_us // SLOT_US
        return last - first > _A_DAY or any(self._in(slot) for slot in range(first, last + 1))

    def _in(self, slot: int) -> bool:
        known = self._known.get(slot)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[slot] = is_night(self._hour(slot), self._hours)
        return known

    def _hour(self, slot: int) -> int:
        try:
            return datetime.fromtimestamp(slot * _SLOT_S, UTC).astimezone(self._clock).hour
        except (ValueError, OverflowError):  # times that only damage makes: no calendar has them
            return slot // 4 % 24
