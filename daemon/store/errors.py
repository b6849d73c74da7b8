"""What can go wrong with the database, in sentences for people."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """The database cannot be used; the message says what happened, what was kept and what to do."""


class NewerDatabase(StoreError):
    """A later Homeport wrote it."""


class NotADatabase(StoreError):
    """The file is something else."""


class DiskFull(StoreError):
    """No room to write."""


class NoPermission(StoreError):
    """May not be read or written."""


class Busy(StoreError):
    """Someone else holds it for too long, or reads the same capture at the same time."""


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """The sentence for an error of SQLite."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    kept = "Everything committed before is kept; run the same command again to go on."
    sentences: dict[int, StoreError] = {
        sqlite3.SQLITE_FULL: DiskFull(f"The disk is full: {path} cannot grow. {kept}"),
        sqlite3.SQLITE_IOERR: DiskFull(f"The disk refused to write {path} ({error}). {kept}"),
        sqlite3.SQLITE_READONLY: NoPermission(f"No permission to write {path}."),
        sqlite3.SQLITE_CANTOPEN: NoPermission(f"{path} cannot be opened: no permission, or its folder does not exist."),
        sqlite3.SQLITE_NOTADB: NotADatabase(f"{path} is not a Homeport database."),
        sqlite3.SQLITE_CORRUPT: NotADatabase(
            f"{path} is damaged ({error}). Move it away and import the captures again."
        ),
        sqlite3.SQLITE_BUSY: Busy(f"Another program has held {path} for a minute. {kept}"),
        sqlite3.SQLITE_LOCKED: Busy(f"Another program has held {path} for a minute. {kept}"),
    }
    return sentences.get(code, StoreError(f"{path}: {error}. {kept}"))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Errors of SQLite inside the block come out as StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error
