"""Who is logged in: one row a browser, found by a digest of what its cookie holds.

Rule 1: a session ends by itself: after a week without use, and after a month in any case.
Rule 2: reading a session writes at most every few minutes: an SD card is not worn out by somebody who looks.
Rule 3: there are at most MOST sessions; the one that was used least lately goes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from daemon.store.database import transaction
from daemon.store.owner import owning
from daemon.store.passwords import digest_of, new_token

MINUTE_US = 60_000_000
IDLE_US = 7 * 24 * 60 * MINUTE_US
WHOLE_US = 30 * 24 * 60 * MINUTE_US
TOUCH_US = 5 * MINUTE_US
CONFIRMED_US = 5 * MINUTE_US
MOST = 50
_LONGEST = 200  # of what a browser says of itself
_COLUMNS = "id, made_us, used_us, confirmed_us, address, agent"
_ALIVE = "used_us > ? AND made_us > ?"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session as it is kept; times by the wall clock."""

    session_id: int
    made_us: int
    used_us: int
    confirmed_us: int | None
    address: str
    agent: str

    def confirmed(self, now_us: int) -> bool:
        """Whether the password was said (again) within the last minutes."""
        return self.confirmed_us is not None and 0 <= now_us - self.confirmed_us < CONFIRMED_US


def begin(db: sqlite3.Connection, now_us: int, address: str, agent: str) -> str:
    """A new session; what the cookie is to hold. Raises StoreError."""
    token = new_token()
    with owning(db), transaction(db):
        db.execute("DELETE FROM session WHERE NOT (" + _ALIVE + ")", _since(now_us))
        db.execute(
            "DELETE FROM session WHERE id NOT IN (SELECT id FROM session ORDER BY used_us DESC LIMIT ?)", (MOST - 1,)
        )
        db.execute(
            "INSERT INTO session (digest, made_us, used_us, address, agent) VALUES (?, ?, ?, ?, ?)",
            (digest_of(token), now_us, now_us, address[:_LONGEST], agent[:_LONGEST]),
        )
    return token


def find(db: sqlite3.Connection, token: str, now_us: int) -> LoggedIn | None:
    """The session of a cookie, as long as it lasts. Raises StoreError."""
    with owning(db):
        row = db.execute(
            f"SELECT {_COLUMNS} FROM session WHERE digest = ? AND {_ALIVE}", (digest_of(token), *_since(now_us))
        ).fetchone()
    return None if row is None else LoggedIn(*row)


def touch(db: sqlite3.Connection, session_id: int, now_us: int, address: str) -> None:
    """Keep that it was used. Raises StoreError."""
    with owning(db):
        db.execute("UPDATE session SET used_us = ?, address = ? WHERE id = ?", (now_us, address[:_LONGEST], session_id))


def confirm(db: sqlite3.Connection, session_id: int, now_us: int) -> None:
    """Keep that its password was said again. Raises StoreError."""
    with owning(db):
        db.execute("UPDATE session SET confirmed_us = ? WHERE id = ?", (now_us, session_id))


def end(db: sqlite3.Connection, session_id: int) -> None:
    """Log one out. Raises StoreError."""
    with owning(db):
        db.execute("DELETE FROM session WHERE id = ?", (session_id,))


def end_all(db: sqlite3.Connection, but: int | None = None) -> int:
    """Log everybody out, but one perhaps; how many. Raises StoreError."""
    with owning(db):
        return db.execute("DELETE FROM session WHERE id IS NOT ?", (but,)).rowcount


def standing_sessions(db: sqlite3.Connection, now_us: int) -> list[LoggedIn]:
    """All that last, the latest used first. Raises StoreError."""
    with owning(db):
        rows = db.execute(
            f"SELECT {_COLUMNS} FROM session WHERE {_ALIVE} ORDER BY used_us DESC, id DESC", _since(now_us)
        )
        return [LoggedIn(*row) for row in rows]


def _since(now_us: int) -> tuple[int, int]:
    return now_us - IDLE_US, now_us - WHOLE_US
