"""A device over time: its traffic as a series that can be zoomed, its days as a strip of quarters of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from daemon.decode.slots import SLOT_US
from daemon.report.hours import SLOTS_A_DAY, local_slots
from daemon.report.scope import Scope, Span
from daemon.store.address_days import read_outside
from daemon.store.calendar import date_of, midnight_us
from daemon.store.totals import read_totals
from web.charts import Line, heat, series
from web.charts.heat import Day
from web.charts.series import Series
from web.moments import instant
from web.numbers import size

_SLOT_S, _HOUR_S, _DAY_S = 900, 3600, 86_400
_MOST_DAYS = 31  # of a strip, the newest


@dataclass(frozen=True, slots=True)
class Strip:
    """The strip and, of each day, the same in a table: day, quarters of an hour with traffic, first, last, data, and from
    when to when that is, as addresses of packets say it.
    """

    svg: Markup
    rows: tuple[tuple[str, int, str, str, str, str, str], ...]
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
    slots, octets = read_outside(scope.db, scope.over(Span(since_us, scope.span.until_us)).window)
    local = local_slots(slots, scope.zone)
    inside = (local >= first * SLOTS_A_DAY) & (local < (last + 1) * SLOTS_A_DAY)
    cells = np.zeros((last - first + 1) * SLOTS_A_DAY, np.int64)
    np.add.at(cells, local[inside] - first * SLOTS_A_DAY, octets[inside])
    days = dict(enumerate(cells.reshape(-1, SLOTS_A_DAY).tolist(), first))
    named = [(f"{date_of(day):%a %-d %b}", of) for day, of in sorted(days.items(), reverse=True)]
    return Strip(
        heat([Day(name, of) for name, of in named], "Traffic with the internet by quarter of an hour", scope.night),
        tuple(
            (*_row(f"{date_of(day):%a %-d %b}", of), *_within(scope, day))
            for day, of in sorted(days.items(), reverse=True)
            if any(of)
        ),
        scope.span.since_us < since_us,
    )


def _row(name: str, cells: list[int]) -> tuple[str, int, str, str, str]:
    busy = [at for at, cell in enumerate(cells) if cell]
    return name, len(busy), _clock(busy[0]), _clock(busy[-1]), size(sum(cells))


def _within(scope: Scope, day: int) -> tuple[str, str]:
    """The part of a day that lies in the span."""
    begin, end = (midnight_us(date_of(each), ZoneInfo(scope.zone)) for each in (day, day + 1))
    return instant(max(begin, scope.span.since_us)), instant(min(end, scope.span.until_us))


def _clock(at: int) -> str:
    return f"{at // 4:02}:{at % 4 * 15:02}"
