"""Words that reports share: months, parties, lists."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.store.months import Known

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_THE_BEGIN, _THE_END = "United ", ("Republic", "Islands", "Territories", "Territory")
_THE = ("Bahamas", "Comoros", "Gambia", "Isle of Man", "Maldives", "Netherlands", "Philippines", "Seychelles")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_PARTIES = {
    "first": ("destination of its maker", "destinations of its maker"),
    "support": ("destination that is infrastructure", "destinations that are infrastructure"),
    "third": ("third party", "third parties"),
    "platform": ("IoT platform", "IoT platforms"),
    "local": ("destination in the house", "destinations in the house"),
    "unknown": ("destination of unknown kind", "destinations of unknown kind"),
}


def month_words(month: int) -> str:
    """`July 2025` of a month's number."""
    return f"{_MONTHS[month % 12]} {month // 12}"


def party_words(party: str | None, number: int = 1) -> str:
    """`third party`, `third parties`"""
    return _PARTIES.get(party or "unknown", _PARTIES["unknown"])[number != 1]


def listed(items: Sequence[str], most: int, many: int | None = None) -> str:
    """`a, b and c`; of more than `most` the first ones, and how many more. `many`: how many there are, of the first."""
    many = len(items) if many is None else many
    if many > most:
        return f"{', '.join(items[:most])} and {many - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 2 else items)


def device_words(device: Known | None) -> str:
    """What people call a device: its name, else its maker and MAC, else what can be said."""
    if device is None:
        return "Traffic of no device"
    if device.name:
        return device.name
    mac = device.mac.to_bytes(6, "big").hex(":") if device.mac >= 0 else None
    return " ".join(part for part in (device.vendor, "device", mac) if part)


def in_a_sentence(country: str) -> str:
    """A country's name as it stands in a sentence: `the United States`, `France`."""
    plural = country.startswith(_THE_BEGIN) or country.endswith(_THE_END)
    return f"the {country}" if plural or country in _THE else country


def size_words(number: float) -> str:
    """`4.2 MB`; three digits, decimal units."""
    value, unit = float(number), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{0 if unit == 0 or abs(value) >= 100 else 1}f} {_UNITS[unit]}"


def share_words(fraction: float) -> str:
    """`12 %`; what is small but there is `<1 %`, what is nearly all `>99 %`"""
    if 0 < fraction < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < fraction < 1 else f"{fraction * 100:.0f} %"


def span_words(seconds: float) -> str:
    """`7 days`, `5 hours`, as long as a span is, rounded."""
    unit, length = ("day", 86_400) if seconds >= 129_600 else ("hour", 3600)
    return counted(max(1, round(seconds / length)), unit)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 company`, `1,200 companies`"""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
