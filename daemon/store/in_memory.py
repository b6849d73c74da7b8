"""Databases in memory beside the one at hand, in which rows wait on their way from SQLite to C (ASKED) or back (SUMMED).

Rule 1: within a transaction no database can be detached. It stays attached by its name, with nothing in it (`emptied`).
Rule 2: no two contents of one name have the same version: else SQLite would look for a table where another one lay before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.store.tables import NATIVE

if NATIVE:
    from daemon.store import _tables

ASKED, SUMMED = "asked", "summed"

Schema = tuple[tuple[str, str, str, str], ...]  # type, name, table, SQL of each
Parts = tuple[tuple[bytes, int, int], ...]  # the rows of each as a table, its columns, and how many of them are the key


def attach(db: sqlite3.Connection, name: str) -> None:
    """See to it that there is a database of this name."""
    if name not in _attached(db):
        db.execute(f"ATTACH ':memory:' AS {name}")


def fill(db: sqlite3.Connection, name: str, schema: Schema, parts: Parts) -> bool:
    """Have these tables in it and nothing else; False, and all as it was, where no image can hold their rows."""
    version = db.execute(f"PRAGMA {name}.schema_version").fetchone()[0]
    image = _tables.image(schema, parts, version + 1)
    if image is not None:
        db.deserialize(image, name=name)
    return image is not None


@contextmanager
def emptied(db: sqlite3.Connection) -> Iterator[None]:
    """Around what uses them: gives back their memory."""
    try:
        yield
    finally:
        for name in _attached(db) & {ASKED, SUMMED}:
            fill(db, name, (), ())


def _attached(db: sqlite3.Connection) -> set[str]:
    return {name for _, name, _ in db.execute("PRAGMA database_list")}
