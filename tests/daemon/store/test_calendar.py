"""Slots in the calendar of a home."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.slots import SLOT_US
from daemon.store.calendar import Calendar, known_zone, month_number, month_text

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
SLOTS = st.integers(0, 4_000_000_000 * 1_000_000 // SLOT_US)


def slot_of(*when: int, zone: str) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000 // SLOT_US  # type: ignore[arg-type,misc]  # year, month, day, hour, minute


@given(SLOTS, st.sampled_from(ZONES))
def test_a_slot_lies_in_the_day_that_the_clock_on_the_wall_shows(slot: int, zone: str) -> None:
    wall = datetime.fromtimestamp(slot * SLOT_US // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    (place,) = Calendar(zone).place([slot])
    assert datetime.fromtimestamp(place.day * 86_400, UTC).date() == wall.date()
    assert month_text(place.month) == wall.strftime("%Y-%m")
    assert place.hour <= slot < place.hour + 4
    day, begin, end = Calendar(zone).span(slot)
    assert day == place.day
    assert begin <= place.hour
    assert slot < end
    assert end - begin in range(90, 103)


@pytest.mark.parametrize(("day", "slots"), [((2025, 3, 30), 92), ((2025, 10, 26), 100), ((2025, 7, 1), 96)])
def test_days_on_which_the_clock_is_changed_are_as_long_as_they_are(day: tuple[int, int, int], slots: int) -> None:
    _, begin, end = Calendar("Europe/Berlin").span(slot_of(*day, 12, zone="Europe/Berlin"))
    assert end - begin == slots


def test_months_begin_at_local_midnight() -> None:
    late = slot_of(2025, 6, 30, 23, 45, zone="Europe/Berlin")
    places = Calendar("Europe/Berlin").place([late, late + 1])
    assert [month_text(place.month) for place in places] == ["2025-06", "2025-07"]


@given(st.lists(st.tuples(SLOTS, st.integers(0, 400)), max_size=8), st.sampled_from(ZONES))
def test_whole_days_cover_every_span_and_lie_apart(spans: list[tuple[int, int]], zone: str) -> None:
    calendar = Calendar(zone)
    times = [(slot * SLOT_US + 1, (slot + length) * SLOT_US) for slot, length in spans]
    ranges = calendar.whole_days(times)
    assert all(left[1] < right[0] for left, right in pairwise(ranges))
    for first_us, last_us in times:
        assert any(begin <= first_us // SLOT_US and last_us // SLOT_US < end for begin, end in ranges)
    for begin, end in ranges:
        assert calendar.span(begin)[1] == begin
        assert calendar.span(end - 1)[2] == end


@given(st.integers(1970 * 12, 2200 * 12))
def test_months_are_written_and_read(month: int) -> None:
    assert month_number(month_text(month)) == month


@pytest.mark.parametrize("text", ["2025", "2025-13", "25-07", "2025-7", "2025-xx", ""])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int's own words are as good as ours
        month_number(text)


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("Mars/Olympus", False), ("../etc/passwd", False), ("", False)]
)
def test_time_zones_that_exist(name: str, known: bool) -> None:
    assert known_zone(name) == known
