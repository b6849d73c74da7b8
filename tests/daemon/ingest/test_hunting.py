"""What was found is kept, and is what a look taken now would find, whatever happened since."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.forget import Request, forget_device
from daemon.ingest.hunting import Hunter
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.live import Assignment, Live
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import retain_all
from daemon.report.findings.hunt import hunt
from daemon.report.findings.kept import newest_days, read_kept
from daemon.report.findings.vocabulary import BEACONING, PORT, Finding
from daemon.report.scope import Scope
from daemon.store import owner, words
from daemon.store.database import open_database, read_database
from daemon.store.retain import Limits
from daemon.store.settings import NIGHT_FROM, set_each
from tests.daemon.ingest.scenes import DAY, HOUR, write
from tests.support.following import StillWorld
from tests.support.importing import import_live, imported
from tests.support.planted_home import make_small
from tests.support.scoring import scope_of

METER, HUE, PHONE = "00:00:5e:00:53:01", "00:00:5e:00:53:1f", "de:ad:be:00:53:35"
Told = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A beacon, a telnet and ordinary life, in four files of half a day."""
    folder, halves = tmp_path_factory.mktemp("captures"), defaultdict(list)
    for frame in sorted(make_small().frames, key=lambda frame: frame[0]):
        halves[frame[0] * 2 // DAY].append(frame)
    return [write(folder / f"{half}.pcap", frames) for half, frames in sorted(halves.items())]


@pytest.fixture(scope="module")
def template(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported, and looked at."""
    database = imported(tmp_path_factory.mktemp("template") / "h.db", *captures)
    relabel_site(database, None, "home")
    return database


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path))


def _told(findings: tuple[Finding, ...]) -> Told:
    return [
        (each.finding_id, each.severity, each.subject.key, each.sentence, each.why, each.facts, each.trace.place,
         each.trace.party, each.first_us, each.last_us, each.connections, each.bytes)
        for each in findings
    ]  # fmt: skip


def _asked(database: Path, answer: Callable[[Scope], Told | None]) -> Told | None:
    with closing(read_database(database)) as db:
        return answer(scope_of(db))


def kept(database: Path) -> Told | None:
    """What is kept; None where nothing is."""

    def answer(scope: Scope) -> Told | None:
        found = read_kept(scope)
        return None if found is None else _told(found.findings)

    return _asked(database, answer)


def now(database: Path) -> Told | None:
    """What a look taken now finds."""
    return _asked(database, lambda scope: _told(hunt(newest_days(scope)).findings))


def _owner(database: Path) -> Path:
    return database.with_name("owner.db")


def _said(database: Path, key: str, about: str, value: str) -> Path:
    with closing(owner.open_owner(_owner(database))) as db:
        owner.say(db, "home", key, about, value, "test", 1)
    return _owner(database)


def test_an_import_does_not_look_and_leaves_nothing_that_is_wrong(
    captures: list[Path], home: Path, tmp_path: Path
) -> None:
    first = imported(tmp_path / "first.db", captures[0])
    assert kept(first) is None
    relabel_site(first, None, "home")
    assert kept(first) == now(first)
    imported(first, *captures)
    assert kept(first) is None
    relabel_site(first, None, "home")
    assert kept(first) == now(first) == kept(home)
    imported(first, *captures)  # again: nothing in them is new
    assert kept(first) == kept(home)


@pytest.mark.parametrize("seed", range(2))
def test_neither_order_nor_workers_nor_looks_between_show(
    captures: list[Path], template: Path, tmp_path: Path, seed: int
) -> None:
    chance, database = random.Random(seed), tmp_path / "h.db"
    order = chance.sample(captures, len(captures))
    if seed == 0:
        imported(database, *order, jobs=2)
    for path in order:
        imported(database, path)
        if chance.random() < 0.5:
            relabel_site(database, None, "home")
            assert kept(database) == now(database)
    relabel_site(database, None, "home")
    assert kept(database) == kept(template)


def test_a_device_that_is_forgotten_leaves_no_finding(home: Path) -> None:
    forget_device(home, Request("home", ((int(METER.replace(":", ""), 16), ""),), pcaps=False), Knowledge())
    found = kept(home)
    assert found == now(home)
    assert found
    assert {row[2] for row in found} == {HUE}
    assert all(b"connects to in.tarn-relay" not in path.read_bytes() for path in home.parent.glob("h.db*"))


def test_what_the_owner_says_of_a_device_counts_at_once(home: Path) -> None:
    spoken = _said(home, METER, words.KIND, "phone")  # of which a beacon would be no finding
    relabel_site(home, spoken, "home")
    found = kept(home)
    assert found == now(home)
    assert found is not None
    assert all(row[2] != METER for row in found)


def test_joined_and_split_devices(home: Path) -> None:
    before = kept(home)
    with closing(owner.open_owner(_owner(home))) as db:
        act = owner.join(db, "home", [(METER, HUE)], "test", 1)
    relabel_site(home, _owner(home), "home")
    joined = kept(home)
    assert joined == now(home)
    assert joined is not None
    assert len({row[2] for row in joined}) == 1
    with closing(owner.open_owner(_owner(home))) as db:
        owner.undo(db, act, "test", 2)
    relabel_site(home, _owner(home), "home")
    assert kept(home) == now(home) == before


def test_other_rules(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.toml"
    table.write_text(
        '[[organisation]]\nname = "Tarn"\n[organisation.domains]\ncloud = ["tarn-relay.example"]\n', encoding="utf-8"
    )
    relabel_site(home, None, "home", Knowledge(organisations=(table,)))
    found = kept(home)
    assert found == now(home)
    assert found is not None
    assert any("(Tarn)" in str(row[3]) for row in found)


def test_retention_takes_what_was_found_in_what_it_takes(home: Path) -> None:
    retain_all(home, Limits(detail_days=1), Knowledge())
    found = kept(home)
    assert found == now(home)
    with closing(sqlite3.connect(home)) as db:
        (oldest,) = db.execute("SELECT min(first_us) FROM flow").fetchone()
    assert found is not None
    assert all(int(str(row[8])) >= oldest for row in found)


def test_other_night_hours_are_another_question(home: Path) -> None:
    with closing(owner.open_owner(_owner(home))) as db:
        set_each(db, {NIGHT_FROM: "23"}, "test", 1)
    world = StillWorld()
    hunter = Hunter(home, "home", Knowledge(owner=_owner(home)), world.monotonic)
    with closing(open_database(home)) as db:
        assert hunter.step(db)
        assert db.execute("SELECT night FROM hunt").fetchall() == [("23-6",)]
    assert kept(home) is None  # asked with the night of an owner who said nothing
    assert not _looks(home, world, hunter)


def _looks(home: Path, world: StillWorld, hunter: Hunter) -> bool:
    world.now_s += 3600
    with closing(open_database(home)) as db:
        return hunter.step(db)


def test_labels_of_a_growing_file_leave_what_was_found(captures: list[Path], tmp_path: Path) -> None:
    """Only older than the newest packets: the service looks again when it is time to."""
    growing, whole = tmp_path / "b.pcap", captures[1].read_bytes()
    records = _records(whole)
    database, world = imported(tmp_path / "h.db", captures[0]), StillWorld()
    hunter = Hunter(database, "home", Knowledge(), world.monotonic)
    cuts = [records[len(records) * part // 8] for part in range(1, 8)]
    looked: list[bool] = []
    for cut in cuts:
        growing.write_bytes(whole[:cut])
        import_live(database, growing, cut)
        if not looked:
            assert kept(database) is None
        with closing(open_database(database)) as db:
            looked.append(hunter.step(db))
        if looked[-1]:
            assert kept(database) == now(database)
        world.now_s += 200  # seconds; the file grows by hours in each
    assert looked == [True, False, True, False, True, False, True]


def _records(data: bytes) -> list[int]:
    """The offsets of a capture's records."""
    places, at = [], 24
    while at < len(data):
        places.append(at)
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
    return places


def test_the_longer_a_look_takes_the_longer_the_rest(home: Path) -> None:
    world = StillWorld()
    hunter = Hunter(home, "home", Knowledge(), lambda: _slowly(world))
    with closing(open_database(home)) as db:
        db.execute("UPDATE hunt SET until_us = until_us - ?", (HOUR,))
        assert hunter.step(db)
        looks = 0
        for _ in range(60):
            world.now_s += 60
            db.execute("UPDATE hunt SET until_us = until_us - ?", (HOUR // 60,))
            looks += hunter.step(db)
    assert looks == 2  # of a look that takes a second, one in 25 minutes


def _slowly(world: StillWorld) -> float:
    world.now_s += 1.0
    return world.now_s


def test_the_service_looks_when_it_has_read_all(captures: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in captures:
        shutil.copy(path, folder)
    world = StillWorld([lambda: None] * 60)
    Live(Assignment(folder, tmp_path / "h.db"), world, world.hear).run()
    assert kept(tmp_path / "h.db") == now(tmp_path / "h.db")
    assert {str(row[0]).rpartition("-")[0] for row in kept(tmp_path / "h.db") or ()} == {BEACONING, PORT}


def test_what_comes_late_is_not_overlooked(captures: list[Path], tmp_path: Path) -> None:
    """A capture of the past, while newer ones were looked at: what is kept is wrong from then on."""
    database = imported(tmp_path / "h.db", *captures[1:])
    relabel_site(database, None, "home")
    assert kept(database) is not None
    late = tmp_path / "late.pcap"
    shutil.copy(captures[0], late)
    import_live(database, late, None, final=True)
    assert kept(database) is None


def test_random_words_leave_what_is_kept_right(home: Path) -> None:
    """Any sequence of what an owner may do."""
    chance = random.Random(5)
    acts: list[Callable[[], object]] = [
        lambda: _said(home, chance.choice((METER, HUE, PHONE)), words.KIND, chance.choice(("phone", "camera", "tv"))),
        lambda: _said(home, chance.choice((METER, HUE)), words.NAME, f"name {chance.randrange(9)}"),
        lambda: retain_all(home, Limits(detail_days=chance.choice((1, 35))), Knowledge(owner=_owner(home))),
    ]
    for _ in range(6):
        chance.choice(acts)()
        relabel_site(home, _owner(home), "home")
        assert kept(home) == now(home)
