"""A line as small as a word."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from web.charts.markup import made

_WIDTH, _HEIGHT = 120, 28


def sparkline(values: Sequence[float], label: str) -> Markup:
    """Values at equal distances, from 0 to the largest; nothing where all are 0."""
    most = max(values, default=0)
    if most <= 0:
        return Markup("")
    step = _WIDTH / max(len(values) - 1, 1)
    points = " ".join(
        f"{number * step:.1f},{_HEIGHT - 2 - value / most * (_HEIGHT - 4):.1f}" for number, value in enumerate(values)
    )
    return made(
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(label)}"><polygon points="0,{_HEIGHT} {points} {_WIDTH},{_HEIGHT}"/>'
        f'<polyline points="{points}"/></svg>'
    )
