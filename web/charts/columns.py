"""Stacked columns over time: days of a week, months of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from web.charts.bars import ORDER
from web.numbers import count, size

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 960, 220, 12, 24, 64
_LINES = 3  # of the scale, besides the ground
_MOST_LABELS = 12


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
    step = (_WIDTH - _LEFT) / len(labels)
    pieces = [_line(ground - room * number / _LINES, write(top * number / _LINES)) for number in range(_LINES + 1)]
    every = -(-len(labels) // _MOST_LABELS)
    for number, (name, stack) in enumerate(zip(labels, stacks, strict=True)):
        at, width, y = _LEFT + step * (number + 0.14), step * 0.72, float(ground)
        for part in order:
            height = stack.get(part, 0) / top * room
            if height <= 0:
                continue
            y -= height
            pieces.append(
                Markup(
                    '<rect class="fill-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                ).format(part, at, y, width, max(height - 0.8, 0.8), f"{name}: {write(stack[part])} {part}")
            )
        if number % every == 0:
            pieces.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    at + width / 2, _HEIGHT - 6, name
                )
            )
    return Markup('<svg class="columns" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, label, Markup("").join(pieces)
    )


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


def _line(y: float, text: str) -> Markup:
    return Markup(
        '<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
    ).format(_LEFT, _WIDTH, y, _LEFT - 8, y + 4, text)
