"""Sums of whole days, made at once, against the same in SQL: of a home as it was, and turned upside down."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.store import day_sums, rollup, tables
from daemon.store.database import open_database
from daemon.store.rollup import clear, roll
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, lookup, talk, write
from tests.support import packets as p
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, START_US

if not tables.NATIVE:
    pytest.skip("daemon/store/_tables.c is not built", allow_module_level=True)

# Day totals last: rows of hours are found by the stations that these have.
TIERS = ("slot_total", "hour_total", "destination_day", "destination_sum", "day_total", "way", "remote")
EVER = [(START_US - DAY, START_US + 12 * DAY)]
# What may be the case with facts and labels, at random. The numbers are those of names, stations and kinds that there are.
TURNS = (
    "UPDATE flow SET turned = abs(random()) % 2, begun = abs(random()) % 2",
    "UPDATE flow SET name_id = :name, name_source = 'tls' WHERE abs(random()) % 3 = 0",
    "UPDATE flow SET label_id = :name, label_source = 'dns' WHERE abs(random()) % 3 = 0",
    "UPDATE flow SET cover = name_id IS NOT NULL AND abs(random()) % 2",
    "UPDATE flow SET kind_id = (SELECT id FROM flow_kind ORDER BY random() LIMIT 1) WHERE abs(random()) % 3 = 0",
    "UPDATE flow SET head_id = (SELECT min(id) FROM flow) WHERE abs(random()) % 3 = 0",
    "UPDATE flow SET server_id = (SELECT id FROM endpoint ORDER BY random() LIMIT 1) WHERE abs(random()) % 2 = 0",
    "UPDATE endpoint SET local = abs(random()) % 2, scope = abs(random()) % 4",
    "UPDATE endpoint SET station_id = NULL WHERE abs(random()) % 2 = 0",
    "UPDATE capture SET station_id = (SELECT max(id) FROM station)",
    "UPDATE hello SET ech = 'grease' WHERE abs(random()) % 2 = 0",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    tablet = {"client": TABLET, "mac": TABLET_MAC}
    days: list[Any] = [
        frames
        for day in (0, 1, 2, 9)
        for frames in (
            talk(START_US + day * DAY, "www.example.com", port=40000 + day),
            talk(START_US + day * DAY + 100 * SECOND, server="198.51.100.7", port=41000 + day),
            talk(START_US + day * DAY + 200 * SECOND, "www.example.com", server="198.51.100.9", port=42000 + day),
            talk(
                START_US + (day + 1) * DAY - 900 * SECOND, "long.example", port=43000, gap_us=300 * SECOND, close=False
            ),
            talk(START_US + day * DAY + HOUR, "www.example.com", port=44000 + day, **tablet),  # type: ignore[arg-type]  # of text
            lookup(START_US + day * DAY + 3 * HOUR, "end.example"),
        )
    ]
    house = p.Conversation(TABLET, HOST, 45000, 8080, TABLET_MAC, HOST_MAC, START_US + 4 * HOUR).open().close().frames
    arp = [(START_US + 2 * HOUR, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))]
    return imported(folder / "h.db", write(folder / "days.pcap", *days, house, arp))


@pytest.fixture
def db(home: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    copy = tmp_path / "copy.db"
    copy.write_bytes(home.read_bytes())
    with closing(open_database(copy)) as connection:
        connection.execute("BEGIN")
        yield connection


def rolled(db: sqlite3.Connection, *, anew: bool) -> tuple[dict[str, list[tuple[Any, ...]]], rollup.Moved]:
    """What the tiers are after all days were rolled, where they were and where there was nothing; and what moved."""
    db.execute("SAVEPOINT here")
    moved: rollup.Moved = {}
    if anew:
        clear(db, 1, EVER)
    roll(db, 1, EVER, moved)
    found = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TIERS}  # noqa: S608  of TIERS
    db.execute("ROLLBACK TO here")
    return found, moved


def in_sql(patch: pytest.MonkeyPatch, db: sqlite3.Connection, *, anew: bool) -> Any:  # noqa: ANN401  as above
    with patch.context() as without:
        without.setattr(tables, "NATIVE", False)
        without.setattr(rollup, "NATIVE", False)
        return rolled(db, anew=anew)


def test_home_as_it_was(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    found, moved = rolled(db, anew=True)
    assert (found, moved) == in_sql(monkeypatch, db, anew=True)
    assert all(found.values())
    assert moved
    assert rolled(db, anew=False) == (found, {month: set() for month in moved})  # nothing is other than it was


@pytest.mark.parametrize("seed", range(12))
def test_home_turned_upside_down(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chosen = random.Random(seed)
    names = [row[0] for row in db.execute("SELECT id FROM name")]
    db.create_function("random", 0, lambda: chosen.getrandbits(31))
    for turn in chosen.sample(TURNS, chosen.randint(1, len(TURNS))):
        db.execute(turn, {"name": chosen.choice(names)})
    for anew in (True, False):
        assert rolled(db, anew=anew) == in_sql(monkeypatch, db, anew=anew)


def test_ties_are_broken_by_the_text_of_the_address(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    db.execute("UPDATE flow SET bytes_up = 100, bytes_down = 200")
    found, _ = rolled(db, anew=True)
    assert found == in_sql(monkeypatch, db, anew=True)[0]


@pytest.mark.parametrize("most", [1, 4, 12, 40])
def test_days_of_more_cells_than_fit(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    whole = rolled(db, anew=True)
    monkeypatch.setattr(day_sums, "MOST", most)
    monkeypatch.setattr(rollup, "MOST", most)
    assert rolled(db, anew=True) == whole
