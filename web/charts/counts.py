"""Many thin columns of one thing, with few labels, so that they can be read on a phone, too."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from web.charts.columns import framed, round_up
from web.numbers import count

_HEIGHT, _TOP, _BOTTOM = 200, 14, 28
_LINES = 2  # of the scale, besides the ground
_MOST_LABELS = 4
_SHORT = 7  # letters of a label of which so many fit beside each other on a phone
_WIDEST = 12.0  # per cent, of a column that is nearly alone


def counts(columns: Sequence[tuple[str, int]], label: str) -> Markup:
    """One column for each (label, number); nothing where all numbers are 0."""
    top = round_up(max((number for _, number in columns), default=0))
    if top <= 0:
        return Markup("")
    ground, room = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    step = 100 / len(columns)
    width = min(step * 0.8, _WIDEST)
    every = -(-len(columns) // _MOST_LABELS)
    pieces = []
    for at, (name, number) in enumerate(columns):
        left = step * at + step * 0.1
        if number > 0:
            tall = max(number / top * room, 1.0)
            pieces.append(
                Markup(
                    '<rect class="fill-accent" x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}">'
                    "<title>{}</title></rect>"
                ).format(left, ground - tall, width, tall, f"{name}: {count(number)}")
            )
        if at % every == 0:
            spare = at // every % 2 and len(name) > _SHORT
            pieces.append(
                Markup('<text x="{:.2f}%" y="{}"{}>{}</text>').format(
                    left, _HEIGHT - 6, Markup(' class="every-other"') if spare else "", name
                )
            )
    marks = [(ground - room * at / _LINES, count(top * at / _LINES)) for at in range(_LINES + 1)]
    return framed(pieces, marks, _HEIGHT, label)
