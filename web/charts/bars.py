"""One horizontal bar: how something is divided, or how large a part of the largest it is."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

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
                Markup('<rect class="fill-{}" x="{:.1f}" y="0" width="{:.1f}" height="{}" rx="2"/>').format(
                    party, at, max(width - _GAP, 2), _HEIGHT
                )
            )
        at += width
    return _svg(pieces, label)


def share_bar(fraction: float, label: str = "", style: str = "accent") -> Markup:
    """A part of a whole, 0 to 1, on its track."""
    width = min(max(fraction, 0), 1) * _WIDTH
    track = Markup('<rect class="track" x="0" y="0" width="{}" height="{}" rx="2"/>').format(_WIDTH, _HEIGHT)
    part = Markup('<rect class="fill-{}" x="0" y="0" width="{:.1f}" height="{}" rx="2"/>').format(style, width, _HEIGHT)
    return _svg([track, part], label)


def _svg(pieces: list[Markup], label: str) -> Markup:
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="bar" viewBox="0 0 {} {}" preserveAspectRatio="none" {}>{}</svg>').format(
        _WIDTH, _HEIGHT, spoken, Markup("").join(pieces)
    )
