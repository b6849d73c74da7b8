"""Rows of queries as tables: read by C out of a database in memory, against the same row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store import tables
from daemon.store.fetched import fetched, plain_fetched, texts_of
from daemon.store.in_memory import ASKED, attach, emptied
from daemon.store.tables import rows_of
from tests.support.leaks import left_behind

needs_c = pytest.mark.skipif(
    not (tables.NATIVE and hasattr(sqlite3.Connection, "serialize")), reason="daemon/store/_tables.c is not built"
)
NATIVE: Any = import_module("daemon.store._tables") if tables.NATIVE else None

value = (
    st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-2, 300) | st.text(st.characters(exclude_categories=["Cs"]))
)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE said (number, text)")
        yield connection


def image_of(rows: list[Any], page: int = 4096) -> bytes:
    """A database with a table on page 2."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page}")
        connection.execute("CREATE TABLE said (number, text)")
        connection.executemany("INSERT INTO said VALUES (?, ?)", rows)
        return connection.serialize()


@needs_c
@given(st.lists(st.tuples(value, value), max_size=40), st.sampled_from([512, 4096, 65536]))
def test_rows_are_read_alike(rows: list[tuple[int | str, int | str]], page: int) -> None:
    ours, theirs = texts_of("-"), texts_of("-")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        attach(db, ASKED)
        db.execute(f"PRAGMA {ASKED}.page_size = {page}")
        db.execute("CREATE TABLE said (number, text)")
        db.executemany("INSERT INTO said VALUES (?, ?)", rows)
        asked = "SELECT number, text FROM said ORDER BY rowid"
        assert fetched(db, asked, {}, 2, ours) == plain_fetched(db, asked, {}, 2, theirs)
    assert list(ours.items()) == list(theirs.items())


def test_text_becomes_its_number(db: sqlite3.Connection) -> None:
    db.executemany("INSERT INTO said VALUES (?, ?)", [(1, "new"), (2, "-"), (3, "new"), (4, "other")])
    texts = texts_of("-", "known")
    found = fetched(db, "SELECT number, text FROM said WHERE number > :least", {"least": 1}, 2, texts)
    assert rows_of(found, 2) == [(2, -1), (3, -3), (4, -4)]
    assert texts == {"-": -1, "known": -2, "new": -3, "other": -4}


def test_many_rows_on_many_pages(db: sqlite3.Connection) -> None:
    db.executemany("INSERT INTO said VALUES (?, ?)", [(number, f"text {number % 100}") for number in range(30_000)])
    found = rows_of(fetched(db, "SELECT number, text, -number FROM said", {}, 3), 3)
    assert found == [(number, -(number % 100) - 1, -number) for number in range(30_000)]


def test_no_row_is_an_empty_table(db: sqlite3.Connection) -> None:
    assert fetched(db, "SELECT * FROM said", {}, 2) == b""


def test_within_a_transaction_nothing_is_left(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    db.execute("INSERT INTO said VALUES (1, 'a')")
    assert rows_of(fetched(db, "SELECT * FROM said", {}, 2), 2) == [(1, -1)]
    assert db.execute(f"PRAGMA {ASKED}.table_list").fetchall()[1:] == []
    db.execute("ROLLBACK")
    assert fetched(db, "SELECT * FROM said", {}, 2) == b""


@pytest.mark.parametrize("odd", [None, 1.5, b"bytes"])
def test_anything_else_is_an_error(db: sqlite3.Connection, odd: object) -> None:
    db.execute("INSERT INTO said VALUES (1, ?)", (odd,))
    with pytest.raises(ValueError, match="neither a whole number nor a text"):
        fetched(db, "SELECT * FROM said", {}, 2)
    assert db.execute(f"PRAGMA {ASKED}.table_list").fetchall()[1:] == []


def test_other_columns_than_asked_for_are_an_error(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO said VALUES (1, 'a')")
    for width in (1, 3):
        with pytest.raises(ValueError, match="other columns"):
            fetched(db, "SELECT * FROM said", {}, width)


def test_text_longer_than_a_page_is_fetched_plainly(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO said VALUES (1, ?)", ("x" * 70_000,))
    assert rows_of(fetched(db, "SELECT * FROM said", {}, 2), 2) == [(1, -1)]


@needs_c
def test_memory_is_given_back(db: sqlite3.Connection) -> None:
    db.executemany("INSERT INTO said VALUES (?, 'a')", [(number,) for number in range(9_000)])
    db.execute("BEGIN")
    with suppress(RuntimeError), emptied(db):
        for _ in range(3):
            assert len(fetched(db, "SELECT * FROM said", {}, 2)) == 9_000 * 16
        raise RuntimeError
    assert len(db.serialize(name=ASKED)) == 65536  # its first page
    assert len(fetched(db, "SELECT * FROM said", {}, 2)) == 9_000 * 16
    db.execute("COMMIT")


@needs_c
@given(st.data())
def test_image_that_is_none_is_not_believed(data: st.DataObject) -> None:
    image = bytearray(image_of([(number, f"text {number}") for number in range(60)], 512))
    for _ in range(data.draw(st.integers(1, 8))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(image[: data.draw(st.integers(0, len(image)))])
    with suppress(UnicodeDecodeError):
        found = NATIVE.fetched(cut, data.draw(st.integers(-1, 9)), 2, {})
        assert found is None or len(found) % 16 == 0


@needs_c
def test_tree_without_an_end_is_not_followed() -> None:
    image = bytearray(image_of([(number, "x" * 90) for number in range(60)], 512))
    inner = 512  # page 2: its right-most child becomes itself
    assert image[inner] == 5
    image[inner + 8 : inner + 12] = (2).to_bytes(4, "big")
    assert NATIVE.fetched(bytes(image), 2, 2, {}) is None


@needs_c
def test_anything_else_is_refused() -> None:
    image = image_of([(1, "a")])
    wrong: tuple[Any, ...] = (
        ("", 2, 2, {}),
        (image, 2, 0, {}),
        (image, 2, 65, {}),
        (image, 2, 2, []),
        (image, "2", 2, {}),
    )
    for asked in wrong:
        with pytest.raises((TypeError, ValueError)):
            NATIVE.fetched(*asked)
    assert NATIVE.fetched(image, 2, 3, {}) is NATIVE.fetched(image, 2, 1, {}) is NATIVE.fetched(b"", 2, 1, {}) is None
    with pytest.raises(TypeError):
        NATIVE.fetched(image, 2, 2, {"a": "not a number"})


@needs_c
def test_nothing_is_left_behind() -> None:
    image, known = image_of([(number, f"text {number % 70}") for number in range(300)]), {"text 1": -1}

    def run(times: int) -> None:
        for _ in range(times):
            NATIVE.fetched(image, 2, 2, {**known})
            NATIVE.fetched(image, 2, 1, {})
            with suppress(TypeError):
                NATIVE.fetched(image, 2, 2, {"text 60": None})

    references, grown = left_behind(run, 200, [image, known])
    assert references == [0, 0]
    assert grown < 20_000
