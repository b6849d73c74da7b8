"""What the owner set on the dashboard: few things, each with its range, kept in `owner.db`.

Rule 1: a setting that a configuration key has too is called like the key; it is stronger than files, weaker than flags.
Rule 2: what is kept was checked when it was said, and is checked again when it is read: what no longer holds counts as
        not said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from daemon.store.calendar import known_zone
from daemon.store.database import transaction
from daemon.store.owner import owning, read_owner
from daemon.store.words import LONGEST, BadWordError, checked_by

HOME_NAME, TIME_ZONE = "home.name", "site.time_zone"
NIGHT_FROM, NIGHT_UNTIL = "night.from", "night.until"
NIGHT = (22, 6)  # hours, where nothing was said


class Setting(NamedTuple):
    """Something that can be set: what it is for, what it takes, and how the text is read (ValueError: not so)."""

    label: str
    wants: str
    read: Callable[[str], str | int]
    is_key: bool = True  # whether it is a key of the configuration


def _between(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
            raise ValueError(text)
        return int(text)

    return read


def _name(text: str) -> str:
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        raise ValueError(text)
    return text


def _zone(text: str) -> str:
    if len(text) > LONGEST or not known_zone(text):
        raise ValueError(text)
    return text


SETTINGS: Mapping[str, Setting] = {
    HOME_NAME: Setting("Name of the home", f"1 to {LONGEST} printable characters", _name, is_key=False),
    TIME_ZONE: Setting("Time zone", "the IANA name of a time zone, such as Europe/Berlin", _zone),
    NIGHT_FROM: Setting("Night begins", "an hour from 0 to 23", _between(0, 23), is_key=False),
    NIGHT_UNTIL: Setting("Night ends", "an hour from 0 to 23", _between(0, 23), is_key=False),
    "retention.detail_days": Setting("Days of single connections", "a number from 1 to 3650", _between(1, 3650)),
    "retention.detail_mib": Setting(
        "Most that they take, in MiB", "a number from 16 to 1048576", _between(16, 1_048_576)
    ),
    "retention.traffic_days": Setting("Days of quarter hours", "a number from 1 to 3650", _between(1, 3650)),
    "capture.keep_gib": Setting(
        "Most that captures take, in GiB", "a number from 0 to 1048576", _between(0, 1_048_576)
    ),
    "capture.keep_days": Setting("Days of captures", "a number from 0 to 36500", _between(0, 36_500)),
}


def set_each(db: sqlite3.Connection, said: Mapping[str, str | None], by: str, now_us: int) -> None:
    """Keep settings, all or none; None or "" takes one back. Raises BadWordError, StoreError."""
    checked_by(by)
    rows = {key: str(_checked(key, text.strip())) if text and text.strip() else None for key, text in said.items()}
    with owning(db), transaction(db):
        for key, value in rows.items():
            db.execute("DELETE FROM setting WHERE key = ?", (key,))
            if value is not None:
                db.execute("INSERT INTO setting VALUES (?, ?, ?, ?)", (key, value, now_us, by))


def read_settings(db: sqlite3.Connection | None) -> dict[str, str | int]:
    """What is set, as it is used. Raises StoreError."""
    if db is None:
        return {}
    from daemon.store.accounts import knows_people  # noqa: PLC0415  5 ms, for passwords, that a file of an owner is worth

    if not knows_people(db):
        return {}
    found: dict[str, str | int] = {}
    with owning(db):
        rows = db.execute("SELECT key, value FROM setting").fetchall()
    for key, value in rows:
        try:
            found[key] = _checked(key, value)
        except BadWordError:
            continue  # an earlier or a later Homeport took it; this one does as if nothing was said
    return found


def settings_at(path: Path | None) -> dict[str, str | int]:
    """The same of the file at `path`; nothing where there is none. Raises StoreError."""
    db = read_owner(path) if path else None
    if db is None:
        return {}
    with closing(db):
        return read_settings(db)


def night_of(settings: Mapping[str, str | int]) -> tuple[int, int]:
    """Hours of the home's day between which it is night."""
    since, until = settings.get(NIGHT_FROM, NIGHT[0]), settings.get(NIGHT_UNTIL, NIGHT[1])
    return int(since), int(until)


def _checked(key: str, text: str) -> str | int:
    setting = SETTINGS.get(key)
    if setting is None:
        raise BadWordError(f"There is no setting {key[:LONGEST]!r}; nothing was changed.")
    try:
        return setting.read(text)
    except ValueError:
        raise BadWordError(
            f"{setting.label} wants {setting.wants}, not {text[:LONGEST]!r}; nothing was changed."
        ) from None
