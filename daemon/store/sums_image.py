"""Sums of days as a database in memory, made in C (`_tables.c`), from which SQLite copies the rows.

As with a batch of facts (`daemon.store.image`), to bind every value takes longer than all else that is done to write them.

Rule 1: an image holds until the next one takes its place, or until what is around all is over (`in_memory.emptied`).
Rule 2: where there is no C, for few rows, and for rows that no image can hold, there is none: they are written plainly.
Rule 3: the tables here are those of the migrations (a test compares). Were they not, SQLite would read the values out of the
        rows: slower, with the same result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from daemon.store.in_memory import SUMMED, attach, fill
from daemon.store.tables import NATIVE, Table

_LEAST = 200  # numbers: to open an image takes about as long as to write so many
_COUNTS = """
        packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL,
"""
_SQL = {
    "slot_total": f"""
        slot INTEGER NOT NULL, station_id INTEGER NOT NULL, peer_id INTEGER NOT NULL, remote_id INTEGER NOT NULL,
        name_id INTEGER NOT NULL, way_id INTEGER NOT NULL, frozen INTEGER NOT NULL, {_COUNTS}
        PRIMARY KEY (slot, station_id, peer_id, remote_id, name_id, way_id, frozen)
    """,
    "hour_total": f"""
        slot INTEGER NOT NULL, station_id INTEGER NOT NULL, peer_id INTEGER NOT NULL, way_id INTEGER NOT NULL,
        frozen INTEGER NOT NULL, {_COUNTS} PRIMARY KEY (station_id, slot, peer_id, way_id, frozen)
    """,
    "day_total": f"""
        day INTEGER NOT NULL, station_id INTEGER NOT NULL, peer_id INTEGER NOT NULL, way_id INTEGER NOT NULL,
        frozen INTEGER NOT NULL, {_COUNTS} PRIMARY KEY (day, station_id, peer_id, way_id, frozen)
    """,
    "destination_day": f"""
        month INTEGER NOT NULL, day INTEGER NOT NULL, station_id INTEGER NOT NULL, name_id INTEGER NOT NULL,
        remote_id INTEGER NOT NULL, way_id INTEGER NOT NULL, verdict_id INTEGER NOT NULL, main_id INTEGER NOT NULL,
        main_bytes INTEGER NOT NULL, flows INTEGER NOT NULL, {_COUNTS} first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
        PRIMARY KEY (month, day, station_id, name_id, remote_id, way_id)
    """,
}
SCHEMA = tuple(
    ("table", table, table, f"CREATE TABLE {table} ({columns}) STRICT, WITHOUT ROWID")
    for table, columns in _SQL.items()
)
# Columns of the rows that are given, and how many of them are the key; a 0 comes behind it.
_SHAPES = ((10, 6), (8, 4), (8, 4), (15, 6))


def show(db: sqlite3.Connection, sums: Sequence[Table]) -> bool:
    """Attach sums, in the order of SCHEMA, as tables of SUMMED; whether they are there."""
    if not NATIVE or not hasattr(db, "deserialize") or sum(map(len, sums)) < _LEAST * 8:
        return False
    attach(db, SUMMED)
    return fill(db, SUMMED, SCHEMA, tuple((table, *shape) for table, shape in zip(sums, _SHAPES, strict=True)))
