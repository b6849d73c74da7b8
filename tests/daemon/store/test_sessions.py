"""Sessions are found by what the cookie holds, for as long as they last, and there are never many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import sessions
from daemon.store.owner import open_owner
from daemon.store.sessions import CONFIRMED_US, IDLE_US, MOST, WHOLE_US, begin, confirm, end, end_all, find, touch

NOW = 1_763_000_000_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "owner.db")) as connection:
        yield connection


def test_a_cookie_finds_its_session_alone(db: sqlite3.Connection) -> None:
    one, two = begin(db, NOW, "192.168.1.2", "phone"), begin(db, NOW, "192.168.1.3", "laptop" * 100)
    found = find(db, one, NOW)
    assert found is not None
    assert (found.address, found.agent) == ("192.168.1.2", "phone")
    assert find(db, one + "x", NOW) is None
    assert find(db, "", NOW) is None
    end(db, found.session_id)
    assert find(db, one, NOW) is None
    assert find(db, two, NOW) is not None


def test_it_ends_a_week_after_its_last_use_and_a_month_after_its_beginning(db: sqlite3.Connection) -> None:
    token = begin(db, NOW, "", "")
    assert find(db, token, NOW + IDLE_US - 1) is not None
    assert find(db, token, NOW + IDLE_US) is None
    number = sessions.standing_sessions(db, NOW)[0].session_id
    for week in range(1, 5):
        touch(db, number, NOW + week * IDLE_US - 1, "192.168.1.9")
    assert find(db, token, NOW + WHOLE_US - 1) is not None
    assert find(db, token, NOW + WHOLE_US) is None


def test_a_confirmation_is_for_minutes_and_for_one_session(db: sqlite3.Connection) -> None:
    one, two = begin(db, NOW, "", ""), begin(db, NOW, "", "")
    confirm(db, next(each for each in (find(db, one, NOW),) if each).session_id, NOW)
    found = [find(db, one, NOW), find(db, two, NOW)]
    assert [each is not None and each.confirmed(NOW + CONFIRMED_US - 1) for each in found] == [True, False]
    assert found[0] is not None
    assert not found[0].confirmed(NOW + CONFIRMED_US)
    assert not found[0].confirmed(NOW - 1), "a clock set back does not make it last"


def test_there_are_never_many_and_what_is_over_goes(db: sqlite3.Connection) -> None:
    first = begin(db, NOW, "", "")
    for number in range(MOST + 5):
        begin(db, NOW + number, "", "")
    assert len(sessions.standing_sessions(db, NOW)) == MOST
    assert find(db, first, NOW) is None
    begin(db, NOW + WHOLE_US + MOST + 9, "", "")
    assert db.execute("SELECT count(*) FROM session").fetchone() == (1,)


def test_all_others_are_logged_out(db: sqlite3.Connection) -> None:
    tokens = [begin(db, NOW, "", "") for _ in range(3)]
    mine = find(db, tokens[1], NOW)
    assert mine is not None
    assert end_all(db, but=mine.session_id) == 2
    assert [find(db, token, NOW) is not None for token in tokens] == [False, True, False]
    assert end_all(db) == 1
