"""Tokens for programs: named, shown once, kept as digests, taken back one by one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from daemon.store.owner import owning
from daemon.store.passwords import digest_of, new_token
from daemon.store.sessions import TOUCH_US
from daemon.store.words import LONGEST, BadWordError

READ, PACKETS = "read", "packets"
SCOPES = {"read": (READ,), "read+packets": (READ, PACKETS)}  # what may be asked for, by its name on the page
PREFIX = "homeport_"  # so that a scanner for leaked secrets knows one when it sees it
MOST = 50
_COLUMNS = "id, name, scopes, made_us, used_us"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as it is kept; times by the wall clock."""

    token_id: int
    name: str
    scopes: frozenset[str]
    made_us: int
    used_us: int | None


def issue(db: sqlite3.Connection, name: str, scopes: str, now_us: int) -> str:
    """A new token, to be shown once. `scopes` is a key of SCOPES. Raises BadWordError, StoreError."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        raise BadWordError(f"A token wants a name of 1 to {LONGEST} printable characters; none was made.")
    if scopes not in SCOPES:
        raise BadWordError(f"A token may {' or '.join(SCOPES)}, not {scopes[:LONGEST]!r}; none was made.")
    token = new_token(PREFIX)
    with owning(db):
        if db.execute("SELECT count(*) FROM token").fetchone()[0] >= MOST:
            raise BadWordError(f"There are {MOST} tokens already; take one back first.")
        db.execute(
            "INSERT INTO token (name, digest, scopes, made_us) VALUES (?, ?, ?, ?)",
            (name, digest_of(token), " ".join(SCOPES[scopes]), now_us),
        )
    return token


def find(db: sqlite3.Connection, token: str) -> AccessToken | None:
    """The token that a program showed. Raises StoreError."""
    with owning(db):
        row = db.execute(f"SELECT {_COLUMNS} FROM token WHERE digest = ?", (digest_of(token),)).fetchone()
    return None if row is None else _read(*row)


def is_stale(token: AccessToken, now_us: int) -> bool:
    """Whether its last use was kept so long ago that it is worth keeping again."""
    return token.used_us is None or abs(now_us - token.used_us) >= TOUCH_US


def touch(db: sqlite3.Connection, token_id: int, now_us: int) -> None:
    """Keep that it was used. Raises StoreError."""
    with owning(db):
        db.execute("UPDATE token SET used_us = ? WHERE id = ?", (now_us, token_id))


def revoke(db: sqlite3.Connection, token_id: int) -> str:
    """Take a token back; its name. Raises BadWordError, StoreError."""
    with owning(db):
        row = db.execute("DELETE FROM token WHERE id = ? RETURNING name", (token_id,)).fetchall()
    if not row:
        raise BadWordError("There is no such token (any more).")
    return str(row[0][0])


def standing_tokens(db: sqlite3.Connection) -> list[AccessToken]:
    """All of them, in the order in which they were made. Raises StoreError."""
    with owning(db):
        return [_read(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM token ORDER BY id")]


def _read(token_id: int, name: str, scopes: str, made_us: int, used_us: int | None) -> AccessToken:
    return AccessToken(token_id, name, frozenset(scopes.split()), made_us, used_us)
