"""Opening the database: made, brought up to date, or refused and left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from daemon.store import database as database_module
from daemon.store import migrations
from daemon.store.database import open_database, read_database, transaction
from daemon.store.errors import NewerDatabase, NoPermission, NotADatabase, StoreError
from daemon.store.migrations import VERSION
from tests.daemon.ingest.scenes import evening, write
from tests.support.compare import imbalance, same
from tests.support.importing import imported


def schema(path: Path) -> list[tuple[str, str, str]]:
    """Every table, index and view of ours."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")
        return [row for row in rows if "_sqlite_migrations" not in row[1]]


def version_1(path: Path) -> Path:
    """A database as the first step left it, before there were views."""
    with closing(sqlite3.connect(path)) as db:
        for statement in import_module("daemon.store.migrations.0001_facts").STATEMENTS:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {database_module._APPLICATION}")
        db.execute("PRAGMA user_version = 1")
        db.execute("INSERT INTO site (name) VALUES ('cottage')")
        db.commit()
    return path


def test_new_database_is_ours_and_of_this_version(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "h.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA application_id").fetchone() == (0x484F4D45,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with closing(open_database(tmp_path / "h.db")) as db:
        assert db.execute("SELECT count(*) FROM captures").fetchone() == (0,)


def test_every_step_is_numbered_and_listed() -> None:
    folder = Path(migrations.__file__).parent
    files = sorted(path.stem for path in folder.glob("[0-9]*.py"))
    assert [name[:4] for name in files] == [f"{number:04}" for number in range(1, len(files) + 1)]
    assert list(migrations._STEPS) == files
    assert len(files) == VERSION


def test_old_database_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    old = version_1(tmp_path / "old.db")
    with closing(open_database(old)) as db:
        assert db.execute("SELECT name FROM site").fetchall() == [("cottage",)]
    open_database(tmp_path / "new.db").close()
    assert schema(old) == schema(tmp_path / "new.db")
    capture = write(tmp_path / "day.pcap", evening())
    fresh = imported(tmp_path / "fresh.db", capture, site="cottage")
    assert same(fresh, imported(old, capture, site="cottage")) == []


def test_step_that_fails_leaves_the_version_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = version_1(tmp_path / "old.db")
    before = schema(old)
    views = import_module("daemon.store.migrations.0002_views")
    monkeypatch.setattr(views, "STATEMENTS", (*views.STATEMENTS[:5], "CREATE NONSENSE"))
    with pytest.raises(StoreError, match="NONSENSE"):
        open_database(old)
    assert schema(old) == before
    monkeypatch.undo()
    open_database(old).close()
    assert imbalance(old) == []


def test_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(open_database(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 7}")
    for opened in (open_database, read_database):
        with pytest.raises(NewerDatabase, match=f"schema {VERSION + 7}, this one knows {VERSION}"):
            opened(path)


def test_what_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("x" * 4096)
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE t (a)")
    for path in (text, tmp_path / "other.db", tmp_path):
        with pytest.raises(NotADatabase):
            open_database(path)
    with pytest.raises(NoPermission):
        open_database(tmp_path / "absent" / "h.db")
    with pytest.raises(NotADatabase, match="no database"):
        read_database(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()


def test_reader_cannot_write(tmp_path: Path) -> None:
    open_database(tmp_path / "h.db").close()
    with closing(read_database(tmp_path / "h.db")) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("INSERT INTO site (name) VALUES ('x')")


def test_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "h.db")) as db:
        with pytest.raises(sqlite3.IntegrityError), transaction(db):  # the second of two names that must differ
            db.executemany("INSERT INTO site (name) VALUES (?)", [("x",), ("x",)])
        assert db.execute("SELECT count(*) FROM site").fetchone() == (0,)
        with transaction(db):
            db.execute("INSERT INTO site (name) VALUES ('x')")
        assert db.execute("SELECT count(*) FROM site").fetchone() == (1,)


def test_transaction_that_sqlite_undid_itself_reports_the_first_error(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "h.db")) as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 2}")
        with pytest.raises(sqlite3.OperationalError, match="full"), transaction(db):
            db.executemany("INSERT INTO name (text) VALUES (?)", [(f"{n}" * 100,) for n in range(10_000)])
        assert db.execute("SELECT count(*) FROM name").fetchone() == (0,)
