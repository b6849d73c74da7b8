"""Numbers as people read them: sizes, counts, shares, lengths of time."""

from __future__ import annotations

import re

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:[kMGTP]?B|%)(?!\w))")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(number: float) -> str:
    """`4.2 MB`; three digits, decimal units."""
    value, unit = float(number), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or abs(value) >= 100 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def count(number: float) -> str:
    """`12,345`"""
    return f"{number:,.0f}"


def share(fraction: float) -> str:
    """`12 %`; what is small but there is `<1 %`, what is nearly all `>99 %`"""
    if 0.99 < fraction < 1:
        return ">99 %"
    return "0 %" if fraction == 0 else "<1 %" if fraction < 0.01 else f"{fraction:.0%}".replace("%", " %")


def duration(seconds: float) -> str:
    """`3 days`, `2 hours`, `45 seconds`"""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = round(seconds / length)
            return f"{number} {unit}{'s' * (number != 1)}"
    return f"{seconds:.0f} second{'s' * (round(seconds) != 1)}"


def unbroken(text: str) -> str:
    """The same where no line ends between a number and its unit: `517 MB`."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text) if " " in text else text
