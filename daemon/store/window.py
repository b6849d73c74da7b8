"""The stretch of time that a query is about, in the units of every tier."""

from __future__ import annotations

from typing import NamedTuple


class Window(NamedTuple):
    """A half-open span in microseconds UTC; `days` and `months` are the first and the last that it touches.

    Days count since the epoch in the site's zone, months are year * 12 + month - 1. `device_id` None: the whole house.
    """

    site_id: int
    since_us: int
    until_us: int
    days: tuple[int, int]
    months: tuple[int, int]
    device_id: int | None = None
