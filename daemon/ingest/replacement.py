"""Rewritten capture files take the place of the old ones: a file system and a database, moved together.

The rewritten file lies beside the old one, complete and on the disk; that it waits is written in the transaction that
also writes what it holds. Whoever opens the database next completes what was interrupted behind it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from daemon.store.errors import explained
from daemon.store.replacements import drop_replacement, read_replacements


def complete_replacements(db: sqlite3.Connection, database: Path) -> list[Path]:
    """Put every file that waits into its place; the places. Raises OSError as it comes, StoreError."""
    done = []
    with explained(database):
        for number, path, partial in read_replacements(db):
            if Path(partial).exists():  # else it was moved before the interruption
                Path(partial).replace(path)
                sync_folder(Path(path).parent)
            drop_replacement(db, number)
            done.append(Path(path))
    return done


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
