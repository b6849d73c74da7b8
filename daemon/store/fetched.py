"""The rows of a query as a table of whole numbers (`daemon.store.tables`).

To make a Python object of every value takes longer than all that SQLite does to find them. So SQLite writes the rows to a
database in memory, and C (`_tables.c`) reads that.

Rule: what C cannot read so is fetched row by row (`plain_fetched`), with the same result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from daemon.store.in_memory import ASKED, attach
from daemon.store.tables import NATIVE, Table, table_of

if NATIVE:
    from daemon.store import _tables

_ROOT = f"SELECT rootpage FROM {ASKED}.sqlite_schema WHERE name = 'fetched'"

Texts = dict[str, int]  # text -> its number: -1 the first, -2 the second


def texts_of(*known: str) -> Texts:
    """Texts that have numbers before anything is fetched."""
    return {text: -number for number, text in enumerate(known, 1)}


def fetched(
    db: sqlite3.Connection, select: str, parameters: Mapping[str, int | str], width: int, texts: Texts | None = None
) -> Table:
    """What a query selects: so many whole numbers, or texts, in each row. A text becomes its number, new ones get the next.

    Raises ValueError for anything else.
    """
    texts = {} if texts is None else texts
    if NATIVE and hasattr(db, "serialize"):  # SQLite can be built without
        attach(db, ASKED)
        db.execute(f"CREATE TABLE {ASKED}.fetched AS {select}", parameters)
        try:
            root = db.execute(_ROOT).fetchone()[0]
            table = _tables.fetched(db.serialize(name=ASKED), root, width, texts)
        finally:
            db.execute(f"DROP TABLE {ASKED}.fetched")
        if table is not None:
            return table
    return plain_fetched(db, select, parameters, width, texts)


def plain_fetched(
    db: sqlite3.Connection, select: str, parameters: Mapping[str, int | str], width: int, texts: Texts
) -> Table:
    """The same, row by row."""

    def number(value: object) -> int:
        if isinstance(value, str):
            return texts.setdefault(value, -len(texts) - 1)
        if isinstance(value, int):
            return value
        raise ValueError(f"{value!r} is neither a whole number nor a text")

    rows = [[number(value) for value in row] for row in db.execute(select, parameters)]
    if any(len(row) != width for row in rows):
        raise ValueError("a row has other columns than were asked for")
    return table_of(rows)
