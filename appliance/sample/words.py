"""What the people of the sample home have told their box: names, owners and rooms of some of their devices.

Rule: as the owner's words are kept, by hardware address; who was not named shows what is found out without help.
"""

from __future__ import annotations

from appliance.sample.device import Device
from appliance.sample.devices import IPHONE, MACBOOK, NEST, PC, SONOS, TELEVISION
from appliance.sample.gadgets import CAMERA, ESP32, THERMOSTAT, VACUUM

SAID_US = 1_770_062_400_000_000  # 2 February 2026, 20:00 UTC: the evening after the box was set up
SAID_BY = "demo"

_SAID: tuple[tuple[Device, dict[str, str]], ...] = (
    (TELEVISION, {"name": "Living room TV", "room": "Living room"}),
    (SONOS, {"room": "Living room"}),
    (NEST, {"name": "Kitchen speaker", "room": "Kitchen"}),
    (IPHONE, {"name": "Anna's phone", "owner": "Anna"}),
    (MACBOOK, {"name": "Jonas's laptop", "owner": "Jonas"}),
    (PC, {"name": "Mia's computer", "owner": "Mia", "room": "Mia's room"}),
    (VACUUM, {"name": "Vacuum", "room": "Hall", "kind": "vacuum"}),
    (CAMERA, {"name": "Garden camera", "room": "Terrace", "kind": "camera"}),
    (ESP32, {"name": "Air sensor", "owner": "Jonas", "room": "Balcony", "kind": "sensor"}),
    (THERMOSTAT, {"room": "Hall"}),
)


def owners_words() -> list[tuple[str, str, str | None]]:
    """(hardware address, about what, text), in the order in which they were said."""
    return [(device.mac.hex(":"), about, text) for device, words in _SAID for about, text in words.items()]
