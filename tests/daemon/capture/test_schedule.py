from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.capture.schedule import local, next_midnight_us

SECOND = 1_000_000
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Beirut", "America/Havana", "Pacific/Apia", "UTC",
         "America/Sao_Paulo", "Atlantic/Azores", "Asia/Kathmandu", "Australia/Lord_Howe"]  # fmt: skip


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("zone", "after", "midnight"),
    [
        ("Europe/Berlin", "2026-01-05T12:00:00+01:00", "2026-01-06T00:00:00+01:00"),
        ("Europe/Berlin", "2026-01-05T00:00:00+01:00", "2026-01-06T00:00:00+01:00"),  # at midnight: the next one
        ("Europe/Berlin", "2026-03-29T00:30:00+01:00", "2026-03-30T00:00:00+02:00"),  # a day of 23 hours
        ("Europe/Berlin", "2026-10-25T00:30:00+02:00", "2026-10-26T00:00:00+01:00"),  # a day of 25 hours
        ("Asia/Beirut", "2026-03-28T23:00:00+02:00", "2026-03-29T01:00:00+03:00"),  # midnight does not exist
        ("America/Havana", "2026-10-31T23:00:00-04:00", "2026-11-01T00:00:00-04:00"),  # it comes twice: the first
        ("America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-02T00:00:00-05:00"),  # in the hour that comes again
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),  # a day that never was
    ],
)
def test_midnights_of_the_calendar(zone: str, after: str, midnight: str) -> None:
    assert next_midnight_us(us(after), ZoneInfo(zone)) == us(midnight)


@given(st.sampled_from(ZONES), st.integers(946_684_800, 2_524_608_000), st.integers(0, 999_999))
def test_between_an_instant_and_its_next_midnight_the_day_stays_the_same(zone: str, second: int, micro: int) -> None:
    there = ZoneInfo(zone)
    after_us = second * SECOND + micro
    midnight_us = next_midnight_us(after_us, there)
    assert after_us < midnight_us <= after_us + 49 * 3600 * SECOND
    before, at = local(midnight_us - SECOND, there), local(midnight_us, there)
    assert at.date() > local(after_us, there).date()
    assert before.date() == local(after_us, there).date()
    assert at.utctimetuple() == datetime.fromtimestamp(midnight_us // SECOND, UTC).utctimetuple()
    assert at.date() - before.date() <= timedelta(days=2)
