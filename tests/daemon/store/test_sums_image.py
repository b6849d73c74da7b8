"""Sums as a database, made in C: SQLite copies from it the rows that would be written one by one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from daemon.store import tables
from daemon.store.database import open_database
from daemon.store.in_memory import SUMMED, emptied
from daemon.store.sums_image import show
from daemon.store.tables import table_of
from tests.support.leaks import left_behind

if not (tables.NATIVE and hasattr(sqlite3.Connection, "deserialize")):
    pytest.skip("daemon/store/_tables.c is not built", allow_module_level=True)

NATIVE: Any = import_module("daemon.store._tables")  # its arguments are wrong on purpose below
TIERS = ("slot_total", "hour_total", "day_total", "destination_day")
SHAPES = ((10, 6), (8, 4), (8, 4), (15, 6))  # columns, and of them the key

Rows = list[tuple[int, ...]]


def sums(chosen: random.Random, width: int, keys: int) -> Rows:
    """Rows with keys near each other, and numbers of any size."""
    made = {}
    for _ in range(40):
        row = [chosen.randrange(4) if at < keys else chosen.getrandbits(64) - (1 << 63) for at in range(width)]
        row[chosen.randrange(width)] = chosen.choice(
            [0, 1, -1, 127, 128, -(1 << 31), 1 << 47, -(1 << 63), (1 << 63) - 1]
        )
        made[tuple(row[:keys])] = tuple(row)
    return sorted(made.values())


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "h.db")) as opened:
        opened.execute("BEGIN IMMEDIATE")
        yield opened


def shown(db: sqlite3.Connection, table: str) -> Rows:
    key = ", ".join(row[1] for row in sorted(db.execute(f"PRAGMA table_info({table})"), key=lambda row: row[5] or 99))
    return db.execute(f"SELECT {key} FROM {SUMMED}.{table}").fetchall()  # noqa: S608  of the schema


def with_zero(rows: Rows, keys: int) -> Rows:
    return [(*row[:keys], 0, *row[keys:]) for row in rows]


def many(count: int) -> list[Rows]:
    return [[(at, *range(1, width)) for at in range(count)] for width, _ in SHAPES]


@pytest.mark.parametrize("seed", range(6))
def test_sums_are_shown_as_they_are(seed: int) -> None:
    chosen = random.Random(seed)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("BEGIN")
        for _ in range(3):  # one after the other, in one transaction
            four = [sums(chosen, *shape) for shape in SHAPES]
            assert show(db, [table_of(rows) for rows in four])
            for table, rows, (_, keys) in zip(TIERS, four, SHAPES, strict=True):
                assert shown(db, table) == with_zero(rows, keys)
                assert db.execute(f"PRAGMA {SUMMED}.integrity_check({table})").fetchall() == [("ok",)]


def test_another_image_takes_the_place_of_one_whose_trees_lie_elsewhere(db: sqlite3.Connection) -> None:
    """The statements are the same: SQLite must not look where the tables lay before."""
    for count in (30, 2500, 200, 2501):
        assert show(db, [table_of(rows) for rows in many(count)])
        for table, rows, (_, keys) in zip(TIERS, many(count), SHAPES, strict=True):
            assert shown(db, table) == with_zero(rows, keys)


def test_the_tables_of_an_image_are_those_of_the_database(db: sqlite3.Connection) -> None:
    assert show(db, [table_of(rows) for rows in many(30)])
    for table in TIERS:
        ours, theirs = (db.execute(f"PRAGMA {name}.table_xinfo({table})").fetchall() for name in ("main", SUMMED))
        assert ours == theirs


@pytest.mark.parametrize("table", ["slot_total", "hour_total"])
def test_sqlite_copies_rows_without_looking_into_them(db: sqlite3.Connection, table: str) -> None:
    assert show(db, [table_of(rows) for rows in many(30)])
    copy = f"INSERT INTO {table} SELECT * FROM {SUMMED}.{table}"  # noqa: S608  of this list
    steps = [row[1] for row in db.execute(f"EXPLAIN {copy}")]
    assert {"RowData", "RowCell"} & {*steps}
    db.execute(copy)
    assert db.execute(f"PRAGMA main.integrity_check({table})").fetchall() == [("ok",)]
    assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (30,)  # noqa: S608  of this list


def test_an_image_is_let_go(db: sqlite3.Connection) -> None:
    with suppress(RuntimeError), emptied(db):
        assert show(db, [table_of(rows) for rows in many(30)])
        raise RuntimeError
    assert db.execute(f"PRAGMA {SUMMED}.table_list").fetchall()[1:] == []
    assert show(db, [table_of(rows) for rows in many(40)])
    assert len(shown(db, "day_total")) == 40


def test_few_rows_are_written_plainly(db: sqlite3.Connection) -> None:
    with emptied(db):
        assert not show(db, [table_of(rows) for rows in many(4)])
    assert [name for _, name, _ in db.execute("PRAGMA database_list")] == ["main"]


SCHEMA_OF_ONE = (("table", "x", "x", "CREATE TABLE x (a, b, PRIMARY KEY (a)) WITHOUT ROWID"),)
ROW = table_of([(1, 2)])


@pytest.mark.parametrize(
    ("schema", "parts", "error"),
    [
        (SCHEMA_OF_ONE, ((table_of([(2, 1), (1, 2)]), 2, 1),), ValueError),  # not in order
        (SCHEMA_OF_ONE, ((table_of([(1, 1), (1, 2)]), 2, 1),), ValueError),  # the same key twice
        (SCHEMA_OF_ONE, ((ROW, 2, 0),), ValueError),
        (SCHEMA_OF_ONE, ((ROW, 2, 2),), ValueError),
        (SCHEMA_OF_ONE, ((ROW, 3, 1),), ValueError),
        (SCHEMA_OF_ONE, ((ROW, 65, 1),), ValueError),
        (SCHEMA_OF_ONE, ((ROW, 2),), TypeError),
        (SCHEMA_OF_ONE, (ROW,), TypeError),
        (SCHEMA_OF_ONE, (("", 2, 1),), TypeError),
        (SCHEMA_OF_ONE, (), ValueError),
        (SCHEMA_OF_ONE, ((ROW, 2, 1),) * 9, ValueError),
        ((), ((ROW, 2, 1),), ValueError),
        (("x",), ((ROW, 2, 1),), TypeError),
        ([], ((ROW, 2, 1),), TypeError),
        (SCHEMA_OF_ONE, [], TypeError),
    ],
)
def test_anything_else_is_refused(schema: Any, parts: Any, error: type[Exception]) -> None:  # noqa: ANN401  wrong on purpose
    with pytest.raises(error):
        NATIVE.image(schema, parts, 1)


def test_nothing_is_left_behind() -> None:
    schema, parts = SCHEMA_OF_ONE, ((table_of((at, 1) for at in range(300)), 2, 1),)

    def run(times: int) -> None:
        for _ in range(times):
            NATIVE.image(schema, parts, 1)
            with suppress(ValueError):
                NATIVE.image(schema, (*parts, (ROW, 2, 2)), 1)
            with suppress(TypeError):
                NATIVE.image(("x",), parts, 1)

    references, grown = left_behind(run, 50, [schema, parts, ROW])
    assert references == [0] * 3
    assert grown < 20_000
