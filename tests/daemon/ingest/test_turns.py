"""Long work beside the service that follows captures: who waits gets a turn, and the owner is not kept waiting."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest import turns
from daemon.ingest.heed import Ear
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.retention import retain_all
from daemon.ingest.turns import Turns
from daemon.store.database import open_database
from daemon.store.owner import open_owner, say
from daemon.store.retain import Limits
from tests.daemon.ingest.scenes import DAY, evening, write
from tests.support.compare import same
from tests.support.forgetting import rows
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

LONG = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT max(i) FROM n"


def call(folder: Path, name: str) -> None:
    with closing(open_owner(folder / "owner.db")) as owner:
        say(owner, "home", HOST_MAC, "name", name, "test", 1)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    monkeypatch.setattr(turns, "_INSTRUCTIONS", 100)
    with closing(open_database(tmp_path / "h.db")) as opened:
        opened.execute("CREATE TABLE work (step INTEGER)")
        yield opened


def turns_of(db: sqlite3.Connection, folder: Path, sleep: Callable[[float], None]) -> Turns:
    knowledge = Knowledge(owner=folder / "owner.db")
    return Turns(db, Ear(folder / "h.db", "home", knowledge, time.monotonic), sleep)


def test_a_step_is_left_off_while_the_owner_waits(db: sqlite3.Connection, tmp_path: Path) -> None:
    begun: list[int] = []
    slept: list[float] = []

    def step() -> int:
        begun.append(len(begun))
        db.execute("INSERT INTO work VALUES (?)", (begun[-1],))
        if len(begun) < 3:
            call(tmp_path, f"Desk {begun[-1]}")
        return int(db.execute(LONG).fetchone()[0])

    call(tmp_path, "Desk")  # before the work began: somebody else's to act on
    assert turns_of(db, tmp_path, slept.append).take(step) == 20_000
    assert begun == [0, 1, 2]
    assert db.execute("SELECT step FROM work").fetchall() == [(2,)]  # what was left off is undone
    assert len([seconds for seconds in slept if seconds > 1]) == 2


def test_who_never_stops_does_not_keep_it_from_its_end(db: sqlite3.Connection, tmp_path: Path) -> None:
    begun = 0

    def step() -> None:
        nonlocal begun
        begun += 1
        call(tmp_path, f"Desk {begun}")
        db.execute(LONG).fetchone()

    turns_of(db, tmp_path, lambda _seconds: None).take(step)
    assert begun > 3


def test_others_may_write_between_two_steps(db: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "h.db", timeout=0, isolation_level=None)) as other:
        written: list[float] = []

        def sleep(seconds: float) -> None:
            other.execute("INSERT INTO work VALUES (-1)")
            written.append(seconds)

        steps = turns_of(db, tmp_path, sleep)
        for number in range(3):
            steps.take(lambda number=number: db.execute("INSERT INTO work VALUES (?)", (number,)))  # type: ignore[misc]
        assert len(written) == 3
        assert min(written) > 0.1  # longer than SQLite lets somebody who waits sleep
    assert db.execute("SELECT count(*) FROM work").fetchone() == (6,)


def test_what_goes_wrong_is_not_taken_for_the_owner(db: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        turns_of(db, tmp_path, lambda _seconds: None).take(lambda: db.execute("SELECT * FROM nowhere"))
    assert not db.in_transaction


def test_retention_comes_to_the_same_when_the_owner_speaks_in_its_midst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = [write(tmp_path / f"{day}.pcap", evening(START_US + day * 9 * DAY)) for day in range(3)]
    undisturbed, disturbed = (imported(tmp_path / name / "h.db", *captures) for name in _folders(tmp_path))
    monkeypatch.setattr(turns, "_INSTRUCTIONS", 300)
    calls = 0
    news = Ear.news

    def speaking(ear: Ear) -> bool:
        nonlocal calls
        calls += 1
        if calls in {5, 12, 30, 61, 90}:
            call(disturbed.parent, f"Desk {calls}")
        return news(ear)

    limits = Limits(detail_days=7, traffic_days=8)
    retain_all(undisturbed, limits, Knowledge(owner=undisturbed.parent / "owner.db"), sleep=lambda _seconds: None)
    monkeypatch.setattr(Ear, "news", speaking)
    acting: list[float] = []
    retain_all(disturbed, limits, Knowledge(owner=disturbed.parent / "owner.db"), sleep=acting.append)
    assert any(seconds > 1 for seconds in acting)
    assert same(undisturbed, disturbed) == []
    assert rows(disturbed, "SELECT count(*) FROM flow") == rows(undisturbed, "SELECT count(*) FROM flow")


def _folders(parent: Path) -> list[str]:
    names = ["quiet", "spoken"]
    for name in names:
        (parent / name).mkdir()
    return names
