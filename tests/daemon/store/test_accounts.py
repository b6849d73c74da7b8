"""One owner: claimed once, with the code that was shown last; a reset forgets who may look and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import access_tokens, sessions
from daemon.store.accounts import (
    ClaimedError,
    change_password,
    claim,
    code_fits,
    is_claimed,
    knows_people,
    password_fits,
    reset,
    show_code,
)
from daemon.store.owner import open_owner, read_owner, read_words, say, version
from daemon.store.owner_schema import APPLICATION, STEPS
from daemon.store.settings import read_settings, set_each
from daemon.store.words import NAME, BadWordError

WORDS = "purple lantern teaspoon"
TV = "02:00:00:00:00:10"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "owner.db")) as connection:
        yield connection


def test_the_last_code_counts_and_only_once(db: sqlite3.Connection) -> None:
    first, second = show_code(db, 1), show_code(db, 2)
    assert (code_fits(db, first), code_fits(db, second)) == (False, True)
    with pytest.raises(BadWordError):
        claim(db, first, WORDS, 3)
    assert not is_claimed(db)
    claim(db, second, WORDS, 4)
    assert is_claimed(db)
    assert password_fits(db, WORDS)
    assert not password_fits(db, WORDS.upper())
    assert not code_fits(db, second)
    for attempt in (lambda: show_code(db, 5), lambda: claim(db, second, WORDS, 5)):
        with pytest.raises((ClaimedError, BadWordError)):
            attempt()


def test_a_bad_password_leaves_the_box_unclaimed(db: sqlite3.Connection) -> None:
    code = show_code(db, 1)
    with pytest.raises(BadWordError):
        claim(db, code, "short", 2)
    assert not is_claimed(db)
    assert code_fits(db, code)


def test_reset_forgets_who_may_look_and_nothing_else(db: sqlite3.Connection) -> None:
    claim(db, show_code(db, 1), WORDS, 2)
    say(db, "home", TV, NAME, "TV", "web", 3)
    set_each(db, {"home.name": "Nest"}, "web", 3)
    cookie = sessions.begin(db, 4, "192.168.1.2", "browser")
    token = access_tokens.issue(db, "p", "read", 4)
    assert reset(db)
    assert not is_claimed(db)
    assert not password_fits(db, WORDS)
    assert sessions.find(db, cookie, 5) is None
    assert access_tokens.find(db, token) is None
    assert read_words(db, "home").names == {TV: "TV"}
    assert read_settings(db) == {"home.name": "Nest"}
    assert not reset(db)


def test_another_password_takes_the_place_of_the_one_before(db: sqlite3.Connection) -> None:
    claim(db, show_code(db, 1), WORDS, 2)
    with pytest.raises(BadWordError):
        change_password(db, "1234567890", 3)
    assert password_fits(db, WORDS)
    change_password(db, "seven green umbrellas", 3)
    assert (password_fits(db, WORDS), password_fits(db, "seven green umbrellas")) == (False, True)


def test_nothing_of_it_counts_as_a_word_about_a_device(db: sqlite3.Connection) -> None:
    before = version(db)
    claim(db, show_code(db, 1), WORDS, 2)
    set_each(db, {"night.from": "23"}, "web", 3)
    sessions.begin(db, 4, "", "")
    assert version(db) == before, "no label has to be made anew"


def test_a_file_from_before_there_were_accounts_is_read_and_then_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "owner.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in (statement for step in STEPS[:2] for statement in step):
            old.execute(statement)
        old.execute(f"PRAGMA application_id = {APPLICATION}")
        old.execute("PRAGMA user_version = 2")
        say(old, "home", TV, NAME, "TV", "web", 3)
    reader = read_owner(path)
    assert reader is not None
    with closing(reader):
        assert (knows_people(reader), is_claimed(reader), read_settings(reader)) == (False, False, {})
    with closing(open_owner(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(STEPS)
        assert not is_claimed(db)
        assert read_words(db, "home").names == {TV: "TV"}
    assert is_claimed(None) is False
