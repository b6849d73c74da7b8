"""How much of a device is recorded: the word that holds, the MACs it means, and the times for which it was promised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.levels import Levels
from daemon.identify.vocabulary import OwnerWords, Recorded
from daemon.store import owner
from daemon.store.database import open_database
from daemon.store.nameless import FOREVER_US, Nameless
from daemon.store.recording import nameless_times, wanted_levels
from daemon.store.words import (
    FULL,
    KEEP_NAMES,
    LEVELS,
    NO_NAMES,
    OFF,
    RECORD,
    BadWordError,
    checked,
    level_of,
    station_of,
)
from tests.daemon.ingest.scenes import SECOND, TABLET_MAC, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, ROUTER_MAC, SERVER, START_US

STRANGER = "02:00:00:00:00:77"


@pytest.fixture
def words(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(owner.open_owner(tmp_path / "owner.db")) as db:
        yield db


def mac(key: str) -> bytes:
    return bytes.fromhex(key.replace(":", ""))


def said(db: sqlite3.Connection, level: str, at: int, key: str = TABLET_MAC) -> int:
    return owner.say(db, "home", key, RECORD, level, "web", at)


def held(db: sqlite3.Connection, *keys: str) -> str:
    level = level_of(owner.read_words(db, "home"), keys or (TABLET_MAC,))
    return FULL if level is None else level.level


def test_the_last_word_holds_until_it_is_taken_back(words: sqlite3.Connection) -> None:
    assert held(words) == FULL
    said(words, NO_NAMES, 10)
    number = said(words, OFF, 20)
    assert owner.read_words(words, "home").levels == {TABLET_MAC: Recorded(OFF, 20)}
    owner.undo(words, number, "web", 30)
    assert held(words) == NO_NAMES
    said(words, FULL, 40)
    assert held(words) == FULL
    assert [word.value for word in owner.history(words, "home", [TABLET_MAC])] == [NO_NAMES, OFF, FULL]


def test_of_stations_that_are_one_device_the_strictest_word_holds(words: sqlite3.Connection) -> None:
    said(words, OFF, 10)
    said(words, NO_NAMES, 20, HOST_MAC)
    assert held(words, HOST_MAC, TABLET_MAC) == OFF
    assert held(words, HOST_MAC, STRANGER) == NO_NAMES
    assert held(words, STRANGER) == FULL


@pytest.mark.parametrize("text", ["", "some", "OFF!", "on"])
def test_what_is_no_level_is_refused(words: sqlite3.Connection, text: str) -> None:
    with pytest.raises(BadWordError):
        said(words, text, 10)
    assert checked(RECORD, " Off ") == OFF


def test_forgetting_a_device_keeps_the_promise_and_nothing_else(words: sqlite3.Connection, tmp_path: Path) -> None:
    owner.say(words, "home", TABLET_MAC, "name", "Karls Tablet", "web", 5)
    said(words, NO_NAMES, 10)
    said(words, OFF, 20)
    owner.forget(words, "home", [TABLET_MAC])
    assert [(word.about, word.value) for word in owner.history(words, "home", [TABLET_MAC])] == [(RECORD, OFF)]
    said(words, FULL, 30)
    owner.forget(words, "home", [TABLET_MAC])
    assert owner.history(words, "home", [TABLET_MAC]) == []
    assert b"Karls" not in (tmp_path / "owner.db").read_bytes()


def test_promises_hold_for_their_time_also_when_taken_back(words: sqlite3.Connection) -> None:
    said(words, NO_NAMES, 100)
    said(words, FULL, 200)
    number = said(words, OFF, 300)
    owner.undo(words, number, "web", 350)
    said(words, OFF, 400, HOST_MAC)
    owner.say(words, "home", STRANGER, KEEP_NAMES, "no", "web", 450)
    said(words, FULL, 460, STRANGER)
    assert nameless_times(words, "home") == {
        station_of(TABLET_MAC): [(100, 200), (300, 350)],
        station_of(HOST_MAC): [(400, FOREVER_US)],
    }
    assert nameless_times(words, "elsewhere") == {}


def test_a_clock_that_was_wrong_when_somebody_spoke_does_not_reach_into_the_past(words: sqlite3.Connection) -> None:
    owner.say(words, "home", TABLET_MAC, "room", "Attic", "web", 1000)
    said(words, OFF, 7)  # after a start without a time server
    assert nameless_times(words, "home") == {station_of(TABLET_MAC): [(1000, FOREVER_US)]}


@given(
    spoken=st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(0, 50), st.none() | st.integers(0, 20)), max_size=8),
    at=st.integers(0, 120),
)
def test_times_are_those_at_which_the_last_word_that_held_was_strict(
    tmp_path_factory: pytest.TempPathFactory, spoken: list[tuple[str, int, int | None]], at: int
) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE word (id INTEGER PRIMARY KEY, site, key, about, value, said_us, undone_us)")
        now, kept = 0, []
        for level, later, undone in spoken:
            now = max(now, later)
            kept.append((level, now, FOREVER_US if undone is None else now + undone))
            row = ("home", TABLET_MAC, RECORD, level, now, None if undone is None else now + undone)
            db.execute("INSERT INTO word (site, key, about, value, said_us, undone_us) VALUES (?, ?, ?, ?, ?, ?)", row)
        times = nameless_times(db, "home").get(station_of(TABLET_MAC), [])
    holds = [level for level, from_us, until_us in kept if from_us <= at < until_us]
    assert any(from_us <= at < until_us for from_us, until_us in times) == (holds[-1:] in ([OFF], [NO_NAMES]))
    assert all(one[1] < other[0] for one, other in pairwise(times))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tablet and a laptop behind a router through which both reach several servers."""
    folder = tmp_path_factory.mktemp("house")
    frames = [*lookup(START_US, "www.example.com", SERVER), *talk(START_US + SECOND, "www.example.com")]
    frames += talk(START_US + 2 * SECOND, server="198.51.100.7", port=40001)
    frames += talk(START_US + 9 * SECOND, client="192.168.1.11", mac=TABLET_MAC, server="198.51.100.8", port=40002)
    return imported(folder / "h.db", write(folder / "home.pcap", frames))


