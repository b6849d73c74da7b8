"""Moments as dots: a day in each row of the picture's width, so that a clock is a pattern and chance is a cloud."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

_WIDTH, _LEFT, _TOP, _ROW, _BOTTOM, _DOT = 960, 84, 8, 16, 24, 3
_MOST_DAYS = 31
_HOURS = (0, 6, 12, 18, 24)
_A_DAY = 86_400


def dots(times_us: Sequence[int], zone: str, label: str) -> Markup:
    """One dot a moment, a row for each of the last days in the home's zone; nothing where there is none."""
    if not times_us:
        return Markup("")
    here = ZoneInfo(zone)
    local = [datetime.fromtimestamp(time / 1_000_000, UTC).astimezone(here) for time in times_us]
    last = max(moment.date() for moment in local)
    first = max(min(moment.date() for moment in local), last - timedelta(days=_MOST_DAYS - 1))
    rows = (last - first).days + 1
    wide, height = _WIDTH - _LEFT, _TOP + rows * _ROW + _BOTTOM
    pieces = [_row(number, f"{first + timedelta(days=number):%-d %b}", rows) for number in range(rows)]
    pieces += [_hour(hour, wide, height) for hour in _HOURS]
    places = {
        ((moment.date() - first).days, round(wide * _second(moment) / _A_DAY))
        for moment in local
        if moment.date() >= first
    }
    path = "".join(
        f"M{_LEFT + x - _DOT / 2:.1f} {_TOP + row * _ROW + _ROW / 2:.0f}h{_DOT}" for row, x in sorted(places)
    )
    pieces.append(Markup('<path class="dots" d="{}"/>').format(path))
    return Markup('<svg class="moments" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, height, label, Markup("").join(pieces)
    )


def _second(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _row(number: int, day: str, rows: int) -> Markup:
    y = _TOP + number * _ROW + _ROW / 2
    line = Markup('<line x1="{}" x2="{}" y1="{:.0f}" y2="{:.0f}"/>').format(_LEFT, _WIDTH, y, y)
    if rows > 12 and number % 3:
        return line
    style = Markup(' class="every-other"') if rows <= 12 and number % 2 else ""
    return line + Markup('<text x="0" y="{:.0f}"{}>{}</text>').format(y + 5, style, day)


def _hour(hour: int, wide: int, height: int) -> Markup:
    anchor = "start" if hour == 0 else "end" if hour == 24 else "middle"
    return Markup('<text x="{:.0f}" y="{}" text-anchor="{}">{:02}:00</text>').format(
        _LEFT + wide * hour / 24, height - 4, anchor, hour
    )
