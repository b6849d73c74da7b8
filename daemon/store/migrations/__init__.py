"""The schema, as numbered steps: each file `NNNN_what.py` has `STATEMENTS`, SQL run in order in one transaction.

A published step is never edited; what must change becomes the next number. Tables are ours to change; the views of the
public schema only gain columns.
"""

from __future__ import annotations

import sqlite3
from importlib import import_module

_STEPS = (
    "0001_facts",
    "0002_views",
    "0003_tiers",
    "0004_devices",
    "0005_blocks",
    "0006_live",
    "0007_whose",
    "0008_covers",
    "0009_findings",
    "0010_columns",
    "0011_due",
    "0012_pairs",
    "0013_sums",
    "0014_hours",
    "0015_judged",
    "0016_turnover",
    "0017_pieces",
    "0018_targets",
    "0019_quarters",
    "0020_come",
)
VERSION = len(_STEPS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring a database to VERSION. Two processes may try at once: the second finds the work done."""
    if _version(db) == 0:
        _create(db)
    if _version(db) < VERSION:
        _upgrade(db)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _statements(name: str) -> tuple[str, ...]:
    statements: tuple[str, ...] = import_module(f"{__name__}.{name}").STATEMENTS
    return statements


def _is_late(statement: str) -> bool:
    return statement.split(None, 2)[1].upper() in ("VIEW", "TRIGGER")


def _create(db: sqlite3.Connection) -> None:
    """All steps at once: a new file has nothing to keep, and loading sqlite-utils takes as long as 30,000 packets."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db) == 0:
            # A table that is altered makes SQLite read the whole schema again: without views and triggers it is short.
            statements = [statement for name in _STEPS for statement in _statements(name)]
            for statement in sorted(statements, key=_is_late):  # which leaves the order of each kind
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # where the disk is full SQLite has undone it already
            db.execute("ROLLBACK")
        raise


def _upgrade(db: sqlite3.Connection) -> None:
    from sqlite_utils import Database, Migrations  # noqa: PLC0415  slow to import, and seldom needed

    steps = Migrations("homeport")
    for number, name in enumerate(_STEPS, 1):

        def apply(target: Database, number: int = number, name: str = name) -> None:
            if int(target.execute("PRAGMA user_version").fetchone()[0]) >= number:
                return
            for statement in _statements(name):
                target.execute(statement)
            target.execute(f"PRAGMA user_version = {number}")

        steps(name=name)(apply)
    steps.apply(Database(db))
