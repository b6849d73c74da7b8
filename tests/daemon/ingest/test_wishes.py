"""The wish that a device be forgotten is acted on by the service, also when files are being written or it is killed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.live import Assignment, Live
from daemon.ingest.wishes import Wishes
from daemon.store import owner
from daemon.store.words import BadWordError
from tests.daemon.ingest.scenes import DAY, TABLET_MAC, write
from tests.support import packets as p
from tests.support.counted import packets
from tests.support.following import StillWorld, line, say
from tests.support.forgetting import laptop, tablet
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

NOW_US = START_US + 40 * DAY


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def _wish(box: Path, *, now_us: int = NOW_US) -> int:
    with closing(owner.open_owner(box / "owner.db")) as db:
        owner.say(db, "home", TABLET_MAC, "room", "Attic", "web", now_us)
        return owner.wish_forgotten(db, "home", [TABLET_MAC], "web", now_us)


def _wished(box: Path) -> int:
    with closing(owner.open_owner(box / "owner.db")) as db:
        return len(owner.wishes(db, "home"))


def _knows_tablet(box: Path) -> bool:
    with closing(sqlite3.connect(box / "h.db")) as db:
        rows = db.execute("SELECT count(*) FROM flow f JOIN endpoint c ON c.id = f.client_id WHERE c.mac = ?",
                          (p.mac_int(TABLET_MAC),))  # fmt: skip
        return bool(rows.fetchone()[0])


def _has_tablet(path: Path) -> bool:
    return any(TABLET_MAC in (each.source, each.target) for each in packets(path))


def _service(box: Path, *events: object, naps: int = 3) -> StillWorld:
    world = StillWorld([*events, *[lambda: None] * naps])  # type: ignore[list-item]  # each test gives calls
    what = Assignment(box / "in", box / "h.db", knowledge=Knowledge(owner=box / "owner.db"), run_folder=box)
    Live(what, world, world.hear).run()
    return world


def test_service_forgets_within_a_look_and_says_so(box: Path) -> None:
    capture = write(box / "in" / "day.pcap", laptop(START_US), tablet(START_US + 1000))
    imported(box / "h.db", capture)
    world = _service(box, lambda: _wish(box))
    assert not _knows_tablet(box)
    assert not _has_tablet(capture)
    assert any(each.source == HOST_MAC for each in packets(capture)), "the others are still there"
    said = [each.sentence for standing in world.heard for each in standing.said]
    assert f"{TABLET_MAC} is forgotten, as its owner wished." in said
    with closing(owner.open_owner(box / "owner.db")) as db:
        assert db.execute("SELECT count(*) FROM word").fetchone() == (0,)


def test_file_that_is_being_written_follows_when_it_is_closed(box: Path) -> None:
    old = write(box / "in" / "2026-03-01_00.00.00_wlan0.pcap", laptop(START_US), tablet(START_US + 1000))
    say(old, line("open", START_US), line("close", START_US + DAY, old.stat().st_size))
    live = write(box / "in" / "2026-03-02_00.00.00_wlan0.pcap", laptop(START_US + DAY), tablet(START_US + DAY + 1000))
    say(live, line("open", START_US + DAY, live.stat().st_size))
    seen: list[tuple[bool, bool, int]] = []

    def look() -> None:
        seen.append((_has_tablet(old), _has_tablet(live), _wished(box)))

    def close() -> None:
        say(live, line("close", START_US + 2 * DAY, live.stat().st_size))

    nothing = [lambda: None] * 70  # a growing file is read once a minute
    _service(box, *nothing, lambda: _wish(box), lambda: None, look, close, *nothing, look)
    assert seen == [(False, True, 1), (False, False, 0)]
    assert not _knows_tablet(box)


def test_wish_of_before_a_kill_is_acted_on(box: Path) -> None:
    imported(box / "h.db", write(box / "in" / "day.pcap", laptop(START_US), tablet(START_US + 1000)))
    _wish(box)
    _service(box)
    assert not _knows_tablet(box)
    assert _wished(box) == 0


def test_wish_that_was_undone_is_none(box: Path) -> None:
    imported(box / "h.db", write(box / "in" / "day.pcap", laptop(START_US), tablet(START_US + 1000)))
    number = _wish(box)
    with closing(owner.open_owner(box / "owner.db")) as db:
        owner.undo(db, number, "web", NOW_US)
        assert owner.read_words(db, "home").rooms == {TABLET_MAC: "Attic"}, "other words are as they were"
    assert Wishes(box / "h.db", "home", Knowledge(owner=box / "owner.db")).fulfil() == []
    assert _knows_tablet(box)


def test_wish_is_about_its_own_home(box: Path) -> None:
    imported(box / "h.db", write(box / "in" / "day.pcap", laptop(START_US), tablet(START_US + 1000)))
    _wish(box)
    assert Wishes(box / "h.db", "cabin", Knowledge(owner=box / "owner.db")).fulfil() == []
    assert _knows_tablet(box)


def test_what_cannot_be_a_station_is_refused(box: Path) -> None:
    with closing(owner.open_owner(box / "owner.db")) as db, pytest.raises(BadWordError):
        owner.wish_forgotten(db, "home", ["nonsense"], "web", NOW_US)
