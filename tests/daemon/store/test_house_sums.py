"""Sums of sums say what they sum, whatever happens to these."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.calendar import month_days, month_of
from daemon.store.database import read_database
from daemon.store.house_sums import days_or_months
from tests.daemon.store.test_gathered import as_imported, forget, join_both, retain, traffic

_COUNTS = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_DAYS = """
    SELECT day, station_id, peer_id, site_id, scope, {counts} FROM {table} JOIN way w ON w.id = way_id
    WHERE day >= 0 GROUP BY 1, 2, 3, 4, 5
"""
_BETWEEN = """
    SELECT station_id, peer_id, way_id, {counts} FROM scope_total WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3
"""
_WHOSE = "SELECT month, {day}, site_id, whose_id, sum(flows), {counts} FROM {table} WHERE {which} GROUP BY 1, 2, 3, 4"


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_they_follow_every_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    database = traffic(tmp_path)
    change(database)
    with closing(read_database(database)) as db:

        def rows(query: str, *bounds: int, **words: str) -> set[tuple[int, ...]]:
            return set(db.execute(query.format(counts=_COUNTS, **words), bounds))

        assert rows(_DAYS, table="scope_total") == rows(_DAYS, table="day_total") != set()
        for (month,) in db.execute("SELECT DISTINCT -day FROM scope_total WHERE day < 0").fetchall():
            assert rows(_BETWEEN, -month, -month) == rows(_BETWEEN, *month_days(month)) != set()
        for table, day, which in (("whose_day", "day", "day >= 0"), ("whose_month", "-1", "day = -1")):
            summed = rows(_WHOSE, table=table, day=day, which="true")
            assert rows(_WHOSE, table="whose_house", day="day", which=which) == summed != set()


@given(st.integers(0, 30_000), st.integers(0, 1500))
def test_months_stand_for_their_days_and_nothing_is_counted_twice(first: int, many: int) -> None:
    found = days_or_months((first, first + many))
    days: list[int] = []
    for each in found:
        begin, end = month_days(-each) if each < 0 else (each, each)
        days += range(begin, end + 1)
    assert days == list(range(first, first + many + 1))
    assert len(found) <= 62 + many // 28
    assert month_of(first) == month_of(month_days(month_of(first))[1])
