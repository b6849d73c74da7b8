"""`homeport devices`: seen, named, joined, split and undone, on captures made for it."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest import relabel
from daemon.store.errors import Busy
from daemon.store.owner import open_owner, words_at
from tests.appliance.conftest import Homeport, Ran
from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, dhcp_request, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, SERVER, START_US

THIRD, THIRD_MAC = "192.168.1.12", "02:00:00:00:00:12"
Devices = Callable[..., Ran]
Row = dict[str, str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the capture, three that ask and talk, two of whom say their names; and what came of its import."""
    folder = tmp_path_factory.mktemp("template")
    scenes = [
        [dhcp_request(START_US, "adas-thinkpad"), dhcp_request(START_US + 1000, "bobs-galaxy", TABLET_MAC)],
        lookup(START_US + SECOND, "www.example.com", SERVER),
        talk(START_US + 2 * SECOND, "www.example.com", reply=9000),
        talk(
            START_US + 3 * SECOND, "cdn.example.net", client=TABLET, mac=TABLET_MAC, server="203.0.113.77", reply=5000
        ),
        talk(START_US + 4 * SECOND, client=THIRD, mac=THIRD_MAC, server="198.51.100.7"),
    ]
    imported(folder / "home.db", write(folder / "evening.pcap", *scenes))
    return folder


@pytest.fixture
def capture(template: Path) -> Path:
    return template / "evening.pcap"


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template / "home.db", tmp_path / "home.db"))


@pytest.fixture
def devices(homeport: Homeport, database: Path) -> Devices:
    def command(*arguments: str | Path) -> Ran:
        return homeport("devices", *arguments, "--db", database)

    return command


def listed(devices: Devices) -> dict[str, Row]:
    """The list's rows by MAC."""
    rows = csv.DictReader(io.StringIO(devices("--format", "csv").out))
    return {row["mac"]: row for row in rows}


def moved(row: Row) -> int:
    return int(row["bytes_up"]) + int(row["bytes_down"])


def undoing(ran: Ran) -> list[str]:
    """The command that a line says would undo it, ready to be run: without `homeport`."""
    command = shlex.split(ran.out.partition("To undo: ")[2])
    assert command[:3] == ["homeport", "devices", "undo"], ran.out
    return command[1:]


def test_list_is_what_devices_does(devices: Devices, homeport: Homeport, database: Path) -> None:
    ran = devices()
    assert (ran.code, ran.err) == (0, "")
    assert ran == devices("list") == homeport("devices", f"--db={database}", "list")
    lines = ran.out.splitlines()
    assert lines[0].startswith("Devices of site home (3; times in ")
    assert lines[2].split()[1:4] == ["adas-thinkpad", "dhcp", HOST_MAC]  # the busiest first
    for words in ("bobs-galaxy", f"{THIRD_MAC} (random)", TABLET, THIRD):
        assert words in ran.out
    assert "room" not in lines[1]  # nobody has said any


def test_list_for_programs(devices: Devices) -> None:
    rows, objects = listed(devices), {each["mac"]: each for each in json.loads(devices("list", "--format", "json").out)}
    assert set(rows) == set(objects) == {HOST_MAC, TABLET_MAC, THIRD_MAC}
    laptop = objects[HOST_MAC]
    assert list(laptop) == list(rows[HOST_MAC])
    assert (laptop["name"], laptop["addresses"], laptop["stations"]) == ("adas-thinkpad", [HOST], [HOST_MAC])
    assert (laptop["first_seen_us"], laptop["mac_random"], laptop["room"]) == (START_US, True, None)
    assert rows[HOST_MAC]["addresses"] == HOST


def test_what_is_said_shows_and_survives_a_new_database(
    devices: Devices, homeport: Homeport, database: Path, capture: Path, tmp_path: Path
) -> None:
    for words in (
        ("name", THIRD, "Kettle"),
        ("owner", "kettle", "Ada"),
        ("room", "Kettle", "K\u00fcche"),
        ("kind", "kettle", "Appliance"),
    ):
        ran = devices(*words)
        assert (ran.code, ran.err, len(ran.out.splitlines())) == (0, "", 1)
    before = listed(devices)[THIRD_MAC]
    shown = [before[column] for column in ("name", "name_source", "owner", "room", "kind")]
    assert shown == ["Kettle", "owner", "Ada", "K\u00fcche", "appliance"]
    assert "room" in devices().out
    for file in tmp_path.glob("home.db*"):
        file.unlink()
    assert homeport("import", capture, "--db", database).code == 0
    assert listed(devices)[THIRD_MAC] | {"device_id": ""} == before | {"device_id": ""}


