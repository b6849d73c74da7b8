"""The facts, opened so that no page can change them, nor ask for more than a moment of the box's time.

Rule 1: read-only thrice: the file is opened so, SQLite refuses to write, and an authorizer lets only reading pass.
Rule 2: a page whose queries take more of a processor than its limit is ended, and says so; also one that waits for as
        long as nobody would. A box that is busy with something else is no fault of the question. Of a file that is sent
        while it is made each piece has the limit to itself (`allow`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from daemon.store.database import read_database
from daemon.store.errors import StoreError
from daemon.store.migrations import VERSION

LIMIT_SECONDS = 2.0  # of a processor
_PATIENCE = 5  # times as long by the clock on the wall: other work, a slow disk
_STEPS = 20_000  # of SQLite's machine between two looks at the clock: a few milliseconds on a Pi
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class TooLongError(StoreError):
    """A query took longer than a page may take."""


class OlderError(StoreError):
    """The database was written by an earlier Homeport, and lacks what pages read."""


@contextmanager
def reading(path: Path, seconds: float = LIMIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection for one answer, for one thread; all its queries see the same moment. Raises StoreError."""
    with closing(read_database(path)) as db:
        db.isolation_level = None
        if int(db.execute("PRAGMA user_version").fetchone()[0]) < VERSION:
            raise OlderError(
                f"{path} was written by an earlier Homeport. `homeport classify --db {path}` brings it up to date; "
                "nothing is lost by that."
            )
        db.execute("BEGIN")  # one snapshot: two tables of a page must not be of two minutes
        db.execute(
            "SELECT value FROM json_each('[]')"
        )  # declares the table of that name, which the authorizer would deny
        allow(db, seconds)
        db.set_authorizer(_only_reading)
        try:
            yield db
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooLongError("This question takes too long to answer here; choose a shorter time.") from error
            raise
        finally:
            db.set_authorizer(None)


def allow(db: sqlite3.Connection, seconds: float = LIMIT_SECONDS) -> None:
    """Give the queries of this thread so much of a processor, from now on."""
    worked, waited = time.thread_time() + seconds, time.monotonic() + _PATIENCE * seconds
    db.set_progress_handler(lambda: time.thread_time() > worked or time.monotonic() > waited, _STEPS)


def _only_reading(action: int, *_about: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
