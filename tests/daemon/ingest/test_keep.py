"""The budget carried out on files and a database: what goes, what is said, and that nothing is lost by being interrupted."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest import ballast, keep
from daemon.ingest.budget import Limits
from daemon.ingest.keep import LOST, Keeper, Policy
from daemon.ingest.live import Assignment, Live
from daemon.ingest.sidecars import sidecar_of
from daemon.store.database import open_database
from daemon.store.kept import let_go
from tests.daemon.ingest.scenes import DAY, SECOND
from tests.support.budget import MIDNIGHT_US, FakeRoom, recorded
from tests.support.compare import imbalance, views
from tests.support.following import StillWorld, line, say
from tests.support.forgetting import rows
from tests.support.taken import taken

MIB = 1 << 20


class Box:
    """A folder of recordings, the database that they are read into, and a disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder / "in", folder / "h.db"
        self.folder.mkdir()
        self.room = FakeRoom(self.folder)

    def read(self) -> None:
        world = StillWorld([lambda: None])
        Live(Assignment(self.folder, self.database), world, world.hear).run(once=True)

    def keeper(self, limits: Limits, ballast_size: int = 0) -> Keeper:
        return Keeper(self.folder, self.database, "home", Policy(limits, ballast_size), self.room)

    def keep(self, limits: Limits, ballast_size: int = 0) -> Keeper:
        keeper = self.keeper(limits, ballast_size)
        with closing(open_database(self.database)) as db:
            keeper.keep(db, 0)
        return keeper

    def names(self) -> list[str]:
        return sorted(path.name[8:10] for path in self.folder.glob("*.pcap"))

    def statuses(self) -> list[str]:
        return [row[0] for row in rows(self.database, "SELECT status FROM captures ORDER BY path")]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Four days, read, and a fifth that is being written."""
    box = Box(tmp_path)
    for day in range(4):
        recorded(box.folder, day)
    recorded(box.folder, 4, closed=False)
    box.read()
    return box


def test_what_was_read_goes_and_what_is_known_of_it_stays(box: Box) -> None:
    before = views(box.database)
    keeper = box.keep(Limits(age_us=2 * DAY))
    assert box.names() == ["16", "17", "18"]
    assert [path.name for path in box.folder.glob("*2023-11-14*")] == [], "its sidecar goes with it"
    assert box.statuses() == ["deleted", "deleted", "done", "done", "live"]
    after = views(box.database)
    assert {view for view in before if before[view] != after[view]} == {"captures"}
    assert imbalance(box.database) == []
    said = keeper.say()
    assert [word.loud for word in said] == [False, False]
    assert "2023-11-14_00.00.00_wlan0.pcap was given up" in said[0].sentence
    assert (keeper.held.gone, keeper.held.unread) == (2, ())
    assert keeper.say() == ()


def test_files_of_others_are_not_touched(box: Box) -> None:
    theirs = [box.folder / "holiday.pcap", box.folder / "2023-11-01_00.00.00_wlan0.pcap"]
    for path in theirs:
        path.write_bytes(recorded(box.folder, 0).read_bytes())
    kept = box.folder / "kept"
    kept.mkdir()
    inside = recorded(kept, 0)
    box.keep(Limits(most_bytes=0))
    assert all(path.exists() for path in [*theirs, inside, sidecar_of(inside)])
    assert box.names() == ["01", "18", "pc"]


def test_a_day_that_is_moved_into_a_folder_is_kept_and_its_packets_are_found(box: Box) -> None:
    path = box.folder / "2023-11-14_00.00.00_wlan0.pcap"
    (box.folder / "kept").mkdir()
    sidecar_of(path).rename(box.folder / "kept" / sidecar_of(path).name)
    path.rename(box.folder / "kept" / path.name)
    packets = rows(box.database, "SELECT sum(packets) FROM captures")
    box.read()
    assert rows(box.database, "SELECT sum(packets) FROM captures") == packets
    box.keep(Limits(most_bytes=0))
    assert (box.folder / "kept" / path.name).exists()
    assert "done" in box.statuses()
    assert len(taken(box.database, "--until", "2023-11-14")) > 0


def test_the_one_that_is_written_stays_whatever_it_takes(box: Box) -> None:
    box.room.leave(0)
    keeper = box.keep(Limits(most_bytes=0, age_us=1, floor=100 * MIB))
    assert box.names() == ["18"]
    assert keeper.held.short > 0
    assert "no capture may go for it" in keeper.say()[-1].sentence


def test_a_file_that_somebody_holds_locked_is_being_written(box: Box) -> None:
    old = recorded(box.folder, 1, closed=False)
    sidecar_of(old).write_bytes(sidecar_of(old).read_bytes().split(b"\n")[0] + b"\n")
    os.utime(old, (1, 1))
    with old.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        box.keep(Limits(most_bytes=0))
    assert box.names() == ["15", "18"]
    box.keep(Limits(most_bytes=0))
    assert box.names() == ["18"]


def test_unread_goes_for_the_floor_alone_and_is_a_gap_and_loud(box: Box) -> None:
    recorded(box.folder, 5)
    say(box.folder / "2023-11-18_00.00.00_wlan0.pcap", line("close", MIDNIGHT_US + 5 * DAY))
    box.read()
    late = recorded(box.folder, 6)  # since the service has stopped
    recorded(box.folder, 7, closed=False)
    quiet = box.keep(Limits(most_bytes=0))
    assert late.exists()
    assert "not read yet" in quiet.say()[-1].sentence
    box.room.leave(10 * MIB)
    keeper = box.keep(Limits(floor=11 * MIB))
    assert not late.exists()
    begin = MIDNIGHT_US + 6 * DAY
    assert (begin, begin + DAY - SECOND, LOST) in rows(box.database, "SELECT from_us, to_us, reason FROM capture_gaps")
    assert keeper.held.unread == (late.name,)
    loud = [word.sentence for word in keeper.say() if word.loud]
    assert "2023-11-20_00.00.00_wlan0.pcap was given up" in loud[0]
    assert "never read" in loud[0]


def test_of_one_that_was_read_in_part_the_rest_is_the_gap(box: Box) -> None:
    path = recorded(box.folder, 4)  # the fifth day has come to its end, and has grown
    data = path.read_bytes()
    path.write_bytes(data + data[24:])
    recorded(box.folder, 5, closed=False)
    box.room.leave(0)
    box.keep(Limits(floor=100 * MIB))
    last = rows(box.database, "SELECT last_us FROM captures WHERE path LIKE '%11-18%' AND status = 'deleted'")[0][0]
    assert (last, LOST) in rows(box.database, "SELECT from_us, reason FROM capture_gaps")
    assert imbalance(box.database) == []


def test_a_day_without_packets_has_nothing_to_be_read(box: Box) -> None:
    empty = recorded(box.folder, 5, packets=False)
    recorded(box.folder, 6, closed=False)
    box.keep(Limits(most_bytes=0))
    assert not empty.exists()


def test_a_file_of_which_nobody_knows_the_time_waits(box: Box) -> None:
    path = box.folder / "unsynced-0f0e0d0c-1_wlan0.pcap"
    path.write_bytes(recorded(box.folder, 0).read_bytes())
    say(path, line("open", 5 * SECOND, synced=False), line("close", 9 * SECOND, synced=False, on_disk=1))
    box.read()
    box.keep(Limits(most_bytes=0, age_us=1))
    assert path.exists()


def test_killed_between_the_database_and_the_file(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Keeper, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        box.keep(Limits(age_us=2 * DAY))
    assert box.names() == ["14", "15", "16", "17", "18"]
    monkeypatch.undo()
    box.read()  # a service that starts meanwhile adds nothing twice
    assert imbalance(box.database) == []
    box.keep(Limits(age_us=2 * DAY))
    assert box.names() == ["16", "17", "18"]
    assert box.statuses() == ["deleted", "deleted", "done", "done", "live"]


def test_what_somebody_puts_back_is_there_again(box: Box) -> None:
    path = box.folder / "2023-11-14_00.00.00_wlan0.pcap"
    kept = {each: each.read_bytes() for each in (path, sidecar_of(path))}
    box.keep(Limits(age_us=2 * DAY))
    for each, data in kept.items():
        each.write_bytes(data)
    box.read()
    box.keep(Limits())
    assert path.exists()
    assert box.statuses() == ["done", "deleted", "done", "done", "live"]
    assert imbalance(box.database) == []


def test_a_copy_that_comes_back_adds_nothing(box: Box, tmp_path: Path) -> None:
    copy = tmp_path / "backup.pcap"
    copy.write_bytes((box.folder / "2023-11-14_00.00.00_wlan0.pcap").read_bytes())
    box.keep(Limits(age_us=2 * DAY))
    before = views(box.database)
    world = StillWorld([lambda: None])
    copy.rename(box.folder / "backup.pcap")
    Live(Assignment(box.folder, box.database), world, world.hear).run(once=True)
    assert {view for view, found in views(box.database).items() if found != before[view]} <= {"captures"}
    assert imbalance(box.database) == []


def test_time_of_files_that_went_is_no_time_in_which_nobody_recorded(box: Box) -> None:
    stuck = recorded(box.folder, -1)
    stuck.write_bytes(b"\xd4\xc3\xb2\xa1" + b"\xff" * 90)  # never read, so it stays
    box.keep(Limits(age_us=2 * DAY))
    assert stuck.exists()
    before = rows(box.database, "SELECT * FROM capture_gaps ORDER BY 3")
    box.read()
    assert rows(box.database, "SELECT * FROM capture_gaps ORDER BY 3") == before


def test_the_ballast_is_there_while_there_is_room(box: Box) -> None:
    path = ballast.ballast_beside(box.database)
    keeper = box.keep(Limits(floor=100 * MIB), 5 * MIB)
    assert ballast.held(path) == keeper.held.ballast == 5 * MIB
    path.unlink()
    box.room.leave(102 * MIB)
    box.keep(Limits(floor=100 * MIB), 5 * MIB)
    assert ballast.held(path) == 0, "not at the cost of the floor"
    box.room.others = 0
    box.keep(Limits(floor=100 * MIB), 5 * MIB)
    assert ballast.held(path) == 5 * MIB
    box.keep(Limits(), 0)
    assert not path.exists()


def test_on_a_full_disk_the_ballast_goes_before_the_database_is_opened(box: Box, tmp_path: Path) -> None:
    keeper = box.keep(Limits(), 5 * MIB)
    keeper.prepare()
    assert ballast.held(ballast.ballast_beside(box.database)) == 5 * MIB
    box.room.leave(MIB)
    keeper.prepare()
    assert ballast.held(ballast.ballast_beside(box.database)) == 0
    assert [word.loud for word in keeper.say()] == [True]
    Keeper(box.folder, tmp_path / "gone" / "h.db", "home", Policy()).prepare()


class FullDisk:
    """`let_go` as on a disk that is full until the ballast goes."""

    def __init__(self, box: Box, *, for_good: bool = False) -> None:
        self.real, self.box, self.for_good = let_go, box, for_good

    def __call__(self, db: sqlite3.Connection, capture_id: int) -> None:
        if self.for_good or ballast.ballast_beside(self.box.database).exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        self.real(db, capture_id)


def test_where_the_database_cannot_be_written_the_ballast_goes_first(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.keep(Limits(), 5 * MIB)
    monkeypatch.setattr(keep, "let_go", FullDisk(box))
    keeper = box.keep(Limits(age_us=2 * DAY), 5 * MIB)
    assert box.names() == ["16", "17", "18"]
    assert box.statuses()[:2] == ["deleted", "deleted"]
    assert "the ballast was given up" in keeper.say()[0].sentence
    assert keeper.held.ballast == 5 * MIB, "made anew, as there is room"


def test_files_go_also_where_even_the_ballast_was_too_little(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = box.keeper(Limits(age_us=2 * DAY))
    monkeypatch.setattr(keep, "let_go", FullDisk(box, for_good=True))
    with closing(open_database(box.database)) as db:
        keeper.keep(db, 0)
        assert box.names() == ["16", "17", "18"]
        assert "deleted" not in box.statuses()
        monkeypatch.undo()
        keeper.keep(db, 60)
    assert box.statuses()[:2] == ["deleted", "deleted"], "told later"


def test_a_user_who_may_not_remove_says_so_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = box.keeper(Limits(age_us=2 * DAY))
    with closing(open_database(box.database)) as db:
        monkeypatch.setattr("daemon.ingest.keep.os.access", lambda *_: False)
        keeper.keep(db, 0)
        keeper.keep(db, 60)
    assert box.names() == ["14", "15", "16", "17", "18"]
    assert "deleted" not in box.statuses()
    assert [word.sentence for word in keeper.say()] == [
        "Captures are over their budget, and this user may not remove them."
    ]


def test_a_file_that_cannot_be_removed_does_not_keep_the_others(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if "11-14" in self.name:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        real(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    keeper = box.keep(Limits(age_us=2 * DAY))
    assert box.names() == ["14", "16", "17", "18"]
    assert "could not be removed" in keeper.say()[0].sentence


def test_it_is_time_each_minute_and_at_once_where_the_floor_is_not_free(box: Box) -> None:
    keeper = box.keeper(Limits(floor=50 * MIB))
    with closing(open_database(box.database)) as db:
        keeper.keep(db, 100)
    assert [keeper.due(at) for at in (101, 106, 159, 160)] == [False, False, False, True]
    box.room.leave(MIB)
    with closing(open_database(box.database)) as db:
        keeper.keep(db, 200)
    assert [keeper.due(at) for at in (202, 203)] == [False, True]


def test_the_service_keeps_it_while_it_follows(box: Box) -> None:
    world = StillWorld([lambda: None] * 3)
    keeper = box.keeper(Limits(age_us=2 * DAY))
    Live(Assignment(box.folder, box.database), world, world.hear, keeper).run()
    assert box.names() == ["16", "17", "18"]
    assert [len(standing.said) for standing in world.heard][:2] == [2, 0]
    assert world.heard[-1].given_up == 2
    assert imbalance(box.database) == []