def test_owner_file_has_its_own_place(devices: Devices, homeport: Homeport, database: Path, tmp_path: Path) -> None:
    words = tmp_path / "elsewhere" / "mine.db"
    words.parent.mkdir()
    ran = devices("name", THIRD, "Kettle", "--owner", words)
    assert ran.code == 0
    assert words_at(words, "home").names == {THIRD_MAC: "Kettle"}
    assert not (tmp_path / "owner.db").exists()
    assert homeport(*undoing(ran)).code == 0
    assert words_at(words, "home").names == {}


def test_reading_makes_no_file_of_words(devices: Devices, tmp_path: Path) -> None:
    assert [devices(*words).code for words in ((), ("show", HOST), ("show", "toaster"))] == [0, 0, 3]
    assert not (tmp_path / "owner.db").exists()


def test_name_is_undone_by_the_command_that_is_told(devices: Devices, homeport: Homeport) -> None:
    first = devices("name", "adas-thinkpad", "Ada's laptop")
    assert first.out.startswith(
        f'adas-thinkpad ({HOST_MAC}) is called "Ada\'s laptop" now. To undo: homeport devices undo 1 '
    )
    second = devices("name", "ADA'S LAPTOP", "Work laptop")
    undone = homeport(*undoing(second))
    assert undone.out.startswith(
        f'Undone: name of {HOST_MAC}: "Work laptop". Ada\'s laptop ({HOST_MAC}) is called "Ada\'s laptop" now.'
    )
    again = shlex.split(undone.out.partition("To say it again: homeport ")[2])
    assert homeport(*again).code == 0
    assert listed(devices)[HOST_MAC]["name"] == "Work laptop"
    assert [devices("undo").code for _ in range(3)] == [0, 0, 3]
    assert listed(devices)[HOST_MAC]["name"] == "adas-thinkpad"
    assert (
        devices("undo", "1").err == "homeport devices: word 1 was undone before, by command line; nothing was changed\n"
    )


def test_what_was_said_can_be_taken_back(devices: Devices) -> None:
    devices("room", HOST, "Attic")
    ran = devices("room", HOST, "--clear")
    assert ran.out.startswith(f'The room "Attic" of {HOST_MAC} is taken back. To undo: ')
    assert listed(devices)[HOST_MAC]["room"] == ""
    assert (
        devices("room", HOST, "--clear").out
        == f"Nobody has said the room of adas-thinkpad ({HOST_MAC}); nothing was changed.\n"
    )
    devices("undo")
    assert listed(devices)[HOST_MAC]["room"] == "Attic"


def test_said_twice_is_said_once(devices: Devices, tmp_path: Path) -> None:
    devices("name", HOST, "Laptop")
    assert (
        devices("name", HOST, " Laptop ").out
        == f'Laptop ({HOST_MAC}) is called "Laptop" already; nothing was changed.\n'
    )
    with closing(open_owner(tmp_path / "owner.db")) as db:
        assert db.execute("SELECT count(*) FROM word").fetchone() == (1,)


def test_join_makes_one_row_with_the_sum_and_split_undoes_it(devices: Devices, homeport: Homeport) -> None:
    before = listed(devices)
    ran = devices("join", "adas-thinkpad", THIRD)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"adas-thinkpad ({HOST_MAC}) and {THIRD_MAC} are one device now. To undo: ")
    after = listed(devices)
    assert set(after) == {HOST_MAC, TABLET_MAC}
    joined = after[HOST_MAC]
    assert moved(joined) == moved(before[HOST_MAC]) + moved(before[THIRD_MAC])
    assert joined["stations"].split() == [HOST_MAC, THIRD_MAC]
    assert set(joined["addresses"].split()) == {HOST, THIRD}
    assert after[TABLET_MAC] == before[TABLET_MAC]
    split = devices("split", THIRD)
    assert split.out.startswith(f"{THIRD_MAC} and {HOST_MAC} are two devices now. To undo: ")
    assert listed(devices) == before
    assert "Both are adas-thinkpad" in homeport(*undoing(split)).out
    assert listed(devices) == after
    assert f"They are adas-thinkpad ({HOST_MAC}) and {THIRD_MAC} now." in homeport(*undoing(ran)).out
    assert listed(devices) == before


