"""What the owner says of findings: kept, undone, gone with the device, refused where it makes no sense."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import mutes, owner, owner_schema
from daemon.store.mutes import standing_remarks
from daemon.store.words import BadWordError

KEY, OTHER = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
NAME, SECOND = "beaconing-4a7f2df08157", "new-country-00ff00ff00ff"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(owner.open_owner(tmp_path / "owner.db")) as opened:
        yield opened


def test_a_finding_is_muted_and_told_again(db: sqlite3.Connection) -> None:
    number = mutes.mute(db, "home", KEY, NAME, "web", 5)
    said = standing_remarks(db, "home")[NAME]
    assert said.mute is not None
    assert (said.mute.remark_id, said.mute.by, said.mute.said_us, said.note) == (number, "web", 5, None)
    assert standing_remarks(db, "cabin") == {}
    mutes.undo(db, number, "anna", 9)
    assert standing_remarks(db, "home") == {}
    (remark,) = mutes.remarks_of(db, "home", NAME)
    assert (remark.undone_us, remark.undone_by) == (9, "anna")


def test_the_last_note_holds_and_an_empty_one_takes_it_back(db: sqlite3.Connection) -> None:
    mutes.note(db, "home", KEY, NAME, "mine", "web", 1)
    mutes.note(db, "home", KEY, NAME, "  my\n display ", "web", 2)
    said = standing_remarks(db, "home")[NAME]
    assert said.note is not None
    assert said.note.value == "my display"
    mutes.note(db, "home", KEY, NAME, " ", "web", 3)
    assert standing_remarks(db, "home") == {}
    assert [remark.value for remark in mutes.remarks_of(db, "home", NAME)] == [None, "my display", "mine"]


def test_undoing_a_note_brings_the_one_before_back(db: sqlite3.Connection) -> None:
    mutes.note(db, "home", KEY, NAME, "first", "web", 1)
    last = mutes.note(db, "home", KEY, NAME, "second", "web", 2)
    mutes.undo(db, last, "web", 3)
    note = standing_remarks(db, "home")[NAME].note
    assert note is not None
    assert note.value == "first"


@pytest.mark.parametrize(
    ("key", "name", "text"),
    [("no station", NAME, "x"), (KEY, "../etc", "x"), (KEY, NAME, "x" * 501), (KEY, NAME, "a\u202eb"), (KEY, "", "x")],
)
def test_what_makes_no_sense_is_refused(db: sqlite3.Connection, key: str, name: str, text: str) -> None:
    with pytest.raises(BadWordError):
        mutes.note(db, "home", key, name, text, "web", 1)
    assert mutes.remarks_of(db, "home", name) == []


def test_undo_says_what_is_wrong(db: sqlite3.Connection) -> None:
    with pytest.raises(BadWordError, match="there is no remark 7"):
        mutes.undo(db, 7, "web", 1)
    number = mutes.mute(db, "home", KEY, NAME, "web", 1)
    mutes.undo(db, number, "anna", 2)
    with pytest.raises(BadWordError, match="undone before, by anna"):
        mutes.undo(db, number, "web", 3)


def test_no_label_follows_a_remark(db: sqlite3.Connection) -> None:
    before = owner.version(db)
    mutes.mute(db, "home", KEY, NAME, "web", 1)
    assert owner.version(db) == before


def test_remarks_go_with_the_device(db: sqlite3.Connection, tmp_path: Path) -> None:
    mutes.note(db, "home", KEY, NAME, "the neighbour's birthday", "web", 1)
    mutes.mute(db, "home", OTHER, SECOND, "web", 2)
    owner.forget(db, "home", [KEY])
    assert set(standing_remarks(db, "home")) == {SECOND}
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert b"birthday" not in (tmp_path / "owner.db").read_bytes()


def test_nothing_was_said_where_there_is_no_file_or_an_older_one(tmp_path: Path) -> None:
    assert standing_remarks(None, "home") == {}
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        for statements in owner_schema.STEPS[:3]:
            for statement in statements:
                old.execute(statement)
        old.execute(f"PRAGMA application_id = {owner_schema.APPLICATION}")
        old.execute("PRAGMA user_version = 3")
        old.commit()
    with closing(owner.read_owner(path)) as db:  # type: ignore[type-var]  # there is a file
        assert standing_remarks(db, "home") == {}
    with closing(owner.open_owner(path)) as db:
        mutes.mute(db, "home", KEY, NAME, "web", 1)
        assert set(standing_remarks(db, "home")) == {NAME}
