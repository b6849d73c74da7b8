"""A pass over a little that is new leaves what a pass over everything would: same rows, in every table of labels."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance.sample.day import write_day
from daemon.decode.slots import SLOT_US
from daemon.flow.facts import DAY_US
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database
from daemon.store.rollup import roll
from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, lookup, router_advertisement, talk, write
from tests.support.answers import ech_config, told
from tests.support.compare import imbalance, same
from tests.support.importing import imported
from tests.support.packets import START_US
from tests.support.veiled import FRONT, veiled

ZONE = "Europe/Berlin"  # days that begin within a UTC day
NAMES = ("2026-03-14_00.00.00_wlan0.pcap", "2026-03-14_00.00.00_lan.pcap", "2026-03-15_00.00.00_wlan0.pcap")

FAR = "198.51.100.9"
RECORD = f"1 . ipv4hint={FAR} ech={ech_config(FRONT)}"

# What follows from facts, by what does not depend on the order in which rows were made.
LABELS = {
    "slot_total": "SELECT * FROM slot_total",
    "hour_total": "SELECT * FROM hour_total",
    "day_total": "SELECT * FROM day_total",
    "destination_day": "SELECT * FROM destination_day",
    "destination_sum": "SELECT * FROM destination_sum",
    "alias": "SELECT * FROM alias",
    "endpoint": "SELECT id, local, station_id, device_id FROM endpoint",
    "station": "SELECT id, device_id, folder FROM station",
    "device": "SELECT * FROM device",
    "evidence": "SELECT * FROM device_evidence",
    "flow": "SELECT id, turned, label_id, label_source, crowd_id, head_id, cover FROM flow",
    "judgement": "SELECT j.month, j.device_id, j.name_id, j.remote_id, v.digest FROM judgement j"
    " JOIN verdict v ON v.id = j.verdict_id",
    "whose_day": "SELECT d.month, d.day, d.station_id, o.party, o.organisation, d.flows, d.bytes_up, d.bytes_down"
    " FROM whose_day d JOIN whose o ON o.id = d.whose_id",
    "whose_month": "SELECT d.month, d.station_id, o.party, o.organisation, d.flows, d.bytes_up, d.bytes_down"
    " FROM whose_month d JOIN whose o ON o.id = d.whose_id",
}
MADE = ("slot_total", "hour_total", "day_total", "destination_day", "judgement", "house", "whose_day", "whose_month")


def labels(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(db.execute(query).fetchall(), key=repr) for name, query in LABELS.items()}


def from_scratch(database: Path, copy: Path, knowledge: Knowledge | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """The labels of a copy in which everything is forgotten that a pass can find out."""
    shutil.copy(database, copy)
    with closing(open_database(copy)) as db:
        for table in MADE:
            db.execute(f"DELETE FROM {table}")  # noqa: S608  of MADE
        db.execute("UPDATE capture SET settled = -1, fresh_us = NULL")
        db.execute("UPDATE station SET makers = NULL")
        settle_site(db, copy, "home", knowledge=knowledge or Knowledge(zone=ZONE))
        return labels(db)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, int]]:
    """Captures with the offsets of their clocks: two at a time, and one of the day after."""
    folder = tmp_path_factory.mktemp("days")
    made = []
    for number, (name, offset_us) in enumerate(zip(NAMES, (0, 1800 * SECOND, DAY_US), strict=True)):
        write_day(folder / name, seed=number + 3, packets=4000)
        made.append((folder / name, offset_us))
    return made


def follow(database: Path, files: list[tuple[Path, int]], seed: int, copy: Path, looks: int) -> None:
    """Read pieces of files, any of them next, with a pass after each; some passes are compared with one over everything."""
    rng = random.Random(seed)
    ends = {path: [*sorted(rng.sample(range(1000, path.stat().st_size), 7)), -1] for path, _ in files}
    offsets, order = dict(files), [path for path, cuts in ends.items() for _ in cuts]
    rng.shuffle(order)
    compared = set(rng.sample(range(len(order)), looks)) | {len(order) - 1}
    knowledge = Knowledge(zone=ZONE)
    with closing(open_database(database)) as db:
        for step, path in enumerate(order):
            end = ends[path].pop(0)
            task = Task(path, "home", limit=None if end < 0 else end, final=end < 0, clock_offset_us=offsets[path])
            import_file(db, database, task)
            if rng.random() < 0.85 or step in compared:
                settle_site(db, database, "home", knowledge=knowledge)
            if step in compared:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                now, anew = labels(db), from_scratch(database, copy)
                assert {name: (now[name], anew[name]) for name in LABELS if now[name] != anew[name]} == {}, step


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.drill), pytest.param(3, marks=pytest.mark.drill)]
)
def test_any_interleaving_leaves_what_a_pass_over_everything_does(
    days: list[tuple[Path, int]], tmp_path: Path, seed: int
) -> None:
    follow(tmp_path / "h.db", days, seed, tmp_path / "copy.db", looks=3)
    assert imbalance(tmp_path / "h.db") == []


def test_one_file_in_pieces_has_the_views_of_one_import(days: list[tuple[Path, int]], tmp_path: Path) -> None:
    follow(tmp_path / "h.db", days[:1], 5, tmp_path / "copy.db", looks=1)
    once = imported(tmp_path / "once.db", days[0][0])
    with closing(open_database(once)) as db:
        settle_site(db, once, "home", knowledge=Knowledge(zone=ZONE))
    assert same(once, tmp_path / "h.db") == []


def test_evening_with_news_of_every_kind(tmp_path: Path) -> None:
    """Announced prefixes, a new device, names that come late, a flow over midnight; a pass after every twelfth."""
    at = START_US // DAY_US * DAY_US + 22 * 3600 * SECOND
    tablet = {"client": TABLET, "mac": TABLET_MAC}
    path = write(
        tmp_path / NAMES[0],
        [router_advertisement(at, "2001:db8:7::", valid=1800)],
        talk(at + 10 * SECOND, server=FAR, port=40001, gap_us=20 * SECOND, close=False),
        lookup(at + 50 * SECOND, "late.example", FAR),
        talk(at + 60 * SECOND, server=FAR, port=40002),
        talk(at + 3600 * SECOND, "www.example.com", port=40003),
        [router_advertisement(at + 3700 * SECOND, "2001:db8:7::", valid=1800)],
        [router_advertisement(at + 9000 * SECOND, "2001:db8:8::")],
        talk(at + 6000 * SECOND, "www.example.com", port=40009, **tablet),  # type: ignore[arg-type]  # of text
        talk(at + 6500 * SECOND, "long.example", port=40005, gap_us=900 * SECOND, close=False),
        told(at + 7000 * SECOND, "secret.example", ("secret.example", "HTTPS", RECORD), kind="HTTPS"),
        veiled(at + 7001 * SECOND, server=FAR, port=40006, gap_us=200 * SECOND, close=False),
        veiled(at + 7002 * SECOND, "cloudflare-ech.com", server="198.51.100.10", port=40007, gap_us=200 * SECOND),
        lookup(at + 8000 * SECOND, "other.example", FAR),
        talk(at + 9000 * SECOND, server=FAR, port=40004),
    )
    size = path.stat().st_size
    with closing(open_database(tmp_path / "h.db")) as db:
        for end in [*range(400, size, size // 12), size]:
            import_file(db, tmp_path / "h.db", Task(path, "home", limit=end, final=end == size))
            settle_site(db, tmp_path / "h.db", "home", knowledge=Knowledge(zone=ZONE))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            now, anew = labels(db), from_scratch(tmp_path / "h.db", tmp_path / "copy.db")
            assert {name: (now[name], anew[name]) for name in LABELS if now[name] != anew[name]} == {}, end


def test_rolling_the_days_after_rolling_slots_changes_nothing(days: list[tuple[Path, int]], tmp_path: Path) -> None:
    follow(tmp_path / "h.db", days[1:], 9, tmp_path / "copy.db", looks=0)
    with closing(open_database(tmp_path / "h.db")) as db:
        before = labels(db)
        first, last = db.execute("SELECT min(first_us), max(last_us) FROM capture").fetchone()
        moved: dict[int, set[tuple[int, int, int]]] = {}
        roll(db, 1, [(first, last)], moved)
        assert {month: places for month, places in moved.items() if places} == {}
        assert labels(db) == before
        assert last // SLOT_US > first // SLOT_US
