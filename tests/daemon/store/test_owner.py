"""The owner's words: kept for good, by several writers at once, through kills; every one can be undone."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify.vocabulary import OwnerWords
from daemon.store.database import open_database
from daemon.store.errors import NewerDatabase, NoPermission, NotADatabase
from daemon.store.owner import (
    forget,
    history,
    join,
    last_word,
    open_owner,
    read_owner,
    read_words,
    say,
    split,
    undo,
    version,
    words_at,
)
from daemon.store.owner_schema import VERSION, migrate
from daemon.store.words import KIND, NAME, OWNER, ROOM, BadWordError

ROOT = Path(__file__).parents[3]
TV, PHONE, LAMP = "02:00:00:00:00:10", "02:00:00:00:00:11", "192.168.1.12"
NOW = 1_763_000_000_000_000

SPEAKER = """
import sys
from pathlib import Path
from daemon.store.owner import join, open_owner, say
db = open_owner(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    pairs = [(f"02:00:00:00:{number % 256:02x}:{n:02x}", "192.168.1.9") for n in range(3)]
    print(say(db, "home", "192.168.1.9", "room", f"{sys.argv[2]} {number}", sys.argv[2], number), flush=True)
    print(join(db, "home", pairs, sys.argv[2], number), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "owner.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(path)) as connection:
        yield connection


def speaker(path: Path, name: str, words: int) -> subprocess.Popen[str]:
    """A process that says so many things twice: a word alone, and an act of three."""
    command = [sys.executable, "-c", SPEAKER, str(path), name, str(words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_reading_makes_nothing(path: Path) -> None:
    assert read_owner(path) is None
    assert words_at(path, "home") == words_at(None, "home") == OwnerWords()
    assert list(path.parent.iterdir()) == []


def test_file_that_was_only_begun_holds_nothing(path: Path) -> None:
    path.touch()
    assert words_at(path, "home") == OwnerWords()
    open_owner(path).close()
    assert words_at(path, "home") == OwnerWords()


def test_words_hold_by_station_and_site(db: sqlite3.Connection, path: Path) -> None:
    said = ((TV, NAME, "Telly"), (TV, ROOM, " Attic "), (PHONE, OWNER, "Ada"), (LAMP, KIND, "Bulb"))
    for key, about, value in said:
        say(db, "home", key, about, value, "web", NOW)
    say(db, "cottage", TV, NAME, "Set", "web", NOW)
    join(db, "home", [(PHONE, TV)], "web", NOW)
    expected = OwnerWords({TV: "Telly"}, {PHONE: "Ada"}, {TV: "Attic"}, {LAMP: "bulb"}, ((TV, PHONE),), ())
    assert read_words(db, "home") == expected == words_at(path, "home")
    assert read_words(db, "cottage") == OwnerWords({TV: "Set"})
    assert read_words(db, "elsewhere") == OwnerWords()


def test_history_has_every_word_with_when_and_by_whom(db: sqlite3.Connection) -> None:
    first = say(db, "home", TV, NAME, "Telly", "web", NOW)
    second = say(db, "home", TV, NAME, None, "command line", NOW + 5)
    third = split(db, "home", [(TV, PHONE)], "Ada", NOW - 5)  # the clock was set back; the order stays
    say(db, "home", LAMP, NAME, "Lamp", "web", NOW)
    say(db, "cottage", TV, NAME, "Set", "web", NOW)
    undo(db, second, "web", NOW + 9)
    found = history(db, "home", [TV, PHONE])
    assert [(w.word_id, w.about, w.value, w.by, w.said_us, w.undone_us, w.undone_by) for w in found] == [
        (first, "name", "Telly", "web", NOW, None, None),
        (second, "name", None, "command line", NOW + 5, NOW + 9, "web"),
        (third, "split", PHONE, "Ada", NOW - 5, None, None),
    ]
    assert [w.word_id for w in history(db, "home", [PHONE])] == [third]


def test_undo_uncovers_the_word_before(db: sqlite3.Connection) -> None:
    say(db, "home", TV, NAME, "Telly", "web", NOW)
    second = say(db, "home", TV, NAME, "Set", "web", NOW)
    assert [word.value for word in undo(db, second, "web", NOW)] == ["Set"]
    assert read_words(db, "home").names == {TV: "Telly"}
    with pytest.raises(BadWordError, match=f"word {second} was undone before, by web"):
        undo(db, second, "web", NOW)
    with pytest.raises(BadWordError, match="there is no word 999"):
        undo(db, 999, "web", NOW)


def test_one_breath_is_undone_as_a_whole(db: sqlite3.Connection) -> None:
    join(db, "home", [(TV, PHONE), (TV, LAMP)], "web", NOW)
    act = split(db, "home", [(TV, PHONE), (LAMP, TV)], "web", NOW)
    assert read_words(db, "home").splits == ((TV, PHONE), (TV, LAMP))
    assert [word.word_id for word in undo(db, act + 1, "web", NOW)] == [act, act + 1]
    assert read_words(db, "home").joins == ((TV, PHONE), (TV, LAMP))


def test_last_word_is_the_last_that_stands(db: sqlite3.Connection) -> None:
    assert last_word(db, "home") is None
    first = say(db, "home", TV, NAME, "Telly", "web", NOW)
    second = say(db, "home", TV, NAME, "Set", "web", NOW)
    say(db, "cottage", TV, NAME, "Set", "web", NOW)
    undo(db, second, "web", NOW)
    found = last_word(db, "home")
    assert found is not None
    assert found.word_id == first


def test_version_grows_with_every_change_and_only_then(db: sqlite3.Connection, path: Path) -> None:
    seen = [version(db)]
    with closing(open_owner(path)) as other:
        for change in (
            lambda: say(other, "home", TV, NAME, "Telly", "web", NOW),
            lambda: join(other, "home", [(TV, PHONE)], "web", NOW),
            lambda: undo(other, 1, "web", NOW),
        ):
            change()
            seen.append(version(db))
            read_words(other, "home")
            assert version(db) == seen[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("key", "about", "value", "by"),
    [
        ("tv", NAME, "Telly", "web"),
        (TV, NAME, "", "web"),
        (TV, NAME, "12", "web"),
        (TV, KIND, "gizmo", "web"),
        (TV, "join", PHONE, "web"),
        (TV, NAME, "Telly", ""),
    ],
)
def test_what_makes_no_sense_is_not_written(db: sqlite3.Connection, key: str, about: str, value: str, by: str) -> None:
    with pytest.raises(BadWordError):
        say(db, "home", key, about, value, by, NOW)
    assert version(db) == 0


@pytest.mark.parametrize("pairs", [[], [(TV, TV)], [(TV, PHONE), (TV, "tv")]])
def test_pairs_that_make_no_sense_are_not_written(db: sqlite3.Connection, pairs: Sequence[tuple[str, str]]) -> None:
    for pairing in (join, split):
        with pytest.raises(BadWordError):
            pairing(db, "home", pairs, "web", NOW)
    assert version(db) == 0


def test_hostile_text_is_text(db: sqlite3.Connection) -> None:
    site, value = "a'; DROP TABLE word; --", "'); DELETE FROM word; --"
    say(db, site, TV, NAME, value, "web", NOW)
    assert read_words(db, site).names == {TV: value}


def test_every_commit_reaches_the_disk(db: sqlite3.Connection) -> None:
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_reader_cannot_write(db: sqlite3.Connection, path: Path) -> None:
    say(db, "home", TV, NAME, "Telly", "web", NOW)
    reader = read_owner(path)
    assert reader is not None
    with closing(reader), pytest.raises(NoPermission):
        say(reader, "home", TV, NAME, "Set", "web", NOW)
    assert read_words(db, "home").names == {TV: "Telly"}


def test_two_processes_at_once_lose_nothing(path: Path) -> None:
    speakers = [speaker(path, name, 40) for name in ("web", "command line")]  # both find no file
    ends = [process.communicate(timeout=60) for process in speakers]
    assert [error for _, error in ends] == ["", ""]
    said = [int(line) for out, _ in ends for line in out.splitlines()]
    assert len(said) == len(set(said)) == 160
    with closing(open_owner(path)) as db:
        assert len(history(db, "home", [LAMP.replace("12", "9")])) == 2 * 40 * 4
        acts = db.execute("SELECT count(*), count(DISTINCT by) FROM word GROUP BY act").fetchall()
        assert sorted(set(acts)) == [(1, 1), (3, 1)]
        assert version(db) == 320


def test_killed_in_the_middle_keeps_what_was_said_and_no_half_of_it(path: Path) -> None:
    last = 0
    for lines in (1, 4, 9):
        process = speaker(path, "web", 100_000)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        with closing(open_owner(path)) as db:
            acts = dict(db.execute("SELECT act, count(*) FROM word GROUP BY act").fetchall())
            assert set(said) <= set(acts)
            assert set(acts.values()) <= {1, 3}
            assert min(said) > last
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            last = max(acts)


def test_newer_file_is_refused_and_left_alone(db: sqlite3.Connection, path: Path) -> None:
    db.execute(f"PRAGMA user_version = {VERSION + 3}")
    db.close()
    before = path.read_bytes()
    for opened in (open_owner, read_owner):
        with pytest.raises(NewerDatabase, match=f"schema {VERSION + 3}, this one knows {VERSION}"):
            opened(path)
    assert path.read_bytes() == before


def test_what_is_no_file_of_words_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear sir, " * 200)
    open_database(tmp_path / "homeport.db").close()
    for name in ("letter.txt", "homeport.db"):
        before = (tmp_path / name).read_bytes()
        for opened in (open_owner, read_owner):
            with pytest.raises(NotADatabase, match=f"{name} is .* Nothing was changed"):
                opened(tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    for opened in (open_owner, read_owner):
        with pytest.raises(NotADatabase, match="folder"):
            opened(tmp_path)
    with pytest.raises(NoPermission, match="does not exist"):
        open_owner(tmp_path / "absent" / "owner.db")


def test_damaged_file_is_explained_and_not_given_up(db: sqlite3.Connection, path: Path) -> None:
    for number in range(200):
        say(db, "home", TV, NAME, f"TV {number}" + "x" * 50, "web", NOW)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + bytes(b ^ 0x5A for b in whole[4096:]))
    for read in (lambda: words_at(path, "home"), lambda: open_and_say(path)):
        with pytest.raises(NotADatabase, match=r"owner's words in .*owner\.db are damaged") as said:
            read()
        assert "Keep the file" in str(said.value)
        assert "import the captures again" not in str(said.value)


def open_and_say(path: Path) -> None:
    with closing(open_owner(path)) as db:
        say(db, "home", TV, NAME, "Telly", "web", NOW)


STATIONS = st.sampled_from(["02:00:00:00:00:01", "02:00:00:00:00:02", "fe80::3", "192.168.1.4"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "split"]), STATIONS, STATIONS).filter(lambda step: step[1] != step[2]),
        st.tuples(st.just("undo"), st.integers(0, 20), st.none()),
    ),
    max_size=20,
)


@given(STEPS)
def test_any_joins_splits_and_undos_leave_each_pair_as_last_said(
    steps: list[tuple[str, str | int, str | None]],
) -> None:
    pairings = {"join": join, "split": split}
    told: list[tuple[int, str, frozenset[str]]] = []  # what stands, said again and again by a simpler bookkeeper
    undone: set[int] = set()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        for what, first, second in steps:
            if what in pairings:
                number = pairings[what](db, "home", [(str(first), str(second))], "web", NOW)
                told.append((number, what, frozenset((str(first), str(second)))))
            elif any(number == first for number, _, _ in told) and first not in undone:
                undo(db, int(first), "web", NOW)
                undone.add(int(first))
        words = read_words(db, "home")
        assert len(history(db, "home", ["02:00:00:00:00:01", "02:00:00:00:00:02", "fe80::3", "192.168.1.4"])) == len(
            told
        )
    final = {pair: what for number, what, pair in told if number not in undone}
    assert {frozenset(pair) for pair in words.joins} == {pair for pair, what in final.items() if what == "join"}
    assert {frozenset(pair) for pair in words.splits} == {pair for pair, what in final.items() if what == "split"}


def test_forgotten_station_leaves_no_word_and_no_byte(path: Path, db: sqlite3.Connection) -> None:
    say(db, "home", TV, NAME, "Unmistakable telly", "web", NOW)
    undo(db, say(db, "home", TV, ROOM, "Unmistakable room", "web", NOW), "web", NOW)
    join(db, "home", [(TV, PHONE)], "web", NOW)
    say(db, "home", PHONE, NAME, "Phone", "web", NOW)
    say(db, "cottage", TV, NAME, "Another home's", "web", NOW)
    before = version(db)
    assert forget(db, "home", [TV]) == 3
    assert version(db) == before + 3
    assert history(db, "home", [TV]) == []
    assert read_words(db, "home") == OwnerWords(names={PHONE: "Phone"})
    assert read_words(db, "cottage").names == {TV: "Another home's"}
    assert b"Unmistakable" not in path.read_bytes()
    assert forget(db, "home", [TV]) == 0
