"""Opening the facts database: created, migrated or refused.

The schema's version is SQLite's `user_version`; a file of a later version is refused, never guessed at. Migrations run
through sqlite-utils, each in a transaction of its own, and only when the version says that one is missing.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daemon.store.errors import NewerDatabase, NoPermission, NotADatabase, explained
from daemon.store.migrations import VERSION, migrate

_APPLICATION = 0x484F4D45  # "HOME": tells our files from other people's SQLite databases
BUSY_MS = 60_000
_CACHE_KIB = 8192


def open_database(path: Path) -> sqlite3.Connection:
    """A connection for writing, in autocommit mode; the file is made or brought up to date first. Raises StoreError."""
    check_place(path)
    make_file(path)
    with explained(path):
        db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All that the block writes, or nothing. Within another transaction it becomes a part of that."""
    nested = db.in_transaction  # held apart: it changes below, which a type checker that has seen it tested denies
    if nested:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # where the disk is full SQLite has undone it already
            db.execute("ROLLBACK")
        raise


def read_database(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """A connection that cannot write. Raises StoreError where there is no such database.

    `any_thread`: for callers who see to it that only one thread at a time uses it.
    """
    if not path.exists():
        raise NotADatabase(f"There is no database at {path}. `homeport import PATH --db {path}` makes one.")
    with explained(path):
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_MS / 1000, check_same_thread=not any_thread
        )
        try:
            _check_version(db, path)
            db.execute("PRAGMA query_only = 1")
        except BaseException:
            db.close()
            raise
    return db


def check_place(path: Path) -> None:
    """Whether a database may be made or written there, before SQLite is asked. Raises StoreError."""
    folder = path.parent
    if not folder.is_dir():
        raise NoPermission(
            f"The folder {folder} does not exist; make it first, or choose another place for {path.name}."
        )
    if path.is_dir():
        raise NotADatabase(f"{path} is a folder, not a database.")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise NoPermission(f"No permission to write {path}.")


def make_file(path: Path) -> None:
    """An empty file, where there is none, with the rights that the umask leaves.

    SQLite would let its owner alone write it (0644), and gives what lies beside it, -wal and -shm, the same rights: of
    two services that share a database through their group, neither could use what the other has made.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))


def _check_version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables and application != _APPLICATION:
        raise NotADatabase(f"{path} is an SQLite database, but not one of Homeport's. Choose another file.")
    if version > VERSION:
        raise NewerDatabase(
            f"{path} was written by a newer Homeport (schema {version}, this one knows {VERSION}). "
            "Nothing was changed; update Homeport, or choose another file."
        )
    return version


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if _check_version(db, path) < VERSION:
        with one_at_a_time(path.parent):
            if _check_version(db, path) < VERSION:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(f"PRAGMA application_id = {_APPLICATION}")
                migrate(db)
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = OFF")  # facts are written by this program alone, and checked by its tests
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keeps other processes from making or migrating databases of this folder meanwhile.

    SQLite does not wait where a journal mode changes, or where a reader wants to become the writer. The folder is locked
    and not the database: closing any handle of that would drop the locks that SQLite holds on it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
