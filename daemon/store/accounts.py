"""The one account of a box: claimed with a code that the box shows, kept by a password, given up by a reset.

Rule 1: a box belongs to whoever can read its screen or its journal: only there the code is shown.
Rule 2: the last code shown is the one that counts; it is gone once it was used.
Rule 3: a reset forgets password, sessions and tokens, and nothing of what the owner said.
"""

from __future__ import annotations

import sqlite3

from daemon.store import passwords
from daemon.store.database import transaction
from daemon.store.errors import StoreError
from daemon.store.owner import owning
from daemon.store.words import BadWordError

_SINCE = 3  # step of owner.db that brought accounts


class ClaimedError(StoreError):
    """The box has an owner already."""


def knows_people(db: sqlite3.Connection) -> bool:
    """Whether a file that was opened for reading has accounts, sessions and settings at all. Raises StoreError."""
    with owning(db):
        return int(db.execute("PRAGMA user_version").fetchone()[0]) >= _SINCE


def is_claimed(db: sqlite3.Connection | None) -> bool:
    """Whether the box has an owner. Raises StoreError."""
    if db is None or not knows_people(db):
        return False
    with owning(db):
        return db.execute("SELECT 1 FROM account").fetchone() is not None


def show_code(db: sqlite3.Connection, now_us: int) -> str:
    """A new claim code; the one before no longer counts. Raises ClaimedError, StoreError."""
    code = passwords.new_code()
    with owning(db), transaction(db):
        _refuse_claimed(db)
        db.execute("INSERT OR REPLACE INTO claim VALUES (1, ?, ?)", (passwords.code_digest(code), now_us))
    return code


def claim(db: sqlite3.Connection, code: str, password: str, now_us: int) -> None:
    """Make whoever has the code the owner. Raises BadWordError, ClaimedError, StoreError."""
    kept = passwords.hashed(passwords.check_password(password)) if code_fits(db, code) else ""
    with owning(db), transaction(db):
        _refuse_claimed(db)
        if not kept or not code_fits(db, code):
            raise BadWordError(
                "That is not the code that the box showed last. `homeport claim` on the box shows a new one."
            )
        db.execute("INSERT INTO account VALUES (1, ?, ?, ?)", (kept, now_us, now_us))
        db.execute("DELETE FROM claim")


def code_fits(db: sqlite3.Connection, code: str) -> bool:
    """Whether this is the code that was shown last. Raises StoreError."""
    with owning(db):
        row = db.execute("SELECT digest FROM claim").fetchone()
    return row is not None and passwords.same(row[0], passwords.code_digest(code))


def password_fits(db: sqlite3.Connection, password: str) -> bool:
    """Whether this is the owner's password; takes its time. Raises StoreError."""
    with owning(db):
        row = db.execute("SELECT password FROM account").fetchone()
    return row is not None and passwords.fits(password, row[0])


def change_password(db: sqlite3.Connection, password: str, now_us: int) -> None:
    """Another password from now on. Raises BadWordError, StoreError."""
    kept = passwords.hashed(passwords.check_password(password))
    with owning(db):
        db.execute("UPDATE account SET password = ?, changed_us = ?", (kept, now_us))


def reset(db: sqlite3.Connection) -> bool:
    """Forget password, sessions and tokens; whether there was an owner. Raises StoreError."""
    with owning(db), transaction(db):
        claimed = db.execute("DELETE FROM account").rowcount > 0
        db.execute("DELETE FROM session")
        db.execute("DELETE FROM token")
    return claimed


def _refuse_claimed(db: sqlite3.Connection) -> None:
    if db.execute("SELECT 1 FROM account").fetchone():
        raise ClaimedError("This box has an owner already. `homeport claim --reset` on the box forgets the password.")
