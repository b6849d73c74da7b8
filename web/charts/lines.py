"""A line as small as a word."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

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
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" preserveAspectRatio="none" role="img" aria-label="{2}">'
        '<polygon points="0,{1} {3} {0},{1}"/><polyline points="{3}"/></svg>'
    ).format(_WIDTH, _HEIGHT, label, points)
