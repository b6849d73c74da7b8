"""Verdicts are kept once each, judgements by device, destination and month."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.classify.vocabulary import Verdict
from daemon.store.database import open_database, transaction
from daemon.store.retain import fold
from daemon.store.verdicts import (
    Met,
    Place,
    VerdictBook,
    drop_unused,
    judgements_of,
    months_with_destinations,
    read_destinations,
    read_judgements,
    write_judgements,
)
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US

MONTH = 2023 * 12 + 10
FIRST = Verdict("first", "Sonos", "maker", "maker", "because", "sonos.com", None, None, 1, "US", "high")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    frames = [
        *talk(START_US, "a.example", server="203.0.113.1", reply=3000, port=40000),
        *talk(START_US + SECOND, "a.example", server="203.0.113.2", reply=9000, port=40001),
        *talk(START_US + DAY, "a.example", server="203.0.113.3", reply=5000, port=40002),
        *talk(START_US + DAY + SECOND, "a.example", server="203.0.113.1", reply=5000, port=40003),
        *talk(START_US + 2 * SECOND, server="203.0.113.9", port=40004),
        *lookup(START_US + 3 * DAY, "end.example"),
    ]
    return imported(folder / "h.db", write(folder / "day.pcap", frames))


@pytest.fixture
def db(home: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(Path(shutil.copy(home, tmp_path)))) as connection:
        yield connection


def made(db: sqlite3.Connection, verdict: Verdict) -> int:
    book = VerdictBook(db)
    number = book.number(verdict)
    book.write()
    return number


def told(db: sqlite3.Connection) -> dict[Place, Met]:
    return read_destinations(db, 1, MONTH)


def test_every_destination_once_with_the_address_of_most_bytes(db: sqlite3.Connection) -> None:
    assert sorted((each.domain or "", each.address, each.service) for each in told(db).values()) == [
        ("", "203.0.113.9", "https"),
        ("a.example", "203.0.113.2", "https"),
    ]


@pytest.mark.parametrize("days", [[1], [4], [1, 4], [0.00002, 1, 40]])
def test_folding_does_not_change_what_is_judged(db: sqlite3.Connection, days: list[float]) -> None:
    before = told(db)
    for day in days:
        with transaction(db):
            fold(db, 1, int(START_US + day * DAY))
    assert list(told(db).items()) == list(before.items())


def test_verdict_is_kept_once(db: sqlite3.Connection) -> None:
    book = VerdictBook(db)
    number = book.number(FIRST)
    assert book.read(number) == FIRST
    book.write()
    assert VerdictBook(db).number(FIRST) == number
    assert book.number(FIRST._replace(country="DE")) != number
    assert book.read(number) == FIRST


def test_verdict_stands_beside_whose_it_is(db: sqlite3.Connection) -> None:
    for verdict in (FIRST, FIRST._replace(reason="another"), FIRST._replace(organisation=None, country=None)):
        made(db, verdict)
    told = db.execute(
        "SELECT v.reason, o.party, o.organisation, o.country, o.country_confidence FROM verdict v JOIN whose o"
        " ON o.id = v.whose_id ORDER BY v.id DESC LIMIT 3"
    ).fetchall()
    assert told == [
        ("because", "first", "", "", "high"),
        ("another", "first", "Sonos", "US", "high"),
        ("because", "first", "Sonos", "US", "high"),
    ]
    assert db.execute("SELECT count(*) FROM whose WHERE organisation = 'Sonos' AND country = 'US'").fetchone() == (1,)


def test_judgements_that_stand_stay_and_others_go(db: sqlite3.Connection) -> None:
    one, other = told(db)
    number = made(db, FIRST)
    write_judgements(db, 1, MONTH, [(one, number)], [other])
    assert read_judgements(db, 1, MONTH) == {one: number}
    write_judgements(db, 1, MONTH, [], [other])
    assert read_judgements(db, 1, MONTH) == {one: number}
    write_judgements(db, 1, MONTH + 1, [(Place(9, 9, 9), number)], [])
    assert read_judgements(db, 1, MONTH) == judgements_of(db, 1, MONTH, [one, other]) == {one: number}
    assert read_judgements(db, 1, MONTH + 1, [9]) == {Place(9, 9, 9): number}
    assert read_judgements(db, 1, MONTH + 1, [1]) == judgements_of(db, 1, MONTH, [other]) == {}


def test_only_another_verdict_makes_sums_stale(db: sqlite3.Connection) -> None:
    stale = "SELECT month, day FROM whose_stale"
    places = [Place(0, name, 0) for name in range(1, 46)]  # two statements full, and some
    numbers = [made(db, FIRST._replace(reason=str(place))) for place in places]
    write_judgements(db, 1, MONTH + 1, zip(places, numbers, strict=True), [])
    kept = "SELECT device_id, name_id, remote_id, verdict_id FROM judgement WHERE month = ? ORDER BY name_id"
    assert db.execute(kept, (MONTH + 1,)).fetchall() == [
        (*row, number) for row, number in zip(places, numbers, strict=True)
    ]
    write_judgements(db, 1, MONTH + 1, zip(places, numbers, strict=True), [])
    assert db.execute(stale).fetchall() == []
    write_judgements(db, 1, MONTH + 1, [(places[0], numbers[0]), (places[1], numbers[0])], [])
    assert db.execute(stale).fetchall() == [(MONTH + 1, -1)]
    assert [row[3] for row in db.execute(kept, (MONTH + 1,))] == [numbers[0], numbers[0], *numbers[2:]]


def test_verdicts_nobody_refers_to_go(db: sqlite3.Connection) -> None:
    number = made(db, FIRST)
    before = db.execute("SELECT count(*) FROM verdict").fetchone()[0]
    drop_unused(db)
    assert db.execute("SELECT count(*) FROM verdict").fetchone() == (before - 1,)
    assert db.execute("SELECT 1 FROM verdict WHERE id = ?", (number,)).fetchone() is None


def test_months(db: sqlite3.Connection) -> None:
    assert months_with_destinations(db, 1) == [MONTH]
    assert months_with_destinations(db, 2) == []
