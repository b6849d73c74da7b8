"""The time zone that the owner sets on the dashboard counts the past in its days, also while a service runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.live import Assignment, Live
from daemon.ingest.relabel import relabel_site
from daemon.store.owner import open_owner
from daemon.store.settings import TIME_ZONE, set_each
from tests.daemon.ingest.scenes import HOUR, evening, talk, write
from tests.support.following import StillWorld
from tests.support.importing import imported
from tests.support.packets import START_US

MIDNIGHT_UTC = START_US // (24 * HOUR) * 24 * HOUR + 24 * HOUR
FRAMES = [*evening(MIDNIGHT_UTC - HOUR), *talk(MIDNIGHT_UTC + HOUR, "late.example.com", port=40044)]


def zone_and_days(database: Path) -> tuple[str, int]:
    """The zone of the home, and on how many days something was sent."""
    with closing(sqlite3.connect(database)) as db:
        (zone,) = db.execute("SELECT zone FROM site").fetchone()
        (days,) = db.execute("SELECT count(DISTINCT day) FROM day_total").fetchone()
    return str(zone), int(days)


def choose(owner: Path, zone: str | None) -> None:
    with closing(open_owner(owner)) as db:
        set_each(db, {TIME_ZONE: zone}, "web", 1)


def test_labels_made_anew_follow_it_and_follow_back(tmp_path: Path) -> None:
    database, owner = tmp_path / "h.db", tmp_path / "owner.db"
    imported(database, write(tmp_path / "day.pcap", FRAMES))
    known = Knowledge(owner=owner, zone="UTC")
    relabel_site(database, owner, "home", known)
    assert zone_and_days(database) == ("UTC", 2)
    choose(owner, "America/New_York")
    relabel_site(database, owner, "home", known)
    assert zone_and_days(database) == ("America/New_York", 1)
    choose(owner, None)
    relabel_site(database, owner, "home", known)
    assert zone_and_days(database) == ("UTC", 2)


def test_a_running_service_follows_it_within_its_turns(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "2026-03-01_00.00.00_wlan0.pcap", FRAMES)
    database, owner = tmp_path / "h.db", tmp_path / "owner.db"
    seen = []
    events = [
        lambda: choose(owner, "America/New_York"),
        *[lambda: None] * 3,
        lambda: seen.append(zone_and_days(database)),
        lambda: choose(owner, None),
        *[lambda: None] * 3,
        lambda: seen.append(zone_and_days(database)),
    ]
    world = StillWorld([*[lambda: None] * 40, *events, lambda: None])
    what = Assignment(tmp_path / "in", database, knowledge=Knowledge(owner=owner, zone="UTC"), run_folder=tmp_path)
    Live(what, world, world.hear).run()
    assert seen == [("America/New_York", 1), ("UTC", 2)]
