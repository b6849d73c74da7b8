"""The schema, as numbered steps: each file `NNNN_what.py` has `STATEMENTS`, SQL run in order in one transaction.

A published step is never edited; what must change becomes the next number. Tables are ours to change; the views of the
public schema only gain columns.
"""

from __future__ import annotations

import sqlite3
from importlib import import_module

_STEPS = ("0001_facts", "0002_views", "0003_tiers", "0004_devices")
VERSION = len(_STEPS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring a database to VERSION. Two processes may try at once: the second finds the work done."""
    from sqlite_utils import Database, Migrations  # noqa: PLC0415  slow to import, and needed once in a database's life

    steps = Migrations("homeport")
    for number, name in enumerate(_STEPS, 1):
        statements: tuple[str, ...] = import_module(f"{__name__}.{name}").STATEMENTS

        def apply(target: Database, number: int = number, statements: tuple[str, ...] = statements) -> None:
            if int(target.execute("PRAGMA user_version").fetchone()[0]) >= number:
                return
            for statement in statements:
                target.execute(statement)
            target.execute(f"PRAGMA user_version = {number}")

        steps(name=name)(apply)
    steps.apply(Database(db))
