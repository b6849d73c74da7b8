"""The owner's levels reach the recorder, and what is known of a device that is to have no names has none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from daemon.capture.levels import LevelsWatch
from daemon.capture.records import file_header, records_of
from daemon.capture.unnamed import shaped
from daemon.decode.levels import NAME, Levels, format_levels
from daemon.ingest import import_captures
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.levels import Teller
from daemon.ingest.live import Assignment, Live
from daemon.ingest.relabel import relabel_site
from daemon.store import owner
from daemon.store.database import open_database
from daemon.store.words import FULL, NO_NAMES, OFF, RECORD
from tests.daemon.ingest.houses import CDN, MINUTE, rows
from tests.daemon.ingest.scenes import (
    HOUR,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    evening,
    lookup,
    questions,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import imbalance, same
from tests.support.following import StillWorld, line, say
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US
from tests.support.recording import batch_of_frames

MAC = p.mac_bytes(TABLET_MAC)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def speak(box: Path, level: str, at: int = START_US, key: str = TABLET_MAC) -> int:
    with closing(owner.open_owner(box / "owner.db")) as db:
        return owner.say(db, "home", key, RECORD, level, "web", at)


def follow(box: Path, *events: object, naps: int = 3) -> StillWorld:
    world = StillWorld([*events, *[lambda: None] * naps])  # type: ignore[list-item]  # each test gives calls
    what = Assignment(box / "in", box / "h.db", knowledge=Knowledge(owner=box / "owner.db"), run_folder=box)
    Live(what, world, world.hear).run()
    return world


def brought(box: Path, name: str, *paths: Path) -> Path:
    """A database into which captures were imported by a box whose owner said something."""
    import_captures([str(path) for path in paths], box / name, site="home", knowledge=Knowledge(owner=box / "owner.db"))
    return box / name


def told(box: Path) -> Levels | None:
    return LevelsWatch(box / "in").now if (box / "in" / NAME).exists() else None


def test_a_word_reaches_the_recorder_and_so_does_its_end(box: Path) -> None:
    write(box / "in" / "home.pcap", evening())
    seen: list[Levels | None] = []
    events = [
        lambda: speak(box, NO_NAMES), lambda: None, lambda: seen.append(told(box)),
        lambda: speak(box, OFF), lambda: None, lambda: seen.append(told(box)),
        lambda: speak(box, FULL), lambda: None, lambda: seen.append(told(box)),
    ]  # fmt: skip
    world = follow(box, *events)
    assert seen == [Levels((), (MAC,)), Levels((MAC,)), Levels()]
    words = [said.sentence for standing in world.heard for said in standing.said]
    assert any("MACs not to be recorded 1, without names 0" in sentence for sentence in words)


def test_the_list_outlives_its_writer_and_is_mended(box: Path) -> None:
    write(box / "in" / "home.pcap", evening())
    speak(box, OFF)
    follow(box)
    (box / "owner.db").rename(box / "away.db")  # somebody is bringing back a copy
    follow(box)
    assert told(box) == Levels((MAC,)), "a file that is not there undoes nothing"
    (box / "away.db").rename(box / "owner.db")
    path = box / "in" / NAME
    for damage in (
        path.unlink,
        lambda: path.write_bytes(b"{"),
        lambda: path.write_bytes(format_levels(Levels())),
    ):
        damage()
        follow(box)
        assert told(box) == Levels((MAC,))
    path.unlink()
    (box / "elsewhere").write_bytes(format_levels(Levels()))
    path.symlink_to(box / "elsewhere")
    follow(box)
    assert told(box) == Levels((MAC,))
    assert (box / "elsewhere").read_bytes() == format_levels(Levels()), "nothing is written through a link"
    assert [each.name for each in (box / "in").iterdir() if each.name.startswith(".")] == [NAME]
    assert path.stat().st_mode & 0o007 == 0


def test_where_nobody_wished_anything_no_list_is_made(box: Path) -> None:
    write(box / "in" / "home.pcap", evening())
    with closing(owner.open_owner(box / "owner.db")) as db:
        owner.say(db, "home", TABLET_MAC, "room", "Attic", "web", 1)
    follow(box)
    assert told(box) is None


def test_a_list_that_cannot_be_written_is_said_once(box: Path) -> None:
    write(box / "in" / "home.pcap", evening())
    speak(box, OFF)
    (box / "in" / NAME).mkdir()
    world = follow(box, naps=30)
    loud = [said.sentence for standing in world.heard for said in standing.said if said.loud]
    assert len(loud) == 1
    assert "cannot be told who is not to be recorded" in loud[0]


def test_who_cannot_be_left_out_is_said_once(box: Path) -> None:
    database = imported(box / "h.db", write(box / "home.pcap", evening()))
    teller = Teller(box / "in", database, "home")
    speak(box, OFF, key="192.0.2.99")
    with closing(open_database(database)) as db:
        words = owner.words_at(box / "owner.db", "home")
        assert teller.tell(db, words) == Levels()
        assert teller.tell(db, words) == Levels()
    (said,) = teller.say()
    assert said.loud
    assert "192.0.2.99 cannot be left out of the recording: it has no MAC here" in said.sentence


def test_the_service_says_how_many_the_recorder_leaves_out(box: Path) -> None:
    path = write(box / "in" / "2026-03-01_00.00.00_wlan0.pcap", evening())
    size = path.stat().st_size
    say(
        path,
        line("open", START_US),
        line("levels", START_US + 1, off=2, no_names=1),
        line("sample", START_US + 2, size),
    )
    world = follow(box)
    assert (world.heard[-1].not_recorded, world.heard[-1].without_names) == (2, 1)


def lent() -> list[Frame]:
    """The tablet asks for no name; the laptop does, and both go to the same place, before and after an hour."""
    frames = []
    for number, at in enumerate((START_US, START_US + HOUR)):
        frames += lookup(at, "cdn.example.net", CDN, ttl=3600)
        frames += talk(at + MINUTE, server=CDN, port=40000 + number)
        frames += talk(at + 2 * MINUTE, client=TABLET, mac=TABLET_MAC, server=CDN, port=41000 + number)
    return frames


def called(database: Path, mac: str) -> list[str | None]:
    found = rows(
        database,
        "SELECT mac, server_name FROM flows f JOIN devices USING (device_id) WHERE protocol='tcp' ORDER BY f.first_seen_us",
    )
    return [name for of, name in found if of == mac]


@pytest.mark.parametrize("level", [NO_NAMES, OFF])
def test_from_that_moment_on_the_house_lends_no_name(box: Path, level: str) -> None:
    database = imported(box / "h.db", write(box / "home.pcap", lent()))
    assert called(database, TABLET_MAC) == ["cdn.example.net"] * 2
    speak(box, level, START_US + HOUR)
    relabel_site(database, box / "owner.db", "home")
    assert called(database, TABLET_MAC) == ["cdn.example.net", None], "what was before stays"
    assert called(database, HOST_MAC) == ["cdn.example.net"] * 2, "others keep theirs"
    places = rows(database, "SELECT domain, address FROM destinations ORDER BY domain IS NULL")
    assert (None, CDN) in places
    assert imbalance(database) == []
    speak(box, FULL, START_US + HOUR + 3 * MINUTE)
    relabel_site(database, box / "owner.db", "home")
    assert called(database, TABLET_MAC) == ["cdn.example.net", None], "what was promised for that time holds"


@pytest.mark.parametrize("when", ["before", "after", "between"])
def test_whenever_it_is_said_and_imported_the_result_is_the_same(box: Path, tmp_path: Path, when: str) -> None:
    first, second = (write(box / f"{n}.pcap", part) for n, part in enumerate(_halves(lent())))
    if when == "before":
        speak(box, NO_NAMES, START_US + HOUR)
    database = brought(box, "h.db", first)
    if when == "between":
        speak(box, NO_NAMES, START_US + HOUR)
    brought(box, "h.db", second)
    if when == "after":
        speak(box, NO_NAMES, START_US + HOUR)
    relabel_site(database, box / "owner.db", "home")
    assert called(database, TABLET_MAC) == ["cdn.example.net", None]
    again = brought(box, "again.db", second, first)
    assert same(database, again) == []


def _halves(frames: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    border = START_US + HOUR
    return [frame for frame in frames if frame[0] < border], [frame for frame in frames if frame[0] >= border]


def test_a_connection_that_goes_on_in_the_next_file_takes_no_name_along(box: Path) -> None:
    speech = talk(START_US, "tv.example", client=TABLET, mac=TABLET_MAC, server=CDN, close=False)
    head, tail = speech[:-2], [(at + MINUTE, frame) for at, frame in speech[-2:]]
    paths = [write(box / "2026-03-01_00.00.00_wlan0.pcap", head), write(box / "2026-03-01_00.01.00_wlan0.pcap", tail)]
    plain = imported(box / "plain.db", *paths)
    assert called(plain, TABLET_MAC) == ["tv.example"] * 2
    speak(box, NO_NAMES, START_US + MINUTE // 2)
    database = brought(box, "h.db", *paths)
    assert called(database, TABLET_MAC) == ["tv.example", None]
    relabel_site(plain, box / "owner.db", "home")
    assert called(plain, TABLET_MAC) == ["tv.example", None]
    assert same(plain, database) == []


def test_the_service_takes_names_back_that_were_lent_before_it_heard(box: Path) -> None:
    write(box / "in" / "home.pcap", lent())
    world = follow(box, lambda: speak(box, NO_NAMES, START_US + HOUR), naps=4)
    assert called(box / "h.db", TABLET_MAC) == ["cdn.example.net", None]
    assert world.heard


def test_what_the_recorder_cuts_counts_exactly_and_names_nobody(box: Path) -> None:
    """All that a device says, recorded without names: the same packets, bytes and services, and not one word."""
    frames = [*evening(), *questions(START_US + MINUTE, 5, client=TABLET, mac=TABLET_MAC)]
    frames += talk(START_US + 2 * MINUTE, "hidden.example", client=TABLET, mac=TABLET_MAC, port=40500)
    frames += [dhcp_request(START_US + 3 * MINUTE, "karls-tablet", TABLET_MAC)]
    frames.sort(key=lambda frame: frame[0])
    whole = imported(box / "whole.db", write(box / "whole.pcap", frames))
    cut = records_of(shaped(batch_of_frames(frames), frozenset(), frozenset([MAC])), 262_144)
    path = box / "cut.pcap"
    path.write_bytes(file_header(1, 262_144) + cut.data)
    for name in (b"hidden", b"karls-tablet", b"time"):
        assert name in (box / "whole.pcap").read_bytes()
        assert name not in path.read_bytes()
    speak(box, NO_NAMES, START_US - SECOND)
    bare = brought(box, "bare.db", path)
    assert imbalance(bare) == []
    for query in (
        "SELECT sum(packets), sum(bytes), sum(undecoded_packets) FROM captures",
        "SELECT sum(bytes_up), sum(bytes_down), count(*) FROM devices",
        "SELECT protocol, sum(packets_up + packets_down), sum(bytes_up), sum(bytes_down) FROM traffic GROUP BY 1 ORDER BY 1",
    ):
        assert rows(bare, query) == rows(whole, query), query
    mine = f"FROM {{}} JOIN devices USING (device_id) WHERE mac = '{TABLET_MAC}'"
    assert rows(bare, f"SELECT count(*) {mine.format('flows')} AND server_name IS NOT NULL") == [(0,)]
    for view in ("hellos", "dns_queries", "device_hints"):
        said = mine.format(view).replace("WHERE mac", "WHERE devices.mac")
        own = " AND source <> 'oui'" if view == "device_hints" else ""  # that is read off the MAC
        assert rows(bare, f"SELECT count(*) {said}{own}") == [(0,)]
