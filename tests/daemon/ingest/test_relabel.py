"""The past judged anew, when the owner spoke or when tables changed; also where its detail is gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest import judge
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.store.database import open_database, transaction
from daemon.store.errors import NotADatabase
from daemon.store.owner import join, open_owner, say
from daemon.store.retain import fold
from daemon.store.words import NAME
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.support.compare import same
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

TABLE = """
[[organisation]]
name = "Widget Works"
country = "NL"
[organisation.domains]
maker = ["widget.example"]
"""


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


@pytest.fixture(params=["with detail", "folded"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = write(
        tmp_path / "day.pcap",
        talk(START_US, "api.widget.example"),
        talk(START_US + SECOND, "other.example", client=TABLET, mac=TABLET_MAC, server="203.0.113.9", port=41000),
    )
    database = imported(tmp_path / "h.db", path)
    if request.param == "folded":
        with closing(open_database(database)) as db, transaction(db):
            fold(db, 1, START_US + 40 * DAY)
    return database


def test_nothing_new_changes_nothing(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    assert relabel_site(copy, None, "home").changes == ()
    assert same(database, copy) == []


def test_table_of_organisations_that_grew(database: Path, tmp_path: Path) -> None:
    table = tmp_path / "more.toml"
    table.write_text(TABLE)
    done = relabel_site(database, None, "home", Knowledge(organisations=(table,)))
    (change,) = done.changes
    assert (change.month, change.destination, change.after.organisation) == (
        "2023-11",
        "api.widget.example",
        "Widget Works",
    )
    assert change.before is not None
    assert change.before.organisation != "Widget Works"
    told = rows(database, "SELECT organisation FROM destinations WHERE domain = 'api.widget.example'")
    assert told == [("Widget Works",)]
    assert relabel_site(database, None, "home", Knowledge(organisations=(table,))).changes == ()
    assert relabel_site(database, None, "home").changes[0].after == change.before


def test_joining_two_devices_improves_the_past(database: Path, tmp_path: Path) -> None:
    owner = tmp_path / "owner.db"
    before = rows(database, "SELECT sum(bytes_up), sum(bytes_down) FROM destinations")
    with closing(open_owner(owner)) as db:
        join(db, "home", [(HOST_MAC, TABLET_MAC)], "test", 1)
        say(db, "home", HOST_MAC, NAME, "Both", "test", 2)
    relabel_site(database, owner, "home")
    assert rows(database, "SELECT DISTINCT device FROM destinations") == [("Both",)]
    assert rows(database, "SELECT count(*) FROM devices") == [(1,)]
    assert rows(database, "SELECT sum(bytes_up), sum(bytes_down) FROM destinations") == before


def test_failure_changes_nothing(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    monkeypatch.setattr(judge, "write_judgements", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        relabel_site(copy, None, "home")
    assert same(database, copy) == []


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is text, and long enough to be looked at" * 40)
    with pytest.raises(NotADatabase):
        relabel_site(tmp_path / "text.db", None, "home")


def test_all_nights_of_the_past_are_added_up_at_once(tmp_path: Path) -> None:
    talks = [frame for day in range(40) for frame in talk(START_US + day * DAY, "api.widget.example", port=41000 + day)]
    database = imported(tmp_path / "h.db", write(tmp_path / "forty.pcap", talks))
    relabel_site(database, None, "home")
    assert rows(database, "SELECT count(*) FROM slot_sum_column")[0][0] >= 38  # a look while files grow takes 31
