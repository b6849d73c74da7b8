"""What a domain can be: the kinds of the organisation files, and the party that each means.

Rule 1: an organisation file says what a domain is; only this table says which party that makes it.
Rule 2: two parties stand here, for somebody else's device and for the owner's own (and its parents' and sisters');
        what depends on more than that stands in `daemon.classify.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from daemon.classify.vocabulary import FIRST, PLATFORM, SUPPORT, THIRD


class Kind(NamedTuple):
    """One kind of domain; `purpose` is the word for it where nothing more exact is known."""

    name: str
    others: str  # party for a device of somebody else
    own: str  # party for a device of the organisation, its parents and its sisters
    purpose: str
    about: str


_KINDS = (
    Kind("maker", THIRD, FIRST, "other", "a device maker's own services"),
    Kind("platform", PLATFORM, FIRST, "platform", "device identity, messaging, pairing or voice for many brands"),
    Kind("cloud", SUPPORT, FIRST, "cloud", "rented computers and storage, by the hour"),
    Kind("cdn", SUPPORT, FIRST, "content delivery", "copies of files close to the people who fetch them"),
    Kind("hosting", SUPPORT, FIRST, "cloud", "rented servers and web space"),
    Kind("dns", SUPPORT, FIRST, "name service", "names turned into addresses"),
    Kind("time", SUPPORT, FIRST, "time", "the time of day"),
    Kind("certificates", SUPPORT, FIRST, "certificates", "certificates and whether they still hold"),
    Kind("connectivity", SUPPORT, FIRST, "connectivity", "is there a way to the Internet, and from where"),
    Kind("update", SUPPORT, FIRST, "updates", "packages and updates of software that many use"),
    Kind("isp", SUPPORT, FIRST, "connectivity", "a company that connects homes to the Internet"),
    Kind("advertising", THIRD, THIRD, "advertising", "advertisements, and who saw them"),
    Kind("recognition", THIRD, THIRD, "recognition", "recognises what is on the screen, for advertisements"),
    Kind("analytics", THIRD, FIRST, "analytics", "measures use, crashes and people"),
    Kind("content", THIRD, FIRST, "content", "video, music, radio, news, weather, games"),
    Kind("social", THIRD, FIRST, "social", "social networks"),
    Kind("search", THIRD, FIRST, "search", "search engines and portals"),
    Kind("shop", THIRD, FIRST, "shop", "shops"),
    Kind("messaging", THIRD, FIRST, "messaging", "mail, chat, telephone and messages to apps"),
    Kind("payment", THIRD, FIRST, "payment", "payments"),
    Kind("security", THIRD, FIRST, "security", "protection against malware and fraud"),
    Kind("office", THIRD, FIRST, "office", "documents, calendars, support desks"),
    Kind("registry", THIRD, FIRST, "other", "registries of names and addresses"),
    Kind("other", THIRD, FIRST, "other", "anything else that is known"),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
INFRASTRUCTURE = frozenset(kind.name for kind in _KINDS if kind.others == SUPPORT)
CARRIERS = frozenset({"cloud", "cdn", "hosting"})  # carry other people's services, and their certificates
