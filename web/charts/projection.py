"""Where a place lies on the map: the Equal Earth projection, which shows every country in its true size.

B. Šavrič, T. Patterson, B. Jenny: "The Equal Earth map projection", 2018. The map ends below Tierra del Fuego: what is
further south sends no packets, and would take a fifth of the sheet. Pure.
"""

from __future__ import annotations

from math import asin, cos, pi, radians, sin, sqrt

WIDTH = 4000  # units of the map, from one end of the equator to the other
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_NORTH, _SOUTH = 84.0, -57.0  # degrees: the top and the bottom of the sheet
_M = sqrt(3) / 2


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """(x, y) of degrees, north and east positive; x grows to the right and y downwards, both in units of the map."""
    x, y = _plane(latitude, longitude)
    return (x - _LEFT) * _SCALE, (_TOP - y) * _SCALE


def _plane(latitude: float, longitude: float) -> tuple[float, float]:
    """The projection itself, for a globe with the radius 1."""
    theta = asin(_M * sin(radians(latitude)))
    square = theta * theta
    sixth = square**3
    slope = _A1 + 3 * _A2 * square + sixth * (7 * _A3 + 9 * _A4 * square)
    return radians(longitude) * cos(theta) / (_M * slope), theta * (_A1 + _A2 * square + sixth * (_A3 + _A4 * square))


_LEFT = -pi / (_M * _A1)
_TOP = _plane(_NORTH, 0)[1]
_SCALE = WIDTH / (-2 * _LEFT)
HEIGHT = round((_TOP - _plane(_SOUTH, 0)[1]) * _SCALE)
