"""What the owner said of findings: which are to be quiet, and notes; kept in `owner.db` beside all other words.

Rule 1: as with other words, a remark is never changed, only undone; of several about the same the last holds.
Rule 2: a finding is named by its stable name and its device's station: both are the same in every database.
Rule 3: a muted finding is still found. Who reads decides how to show it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from daemon.store.database import transaction
from daemon.store.owner import owning
from daemon.store.words import LONGEST, YES, BadWordError, check_key, checked_by

MUTE, NOTE = "mute", "note"
LONGEST_NOTE = 500  # characters
_NAME = re.compile(r"[a-z-]{1,32}-[0-9a-f]{12}")
_COLUMNS = "id, site, key, finding, about, value, said_us, by, undone_us, undone_by"
_SINCE_VERSION = 4  # of the file's schema


class Remark(NamedTuple):
    """One thing said of a finding. Times are microseconds since the epoch by the wall clock."""

    remark_id: int
    site: str
    key: str
    finding: str
    about: str  # MUTE or NOTE
    value: str | None
    said_us: int
    by: str
    undone_us: int | None
    undone_by: str | None


class Said(NamedTuple):
    """What holds of one finding; None where nothing does."""

    mute: Remark | None
    note: Remark | None


def mute(db: sqlite3.Connection, site: str, key: str, finding: str, by: str, now_us: int) -> int:
    """Let a finding be quiet; the remark's number, by which it is undone. Raises StoreError."""
    return _say(db, (site, key, finding, MUTE, YES), by, now_us)


def note(db: sqlite3.Connection, site: str, key: str, finding: str, text: str, by: str, now_us: int) -> int:
    """Keep a note about a finding; an empty one takes the last back. The remark's number. Raises StoreError."""
    return _say(db, (site, key, finding, NOTE, _checked(text)), by, now_us)


def undo(db: sqlite3.Connection, remark_id: int, by: str, now_us: int) -> Remark:
    """Take a remark back; it, as it was. Raises StoreError, BadWordError."""
    checked_by(by)
    with owning(db), transaction(db):
        found = db.execute(f"SELECT {_COLUMNS} FROM remark WHERE id = ?", (remark_id,)).fetchone()
        if found is None:
            raise BadWordError(f"there is no remark {remark_id}; nothing was undone")
        remark = Remark(*found)
        if remark.undone_us is not None:
            raise BadWordError(f"remark {remark_id} was undone before, by {remark.undone_by}; nothing was changed")
        db.execute("UPDATE remark SET undone_us = ?, undone_by = ? WHERE id = ?", (now_us, by, remark_id))
    return remark


def standing_remarks(db: sqlite3.Connection | None, site: str) -> Mapping[str, Said]:
    """Name of a finding -> what holds of it. None: nothing was ever said. Raises StoreError."""
    found: dict[str, dict[str, Remark]] = {}
    for remark in _remarks(db, "site = ? AND undone_us IS NULL ORDER BY id", (site,)):
        said = found.setdefault(remark.finding, {})
        said.pop(remark.about, None)
        if remark.value is not None:
            said[remark.about] = remark
    return {name: Said(said.get(MUTE), said.get(NOTE)) for name, said in found.items() if said}


def remarks_of(db: sqlite3.Connection | None, site: str, finding: str) -> list[Remark]:
    """Everything that was said of a finding, undone remarks too, the latest first. Raises StoreError."""
    return _remarks(db, "site = ? AND finding = ? ORDER BY id DESC", (site, finding))


def _say(db: sqlite3.Connection, said: tuple[str, str, str, str, str | None], by: str, now_us: int) -> int:
    checked_by(by)
    check_key(said[1])
    if not _NAME.fullmatch(said[2]):
        raise BadWordError("that is no name of a finding; nothing was written")
    with owning(db), transaction(db):
        written = db.execute(
            "INSERT INTO remark (site, key, finding, about, value, said_us, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*said, now_us, by),
        )
    return int(written.lastrowid or 0)


def _checked(text: str) -> str | None:
    note = " ".join(unicodedata.normalize("NFC", text).split())
    if not note:
        return None
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise BadWordError(f"a note wants at most {LONGEST_NOTE} printable characters, not {note[:LONGEST]!r}...")
    return note


def _remarks(db: sqlite3.Connection | None, where: str, values: tuple[object, ...]) -> list[Remark]:
    if db is None:
        return []
    with owning(db):
        if int(db.execute("PRAGMA user_version").fetchone()[0]) < _SINCE_VERSION:
            return []  # a file of an earlier Homeport, which only the first writer brings up to date
        return [Remark(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM remark WHERE {where}", values)]
