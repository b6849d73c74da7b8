"""The world: countries filled by their share, and dots where the other ends are.

Rule 1: a place that is a guess is never drawn like one that is known: a country is hatched, a dot is a ring.
Rule 2: what is small on a map is as easy to hit as what is large: a dot has a least size, and grows on small screens.
Rule 3: everything that can be seen can be read: titles here, the table below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import sqrt

from markupsafe import Markup, escape

from web.charts.markup import joined, made
from web.charts.projection import HEIGHT, WIDTH, project

# Parts of the sheet: left, top, width, height, in units of the map.
VIEWS: Mapping[str, tuple[str, tuple[int, int, int, int]]] = {
    "world": ("World", (0, 0, WIDTH, HEIGHT)),
    "europe": ("Europe", (1740, 110, 780, 430)),
    "north-america": ("North America", (480, 90, 1200, 660)),
    "asia": ("Asia", (2480, 200, 1200, 800)),
}
STEPS = (0.001, 0.01, 0.05, 0.2, 0.5)  # shares from which a country is one shade darker
_SMALLEST, _LARGEST = 0.0045, 0.021  # radius of a dot, as a part of the width that is seen


@dataclass(frozen=True, slots=True)
class Area:
    """A country. `share` of the whole, 0 to 1; `words` are read out; `unsure`: most of it is a guess."""

    code: str
    share: float
    words: str
    link: str
    unsure: bool


@dataclass(frozen=True, slots=True)
class Dot:
    """A place. `part`: of the largest dot, 0 to 1."""

    latitude: float
    longitude: float
    part: float
    words: str
    link: str
    unsure: bool
    party: str


@cache
def shapes() -> Mapping[str, str]:
    """A path for every country that is drawn, by its ISO code."""
    return dict(json.loads((files("web.charts") / "world.json").read_text("utf-8"))["countries"])


def world(areas: Sequence[Area], dots: Sequence[Dot], label: str, view: str = "world") -> Markup:
    """The map, or a part of it."""
    left, top, width, height = VIEWS[view][1]
    paths, known = shapes(), {area.code: area for area in areas}
    ground = "".join(path for code, path in paths.items() if code not in known)
    pieces = [made(f'<path class="land" fill-rule="evenodd" d="{ground}"/>')]
    pieces += [_area(area, paths[area.code]) for area in areas if area.code in paths]
    pieces += [_dot(dot, width) for dot in sorted(dots, key=lambda dot: -dot.part)]
    return Markup(
        '<svg class="world" viewBox="{} {} {} {}" role="group" aria-label="{}">'
        '<defs><pattern id="guess" width="{step}" height="{step}" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="{step}" stroke-width="{line}"/>'
        "</pattern></defs>{}</svg>"
    ).format(left, top, width, height, label, made(joined(pieces)), step=_of(width, 0.0055), line=_of(width, 0.0035))


def shade(share: float) -> int:
    """Of a share, 0 to 5."""
    return sum(1 for step in STEPS if share >= step)


def _area(area: Area, path: str) -> Markup:
    hatched = f'<path class="guess" fill="url(#guess)" fill-rule="evenodd" d="{path}"/>' if area.unsure else ""
    words = escape(area.words)
    return made(
        f'<a href="{escape(area.link)}" class="area" aria-label="{words}"><title>{words}</title>'
        f'<path class="shade-{shade(area.share)}" fill-rule="evenodd" d="{path}"/>{hatched}</a>'
    )


def _dot(dot: Dot, width: int) -> Markup:
    x, y = project(dot.latitude, dot.longitude)
    radius = max(_SMALLEST, _LARGEST * sqrt(max(dot.part, 0.0))) * width
    look = "ring" if dot.unsure else f"fill-{escape(dot.party)}"
    return made(
        f'<a href="{escape(dot.link)}" tabindex="-1" aria-hidden="true"><title>{escape(dot.words)}</title>'
        f'<circle class="dot {look}" cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}"/></a>'
    )


def _of(width: int, part: float) -> str:
    return f"{width * part:.1f}"