def test_new_name_of_a_joined_device_holds_over_older_ones(devices: Devices) -> None:
    devices("name", HOST, "Laptop")
    devices("name", THIRD, "Dock")
    devices("join", "Laptop", "Dock")
    assert devices("name", "dock", "Ada's desk").code == 0
    assert listed(devices)[HOST_MAC]["name"] == "Ada's desk"
    devices("split", "Dock")
    assert {row["name"] for row in listed(devices).values()} == {"Ada's desk", "Dock", "bobs-galaxy"}


def test_three_joined_come_apart_one_by_one(devices: Devices) -> None:
    devices("join", HOST, TABLET)
    devices("join", HOST, THIRD)
    assert len(listed(devices)) == 1
    asked = devices("split", "1")
    assert (asked.code, asked.out) == (3, "")
    assert all(mac in asked.err for mac in (HOST_MAC, TABLET_MAC, THIRD_MAC))
    assert devices("split", TABLET_MAC).code == 0
    assert {row["stations"] for row in listed(devices).values()} == {f"{HOST_MAC} {THIRD_MAC}", TABLET_MAC}
    assert devices("join", TABLET_MAC, HOST_MAC).code == 0  # over both splits
    assert len(listed(devices)) == 1


def test_split_ahead_keeps_apart_for_good(devices: Devices) -> None:
    ran = devices("split", HOST, THIRD)
    assert ran.out.startswith(f"{HOST_MAC} and {THIRD_MAC} were two devices already, and stay so.")
    assert devices("join", THIRD, TABLET).code == 0
    assert len(listed(devices)) == 2


