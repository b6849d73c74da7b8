"""One word for what a destination is for.

Rule 1: what the organisation file says of the domain comes first, where it is exact: an ad network serves ads.
Rule 2: then what its labels say, within a maker's, a content provider's and anybody's own domains.
Rule 3: what remains is the device's `own function` at home, and `other` elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from daemon.classify.kinds import KINDS
from daemon.classify.vocabulary import FIRST

OWN, OTHER = "own function", "other"

PURPOSES: Mapping[str, str] = {
    OWN: "what the device was bought for: its maker's service, without which an app or a feature stops",
    "platform": "device identity, messages and pairing, run for many brands",
    "voice": "a voice assistant",
    "push": "messages that the server starts",
    "updates": "new software",
    "remote access": "a way to the device from outside the house",
    "cloud": "rented computers and storage; what for, only the tenant knows",
    "content delivery": "files fetched from close by: pictures, pages, programs",
    "name service": "names turned into addresses",
    "time": "the time of day",
    "certificates": "whether a server is who it says it is",
    "connectivity": "is there a way to the Internet, and from where",
    "advertising": "advertisements, and who saw them",
    "recognition": "recognises what is on the screen, for advertisements",
    "analytics": "measures use, crashes and people",
    "content": "video, music, radio, news, weather, games",
    "social": "social networks",
    "search": "search engines and portals",
    "shop": "shops",
    "messaging": "mail, chat, telephone",
    "payment": "payments",
    "security": "protection against malware and fraud",
    "office": "documents, calendars, support desks",
    "local": "within the house",
    OTHER: "none of these, or nobody knows",
}

WATCHING = frozenset({"advertising", "analytics", "recognition"})  # what nobody in the house asked for

# Kinds that are as exact as a purpose. A cloud's hosts are named by its tenants, who may call them anything.
_EXACT = frozenset(KINDS) - {"maker", "platform", "content", "social", "search", "shop", "office", "other"}


def purpose_of(kind: str | None, party: str, spoken: str | None) -> str:
    """The word for a destination of a kind (None: unknown), given what its labels say."""
    if kind in _EXACT:
        return KINDS[kind].purpose
    if spoken is not None:
        return spoken
    if party == FIRST and kind == "platform":
        return OWN
    if kind is None or kind == "maker":
        return OWN if party == FIRST else OTHER
    return KINDS[kind].purpose
