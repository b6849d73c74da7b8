"""Activity as a strip: a line for each day, a cell for each quarter of an hour (or hour), darker where more was moved."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from web.charts.markup import made
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
        pieces.append(f'<text x="0" y="{y + _ROW - 4}">{escape(day.label)}</text>')
        pieces.append(f'<rect class="track" x="{_LEFT}" y="{y}" width="{wide}" height="{_ROW}"/>')
        pieces += [_run(at, many, shade, len(day.cells), y) for at, many, shade in _runs(day.cells, steps)]
    for hour in _HOURS:
        anchor = "start" if hour == 0 else "end" if hour == 24 else "middle"
        x = _LEFT + wide * hour / 24
        pieces.append(f'<text x="{x:.0f}" y="{height - 4}" text-anchor="{anchor}">{hour:02}:00</text>')
    about = escape(f"{label}; at most {size(most)} in a cell")
    return made(
        f'<svg class="heat" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{about}">{"".join(pieces)}</svg>'
    )


def shade(value: int | None, steps: Sequence[float]) -> int:
    """0 for nothing, else 1 to 5: each shade stands for as many times more as the one before. `steps` are in order."""
    return 0 if not value else 1 + bisect_left(steps, value)


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


def _run(at: int, many: int, dark: int, cells: int, y: int) -> str:
    wide = (_WIDTH - _LEFT) / cells
    return f'<rect class="heat-{dark}" x="{_LEFT + wide * at:.1f}" y="{y}" width="{wide * many:.1f}" height="{_ROW}"/>'


def _spans(night: tuple[int, int] | None) -> list[tuple[int, int]]:
    if night is None or night[0] == night[1]:
        return []
    first, end = night
    return [(first, end)] if first < end else [(0, end), (first, 24)]


def _night(hours: tuple[int, int], wide: int, height: int) -> str:
    x, width = _LEFT + wide * hours[0] / 24, wide * (hours[1] - hours[0]) / 24
    return f'<rect class="heat-night" x="{x:.1f}" y="0" width="{width:.1f}" height="{height - 20}"/>'