def wanted(house: Path, **levels: str) -> tuple[Levels, list[str]]:
    words = OwnerWords(levels={key: Recorded(level, 1) for key, level in levels.items()})
    with closing(open_database(house)) as db:
        found = wanted_levels(db, "home", words)
    return found.levels, [each.key for each in found.impossible]


def test_macs_of_devices_and_of_those_that_nobody_has_seen(house: Path) -> None:
    found, impossible = wanted(house, **{TABLET_MAC: OFF, HOST_MAC: OFF, STRANGER: NO_NAMES})
    assert found == Levels((mac(TABLET_MAC), mac(HOST_MAC)), (mac(STRANGER),)), "those seen last come first"
    assert impossible == []
    assert wanted(house) == (Levels(), [])


def test_a_router_and_a_station_without_a_mac_are_never_left_out(house: Path) -> None:
    found, impossible = wanted(house, **{ROUTER_MAC: OFF, "198.51.100.99": OFF, TABLET_MAC: NO_NAMES})
    assert found == Levels((), (mac(TABLET_MAC),))
    assert impossible == sorted([ROUTER_MAC, "198.51.100.99"])


def test_joined_stations_follow_the_strictest_and_part_again(house: Path, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    database.write_bytes(house.read_bytes())
    with closing(open_database(database)) as db:
        (tablet,) = db.execute("SELECT id FROM station WHERE mac = ?", (int(mac(TABLET_MAC).hex(), 16),)).fetchone()
        (laptop,) = db.execute("SELECT id FROM station WHERE mac = ?", (int(mac(HOST_MAC).hex(), 16),)).fetchone()
        db.execute("UPDATE station SET device_id = ? WHERE id IN (?, ?)", (laptop, tablet, laptop))
        words = OwnerWords(levels={TABLET_MAC: Recorded(OFF, 1)})
        assert set(wanted_levels(db, "home", words).levels.off) == {mac(TABLET_MAC), mac(HOST_MAC)}
        nameless = Nameless(db, 1, {station_of(TABLET_MAC): [(10, 20)], station_of(HOST_MAC): [(15, 30), (50, 60)]})
        assert nameless.spans == [(laptop, 10, 30), (laptop, 50, 60)]
        assert [nameless.at(laptop, time_us) for time_us in (9, 10, 29, 30, 55, 60)] == [
            False,
            True,
            True,
            False,
            True,
            False,
        ]
        assert not nameless.at(tablet + laptop + 1, 15)
        db.execute("UPDATE station SET device_id = id")
        assert set(wanted_levels(db, "home", words).levels.off) == {mac(TABLET_MAC)}
