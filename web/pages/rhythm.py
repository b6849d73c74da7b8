"""A device over time: its traffic as a series that can be zoomed, its days as a strip of quarters of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope, Span
from daemon.store.by_device import read_quarters
from daemon.store.calendar import date_of, day_number, midnight_us
from daemon.store.totals import read_totals
from web.charts import Line, heat, series
from web.charts.heat import Day
from web.charts.series import Series
from web.numbers import size

_SLOT_S, _HOUR_S, _DAY_S = 900, 3600, 86_400
_MOST_DAYS = 31  # of a strip, the newest
_QUARTERS = 96


@dataclass(frozen=True, slots=True)
class Strip:
    """The strip and, of each day, the same in a table: day, quarters of an hour with traffic, first, last, data."""

    svg: Markup
    rows: tuple[tuple[str, int, str, str, str], ...]
    cut: bool  # whether it begins later than the span


def traffic_of(scope: Scope) -> Series | None:
    """Bytes of a device, both ways, by quarters of an hour, hours or days, as the span is long; None where it was silent."""
    span = scope.span
    if span.seconds <= 2 * _DAY_S:
        return _by_slots(scope, "slot", _SLOT_S)
    if span.seconds <= 32 * _DAY_S:
        return _by_slots(scope, "hour", _HOUR_S)
    first, last = scope.days
    up, down = [0] * (last - first + 1), [0] * (last - first + 1)
    for day, _, _, sent, received in read_totals(scope.db, scope.window, ("day",)):
        up[day - first] += sent
        down[day - first] += received
    # Days are of the house's calendar already, so that they are drawn without a zone.
    return _series(first * _DAY_S, _DAY_S, up, down, "UTC")


def _by_slots(scope: Scope, key: str, step_s: int) -> Series | None:
    first, many = scope.span.since_us // SLOT_US, step_s // _SLOT_S
    length = -(-(-(-scope.span.until_us // SLOT_US) - first) // many)
    up, down = [0] * length, [0] * length
    for slot, _, _, sent, received in read_totals(scope.db, scope.window, (key,)):
        at = min(max((slot - first) // many, 0), length - 1)
        up[at] += sent
        down[at] += received
    return _series(first * _SLOT_S, step_s, up, down, scope.zone)


def _series(start_s: int, step_s: int, up: list[int], down: list[int], zone: str) -> Series | None:
    lines = [Line("down", "received", down), Line("up", "sent", up)]
    return series(start_s, step_s, lines, "Data sent and received over time", zone=zone)


def strip_of(scope: Scope) -> Strip:
    """What a device exchanged with the internet, quarter by quarter, the newest days first."""
    last = scope.days[1]
    first = max(scope.days[0], last - _MOST_DAYS + 1)
    clock = ZoneInfo(scope.zone)
    since_us = max(scope.span.since_us, midnight_us(date_of(first), clock))
    days = {day: [0] * _QUARTERS for day in range(first, last + 1)}
    for each in read_quarters(scope.db, scope.over(Span(since_us, scope.span.until_us)).window):
        if not each.outside:
            continue
        local = datetime.fromtimestamp(each.slot * _SLOT_S, clock)
        day = day_number(local.date())
        if day in days:
            days[day][local.hour * 4 + local.minute // 15] += each.bytes_up + each.bytes_down
    named = [(f"{date_of(day):%a %-d %b}", cells) for day, cells in sorted(days.items(), reverse=True)]
    return Strip(
        heat(
            [Day(name, cells) for name, cells in named], "Traffic with the internet by quarter of an hour", scope.night
        ),
        tuple(_row(name, cells) for name, cells in named if any(cells)),
        scope.span.since_us < since_us,
    )


def _row(name: str, cells: list[int]) -> tuple[str, int, str, str, str]:
    busy = [at for at, cell in enumerate(cells) if cell]
    return name, len(busy), _clock(busy[0]), _clock(busy[-1]), size(sum(cells))


def _clock(at: int) -> str:
    return f"{at // 4:02}:{at % 4 * 15:02}"
