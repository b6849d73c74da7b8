"""A long series over time: an SVG that needs no script, the same as a table, and the data for a chart that can be zoomed.

Rule 1: points stand at equal distances; what is drawn without script is bundled, at most a few hundred points, and the
        table at most some sixty rows, so that a year is as quick as a day.
Rule 2: data for the browser is JSON in an attribute, escaped like any other: a script block would be lost where a part of
        a page is swapped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from web.charts.columns import round_up
from web.charts.markup import made
from web.moments import instant
from web.numbers import count, size

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 960, 240, 12, 26, 64
_LINES = 3  # of the scale, besides the ground
_MOST_POINTS, _MOST_ROWS, _MOST_LABELS = 320, 62, 7
_BUNDLES = (1, 2, 4, 8, 12, 24, 48, 96, 192, 672, 2880, 8640, 35_040)  # points in one: an hour, a day, a week, ...
_DAY_S = 86_400
_SCALES: Mapping[str, Callable[[float], str]] = MappingProxyType({"size": size, "count": count})


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `style` is its colour: a party, or up, down, accent, other; the first is drawn whole, others dashed."""

    style: str
    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Series:
    """A chart for the macro `series`: markup, JSON for the browser, legend (style, name, whole), and the table.

    `spans`: of each row from when to when, as addresses of packets say it; None where nothing moved.
    """

    svg: Markup
    data: str
    legend: tuple[tuple[str, str, str], ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[str, str] | None, ...]
    label: str


def series(
    start_s: int,
    step_s: int,
    lines: Sequence[Line],
    label: str,
    *,
    zone: str = "UTC",
    scale: str = "size",
    adds_up: bool = True,
) -> Series | None:
    """A chart of values from `start_s` (seconds, UTC) on, one each `step_s`; None where all are 0.

    `scale`: size for bytes, or count. `adds_up`: values are amounts, which a longer step adds up; else they are rates,
    of which it takes the mean. All lines have the same number of values.
    """
    if not any(any(line.values) for line in lines):
        return None
    write, clock = _SCALES[scale], ZoneInfo(zone)
    points = len(lines[0].values)
    drawn, told = _bundle(points, _MOST_POINTS), _bundle(points, _MOST_ROWS)
    table = [bundled(line.values, told, adds_up=adds_up) for line in lines]
    rows = tuple(
        (_moment(start_s + number * told * step_s, told * step_s, clock), *(write(values[number]) for values in table))
        for number in range(len(table[0]))
    )
    return Series(
        svg=_draw(start_s, step_s * drawn, [(line.style, bundled(line.values, drawn, adds_up=adds_up)) for line in lines],
                  label, write, clock),
        data=_data(start_s, step_s, lines, label, zone, scale, adds_up=adds_up),
        legend=tuple((line.style, line.name, write(sum(line.values)) if adds_up else "") for line in lines),
        headings=("From", *(line.name for line in lines)),
        rows=rows,
        spans=tuple(
            _span(start_s, step_s, (number * told, min(points, (number + 1) * told)), zone)
            if any(values[number] for values in table) else None
            for number in range(len(table[0]))
        ),
        label=label,
    )  # fmt: skip


def _span(start_s: int, step_s: int, steps: tuple[int, int], zone: str) -> tuple[str, str]:
    """When steps begin and end; days that are drawn without a zone are of the house's calendar, and written as such."""
    begin, end = (start_s + at * step_s for at in steps)
    if step_s % _DAY_S == 0 and zone == "UTC":
        return f"{datetime.fromtimestamp(begin, UTC):%Y-%m-%d}", f"{datetime.fromtimestamp(end - 1, UTC):%Y-%m-%d}"
    return instant(begin * 1_000_000), instant(end * 1_000_000)


def bundled(values: Sequence[float], many: int, *, adds_up: bool) -> list[float]:
    """Every `many` values as one: their sum, or their mean."""
    parts = [values[at : at + many] for at in range(0, len(values), many)]
    return [sum(part) if adds_up else sum(part) / len(part) for part in parts]


def _bundle(points: int, most: int) -> int:
    return next((many for many in _BUNDLES if points <= many * most), -(-points // most))


def _moment(seconds: int, length_s: int, clock: ZoneInfo) -> str:
    local = datetime.fromtimestamp(seconds, UTC).astimezone(clock)
    return f"{local:%a %-d %b %Y}" if length_s >= _DAY_S else f"{local:%a %-d %b, %H:%M}"


def _data(start_s: int, step_s: int, lines: Sequence[Line], label: str, zone: str, scale: str, *, adds_up: bool) -> str:
    whole = {
        "start": start_s, "step": step_s, "zone": zone, "scale": scale, "adds_up": adds_up, "label": label,
        "lines": [{"style": line.style, "name": line.name, "values": list(line.values)} for line in lines],
    }  # fmt: skip
    return json.dumps(whole, separators=(",", ":"))


def _draw(
    start_s: int,
    step_s: int,
    lines: Sequence[tuple[str, list[float]]],
    label: str,
    write: Callable[[float], str],
    clock: ZoneInfo,
) -> Markup:
    top = round_up(max(max(values) for _, values in lines))
    ground, room, points = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP, len(lines[0][1])
    wide = (_WIDTH - _LEFT) / points
    pieces = [_rule(ground - room * number / _LINES, write(top * number / _LINES)) for number in range(_LINES + 1)]
    for number, (style, values) in enumerate(lines):
        # Steps: what a bundle adds up holds for all of its time.
        path = " ".join(
            f"{_LEFT + wide * at:.1f},{ground - value / top * room:.1f} {_LEFT + wide * (at + 1):.1f},"
            f"{ground - value / top * room:.1f}"
            for at, value in enumerate(values)
        )
        pieces.append(f'<polyline class="ink-{escape(style)}{" dashed" if number else ""}" points="{path}"/>')
    pieces += _labels(start_s, step_s, points, wide, clock)
    return made(
        f'<svg class="series-svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(pieces)}</svg>"
    )


def _labels(start_s: int, step_s: int, points: int, wide: float, clock: ZoneInfo) -> list[str]:
    """Times under the ground, at most a few, each at the beginning of a bundle."""
    every = -(-points // _MOST_LABELS)
    whole_s = step_s * points
    form = "%b %Y" if whole_s > 200 * _DAY_S else "%-d %b" if whole_s > 2 * _DAY_S else "%H:%M"
    return [
        f'<text x="{_LEFT + wide * at:.1f}" y="{_HEIGHT - 8}">'
        f"{datetime.fromtimestamp(start_s + at * step_s, UTC).astimezone(clock):{form}}</text>"
        for at in range(0, points, every) if wide * at < _WIDTH - _LEFT - 50
    ]  # fmt: skip


def _rule(y: float, text: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )
