"""Many thin columns of one thing, with few labels, so that they can be read on a phone, too."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from web.charts.columns import round_up
from web.numbers import count

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT, _RIGHT = 960, 200, 14, 28, 72, 8
_LINES = 2  # of the scale, besides the ground
_MOST_LABELS = 4


def counts(columns: Sequence[tuple[str, int]], label: str) -> Markup:
    """One column for each (label, number); nothing where all numbers are 0."""
    top = round_up(max((number for _, number in columns), default=0))
    if top <= 0:
        return Markup("")
    ground, room = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    step = (_WIDTH - _LEFT - _RIGHT) / len(columns)
    every = -(-len(columns) // _MOST_LABELS)
    pieces = [_line(ground - room * at / _LINES, count(top * at / _LINES)) for at in range(_LINES + 1)]
    for at, (name, number) in enumerate(columns):
        left = _LEFT + step * at
        if number > 0:
            tall = max(number / top * room, 1.0)
            pieces.append(
                Markup(
                    '<rect class="fill-accent" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                ).format(left + step * 0.1, ground - tall, max(step * 0.8, 1.0), tall, f"{name}: {count(number)}")
            )
        if at % every == 0:
            pieces.append(Markup('<text x="{:.1f}" y="{}">{}</text>').format(left + step * 0.1, _HEIGHT - 6, name))
    return Markup('<svg class="columns counts" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, label, Markup("").join(pieces)
    )


def _line(y: float, text: str) -> Markup:
    return Markup(
        '<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
    ).format(_LEFT, _WIDTH, y, _LEFT - 8, y + 5, text)
