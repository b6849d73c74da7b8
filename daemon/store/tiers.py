"""Rows of sums in the place of those that were there before.

Rule 1: only what changed is written: of a day that goes on, few sums move within a minute.
Rule 2: what else follows from rows that come is written with them. Of those that go triggers say it, whoever removes them;
        of those that come a trigger would take four times as long as to write them, and they come from here alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from daemon.store import bulk
from daemon.store.in_memory import SUMMED
from daemon.store.tables import Table, numbers

FEW = 2_000  # destinations that moved, up to which it pays to look for them among all of a month
OURS = "way_id IN (SELECT id FROM way WHERE site_id = :site)"  # a way belongs to one site, so it tells whose rows these are


class Tier(NamedTuple):
    """A table, its key, which rows are made anew, what they are, what follows from those that come, and the columns that
    `DaySums` has of them."""

    table: str
    key: str
    where: str
    made: str
    follows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def replace(
    db: sqlite3.Connection,
    tier: Tier,
    bounds: Mapping[str, int],
    changed: str = "1",
    made: Table | None = None,
    *,
    shown: bool = False,
) -> list[Any]:
    """Put rows in the place of those that `where` finds; the columns `changed` of those that are not what they were, of new
    ones FEW and one.

    `made`: where the rows are there; `shown`: where `sums_image` shows them.
    """
    table, key, where, _, follows, _ = tier
    if shown:
        tier = tier._replace(made=f"SELECT * FROM {SUMMED}.{table}")
    ours = f"{table} WHERE {where} AND {OURS}"
    if db.execute(f"SELECT 1 FROM {ours} LIMIT 1", bounds).fetchone() is None:
        _insert(db, table, tier, bounds, made)
        for each in follows:
            db.execute(each.format(come=f"(SELECT * FROM {ours})"), bounds)
        told = f"SELECT DISTINCT {changed} FROM {ours} LIMIT {FEW + 1}"  # of more nobody looks for the single ones
        return db.execute(told, bounds).fetchall() if changed != "1" else []
    if shown:
        db.execute(f"CREATE TEMP VIEW made AS {tier.made}")
    else:
        db.execute(f"CREATE TEMP TABLE made AS SELECT * FROM {table} LIMIT 0")
        db.execute(f"CREATE UNIQUE INDEX temp.made_key ON made ({key})")
        _insert(db, "temp.made", tier, bounds, made)
    try:
        return _exchange(db, tier, bounds, changed)
    finally:
        db.execute(f"DROP {'VIEW' if shown else 'TABLE'} temp.made")


def _exchange(db: sqlite3.Connection, tier: Tier, bounds: Mapping[str, int], changed: str) -> list[Any]:
    """Write of `temp.made` what is not there and remove what is not in it; the columns `changed` of both."""
    table, key, where, _, follows, _ = tier
    # By their keys, which both have: EXCEPT would sort all columns of both, twice.
    columns = db.execute(f"SELECT * FROM {table} LIMIT 0").description
    alike = " AND ".join(f"m.{column} = t.{column}" for column, *_ in columns)
    ours = f"SELECT * FROM {table} WHERE {where} AND {OURS}"
    lost = f"SELECT * FROM ({ours}) t WHERE NOT EXISTS (SELECT 1 FROM temp.made m WHERE {alike})"
    new = f"SELECT * FROM temp.made m WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {alike})"
    db.execute(f"CREATE TEMP TABLE gone AS {lost}", bounds)
    db.execute(f"CREATE TEMP TABLE come AS {new}")
    try:
        db.execute(f"DELETE FROM {table} WHERE {where} AND ({key}) IN (SELECT {key} FROM temp.gone)", bounds)
        db.execute(f"INSERT INTO {table} SELECT * FROM temp.come")
        for each in follows:
            db.execute(each.format(come="temp.come"))
        return db.execute(f"SELECT {changed} FROM temp.gone UNION SELECT {changed} FROM temp.come").fetchall()
    finally:
        for one in ("gone", "come"):
            db.execute(f"DROP TABLE temp.{one}")


def _insert(db: sqlite3.Connection, table: str, tier: Tier, bounds: Mapping[str, int], rows: Table | None) -> None:
    """Write what the tier is made of, or rows with all of its columns but the last, which is 0."""
    if rows is None:
        db.execute(f"INSERT INTO {table} {tier.made}", bounds)
        return
    width = len(tier.columns) - 1
    into = f"INSERT INTO {table} ({', '.join(tier.columns)})"
    bulk.insert(db, into, f"({'?, ' * width}0)", width, numbers(rows))
