from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.moments import moment_us

BERLIN = "Europe/Berlin"


def us(text: str, zone: str = "UTC", fold: int = 0) -> int:
    local = datetime.fromisoformat(text)
    if local.tzinfo is None:
        local = local.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone), fold=fold)
    return round(local.timestamp()) * 1_000_000


NOW = us("2025-07-02T10:30:00", BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-07-01", "2025-07-01T00:00"),
        ("2025-07-01T21:00", "2025-07-01T21:00"),
        ("2025-07-01 21:00:05", "2025-07-01T21:00:05"),
        ("2025-07-01T21:00Z", "2025-07-01T23:00"),
        ("2025-07-01T21:00:00+05:00", "2025-07-01T18:00"),
        ("21:00", "2025-07-02T21:00"),
        ("7:05", "2025-07-02T07:05"),
        ("today", "2025-07-02T00:00"),
        ("Yesterday 21:00", "2025-07-01T21:00"),
        (" yesterday ", "2025-07-01T00:00"),
        ("2h", "2025-07-02T08:30"),
        ("30 m", "2025-07-02T10:00"),
        ("90s", "2025-07-02T10:28:30"),
        ("7d", "2025-06-25T10:30"),
        ("1W", "2025-06-25T10:30"),
    ],
)
def test_times_as_people_write_them(text: str, expected: str) -> None:
    assert moment_us(text, BERLIN, NOW) == us(expected, BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-07-01", "2025-07-02T00:00"),
        ("yesterday", "2025-07-02T00:00"),
        ("2025-07-01T21:00", "2025-07-01T21:00"),
        ("21:00", "2025-07-02T21:00"),
        ("2h", "2025-07-02T08:30"),
    ],
)
def test_a_day_to_end_with_counts_as_a_whole(text: str, expected: str) -> None:
    assert moment_us(text, BERLIN, NOW, ends=True) == us(expected, BERLIN)


def test_days_on_which_clocks_change() -> None:
    for day, hours in (("2025-03-30", 23), ("2025-10-26", 25), ("2025-07-01", 24)):
        length = moment_us(day, BERLIN, NOW, ends=True) - moment_us(day, BERLIN, NOW)
        assert length == hours * 3600 * 1_000_000


def test_an_hour_that_comes_twice_is_taken_whole() -> None:
    begin = moment_us("2025-10-26T02:30", BERLIN, NOW)
    end = moment_us("2025-10-26T02:30", BERLIN, NOW, ends=True)
    assert end - begin == 3600 * 1_000_000


def test_microseconds() -> None:
    assert moment_us("2025-07-01T21:00:00.123456", "UTC", NOW) == us("2025-07-01T21:00:00") + 123_456
    assert moment_us("21:00:00.5", BERLIN, NOW) == us("2025-07-02T21:00:00", BERLIN) + 500_000


@pytest.mark.parametrize(
    "text",
    ["", "noon", "25:00", "2025-13-01", "2025-02-30", "yesterday noon", "tomorrow", "5 parsecs", "0001-01-01T00:00"],
)
def test_what_is_no_time_is_refused_with_what_is_wanted(text: str) -> None:
    if text.startswith("0001"):
        assert moment_us(text, "UTC", NOW) < 0
        return
    with pytest.raises(ValueError, match=r"2025-07-01T21:00"):
        moment_us(text, BERLIN, NOW)


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_a_time_or_refused(text: str, ends: bool) -> None:
    try:
        assert isinstance(moment_us(text, BERLIN, NOW, ends=ends), int)
    except ValueError as error:
        assert "is no time" in str(error)  # noqa: PT017  either is right
