from __future__ import annotations

import gzip
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from appliance.config import Layer, settle
from appliance.settings import DEFAULT_DATABASE
from daemon.ingest import FileOutcome, Summary
from tests.appliance.conftest import Homeport
from tests.support.packets import START_US, Conversation, ethernet, ipv4, pcap, udp_frame

ROOT = Path(__file__).parents[3]
verb = import_module("appliance.cli.import")  # `import` is a keyword, so no import statement can name it


def outcome(status: str = "done", path: str = "a.pcap", message: str = "") -> FileOutcome:
    return FileOutcome(
        path=Path(path), status=status, packets=10, bytes=1000, new_packets=10, undecoded_packets=0, message=message
    )


def summary(*files: FileOutcome, set_aside: tuple[tuple[str, str], ...] = ()) -> Summary:
    return Summary(
        files=files,
        packets=12345,
        bytes=9_876_543,
        devices=3,
        flows=40,
        names=7,
        undecoded_packets=12,
        undecoded=(("link type 147", 10), ("IPv4 header cut short", 2)),
        set_aside=set_aside,
    )


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "evening.pcap"
    path.write_bytes(pcap(Conversation().open().send(b"x" * 3000).reply(b"y" * 5000).close().frames))
    return path


def count(database: Path, view: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {view}").fetchone()[0])  # noqa: S608 - a word of this file


@pytest.mark.parametrize(
    ("files", "set_aside", "code"),
    [
        ([outcome()], (), 0),
        ([outcome("known"), outcome("empty"), outcome("live")], (), 0),
        ([outcome(), outcome("torn")], (), 1),
        ([outcome("corrupt")], (), 1),
        ([outcome(), outcome("unreadable")], (), 1),
        ([outcome()], (("flood", "row limit"),), 1),
        ([outcome("unreadable")], (), 3),
        ([outcome("unsupported"), outcome("unreadable")], (), 3),
    ],
)
def test_exit_code_says_whether_all_came_in(
    files: list[FileOutcome], set_aside: tuple[tuple[str, str], ...], code: int
) -> None:
    assert verb.exit_code(summary(*files, set_aside=set_aside)) == code


def test_summary_names_everything_that_is_missing() -> None:
    broken = outcome("corrupt", "b.pcap", "damaged at byte 24")
    lines = verb.summary_lines(summary(outcome(), broken, set_aside=(("c.pcap", "too odd"),)), 2.0)
    assert lines[0] == "Imported 2 files (9.88 MB) in 2.0 s."
    text = [" ".join(line.split()) for line in lines]
    assert "packets 12,345 (20 of them new)" in text
    assert "not decoded 12" in text
    assert "10 link type 147" in text
    assert "2 IPv4 header cut short" in text
    assert text[-3:] == ["Set aside (2):", "c.pcap: too odd", "b.pcap: damaged at byte 24"]


def test_holdings_name_database_and_site() -> None:
    config = settle([Layer("test", {"store.database": "home.db", "site.name": "cottage"})])
    line = verb.holdings_line(summary(outcome()), config)
    assert line == "home.db holds of site cottage: 3 devices, 40 flows, 7 names."


def test_summary_says_a_thing_once() -> None:
    aside = (("b.pcap", "damaged at byte 24"),)
    lines = verb.summary_lines(summary(outcome("corrupt", "b.pcap", "damaged"), set_aside=aside), 1.0)
    assert sum("b.pcap" in line for line in lines) == 1


def test_capture_comes_in(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    database = tmp_path / "home.db"
    ran = homeport("import", capture, "--db", database)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Imported 1 file ")
    assert "evening.pcap: " in ran.err
    assert count(database, "flows") == 1


def test_again_adds_nothing_and_says_so(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    database = tmp_path / "home.db"
    homeport("import", capture, "--db", database)
    ran = homeport("import", capture, "--db", database)
    assert ran.code == 0
    assert "evening.pcap: known: " in ran.err
    assert "(0 of them new)" in ran.out
    assert count(database, "captures") == 1


def test_folder_glob_and_gzip(homeport: Homeport, tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    for number in range(3):
        raw = pcap([(START_US + number, udp_frame(b"hello", sport=40000 + number))])
        (folder / f"{number}.pcap.gz").write_bytes(gzip.compress(raw))
    ran = homeport("import", folder, "--db", tmp_path / "folder.db")
    assert (ran.code, count(tmp_path / "folder.db", "captures")) == (0, 3)
    ran = homeport("import", f"{folder}/[01].pcap.gz", "--db", tmp_path / "glob.db")
    assert (ran.code, count(tmp_path / "glob.db", "captures")) == (0, 2)


def test_site_comes_from_flag_or_configuration(
    homeport: Homeport, capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "c.toml"
    settings.write_text(f'[site]\nname = "cottage"\n[store]\ndatabase = "{tmp_path}/c.db"\n', "utf-8")
    monkeypatch.setenv("HOMEPORT_CONFIG", str(settings))
    assert homeport("import", capture).code == 0
    assert homeport("import", capture, "--site", "flat").code == 0
    with closing(sqlite3.connect(tmp_path / "c.db")) as connection:
        sites = [row[0] for row in connection.execute("SELECT site FROM captures ORDER BY site")]
    assert sites == ["cottage", "flat"]


def test_network_flag_makes_a_prefix_local(homeport: Homeport, tmp_path: Path) -> None:
    capture = tmp_path / "public.pcap"
    capture.write_bytes(pcap([(START_US, udp_frame(b"x", src="198.51.100.7"))]))
    homeport("import", capture, "--db", tmp_path / "h.db", "--network", "198.51.100.0/24")
    with closing(sqlite3.connect(tmp_path / "h.db")) as connection:
        assert "198.51.100.0/24" in {row[0] for row in connection.execute("SELECT prefix FROM local_networks")}


def test_torn_capture_is_done_in_part(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-10])
    ran = homeport("import", capture, "--db", tmp_path / "h.db")
    assert ran.code == 1
    assert "Set aside (1):" in ran.out
    assert "evening.pcap" in ran.out.partition("Set aside")[2]


def test_what_is_not_decoded_is_named(homeport: Homeport, tmp_path: Path) -> None:
    capture = tmp_path / "odd.pcap"
    capture.write_bytes(pcap([(START_US, ethernet(ipv4(b"")[:7]))]))
    ran = homeport("import", capture, "--db", tmp_path / "h.db")
    assert "not decoded             1" in ran.out


@pytest.mark.parametrize("name", ["absent.pcap", "absent/*.pcap", "absent/"])
def test_missing_file_is_one_line_and_leaves_nothing(homeport: Homeport, tmp_path: Path, name: str) -> None:
    ran = homeport("import", f"{tmp_path}/{name}", "--db", tmp_path / "h.db")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"homeport import: no such file or folder: {tmp_path}/{name}; nothing was imported\n"
    assert not (tmp_path / "h.db").exists()


def test_one_missing_file_stops_all_before_anything_is_read(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    ran = homeport("import", capture, tmp_path / "absent.pcap", "--db", tmp_path / "h.db")
    assert ran.code == 3
    assert not (tmp_path / "h.db").exists()


def test_folder_without_captures(homeport: Homeport, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    ran = homeport("import", folder, "--db", tmp_path / "h.db")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"homeport import: nothing was imported; {folder}: no capture files in it\n"
    assert not (tmp_path / "h.db").exists()


def test_file_that_is_no_capture(homeport: Homeport, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pcap"
    letter.write_text("Dear sir, this is a letter and no capture.", "utf-8")
    ran = homeport("import", letter, "--db", tmp_path / "h.db")
    assert ran.code == 3
    assert "letter.pcap" in ran.err
    assert "Traceback" not in ran.err


def test_database_that_is_none(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("my notes, which no import may overwrite\n" * 50, "utf-8")
    before = other.read_bytes()
    ran = homeport("import", capture, "--db", other)
    assert (ran.code, ran.out) == (3, "")
    assert "notes.txt" in ran.err.splitlines()[-1]
    assert other.read_bytes() == before


def test_database_in_a_folder_that_is_not_there(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    ran = homeport("import", capture, "--db", tmp_path / "absent" / "h.db")
    assert (ran.code, ran.out) == (3, "")
    assert f"{tmp_path}/absent" in ran.err.splitlines()[-1]
    assert not (tmp_path / "absent").exists()


def test_database_that_is_a_folder(homeport: Homeport, capture: Path, tmp_path: Path) -> None:
    ran = homeport("import", capture, "--db", tmp_path)
    assert (ran.code, ran.out) == (3, "")
    assert f"{tmp_path} is a folder" in ran.err.splitlines()[-1]


@pytest.mark.skipif(DEFAULT_DATABASE.parent.is_dir(), reason="this machine is a Homeport box")
def test_no_database_named_anywhere(homeport: Homeport, capture: Path) -> None:
    ran = homeport("import", capture)
    assert (ran.code, ran.out) == (2, "")
    assert "add --db FILE" in ran.err


def test_bar_on_a_narrow_terminal(capture: Path, tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    command = [sys.executable, "-c", "from appliance.main import main; main()"]
    environ = {**os.environ, "COLUMNS": "40", "TERM": "xterm", "HOMEPORT_CONFIG": os.devnull}
    ran = subprocess.run(
        [*command, "import", str(capture), "--db", str(tmp_path / "h.db")],
        stdout=subprocess.PIPE,
        stderr=inner,
        env=environ,
        cwd=ROOT,
        check=False,
    )
    os.close(inner)
    drawn = os.read(outer, 65536).decode()
    os.close(outer)
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"Imported 1 file ")
    assert "\x1b[" in drawn
    assert "Traceback" not in drawn
