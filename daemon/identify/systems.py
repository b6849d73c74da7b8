"""Operating systems by how they ask for an address: which options of DHCP they want to know, and in which order.

Rule 1: the order is the program's, hardly anybody changes it, and it stays the same where names are hidden.
Rule 2: only what stands apart from all others counts: an embedded Linux asks like every other one, and tells nothing.
"""

from __future__ import annotations

SYSTEMS: dict[str, str] = {
    "android": "Android",
    "chromeos": "Chrome OS",
    "fireos": "Fire OS",
    "ios": "iOS or iPadOS",
    "linux": "Linux",
    "macos": "macOS",
    "roku": "Roku OS",
    "tizen": "Tizen",
    "tvos": "tvOS",
    "webos": "webOS",
    "windows": "Windows",
}

# How a parameter list (RFC 2132 section 9.8) begins, longest first -> system, and the kind that always goes with it.
_BEGINNINGS: tuple[tuple[str, str, str | None], ...] = (
    ("1,3,6,15,31,33,43,44,46,47", "windows", "computer"),
    ("1,15,3,6,44,46,47", "windows", "computer"),
    ("1,3,6,15,26,28,51,58,59", "android", None),
    ("1,33,3,6,15,26,28,51,58,59", "android", None),
    ("1,121,33,3,6,15,28,51,58,59", "android", None),
)
_APPLE = ("1,121,3,6,15,", "1,3,6,15,119,")
_MAC_ONLY = {"95", "44", "46"}  # LDAP and NetBIOS: what only computers ask for


def by_parameters(text: str) -> tuple[str, str | None] | None:
    """(system, kind) by a list like `1,3,6,15`; a kind only where the system leaves no choice."""
    for beginning, system, kind in _BEGINNINGS:
        if text.startswith(beginning):
            return system, kind
    asked = set(text.split(","))
    if text.startswith(_APPLE) and "252" in asked:
        # Telephones, tablets, watches and boxes for televisions ask alike.
        return ("macos", "computer") if asked >= _MAC_ONLY else ("ios", None)
    return None
