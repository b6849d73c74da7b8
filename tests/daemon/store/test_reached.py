"""Destinations in words, added up in columns, are those that one query over all rows finds: the same, in the same order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database, read_database, transaction
from daemon.store.reached import read_reached
from tests.daemon.store.test_day_runs import DAYS, RUN, database, home, made, runs
from tests.daemon.store.test_gathered import forget, join_both, retain
from tests.daemon.store.test_whose_days import scope
from tests.support.reached import rows_reached

__all__ = ["database", "home"]  # fixtures
_SPANS = ((0, max(DAYS)), (0, RUN - 0.5), (0, 0.01), (1, 1.5), (1, RUN), (DAYS[-2], DAYS[-1]))


def _as_run(database: Path) -> None:
    with closing(open_database(database)) as db:
        made(db)
        assert runs(db) == [(0, RUN - 1)]


def _same(db: sqlite3.Connection, spans: Sequence[tuple[float, float]]) -> None:
    devices = [None, *(number for (number,) in db.execute("SELECT id FROM device ORDER BY id"))]
    for number in devices:
        for first, last in spans:
            window = scope(db, first, last).of(number).window
            found = read_reached(db, window)
            assert found == rows_reached(db, window), (first, last, number)
            assert found or (first, last) != spans[0] or number is not None


@pytest.mark.parametrize("change", [lambda _: None, _as_run, retain, join_both, forget])
def test_the_same_as_a_query_over_all_rows(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(read_database(database)) as db:
        _same(db, _SPANS)


def test_equals_stand_by_their_text(database: Path) -> None:
    with closing(open_database(database)) as db, transaction(db):
        db.execute("UPDATE destination_day SET bytes_up = 7, bytes_down = 7")
        db.execute("DELETE FROM destination_day_column")
        found = read_reached(db, scope(db, 0, 0.01).window)
        assert len({each.bytes for each in found}) < len(found)
        _same(db, _SPANS)
