"""One horizontal bar: how something is divided, or how large a part of the largest it is."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from web.charts.markup import joined, made

_WIDTH, _HEIGHT, _GAP = 1000, 12, 3
ORDER = ("first", "support", "platform", "third", "local", "unknown")  # of parties, everywhere


def party_bar(parts: Mapping[str, float], label: str) -> Markup:
    """Bytes by party, as parts of one bar in the parties' colours; nothing where there is nothing."""
    whole = sum(parts.values())
    if whole <= 0:
        return Markup("")
    pieces, at = [], 0.0
    for party in ORDER:
        width = parts.get(party, 0) / whole * _WIDTH
        if width > 0:
            pieces.append(
                made(
                    f'<rect class="fill-{party}" x="{at:.1f}" y="0" width="{max(width - _GAP, 2):.1f}"'
                    f' height="{_HEIGHT}" rx="2"/>'
                )
            )
        at += width
    return _svg(pieces, label)


def share_bar(fraction: float, label: str = "", style: str = "accent") -> Markup:
    """A part of a whole, 0 to 1, on its track."""
    width = min(max(fraction, 0), 1) * _WIDTH
    track = made(f'<rect class="track" x="0" y="0" width="{_WIDTH}" height="{_HEIGHT}" rx="2"/>')
    part = made(f'<rect class="fill-{escape(style)}" x="0" y="0" width="{width:.1f}" height="{_HEIGHT}" rx="2"/>')
    return _svg([track, part], label)


def _svg(pieces: list[Markup], label: str) -> Markup:
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return made(
        f'<svg class="bar" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" {spoken}>{joined(pieces)}</svg>'
    )
