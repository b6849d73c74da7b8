"""The connection through which pages read cannot write, leave its file, or take longer than a page may take."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database
from daemon.store.errors import StoreError
from web.reading import OlderError, TooLongError, allow, reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(open_database(tmp_path / "h.db")) as db:
        db.execute("INSERT INTO site (name, zone) VALUES ('home', 'UTC')")
    return tmp_path / "h.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with reading(path) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO site (name, zone) VALUES ('x', 'UTC')",
        "UPDATE site SET name = 'x'",
        "DELETE FROM site",
        "REPLACE INTO site (id, name, zone) VALUES (1, 'x', 'UTC')",
        "WITH x AS (SELECT 1) DELETE FROM site",
        "DROP TABLE site",
        "ALTER TABLE site ADD COLUMN x",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "CREATE TEMP TRIGGER t AFTER INSERT ON site BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.x USING fts5(y)",
        "ATTACH '{folder}/other.db' AS o",
        "ATTACH ':memory:' AS o",
        "DETACH main",
        "PRAGMA query_only = 0",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 9",
        "PRAGMA table_info(site)",
        "VACUUM",
        "VACUUM INTO '{folder}/other.db'",
        "REINDEX",
        "ANALYZE",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "BEGIN IMMEDIATE",
    ],
)
def test_nothing_but_reading_passes(db: sqlite3.Connection, path: Path, statement: str) -> None:
    with pytest.raises(sqlite3.DatabaseError):
        db.execute(statement.format(folder=path.parent))
    assert db.execute("SELECT name FROM site").fetchall() == [("home",)]
    assert {each.name for each in path.parent.iterdir()} <= {"h.db", "h.db-shm", "h.db-wal"}


def test_functions_that_reach_the_disk_are_not_there(db: sqlite3.Connection) -> None:
    for call in ("load_extension('x')", "readfile('/etc/passwd')", "writefile('x', 'y')", "edit('x')"):
        with pytest.raises(sqlite3.OperationalError):
            db.execute(f"SELECT {call}")


def test_even_without_the_authorizer_the_file_is_read_only(db: sqlite3.Connection) -> None:
    db.set_authorizer(None)
    db.execute("COMMIT")
    db.execute("PRAGMA query_only = 0")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM site")


def test_a_query_without_end_is_ended(path: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(TooLongError, match="shorter time"), reading(path, seconds=0.05) as db:
        db.execute(endless).fetchone()


def test_a_file_of_many_pieces_has_the_time_for_each(path: Path) -> None:
    long = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT count(*) FROM n"
    with reading(path, seconds=0) as db:
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            db.execute(long).fetchone()
        allow(db, 60)
        assert db.execute(long).fetchone() == (100_000,)


def test_without_a_file_it_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database at"), reading(tmp_path / "absent.db"):
        pass
    assert not (tmp_path / "absent.db").exists()


def test_a_database_of_an_earlier_version_is_named_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(open_database(path)) as db:
        db.execute("PRAGMA user_version = 6")
    with pytest.raises(OlderError, match="homeport classify --db"), reading(path):
        pass
