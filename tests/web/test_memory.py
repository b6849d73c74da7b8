"""What was computed is remembered as long as the database is the same, and no longer."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database, transaction
from web.memory import Memory


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "home.db"
    open_database(path).close()
    return path


def test_made_once_for_each_state(database: Path) -> None:
    memory = Memory(database)
    made: list[int] = []

    def make() -> list[int]:
        made.append(len(made))
        return [len(made)]

    state = memory.state()
    assert memory.recall(state, "sums", make) == [1]
    assert memory.recall(memory.state(), "sums", make) == [1]
    assert memory.recall(memory.state(), "others", make) == [2]
    with closing(open_database(database)) as db, transaction(db):
        db.execute("INSERT INTO site (name) VALUES ('other')")
    assert memory.state() != state
    assert memory.recall(memory.state(), "sums", make) == [3]
    assert memory.recall(state, "sums", make) == [4], "what belongs to an older state was let go"
    memory.close()


def test_another_file_in_its_place_is_another_state(database: Path, tmp_path: Path) -> None:
    memory = Memory(database)
    before = memory.state()
    other = tmp_path / "other.db"
    open_database(other).close()
    other.replace(database)
    assert memory.state() != before
    memory.close()


def test_keeps_a_bounded_number_of_rows(database: Path) -> None:
    memory = Memory(database)
    state = memory.state()
    made: list[int] = []

    def large() -> list[int]:
        made.append(1)
        return [0] * 50_000

    for key in range(5):
        memory.recall(state, key, large)
    memory.recall(state, 4, large)
    assert len(made) == 5
    memory.recall(state, 0, large)
    assert len(made) == 6
    memory.close()


def test_relief_is_asked_for_when_an_answer_was_made(database: Path) -> None:
    asked: list[int] = []
    memory = Memory(database, lambda: asked.append(1))
    for key in ("one", "one", "other"):
        memory.recall(None, key, lambda: [1])
    assert len(asked) == 2
