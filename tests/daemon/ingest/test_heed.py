"""What the owner says is acted on at once, whatever the service is in the middle of; what was read meanwhile waits."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance.sample.day import write_day
from daemon.ingest import attention, decoder, live
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.decoder import CaptureDecoder
from daemon.ingest.heed import Ear
from daemon.ingest.hunting import Hunter
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.live import Assignment, Live
from daemon.ingest.settle import heed_owner, judge_due, settle_site
from daemon.store.database import open_database
from daemon.store.errors import StoreError, explained
from daemon.store.owner import join, open_owner, split
from daemon.store.owner import say as tell
from daemon.store.writer import FactWriter
from tests.daemon.ingest.scenes import DAY, evening, write
from tests.daemon.ingest.test_incremental import ZONE, from_scratch, labels
from tests.support.compare import imbalance, same
from tests.support.following import StillWorld
from tests.support.forgetting import rows
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

FIRST, LARGE = "2026-03-01_00.00.00_wlan0.pcap", "2026-03-14_00.00.00_wlan0.pcap"
CALLED = {"devices": {"name", "name_source"}, "destinations": {"device"}}
WHEN = tuple(40 + 37 * number * number for number in range(16))  # looks at what the owner says
NAMES = "SELECT name FROM devices WHERE mac = '02:00:00:00:00:10'"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / LARGE
    write_day(path, seed=4, packets=3000)
    return path


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A house that the service knows: one evening is read."""
    write(tmp_path / "in" / FIRST, evening())
    follow(tmp_path, 3)
    return tmp_path


def follow(box: Path, naps: int) -> StillWorld:
    world = StillWorld([lambda: None] * naps)
    what = Assignment(box / "in", box / "h.db", knowledge=Knowledge(owner=box / "owner.db"))
    Live(what, world, world.hear).run()
    return world


def call(box: Path, name: str) -> None:
    with closing(open_owner(box / "owner.db")) as owner:
        tell(owner, "home", HOST_MAC, "name", name, "test", 1)


def called(box: Path) -> str:
    ((name,),) = rows(box / "h.db", NAMES)
    return str(name)


