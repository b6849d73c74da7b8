"""The service that follows a folder, in a world whose clock the test moves."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.live import COMMIT_S, Assignment, Live
from daemon.ingest.standing import touch_look
from daemon.store.owner import open_owner
from daemon.store.owner import say as tell
from tests.daemon.ingest.scenes import HOUR, SECOND, Frame, at_borders, evening, lookup, questions, talk, write
from tests.support import packets as p
from tests.support.compare import differences, imbalance, same, views
from tests.support.following import BOOT, StillWorld, line, say
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

FRAMES = sorted(
    [*evening(), *questions(START_US + 600 * SECOND, 130), *talk(START_US + HOUR, "late.example.com", port=40044)],
    key=lambda frame: frame[0],
)
BYTES = p.pcap(FRAMES)
NAME = "2026-03-01_00.00.00_wlan0.pcap"
LOCAL = {"captures": {"path", "status"}}

Event = Callable[[], None]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def follow(box: Path, *events: Event, naps: int = 3, once: bool = False) -> StillWorld:
    """Let the service run while events happen, one a nap, and then for some naps more."""
    world = StillWorld([*events, *[lambda: None] * naps])
    what = Assignment(box / "in", box / "h.db", knowledge=Knowledge(owner=box / "owner.db"), run_folder=box)
    Live(what, world, world.hear).run(once=once)
    return world


def test_memory_is_given_back_after_each_look_that_read_something(box: Path) -> None:
    relieved: list[int] = []
    world = StillWorld([*growing(box / "in" / NAME, [len(BYTES) // 2]), *[lambda: None] * 70])
    live = Live(Assignment(box / "in", box / "h.db"), world, world.hear, None, lambda: relieved.append(world.naps))
    live.run()
    looks = sum(one.packets != other.packets for one, other in pairwise(world.heard))
    assert looks >= 2
    assert looks <= len(relieved) <= looks + 2  # and once more when the file has come to its end, and its labels
    assert len(relieved) < world.naps / 10


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def growing(path: Path, cuts: Sequence[int], data: bytes = BYTES) -> list[Event]:
    """Pieces of a file, appended one after the other."""
    ends = [0, *sorted(cuts), len(data)]
    return [lambda piece=data[a:b]: append(path, piece) for a, b in pairwise(ends)]  # type: ignore[misc]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once")
    return imported(folder / "h.db", write(folder / NAME, FRAMES))


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(1, len(BYTES) - 1), min_size=1, max_size=6))
def test_followed_in_pieces_equals_one_import(
    tmp_path_factory: pytest.TempPathFactory, once: Path, cuts: list[int]
) -> None:
    box = tmp_path_factory.mktemp("box")
    (box / "in").mkdir()
    touch = [lambda: touch_look(box)]
    events = [event for piece in growing(box / "in" / NAME, cuts) for event in (piece, *touch, *[lambda: None] * 61)]
    follow(box, *events, naps=100)
    assert imbalance(box / "h.db") == []
    assert same(once, box / "h.db") == []


def test_several_days_followed_with_settling_in_between_equal_one_import(box: Path, tmp_path: Path) -> None:
    """Flows that go on from file to file, names from the day before, a crowd: settled minute by minute."""
    rng = random.Random(7)
    days: dict[str, list[Frame]] = {}
    for day in range(3):
        at = START_US + day * 24 * HOUR
        frames = [*evening(at), *questions(at + 2 * HOUR, 105), *talk(at + 23 * HOUR, port=41111, close=False)]
        frames += talk(at + 20 * HOUR, "long.example", port=40777, close=False, gap_us=45 * 60 * SECOND)
        days[f"2026-03-0{day + 1}_00.00.00_wlan0.pcap"] = sorted(frames, key=lambda frame: frame[0])
    events: list[Event] = []
    for name, frames in days.items():
        data = p.pcap(frames)
        cuts = sorted(rng.sample(range(30, len(data)), 6))
        for piece in growing(box / "in" / name, cuts, data):
            events += [piece, *[lambda: None] * 61]
    follow(box, *events, naps=100)
    folder = tmp_path / "all"
    for name, frames in days.items():
        write(folder / name, frames)
    assert same(imported(tmp_path / "once.db", folder), box / "h.db") == []


def test_without_anybody_looking_a_file_is_read_once_a_minute(box: Path) -> None:
    path = box / "in" / NAME
    say(path, line("open", START_US))
    pieces = [BYTES[at : at + 200] for at in range(0, 60 * 200, 200)]

    def grow(number: int) -> Event:
        def happen() -> None:
            append(path, pieces[number])
            say(path, line("sample", START_US + number * SECOND, on_disk=(number + 1) * 200))

        return happen

    world = follow(box, *[grow(number) for number in range(60)], naps=0)
    reads = [standing for standing in world.heard if standing.advanced]
    assert len(reads) <= 2
    assert COMMIT_S == 60


def test_while_somebody_looks_it_is_there_within_seconds(box: Path) -> None:
    path = box / "in" / NAME
    path.write_bytes(BYTES[:24])
    say(path, line("open", START_US, on_disk=24))
    world = StillWorld()

    def look() -> None:
        touch_look(box, world.wall())

    def grow() -> None:
        append(path, BYTES[24:])
        say(path, line("sample", START_US, on_disk=len(BYTES)))

    world.events = [look, *[lambda: None] * 3, grow, look, *[lambda: None] * 8]
    grown_s = world.now_s + 5
    Live(Assignment(box / "in", box / "h.db", run_folder=box), world, world.hear).run()
    heard = next(place for place, standing in enumerate(world.heard) if standing.packets == len(FRAMES))
    assert world.now_s - (len(world.heard) - heard) - grown_s <= 10
    assert world.heard[heard].looked_at


def test_bad_file_is_set_aside_and_tried_again_when_it_changes(box: Path, once: Path) -> None:
    bad, good = box / "in" / "a-bad.pcap", box / "in" / NAME
    bad.write_bytes(b"this is no capture\n")
    good.write_bytes(BYTES)

    def mend() -> None:
        bad.write_bytes(p.pcap(FRAMES[:5]))

    world = follow(box, *[lambda: None] * 40, mend, naps=100)
    first = next(standing for standing in world.heard if standing.set_aside)
    assert [(Path(path).name, why) for path, why in first.set_aside] == [
        ("a-bad.pcap", "this is text, not a capture file")
    ]
    assert "Set aside: 1." in first.sentence
    assert world.heard[-1].set_aside == ()
    assert len(views(box / "h.db")["captures"]) == 1  # the mended one is a beginning of the other
    assert same(once, box / "h.db", LOCAL) == []


def test_file_with_a_hole_is_read_around_it(box: Path) -> None:
    data = bytearray(p.pcap(FRAMES * 3))
    border = at_borders(FRAMES)[20]
    data[border : border + 16] = b"\xff" * 16
    (box / "in" / "b.pcap").write_bytes(data)
    follow(box, naps=50)
    (row,) = views(box / "h.db")["captures"]
    assert "corrupt" in row


def test_foreign_gzip_and_pcapng_are_taken_too(box: Path, once: Path) -> None:
    (box / "in" / "theirs.pcap.gz").write_bytes(gzip.compress(BYTES))
    world = follow(box, once=True)
    assert same(once, box / "h.db", {"captures": {"path", "size", "series"}}) == []
    assert world.heard[-1].packets == len(FRAMES)
    (box / "in" / "more.pcapng").write_bytes(p.pcapng(lookup(START_US + HOUR, "more.example")))
    follow(box, once=True)
    assert len(views(box / "h.db")["captures"]) == 2


def test_restart_goes_on_where_it_stopped(box: Path, once: Path) -> None:
    path = box / "in" / NAME
    path.write_bytes(BYTES[:5000])
    follow(box)
    append(path, BYTES[5000:])
    world = follow(box, once=True)
    assert world.heard[-1].packets < len(FRAMES)
    assert same(once, box / "h.db") == []
    assert follow(box, once=True).heard[-1].packets == 0


def test_owners_name_is_followed(box: Path) -> None:
    (box / "in" / NAME).write_bytes(BYTES)

    def name() -> None:
        with closing(open_owner(box / "owner.db")) as owner:
            tell(owner, "home", HOST_MAC, "name", "Desk", "test", 1)

    world = follow(box, *[lambda: None] * 40, name, naps=4)
    assert world.now_s <= 1000 + 41 + 10  # by its own clock, ten seconds after it was said; see also test_heed
    assert any("Desk" in row for row in views(box / "h.db")["devices"])


def test_unsynced_file_waits_and_gets_its_time(box: Path, tmp_path: Path) -> None:
    past = 40 * SECOND  # since 1970: the clock of a machine without one
    offset = START_US - past
    early = [(time - offset, frame) for time, frame in FRAMES]
    first = box / "in" / "unsynced-0f0e0d0c-1_wlan0.pcap"
    write(first, early)
    say(first, line("open", past, monotonic_us=5 * SECOND, synced=False))
    say(first, line("sample", past + SECOND, monotonic_us=6 * SECOND, synced=False, on_disk=first.stat().st_size))
    waiting: list[object] = []

    def later() -> None:
        waiting.extend(views(box / "h.db")["captures"])
        second = box / "in" / "2026-03-02_00.00.00_wlan0.pcap"
        write(second, lookup(START_US + 5 * HOUR, "second.example"))
        opened = START_US + 5 * HOUR
        say(second, line("open", opened, monotonic_us=opened - START_US + 5 * SECOND))
        end = second.stat().st_size
        say(second, line("close", opened + SECOND, monotonic_us=opened - START_US + 6 * SECOND, on_disk=end))

    world = follow(box, *[lambda: None] * 3, later, naps=70)
    assert [row for row in waiting if "unsynced" in row]  # type: ignore[operator]  # rows are tuples
    assert max(standing.files_without_clock for standing in world.heard) == 1
    folder = tmp_path / "right"
    write(folder / NAME, FRAMES)
    write(folder / "2026-03-02_00.00.00_wlan0.pcap", lookup(START_US + 5 * HOUR, "second.example"))
    right = imported(tmp_path / "right.db", folder)
    recorded = {"captures": {"path", "clock_offset_us", "kernel_drops", "interface_drops"}}
    followed = views(box / "h.db", recorded) | {"capture_gaps": Counter()}  # files without sidecars tell of none
    assert differences(views(right, recorded), followed) == []
    assert {row[-2] for row in views(box / "h.db")["captures"]} == {0, offset}
    anew = imported(tmp_path / "anew.db", box / "in")  # from the files alone
    assert differences(views(anew, {"captures": {"path"}}), views(box / "h.db", {"captures": {"path"}})) == []


def test_pauses_and_drops_are_told(box: Path) -> None:
    path = box / "in" / NAME
    path.write_bytes(BYTES)
    say(
        path,
        line("open", START_US),
        line("pause", START_US + 10 * SECOND, reason="the disk is full"),
        line("resume", START_US + 20 * SECOND, lost=7, from_us=START_US + 9 * SECOND),
        line("close", START_US + HOUR, on_disk=len(BYTES), kernel_drops=3, interface_drops=1),
    )
    follow(box, naps=5)
    found = views(box / "h.db")
    assert {row[2:] for row in found["capture_gaps"]} == {
        (START_US + 9 * SECOND, START_US + 20 * SECOND, "recording paused: the disk is full (7 packets not written)"),
        (START_US + 20 * SECOND, START_US + HOUR, "4 packets dropped while recording"),
    }
    assert {row[-4:-2] for row in found["captures"]} == {(3, 1)}


def test_time_between_two_files_is_a_gap_once(box: Path) -> None:
    for number, (name, begin) in enumerate(((NAME, START_US), ("2026-03-01_05.00.00_wlan0.pcap", START_US + 5 * HOUR))):
        path = box / "in" / name
        write(path, lookup(begin, f"n{number}.example"))
        say(path, line("open", begin, boot_id=BOOT), line("close", begin + SECOND, on_disk=path.stat().st_size))
    for _ in range(2):
        follow(box)
    assert [row[2:] for row in views(box / "h.db")["capture_gaps"].elements()] == [
        (START_US + SECOND, START_US + 5 * HOUR, "not recording: it was stopped")
    ]
