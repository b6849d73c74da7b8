"""The files of a folder, and how far each may be read."""

from __future__ import annotations

from pathlib import Path

from daemon.ingest.follow import QUIET_S, Folder, Followed
from tests.support.following import line, say

S = 1_000_000


def seen(folder: Folder, name: str) -> Followed:
    return next(file for path, file in folder.files.items() if path.name == name)


def test_live_file_is_read_up_to_what_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "2026-03-01_00.00.00_wlan0.pcap"
    path.write_bytes(bytes(1000))
    say(path, line("open", 0), line("sample", 5 * S, on_disk=600))
    folder = Folder(tmp_path)
    folder.look(1.0)
    assert (seen(folder, path.name).readable, seen(folder, path.name).series) == (600, "wlan0")
    say(path, line("close", 9 * S, on_disk=1000))
    folder.look(2.0)
    assert seen(folder, path.name).readable == 1000
    assert seen(folder, path.name).over(2.0, at_once=False)


def test_torn_last_line_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(1000))
    say(path, line("open", 0, on_disk=24))
    with path.with_name("a.pcap.meta.jsonl").open("ab") as file:
        file.write(b'{"event":"sample","time_us":5,"on_disk":900,"boot')
    folder = Folder(tmp_path)
    folder.look(1.0)
    assert seen(folder, "a.pcap").readable == 24


def test_file_whose_recorder_died_is_whole_once_a_later_one_is_there(tmp_path: Path) -> None:
    first, second = tmp_path / "2026-03-01_00.00.00_wlan0.pcap", tmp_path / "2026-03-01_07.00.00_wlan0.pcap"
    other = tmp_path / "2026-03-01_08.00.00_eth1.pcap"
    for path, at in ((first, 0), (other, 8 * S)):
        path.write_bytes(bytes(500))
        say(path, line("open", at, on_disk=24))
    folder = Folder(tmp_path)
    folder.look(1.0)
    assert not seen(folder, first.name).finished  # another series says nothing about it
    second.write_bytes(bytes(100))
    say(second, line("open", 7 * S, on_disk=24))
    folder.look(2.0)
    assert (seen(folder, first.name).readable, seen(folder, second.name).readable) == (500, 24)


def test_foreign_file_ends_when_it_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pcap"
    path.write_bytes(bytes(100))
    folder = Folder(tmp_path)
    folder.look(1.0)
    file = seen(folder, path.name)
    assert (file.readable, file.over(QUIET_S, at_once=False)) == (100, False)
    path.write_bytes(bytes(200))
    folder.look(20.0)
    assert (file.readable, file.over(20.0 + QUIET_S - 1, at_once=False)) == (200, False)
    assert file.over(20.0 + QUIET_S, at_once=False)


def test_file_that_is_replaced_is_another(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pcap"
    path.write_bytes(bytes(100))
    folder = Folder(tmp_path)
    folder.look(1.0)
    seen(folder, path.name).read = 100
    path.unlink()
    path.write_bytes(bytes(50))
    folder.look(2.0)
    assert seen(folder, path.name).pending == 50


def test_file_that_is_gone_is_forgotten_and_others_are_found_below(tmp_path: Path) -> None:
    (tmp_path / "by-name" / "tv").mkdir(parents=True)
    (tmp_path / "a.pcap").write_bytes(bytes(10))
    (tmp_path / ".hidden.pcap").write_bytes(bytes(10))
    folder = Folder(tmp_path)
    folder.look(1.0)
    (tmp_path / "a.pcap").unlink()
    (tmp_path / "by-name" / "tv" / "b.pcap").write_bytes(bytes(10))
    folder.look(2.0)
    assert [path.name for path in folder.files] == ["b.pcap"]
