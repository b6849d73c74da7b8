"""When a day of the house begins.

Rule: days are local, instants are UTC. A midnight is worked out from the calendar each time, never by adding 24 hours:
      two days a year are longer or shorter, and some zones change at midnight itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

_SECOND = 1_000_000


def local(time_us: int, zone: tzinfo) -> datetime:
    """The wall time in a zone, to the second below."""
    return datetime.fromtimestamp(time_us // _SECOND, zone)


def next_midnight_us(after_us: int, zone: tzinfo) -> int:
    """The first instant after `after_us` at which a new local day begins.

    Where the clocks go forward over midnight, the day begins with the change (PEP 495 reads the missing time so); where
    they go back over it, with the first midnight.
    """
    day = local(after_us, zone).date()
    while True:
        day += timedelta(days=1)
        begins_us = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * _SECOND
        if begins_us > after_us:
            return begins_us
