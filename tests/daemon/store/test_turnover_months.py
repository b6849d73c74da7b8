"""News of a month, put away and taken out again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.contact_months import Owner
from daemon.store.database import open_database
from daemon.store.turnover_months import (
    Kept,
    Texts,
    is_before,
    keep,
    keep_before,
    may_keep,
    months_kept,
    numbered,
    read_before,
    read_kept,
    renumbered,
    taken_apart,
    written,
)

TEXTS = Texts(["a.example", "b.example"], ['["first",null,"DE","high"]'], ["first"])


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "h.db")) as connection:
        yield connection


def news(month: int, since: int, *numbers: int) -> Kept:
    return Kept(month, since, TEXTS, [np.array(numbers, np.int64), np.array(numbers, np.int64) << 40])


def changed(db: sqlite3.Connection, month: int) -> None:
    """Something of a month is not what it was; then it is added up again."""
    db.execute("INSERT INTO whose_stale VALUES (?, 0, 1)", (month,))
    assert not may_keep(db)
    db.execute("DELETE FROM whose_stale")
    assert may_keep(db)


def test_what_was_put_away_comes_out_as_it_was(db: sqlite3.Connection) -> None:
    for each in (news(101, 100, 4, -7, 0), news(102, 0), news(104, 103, 1)):
        keep(db, 1, each)
    keep(db, 2, news(101, 100, 5))
    assert months_kept(db, 1) == [101, 102, 104]
    found = list(read_kept(db, 1, [104, 101, 102, 103]))
    assert [each[:2] for each in found] == [(101, 100), (102, 0), (104, 103)]
    assert Texts._make(map(list, found[0].texts)) == Texts._make(map(list, TEXTS))
    assert [column.tolist() for column in found[0].columns] == [[4, -7, 0], [4 << 40, -7 << 40, 0]]
    assert [len(column) for column in found[1].columns] == [0, 0]


def test_a_change_takes_what_was_found_in_what_it_changes(db: sqlite3.Connection) -> None:
    for each in (news(101, 0, 1), news(102, 101, 1), news(103, 101, 1), news(104, 103, 1), news(105, 0, 1)):
        keep(db, 1, each)
    keep_before(db, 1, 105, TEXTS, [np.arange(3)])
    changed(db, 105)
    assert months_kept(db, 1) == [101, 102, 103, 104]
    assert is_before(db, 1, 105)  # what a month is compared with is other months
    changed(db, 102)
    assert months_kept(db, 1) == [101, 104]
    assert not is_before(db, 1, 105)
    changed(db, 100)  # a device began in 101: not, if it was there in the month before
    assert months_kept(db, 1) == [104]


def test_one_month_of_a_site_is_kept_with_what_it_is_compared_with(db: sqlite3.Connection) -> None:
    keep_before(db, 1, 104, TEXTS, [np.arange(3)])
    keep_before(db, 1, 105, TEXTS, [np.arange(4)])
    assert read_before(db, 1, 104) is None
    assert read_before(db, 2, 105) is None
    texts, (column,) = read_before(db, 1, 105) or (TEXTS, [])
    assert list(texts.places) == ["a.example", "b.example"]
    assert column.tolist() == [0, 1, 2, 3]


def test_owners_as_texts() -> None:
    owners = [Owner("third", 'A "B", [C]', None, None), Owner("unknown", None, "DE", "low")]
    assert taken_apart([written(each) for each in owners]) == owners
    assert taken_apart([]) == []


@given(st.lists(st.integers(-5, 9) | st.just(-(1 << 31)), max_size=20))
def test_numbers_anew_stand_for_what_they_were(numbers: list[int]) -> None:
    known, anew = numbered(np.array(numbers, np.int64))
    assert sorted(set(known)) == known
    assert set(anew[anew >= 0].tolist()) == set(range(len(known)))
    assert renumbered(anew, known).tolist() == numbers
