"""The time that a page is about, as it stands in its address: `range=7d`, `range=2026-05`, `range=2026-05-01..2026-05-09`.

Rule 1: "now" is the home's newest packet, so that a page about recorded captures shows something.
Rule 2: spans of days begin at a midnight of the home's zone and end now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Span

DEFAULT = "7d"
CHOICES = (
    ("24h", "24 hours"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("90d", "90 days"),
    ("365d", "12 months"),
)
_DAYS = re.compile(r"([1-9]\d{0,3})d")
_HOURS = re.compile(r"([1-9]\d{0,2})h")
_MONTH = re.compile(r"(\d{4})-(\d\d)")
_DATES = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")


@dataclass(frozen=True, slots=True)
class Range:
    """A span with the words for it: `key` as in addresses, `label` for people, `ago` how its predecessor is called."""

    key: str
    label: str
    ago: str
    span: Span


def parse_range(text: str | None, zone: str, newest_us: int) -> Range:
    """The range that an address asks for; what is none of these forms is the default."""
    said = (text or DEFAULT).strip()
    for form, read in ((_HOURS, _hours), (_DAYS, _days), (_MONTH, _month), (_DATES, _dates)):
        match = form.fullmatch(said)
        if match:
            try:
                return read(match, ZoneInfo(zone), newest_us)
            except (ValueError, OverflowError):
                break  # a thirteenth month and the like
    return _days(_DAYS.fullmatch(DEFAULT), ZoneInfo(zone), newest_us)


def _now(newest_us: int) -> int:
    return (newest_us // SLOT_US + 1) * SLOT_US


def _hours(match: re.Match[str], zone: ZoneInfo, newest_us: int) -> Range:
    del zone
    until, hours = _now(newest_us), int(match[1])
    return Range(match[0], f"last {hours} hours", f"{hours} hours before", Span(until - hours * 3_600_000_000, until))


def _days(match: re.Match[str] | None, zone: ZoneInfo, newest_us: int) -> Range:
    assert match is not None  # noqa: S101  the default is one of the forms
    days, until = int(match[1]), _now(newest_us)
    today = datetime.fromtimestamp(newest_us / 1_000_000, UTC).astimezone(zone).date()
    since = _midnight(today - timedelta(days=days - 1), zone)
    label = "last 12 months" if days == 365 else f"last {days} days" if days > 1 else "today"
    before = {1: "the day before", 7: "the week before"}.get(days, f"the {days} days before")
    return Range(match[0], label, before, Span(since, until))


def _month(match: re.Match[str], zone: ZoneInfo, newest_us: int) -> Range:
    del newest_us
    first = date(int(match[1]), int(match[2]), 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Range(
        match[0], f"{first:%B %Y}", "the month before", Span(_midnight(first, zone), _midnight(following, zone))
    )


def _dates(match: re.Match[str], zone: ZoneInfo, newest_us: int) -> Range:
    del newest_us
    first = date.fromisoformat(match[1])
    last = date.fromisoformat(match[2]) if match[2] else first
    if last < first:
        first, last = last, first
    label = f"{first:%-d %B %Y}" if first == last else f"{first:%-d %b %Y} to {last:%-d %b %Y}"
    span = Span(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
    return Range(match[0], label, "the same time before", span)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000