def test_show_has_all_and_why(devices: Devices) -> None:
    devices("name", HOST, "Laptop")
    devices("room", HOST, "Attic")
    devices("undo")
    devices("join", HOST, THIRD)
    page = devices("show", "laptop")
    assert (page.code, page.err) == (0, "")
    for words in (
        "Laptop", HOST_MAC, "adas-thinkpad", THIRD, "hostname", "www.example.com", 'room of 02:00:00:00:00:10: "Attic"',
        f"{HOST_MAC} and {THIRD_MAC} are one device", "command line", "What was said of it", "Why it is taken for that",
    ):  # fmt: skip
        assert words in page.out
    shown = json.loads(devices("show", THIRD_MAC, "--format", "json").out)
    assert [each["key"] for each in shown["stations"]] == [HOST_MAC, THIRD_MAC]
    assert shown["stations"][1]["addresses"][0]["address"] == THIRD
    assert {each["value"] for each in shown["hints"]} >= {"adas-thinkpad"}
    assert {(each["about"], each["source"]) for each in shown["evidence"]} >= {("name", "owner"), ("join", "owner")}
    said = [(each["word"], each["about"], each["value"], each["undone_by"]) for each in shown["words"]]
    assert said == [(1, "name", "Laptop", None), (2, "room", "Attic", "command line"), (3, "join", THIRD_MAC, None)]
    assert shown["destinations"][0]["destination"] == "www.example.com"
    assert shown["destinations"][0]["bytes_down"] > 9000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "toaster"], 3, "no device 'toaster'; there are adas-thinkpad"),
        (["name", "adas-thinkpd", "X"], 3, "no device 'adas-thinkpd'; did you mean 'adas-thinkpad'?"),
        (["name", HOST, "Bobs-Galaxy"], 3, f"bobs-galaxy ({TABLET_MAC}) is called so already"),
        (["name", HOST, "192.168.1.4"], 2, "must not look like a number, a MAC or an address"),
        (["room", HOST, "\x1b[2J"], 2, "a room wants 1 to 64 printable characters"),
        (["room", HOST], 2, "say the room, or --clear"),
        (["room", HOST, "Attic", "--clear"], 2, "say the room, or --clear"),
        (["kind", HOST, "tablett"], 2, "there is no kind 'tablett'; the nearest is tablet"),
        (["join", HOST, HOST_MAC], 3, "is one device already"),
        (["join", HOST, "a\x1b[2J"], 3, "no device 'a\\x1b[2J'"),
        (["split", HOST], 3, "one MAC or address only"),
        (["undo"], 3, "there is no word that holds about site home"),
        (["undo", "7"], 3, "there is no word 7 about site home"),
        (["undo", "x"], 2, "'x' is not a valid integer"),
        (["shw"], 2, "no 'shw' of devices; there are list, show"),
        (["--site", "cottage"], 3, "has nothing of site cottage; it has home; add --site NAME"),
        (["show"], 2, "missing argument 'DEVICE'"),
        (["--frmat", "csv"], 2, "--format"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line_and_changes_nothing(
    devices: Devices, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    ran = devices(*arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (code, "", 1)
    assert words in ran.err
    assert ran.err.rstrip("\n").isprintable()
    assert not (tmp_path / "owner.db").exists()


def test_missing_database_is_said_and_not_made(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("devices", "name", "tv", "Telly", "--db", tmp_path / "absent.db")
    assert (ran.code, ran.out) == (3, "")
    assert f"no database at {tmp_path}/absent.db" in ran.err
    assert list(tmp_path.glob("*.db")) == []


def test_word_about_another_site_is_not_undone_here(
    devices: Devices, homeport: Homeport, capture: Path, tmp_path: Path
) -> None:
    assert homeport("import", capture, "--db", tmp_path / "home.db", "--site", "cottage").code == 0
    assert devices("name", HOST, "Set", "--site", "cottage").code == 0
    assert (
        devices("undo", "1").err
        == "homeport devices: word 1 is about site cottage; add --site NAME. Nothing was undone\n"
    )
    assert listed(devices)[HOST_MAC]["name"] == "adas-thinkpad"
    assert devices("undo", "1", "--site", "cottage").code == 0


def test_labels_that_cannot_follow_lose_no_word(
    devices: Devices, homeport: Homeport, database: Path, capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise Busy("Another program has held it.")

    with monkeypatch.context() as patch:
        patch.setattr(relabel, "relabel_site", held)
        ran = devices("name", HOST, "Laptop")
    assert ran.code == 1
    assert "It is kept in" in ran.err
    assert "Another program has held it." in ran.err
    assert listed(devices)[HOST_MAC]["name"] == "adas-thinkpad"
    devices("room", HOST, "Attic")
    assert listed(devices)[HOST_MAC]["name"] == "Laptop"


def test_damaged_words_do_not_hide_the_devices(devices: Devices, tmp_path: Path) -> None:
    (tmp_path / "owner.db").write_text("not a database at all, by no means" * 100)
    assert HOST_MAC in devices().out
    ran = devices("name", HOST, "Laptop")
    assert (ran.code, ran.out) == (3, "")
    told, error = ran.err.splitlines()
    assert "The settings made on the dashboard do not hold meanwhile." in told
    assert "owner.db is not a file of the owner's words" in error


def test_hostile_names_are_shown_and_not_obeyed(homeport: Homeport, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db, db:  # as if some decoder had let it through
        db.execute("UPDATE device SET name = ? WHERE name = 'adas-thinkpad'", ("a\x1b[2J\u202e[red]",))
    for words in ((), ("--format", "json"), ("show", HOST), ("show", HOST, "--format", "json"), ("split", HOST)):
        ran = homeport("devices", *words, "--db", database)
        assert "[red]" in ran.out + ran.err
        assert (ran.out + ran.err).replace("\n", "").isprintable()


def test_names_of_a_persons_device_may_be_kept(devices: Devices, database: Path) -> None:
    owner = database.with_name("owner.db")
    ran = devices("keep-names", HOST_MAC, "yes")
    assert ran.out.startswith(f"Destinations of adas-thinkpad ({HOST_MAC}) keep their names from now on. To undo: ")
    assert words_at(owner, "home").keeps_names == {HOST_MAC}
    assert devices("keep-names", HOST_MAC, "yes").out.endswith("keep their names already; nothing was changed.\n")
    assert "keep-names of" in devices("show", HOST_MAC).out
    devices(*undoing(ran)[1:-2])
    assert words_at(owner, "home").keeps_names == set()
    devices("keep-names", HOST_MAC, "yes")
    assert "lose their names with the detail from now on" in devices("keep-names", HOST_MAC, "no").out
    assert words_at(owner, "home").keeps_names == set()
    assert devices("keep-names", HOST_MAC, "maybe").code == 2
