"""Activity as a strip: a line for each day, a cell for each quarter of an hour (or hour), darker where more was moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.numbers import size

_WIDTH, _LEFT, _TOP, _ROW, _GAP = 960, 108, 4, 18, 2
_SHADES = 5  # classes heat-1 to heat-5; cells of a day without any are left out
_HOURS = (0, 6, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the strip: `cells` are bytes in equal parts of the day, None where nothing was recorded yet or any more."""

    label: str
    cells: Sequence[int | None]


def heat(days: Sequence[Day], label: str, night: tuple[int, int] | None = None) -> Markup:
    """The strip; nothing where no day has a cell. `night`: hours that are marked above it."""
    most = max((cell for day in days for cell in day.cells if cell), default=0)
    if not days or not most:
        return Markup("")
    steps = [most ** (number / _SHADES) for number in range(1, _SHADES)]
    wide, height = _WIDTH - _LEFT, _TOP + len(days) * (_ROW + _GAP) + 22
    pieces = [_night(hours, wide, height) for hours in _spans(night)]
    for row, day in enumerate(days):
        y = _TOP + row * (_ROW + _GAP)
        pieces.append(Markup('<text x="0" y="{}">{}</text>').format(y + _ROW - 4, day.label))
        pieces.append(Markup('<rect class="track" x="{}" y="{}" width="{}" height="{}"/>').format(_LEFT, y, wide, _ROW))
        pieces += [_run(at, many, shade, len(day.cells), y) for at, many, shade in _runs(day.cells, steps)]
    for hour in _HOURS:
        anchor = "start" if hour == 0 else "end" if hour == 24 else "middle"
        pieces.append(
            Markup('<text x="{:.0f}" y="{}" text-anchor="{}">{:02}:00</text>').format(
                _LEFT + wide * hour / 24, height - 4, anchor, hour
            )
        )
    return Markup('<svg class="heat" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, height, f"{label}; at most {size(most)} in a cell", Markup("").join(pieces)
    )


def shade(value: int | None, steps: Sequence[float]) -> int:
    """0 for nothing, else 1 to 5: each shade stands for as many times more as the one before."""
    return 0 if not value else 1 + sum(value > step for step in steps)


def _runs(cells: Sequence[int | None], steps: Sequence[float]) -> list[tuple[int, int, int]]:
    """(first cell, how many, shade) of neighbours that look the same: a tenth of the markup."""
    runs: list[tuple[int, int, int]] = []
    for at, cell in enumerate(cells):
        dark = shade(cell, steps)
        if runs and runs[-1][2] == dark and runs[-1][0] + runs[-1][1] == at:
            runs[-1] = runs[-1][0], runs[-1][1] + 1, dark
        else:
            runs.append((at, 1, dark))
    return [run for run in runs if run[2]]


def _run(at: int, many: int, dark: int, cells: int, y: int) -> Markup:
    wide = (_WIDTH - _LEFT) / cells
    return Markup('<rect class="heat-{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        dark, _LEFT + wide * at, y, wide * many, _ROW
    )


def _spans(night: tuple[int, int] | None) -> list[tuple[int, int]]:
    if night is None or night[0] == night[1]:
        return []
    first, end = night
    return [(first, end)] if first < end else [(0, end), (first, 24)]


def _night(hours: tuple[int, int], wide: int, height: int) -> Markup:
    return Markup('<rect class="heat-night" x="{:.1f}" y="0" width="{:.1f}" height="{}"/>').format(
        _LEFT + wide * hours[0] / 24, wide * (hours[1] - hours[0]) / 24, height - 20
    )
