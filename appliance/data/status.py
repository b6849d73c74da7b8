"""What databases there are, where from, how old, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.data.install import PREVIOUS, origin_of
from appliance.data.sources import SOURCES
from daemon.classify.address_files import AddressFile
from daemon.store.atlas_files import OWN_NAMES, open_address_files

IN_USE, OLD, UNUSABLE, ABSENT = "in use", "old", "unusable", "absent"
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Status:
    """One database, or the lack of one. What nobody knows is None."""

    name: str
    state: str  # `in use`, `old`, `unusable` or `absent`
    kind: str | None = None  # what it tells: `country`, `asn`, `cloud`, `city`
    title: str | None = None
    place: str | None = None
    licence: str | None = None
    attribution: str | None = None
    built: str | None = None  # YYYY-MM-DD, UTC
    age_days: int | None = None
    size: int | None = None  # bytes
    previous: bool = False  # whether the one before is kept
    reason: str | None = None  # for which it is unusable


def status(folder: Path, now: datetime, old_after_days: int) -> list[Status]:
    """Every database of the folder, strongest first; then what was left out; then what is absent."""
    files = open_address_files(folder)
    rows = [_described(file, now, old_after_days) for file in files.usable]
    rows += [Status(refused.path.name, UNUSABLE, reason=refused.reason) for refused in files.refused]
    told = {file.kind for file in files.usable}
    there = {row.name for row in rows}
    usual = {source.target: source for source in SOURCES.values() if source.usual}
    rows += [
        Status(name, ABSENT, usual[name].kind, usual[name].title)
        for name in OWN_NAMES
        if name in usual and name not in there and usual[name].kind not in told
    ]
    return rows


def _described(file: AddressFile, now: datetime, old_after_days: int) -> Status:
    origin = origin_of(file.path)
    built = datetime.fromtimestamp(file.built, UTC) if file.built else None
    age = max(0, int((now - built).total_seconds() // _DAY)) if built else None
    return Status(
        file.path.name,
        OLD if age is not None and age >= old_after_days else IN_USE,
        file.kind,
        origin.title if origin else file.database_type,
        origin.place if origin else None,
        origin.licence if origin else None,
        origin.attribution if origin else None,
        f"{built:%Y-%m-%d}" if built else None,
        age,
        file.size,
        file.path.with_name(file.path.name + PREVIOUS).exists(),
    )
