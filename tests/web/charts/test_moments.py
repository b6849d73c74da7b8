"""Moments as dots and as thin columns."""

from __future__ import annotations

import re

from web.charts.counts import counts
from web.charts.dots import dots

MIDNIGHT_US = 1_782_597_600_000_000  # 2026-06-28, 00:00 in Berlin
HOUR_US = 3_600_000_000


def test_a_dot_stands_at_its_time_of_the_homes_day() -> None:
    drawn = dots([MIDNIGHT_US + 12 * HOUR_US, MIDNIGHT_US - HOUR_US], "Europe/Berlin", "When")
    (path,) = re.findall(r'class="dots" d="([^"]+)"', drawn)
    places = [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", path)]
    left, width = 84, 960 - 84
    assert [round((x + 1.5 - left) / width * 24) for x, _ in places] == [23, 12]
    assert places[0][1] < places[1][1]  # the day before stands above
    assert "27 Jun" in drawn
    assert "28 Jun" in drawn


def test_dots_at_the_same_place_are_drawn_once_and_old_days_left_out() -> None:
    times = [MIDNIGHT_US + number for number in range(5000)] + [MIDNIGHT_US - 40 * 24 * HOUR_US]
    drawn = dots(times, "Europe/Berlin", "When")
    assert drawn.count("M84") + drawn.count("M82") == 1
    assert "19 May" not in drawn


def test_nothing_is_drawn_of_nothing() -> None:
    assert dots([], "UTC", "When") == ""
    assert counts([], "How many") == ""
    assert counts([("now", 0)], "How many") == ""


def test_columns_are_as_high_as_their_numbers() -> None:
    drawn = counts([("a", 10), ("b", 0), ("<c>", 5)], "How many")
    heights = [float(each) for each in re.findall(r'<rect class="fill-accent"[^>]* height="([\d.]+)"', drawn)]
    assert len(heights) == 2
    assert abs(heights[0] - 2 * heights[1]) < 0.2
    assert "&lt;c&gt;: 5" in drawn
