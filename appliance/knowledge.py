"""What judging needs besides facts, from the places that the configuration names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.config import Config
    from daemon.ingest.knowledge import Knowledge

_LOCALTIME = Path("/etc/localtime")
_ZONES = "zoneinfo"


def knowledge_of(config: Config) -> Knowledge:
    """Where the owner's words, tables and address databases lie. Nothing is opened yet."""
    from daemon.ingest.knowledge import Knowledge

    zone: object = config.site.time_zone
    if config.beneath:  # the owner said something on the dashboard, which is read with the other words
        from daemon.store.settings import TIME_ZONE

        zone = config.beneath.get(TIME_ZONE, zone)
    return Knowledge(
        owner=config.store.owner,
        organisations=tuple(Path(path) for path in config.classify.organisations),
        data=config.data.folder,
        zone=str(zone) or machine_zone(),
    )


def missing_places(knowledge: Knowledge) -> str | None:
    """What to do where no database tells countries; None where one does."""
    kinds = {file.kind for file in knowledge.atlas.files} if knowledge.atlas else set()
    if kinds & {"country", "city"}:
        return None
    return "Without a country database most countries stay empty: `homeport data update` fetches one (docs/data.md)."


def machine_zone(localtime: Path = _LOCALTIME) -> str:
    """The IANA name of the machine's time zone, as TZ or the link at /etc/localtime has it; else UTC."""
    from daemon.store.calendar import known_zone

    said = os.environ.get("TZ", "").removeprefix(":")
    if said and known_zone(said):
        return said
    parts = localtime.resolve().parts if localtime.is_symlink() else ()
    name = "/".join(parts[parts.index(_ZONES) + 1 :]) if _ZONES in parts else ""
    return name if name and known_zone(name) else "UTC"
