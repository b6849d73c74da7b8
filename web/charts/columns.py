"""Stacked columns over time: days of a week, months of a year.

Rule: widths are shares of the room there is and heights are pixels, so that letters stay letters on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from web.charts.bars import ORDER
from web.charts.markup import joined, made
from web.numbers import count, size

_HEIGHT, _TOP, _BOTTOM = 220, 12, 24
_LINES = 3  # of the scale, besides the ground
_MOST_LABELS, _FEW_LABELS = 12, 6  # on a wide screen, on a narrow one
_WIDEST = 14.0  # per cent, of a column that is nearly alone


def columns(
    labels: Sequence[str],
    stacks: Sequence[Mapping[str, float]],
    label: str,
    scale: str = "size",
    order: Sequence[str] = ORDER,
) -> Markup:
    """One column a label, its parts stacked in `order`, which are also their classes (`fill-first`).

    `scale`: how numbers of the axis are written, `size` for bytes or `count`.
    """
    write = size if scale == "size" else count
    top = round_up(max((sum(stack.values()) for stack in stacks), default=0))
    if top <= 0:
        return Markup("")
    ground, room = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    marks = [(ground - room * number / _LINES, write(top * number / _LINES)) for number in range(_LINES + 1)]
    pieces: list[Markup] = []
    step = 100 / len(labels)
    width = min(step * 0.72, _WIDEST)
    every = -(-len(labels) // _MOST_LABELS)
    for number, (name, stack) in enumerate(zip(labels, stacks, strict=True)):
        middle, y = step * (number + 0.5), float(ground)
        for part in order:
            height = stack.get(part, 0) / top * room
            if height <= 0:
                continue
            y -= height
            pieces.append(
                made(
                    f'<rect class="fill-{escape(part)}" x="{middle - width / 2:.2f}%" y="{y:.1f}" width="{width:.2f}%"'
                    f' height="{max(height - 0.8, 0.8):.1f}">'
                    f"<title>{escape(f'{name}: {write(stack[part])} {part}')}</title></rect>"
                )
            )
        if number % every == 0:
            unless_narrow = len(labels) > _FEW_LABELS and number // every % 2
            kind = ' class="every-other"' if unless_narrow else ""
            y_text = _HEIGHT - 6
            pieces.append(
                made(f'<text{kind} x="{middle:.2f}%" y="{y_text}" text-anchor="middle">{escape(name)}</text>')
            )
    return framed(pieces, marks, _HEIGHT, label)


def framed(pieces: Sequence[Markup], marks: Sequence[tuple[float, str]], height: int, label: str) -> Markup:
    """Columns with lines behind them and a scale beside them; `marks`: (y, what stands there) of each line."""
    lines = [Markup('<line x1="0%" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y) for y, _ in marks]
    words = [Markup('<text x="100%" y="{:.1f}" text-anchor="end">{}</text>').format(y + 4, text) for y, text in marks]
    return Markup(
        '<div class="columns-box"><svg class="columns" height="{0}" role="img" aria-label="{1}">{2}</svg>'
        '<svg class="columns-scale" height="{0}" aria-hidden="true">{3}</svg></div>'
    ).format(height, label, made(joined([*lines, *pieces])), made(joined(words)))


def round_up(number: float) -> float:
    """The next number that reads well as the end of a scale (1, 1.5, 2, 3, 4.5, 6, 9 of a power of ten)."""
    if number <= 0:
        return 0
    power = 1.0
    while power * 10 < number:
        power *= 10
    while power >= number:
        power /= 10
    return next(power * step for step in (1.5, 3, 4.5, 6, 9, 12, 15) if power * step >= number)
