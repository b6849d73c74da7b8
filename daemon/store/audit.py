"""What was done with the box by whoever was let in: who, from where, when, what. The newest MOST lines are kept."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from daemon.store.database import transaction
from daemon.store.owner import owning

MOST = 5000
_LONGEST = 500
LOGIN, CLAIMED, PASSWORD, TOKEN_MADE, TOKEN_GONE, PACKETS, RECORDED = (
    "logged in", "claimed the box", "changed the password", "made a token", "took a token back", "downloaded packets",
    "said how a device is recorded",
)  # fmt: skip


class Line(NamedTuple):
    """One thing that was done; the time by the wall clock."""

    at_us: int
    who: str
    address: str
    what: str
    about: str


def note(db: sqlite3.Connection, line: Line) -> None:
    """Keep a line. Raises StoreError."""
    with owning(db), transaction(db):
        db.execute("INSERT INTO audit (at_us, who, address, what, about) VALUES (?, ?, ?, ?, ?)",
                   (line.at_us, *(text[:_LONGEST] for text in line[1:])))  # fmt: skip
        db.execute("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", (MOST,))


def latest(db: sqlite3.Connection, most: int) -> list[Line]:
    """The newest lines, the last first. Raises StoreError."""
    with owning(db):
        return [
            Line(*row)
            for row in db.execute(
                "SELECT at_us, who, address, what, about FROM audit ORDER BY id DESC LIMIT ?", (most,)
            )
        ]
