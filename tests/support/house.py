"""Stations made by hand, for tests of identification."""

from __future__ import annotations

from daemon.identify import oui_build
from daemon.identify.oui import OuiTable
from daemon.identify.vocabulary import Hint, Station

HUE, SONOS, ESPRESSIF, APPLE, DELL = 0x001788_0000A1, 0x347E5C_0000B2, 0x240AC4_0000C3, 0xF01898_0000D4, 0x8CEC4B_0000E5
RANDOM = 0xDA1119_000001  # count up for another


def makers() -> OuiTable:
    """A registry of five."""
    names = {
        HUE: "Signify B.V.",
        SONOS: "Sonos, Inc.",
        ESPRESSIF: "Espressif Inc.",
        APPLE: "Apple, Inc.",
        DELL: "Dell Inc.",
    }
    return OuiTable(oui_build.pack({(24, mac >> 24): name for mac, name in names.items()}))


def station(
    mac: int,
    *said: tuple[str, str, str],
    number: int = 0,
    seen: tuple[int, int] = (0, 100),
    traffic: tuple[tuple[str, int], ...] = (),
    folder: str | None = None,
) -> Station:
    """A station that said (source, key, value), the later the more recently. `number` defaults to the end of its MAC."""
    hints = tuple([Hint(*hint, seen[0], seen[0] + place) for place, hint in enumerate(said)])
    return Station(number or mac & 0xFFFFFF, mac, "", *seen, hints=hints, makers=traffic, folder=folder)
