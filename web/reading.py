"""The facts, opened so that no page can change them, nor ask for more than a moment of the box's time.

Rule 1: read-only thrice: the file is opened so, SQLite refuses to write, and an authorizer lets only reading pass.
Rule 2: a query that takes longer than its limit is ended; the page says so.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from daemon.store.database import read_database
from daemon.store.errors import StoreError

LIMIT_SECONDS = 2.0
_STEPS = 20_000  # of SQLite's machine between two looks at the clock: a few milliseconds on a Pi
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class TooLongError(StoreError):
    """A query took longer than a page may take."""


@contextmanager
def reading(path: Path, seconds: float = LIMIT_SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection for one answer, for one thread; all its queries see the same moment. Raises StoreError."""
    with closing(read_database(path)) as db:
        db.isolation_level = None
        db.execute("BEGIN")  # one snapshot: two tables of a page must not be of two minutes
        db.execute(
            "SELECT value FROM json_each('[]')"
        )  # declares the table of that name, which the authorizer would deny
        limit = time.monotonic() + seconds
        db.set_progress_handler(lambda: time.monotonic() > limit, _STEPS)
        db.set_authorizer(_only_reading)
        try:
            yield db
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooLongError("This question takes too long to answer here; choose a shorter time.") from error
            raise
        finally:
            db.set_authorizer(None)


def _only_reading(action: int, *_about: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
