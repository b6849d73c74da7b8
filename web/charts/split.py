"""One horizontal bar in named parts that are no parties: encrypted or not, one version of IP or the other."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _GAP, _LEAST = 1000, 12, 3, 2


def split_bar(parts: Sequence[tuple[str, float]], label: str) -> Markup:
    """Parts (style, amount) of one bar in order, coloured by the classes `fill-STYLE`; nothing where there is nothing."""
    whole = sum(amount for _, amount in parts)
    if whole <= 0:
        return Markup("")
    pieces, at = [], 0.0
    for style, amount in parts:
        width = amount / whole * _WIDTH
        if amount > 0:
            pieces.append(
                Markup('<rect class="fill-{}" x="{:.1f}" y="0" width="{:.1f}" height="{}" rx="2"/>').format(
                    style, at, max(width - _GAP, _LEAST), _HEIGHT
                )
            )
        at += width
    return Markup(
        '<svg class="bar" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, _HEIGHT, label, Markup("").join(pieces))
