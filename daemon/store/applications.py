"""Applications: named sets of domains, as Homeport brings them and as the owner changed them.

Rule 1: a domain stands for itself and everything below it, on label boundaries; no domain that Homeport brings is in
        two sets.
Rule 2: what the owner says replaces the set of that name; an empty set takes it away.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence

from daemon.store.accounts import knows_people
from daemon.store.database import transaction
from daemon.store.owner import owning
from daemon.store.words import LONGEST, BadWordError, checked_by

MOST, MOST_DOMAINS = 60, 100  # sets, domains in one
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")

BROUGHT: Mapping[str, tuple[str, ...]] = {
    "Amazon": ("amazon.com", "amazon.de", "amazon.co.uk", "media-amazon.com", "ssl-images-amazon.com"),
    "Apple": ("apple.com", "icloud.com", "mzstatic.com", "cdn-apple.com", "apple-dns.net", "icloud-content.com"),
    "Discord": ("discord.com", "discord.gg", "discordapp.com", "discordapp.net", "discord.media"),
    "Disney+": ("disneyplus.com", "disney-plus.net", "dssott.com", "bamgrid.com"),
    "Dropbox": ("dropbox.com", "dropboxapi.com", "dropboxusercontent.com", "dropboxstatic.com"),
    "Facebook": ("facebook.com", "facebook.net", "fbcdn.net", "fb.com", "messenger.com"),
    "Google": ("google.com", "google.de", "google.co.uk", "gstatic.com", "googleapis.com", "googleusercontent.com"),
    "Instagram": ("instagram.com", "cdninstagram.com"),
    "Microsoft 365": ("office.com", "office365.com", "office.net", "outlook.com", "sharepoint.com", "onedrive.com",
                      "live.com"),
    "Netflix": ("netflix.com", "nflxvideo.net", "nflximg.net", "nflxext.com", "nflxso.net"),
    "PlayStation": ("playstation.com", "playstation.net", "sonyentertainmentnetwork.com"),
    "Prime Video": ("primevideo.com", "aiv-cdn.net", "aiv-delivery.net", "pv-cdn.net"),
    "Reddit": ("reddit.com", "redd.it", "redditmedia.com", "redditstatic.com"),
    "Signal": ("signal.org", "whispersystems.org"),
    "Snapchat": ("snapchat.com", "sc-cdn.net", "snapkit.com"),
    "Spotify": ("spotify.com", "scdn.co", "spotifycdn.com", "pscdn.co", "audio-ak-spotify-com.akamaized.net"),
    "Steam": ("steampowered.com", "steamcommunity.com", "steamcontent.com", "steamstatic.com", "steamserver.net"),
    "Teams": ("teams.microsoft.com", "teams.live.com", "skype.com"),
    "Telegram": ("telegram.org", "t.me", "telegram.me", "cdn-telegram.org"),
    "TikTok": ("tiktok.com", "tiktokv.com", "tiktokcdn.com", "musical.ly", "byteoversea.com", "ttwstatic.com"),
    "Twitch": ("twitch.tv", "ttvnw.net", "jtvnw.net", "twitchcdn.net"),
    "WhatsApp": ("whatsapp.com", "whatsapp.net"),
    "Wikipedia": ("wikipedia.org", "wikimedia.org"),
    "X": ("x.com", "twitter.com", "twimg.com", "t.co"),
    "Xbox": ("xbox.com", "xboxlive.com", "xboxservices.com"),
    "YouTube": ("youtube.com", "googlevideo.com", "ytimg.com", "youtube-nocookie.com", "youtu.be", "ggpht.com",
                "youtubei.googleapis.com"),
    "Zoom": ("zoom.us", "zoomgov.com", "zoom.com"),
}  # fmt: skip


def read_applications(db: sqlite3.Connection | None) -> dict[str, tuple[str, ...]]:
    """Every set that holds, by name in order. Raises StoreError."""
    said = _said(db)
    return {
        name: found
        for name in sorted({*BROUGHT, *said}, key=str.casefold)
        if (found := said.get(name, BROUGHT.get(name, ())))
    }


def changed(db: sqlite3.Connection | None) -> frozenset[str]:
    """Names about which the owner said something. Raises StoreError."""
    return frozenset(_said(db))


def set_application(db: sqlite3.Connection, name: str, domains: Sequence[str], by: str, now_us: int) -> None:
    """Let a name stand for these domains; for none, that it is not wanted. Raises BadWordError, StoreError."""
    checked_by(by)
    kept = " ".join(_checked(domains))
    with owning(db), transaction(db):
        there = read_applications(db)
        if kept and name not in there and len(there) >= MOST:
            raise BadWordError(f"There are {MOST} applications already; take one away first.")
        db.execute("INSERT OR REPLACE INTO application VALUES (?, ?, ?, ?)", (_name(name), kept, now_us, by))


def restore(db: sqlite3.Connection, name: str) -> None:
    """Forget what the owner said of this name. Raises StoreError."""
    with owning(db):
        db.execute("DELETE FROM application WHERE name = ?", (name,))


def _said(db: sqlite3.Connection | None) -> dict[str, tuple[str, ...]]:
    if db is None or not knows_people(db):
        return {}
    with owning(db):
        return {name: tuple(domains.split()) for name, domains in db.execute("SELECT name, domains FROM application")}


def _name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST or not name.isprintable() or name != name.strip():
        raise BadWordError(
            f"An application wants a name of 1 to {LONGEST} printable characters, not {name[:LONGEST]!r}."
        )
    return name


def _checked(domains: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for domain in domains:
        plain = domain.strip().lower().removeprefix("*.").strip(".")
        if len(plain) > 253 or not _DOMAIN.fullmatch(plain):
            raise BadWordError(f"{domain[:LONGEST]!r} is no domain such as example.org; nothing was changed.")
        found[plain] = None
    if len(found) > MOST_DOMAINS:
        raise BadWordError(f"An application may have at most {MOST_DOMAINS} domains; nothing was changed.")
    return list(found)