def test_between_two_batches_of_a_large_file(box: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert HOST_MAC in NAMES
    seen: list[str] = []
    commit = FactWriter.commit

    def watched(writer: FactWriter, *batch: Any) -> None:  # noqa: ANN401  handed on as it comes
        seen.append(called(box))
        commit(writer, *batch)
        if len(seen) == 2:
            call(box, "Desk")

    monkeypatch.setattr(decoder, "_BATCH", 20)
    monkeypatch.setattr(FactWriter, "commit", watched)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    follow(box, 40)
    assert len(seen) > 3
    assert "Desk" not in seen[:2]
    assert set(seen[2:]) == {"Desk"}  # by the next batch already
    monkeypatch.undo()
    assert same(imported(box / "once.db", box / "in"), box / "h.db", CALLED) == []
    assert imbalance(box / "h.db") == []


def test_in_the_middle_of_a_batch(box: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch ends at the next chunk; what is in it is what it would be."""
    chunks: list[str] = []
    take = CaptureDecoder._take

    def watched(decoder: CaptureDecoder, *chunk: Any) -> None:  # noqa: ANN401  handed on as it comes
        chunks.append(called(box))
        take(decoder, *chunk)
        if len(chunks) == 1:
            call(box, "Desk")

    monkeypatch.setattr(CaptureDecoder, "_take", watched)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    follow(box, 40)
    assert len(chunks) > 1  # of one batch, if nobody had said anything
    assert chunks[0] != "Desk"
    assert set(chunks[1:]) == {"Desk"}
    monkeypatch.undo()
    assert same(imported(box / "once.db", box / "in"), box / "h.db", CALLED) == []


def test_a_hunt_is_left_off_and_begun_anew(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hunts: list[bool] = []

    def hunting(_hunter: Hunter, db: sqlite3.Connection) -> bool:
        if not hunts:
            call(box, "Desk")
        hunts.append(False)
        with explained(box / "h.db"):
            db.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT max(i) FROM n"
            )
        hunts[-1] = True
        return True

    monkeypatch.setattr(live, "_INSTRUCTIONS", 100)
    monkeypatch.setattr(Hunter, "step", hunting)
    follow(box, 3)
    assert hunts[:2] == [False, True]
    assert called(box) == "Desk"


def test_in_the_middle_of_a_pass(box: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass is left off, and begun anew when the owner has been heeded."""
    passes: list[tuple[str, bool]] = []

    def watched(*asked: Any) -> None:  # noqa: ANN401  handed on as it comes
        if len(passes) == 1:
            call(box, "Desk")
        try:
            settle_site(*asked)
        except StoreError:
            passes.append((called(box), False))
            raise
        passes.append((called(box), True))

    monkeypatch.setattr(live, "_INSTRUCTIONS", 100)
    monkeypatch.setattr(live, "settle_site", watched)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    follow(box, 40)
    (_, ended), (before, left), (after, again), *_ = passes
    assert (ended, left, again) == (True, False, True)
    assert before != "Desk"
    assert after == "Desk"
    assert rows(box / "h.db", "SELECT count(*) FROM capture WHERE settled <> cursor") == [(0,)]
    assert same(imported(box / "once.db", box / "in"), box / "h.db", CALLED) == []


def test_wherever_in_a_pass_it_is_said(box: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a pass has tables of its own, which are gone with it."""
    calls, passes = 0, 0
    news = Ear.news

    def speaking(ear: Ear) -> bool:
        nonlocal calls
        calls += 1
        if calls in WHEN:
            call(box, f"Desk {calls}")
        return news(ear)

    def counted(*asked: Any) -> None:  # noqa: ANN401  handed on as it comes
        nonlocal passes
        passes += 1
        settle_site(*asked)

    monkeypatch.setattr(live, "_INSTRUCTIONS", 100)
    monkeypatch.setattr(live, "settle_site", counted)
    monkeypatch.setattr(Ear, "news", speaking)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    follow(box, 60)
    assert calls > WHEN[-1]
    assert passes > len(WHEN) // 2  # the others fell between passes
    assert called(box) == f"Desk {WHEN[-1]}"
    assert same(imported(box / "once.db", box / "in"), box / "h.db", CALLED) == []


def test_an_owner_who_never_stops_does_not_keep_facts_from_their_labels(
    box: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = 0

    def watched(*asked: Any) -> None:  # noqa: ANN401  handed on as it comes
        nonlocal words
        words += 1
        call(box, f"Desk {words}")
        settle_site(*asked)

    monkeypatch.setattr(live, "_INSTRUCTIONS", 100)
    monkeypatch.setattr(live, "settle_site", watched)
    monkeypatch.setattr(attention, "_LONGEST_S", 12)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    follow(box, 50)
    assert words > 10  # all but the last of them were left off
    assert rows(box / "h.db", "SELECT count(*) FROM capture WHERE settled <> cursor") == [(0,)]
    assert called(box) == f"Desk {words}"


def test_work_that_takes_long_gives_signs_of_life(box: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog hears of each stretch of a long read, by a clock that goes on with every look at it."""

    class Hasty(StillWorld):
        def monotonic(self) -> float:
            self.now_s += live.SIGN_S
            return self.now_s

    world = Hasty([lambda: None] * 3)
    monkeypatch.setattr(decoder, "_BATCH", 20)
    (box / "in" / LARGE).write_bytes(large.read_bytes())
    Live(Assignment(box / "in", box / "h.db"), world, world.hear).run()
    reading = [standing for standing in world.heard if standing.advanced and standing.unread_bytes]
    assert len(reading) >= 3


@pytest.mark.parametrize("by", ["month by month", "the next pass"])
def test_months_long_ago_are_judged_later_and_not_forgotten(tmp_path: Path, by: str) -> None:
    for month in range(5):
        write(tmp_path / f"{month}.pcap", evening(START_US + month * 31 * DAY))
    database = imported(tmp_path / "h.db", *sorted(tmp_path.glob("*.pcap")))
    call(tmp_path, "Sonos One")  # a name that tells a maker: its destinations are the maker's now, or another's
    knowledge = Knowledge(owner=tmp_path / "owner.db", zone=ZONE)
    with closing(open_database(database)) as db:
        settle_site(db, database, "home", knowledge=Knowledge(zone=ZONE))
        heed_owner(db, database, "home", knowledge)
        assert called(tmp_path) == "Sonos One"
        waiting = rows(database, "SELECT DISTINCT month FROM judgement_due")
        assert len(waiting) == 3  # the last two are judged
    with closing(open_database(database)) as db:  # whoever was killed meanwhile knows what is left to do
        if by == "the next pass":
            db.execute("UPDATE capture SET settled = -1")
            settle_site(db, database, "home", knowledge=knowledge)
        else:
            more = [judge_due(db, database, "home", knowledge) for _ in range(5)]
            assert more == [True, True, True, False, False]  # the sums first
        assert rows(database, "SELECT * FROM judgement_due") == []
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        now, anew = labels(db), from_scratch(database, tmp_path / "copy.db", knowledge)
    assert {name: (now[name], anew[name]) for name in now if now[name] != anew[name]} == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_words_between_pieces_leave_what_a_pass_over_everything_does(tmp_path: Path, seed: int) -> None:
    """Names, joins and splits while captures are read and are not, or not yet, settled."""
    rng = random.Random(seed)
    for number in range(2):
        write_day(tmp_path / f"2026-03-1{number + 4}_00.00.00_wlan0.pcap", seed=number + 3, packets=3000)
    database, owner_file = tmp_path / "h.db", tmp_path / "owner.db"
    knowledge = Knowledge(owner=owner_file, zone=ZONE)
    with closing(open_database(database)) as db, closing(open_owner(owner_file)) as owner:
        for number, path in enumerate(sorted(tmp_path.glob("*.pcap"))):
            ends = [*sorted(rng.sample(range(1000, path.stat().st_size), 5)), None]
            for end in ends:
                task = Task(path, "home", limit=end, final=end is None, clock_offset_us=number * 86_400_000_000)
                import_file(db, database, task)
                if end == ends[0] or rng.random() < 0.5:
                    settle_site(db, database, "home", knowledge=knowledge)
                macs = [row[0] for row in db.execute("SELECT mac FROM devices WHERE mac IS NOT NULL ORDER BY mac")]
                if len(macs) > 1:
                    one, other = rng.sample(macs, 2)
                    rng.choice((join, split))(owner, "home", [(one, other)], "test", number)
                    tell(owner, "home", one, "name", rng.choice(("Sonos", "Desk", "iPhone")), "test", number)
                unsettled = rows(database, "SELECT id, settled FROM capture")
                heed_owner(db, database, "home", knowledge)
                assert rows(database, "SELECT id, settled FROM capture") == unsettled
        settle_site(db, database, "home", knowledge=knowledge)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        now, anew = labels(db), from_scratch(database, tmp_path / "copy.db", knowledge)
    assert {name: (now[name], anew[name]) for name in now if now[name] != anew[name]} == {}
    assert imbalance(database) == []
