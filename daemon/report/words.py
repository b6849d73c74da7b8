"""Words that reports share: months, parties, lists."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.store.months import Known

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_PARTIES = {
    "first": ("first party", "first parties"),
    "support": ("support party", "support parties"),
    "third": ("third party", "third parties"),
    "platform": ("platform party", "platform parties"),
    "local": ("local destination", "local destinations"),
    "unknown": ("destination of unknown party", "destinations of unknown party"),
}


def month_words(month: int) -> str:
    """`July 2025` of a month's number."""
    return f"{_MONTHS[month % 12]} {month // 12}"


def party_words(party: str | None, number: int = 1) -> str:
    """`third party`, `third parties`"""
    return _PARTIES.get(party or "unknown", _PARTIES["unknown"])[number != 1]


def listed(items: Sequence[str], most: int) -> str:
    """`a, b and c`; of more than `most` the first ones, and how many more."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 2 else items)


def device_words(device: Known | None) -> str:
    """What people call a device: its name, else its maker and MAC, else what can be said."""
    if device is None:
        return "Traffic of no device"
    if device.name:
        return device.name
    mac = device.mac.to_bytes(6, "big").hex(":") if device.mac >= 0 else None
    return " ".join(part for part in (device.vendor, "device", mac) if part)
