"""The census of a site: which stations are one device, what each is, and which of that matters to judgements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.describe import Census
from daemon.ingest.knowledge import Knowledge
from daemon.store.database import open_database
from daemon.store.owner import join, open_owner, say, split
from daemon.store.words import KIND, NAME, ROOM
from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = write(
        tmp_path / "day.pcap",
        [dhcp_request(START_US, "adas-thinkpad")],
        talk(START_US + SECOND, "www.example.com"),
        talk(START_US + 2 * SECOND, "x.sonos.com", client=TABLET, mac=TABLET_MAC, server="203.0.113.9", reply=50_000),
    )
    return imported(tmp_path / "h.db", path)


@pytest.fixture
def db(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(database)) as connection:
        yield connection


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "owner.db")) as connection:
        yield connection


def census(db: sqlite3.Connection, tmp_path: Path) -> tuple[list[tuple[int, int]], set[int]]:
    taken = Census(db, 1, "home", Knowledge(owner=tmp_path / "owner.db"))
    return taken.group().spans, taken.describe()


def devices(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    return db.execute("SELECT name, room, kind, mac FROM devices ORDER BY mac").fetchall()


def test_again_is_no_change(db: sqlite3.Connection, tmp_path: Path) -> None:
    before = devices(db)
    assert census(db, tmp_path) == ([], set())
    assert devices(db) == before
    assert [row[3] for row in before] == [HOST_MAC, TABLET_MAC]


def test_words_that_judgements_depend_on_are_told(
    db: sqlite3.Connection, owner: sqlite3.Connection, tmp_path: Path
) -> None:
    say(owner, "home", HOST_MAC, ROOM, "Attic", "test", 1)
    assert census(db, tmp_path) == ([], set())  # where it stands is nothing to a judgement
    assert devices(db)[0][1] == "Attic"
    # Without its old name nothing tells its maker; of a person's own the kind counts; other words change no judgement.
    said = ((NAME, "Loft", 1), (NAME, "Desk", 0), (KIND, "phone", 1), (NAME, "Hall", 0))
    for number, (about, value, judged) in enumerate(said, 2):
        say(owner, "home", HOST_MAC, about, value, "test", number)
        spans, changed = census(db, tmp_path)
        assert (about, value, spans, len(changed)) == (about, value, [], judged)
    assert devices(db)[0] == ("Hall", "Attic", "phone", HOST_MAC)


def test_joined_and_split_again(db: sqlite3.Connection, owner: sqlite3.Connection, tmp_path: Path) -> None:
    before = devices(db)
    join(owner, "home", [(HOST_MAC, TABLET_MAC)], "test", 1)
    spans, changed = census(db, tmp_path)
    assert spans
    assert changed
    assert len(devices(db)) == 1
    split(owner, "home", [(HOST_MAC, TABLET_MAC)], "test", 2)
    census(db, tmp_path)
    assert devices(db) == before


def test_maker_is_told_by_whose_domains_it_talks_to(db: sqlite3.Connection) -> None:
    vendors = db.execute("SELECT mac, vendor FROM devices ORDER BY mac").fetchall()
    assert vendors == [(HOST_MAC, None), (TABLET_MAC, "Sonos")]
    reasons = db.execute("SELECT about, value FROM device_reasons WHERE about = 'vendor'").fetchall()
    assert reasons == [("vendor", "Sonos")]
