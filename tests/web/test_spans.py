"""What `range=` in an address means."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from daemon.report.scope import Span
from web.spans import parse_range

BERLIN = ZoneInfo("Europe/Berlin")


def us(*when: int) -> int:
    return int(datetime(*when, tzinfo=BERLIN).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]  # year to minute


NEWEST = us(2026, 3, 30, 14, 20)  # the day after summer time began


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("24h", us(2026, 3, 29, 14, 30), us(2026, 3, 30, 14, 30)),
        ("1d", us(2026, 3, 30), us(2026, 3, 30, 14, 30)),
        ("7d", us(2026, 3, 24), us(2026, 3, 30, 14, 30)),
        ("2026-02", us(2026, 2, 1), us(2026, 3, 1)),
        ("2026-03-29", us(2026, 3, 29), us(2026, 3, 30)),
        ("2026-03-09..2026-03-02", us(2026, 3, 2), us(2026, 3, 10)),
    ],
)
def test_a_range_is_a_span_of_the_homes_days(text: str, since: int, until: int) -> None:
    assert parse_range(text, "Europe/Berlin", NEWEST).span == Span(since, until)


def test_the_day_of_the_change_of_clocks_has_23_hours() -> None:
    assert parse_range("2026-03-29", "Europe/Berlin", NEWEST).span.seconds == 23 * 3600


@pytest.mark.parametrize(
    "text", [None, "", "nonsense", "0d", "2026-13", "2026-02-30", "99999d", "9999-12", "7d'--", "\uff19d"]
)
def test_what_is_no_range_is_the_last_week(text: str | None) -> None:
    found = parse_range(text, "Europe/Berlin", NEWEST)
    assert found.span.since_us < found.span.until_us
    assert found.key == "7d" or text in ("99999d", "9999-12")


def test_the_time_before_is_as_long() -> None:
    span = parse_range("2026-03-09", "Europe/Berlin", NEWEST).span
    assert (span.before().until_us, span.before().seconds) == (span.since_us, span.seconds)
