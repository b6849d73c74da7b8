"""Which files of a folder are ours, and what the budget is told of them."""

from __future__ import annotations

import fcntl
import os
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest import stored
from daemon.ingest.budget import READ, UNREAD, WRITTEN
from daemon.ingest.sidecars import sidecar_of
from daemon.ingest.stored import find_recorded, find_stored
from daemon.store.database import open_database
from tests.daemon.ingest.scenes import DAY, SECOND
from tests.support.budget import MIDNIGHT_US, recorded
from tests.support.following import line, say
from tests.support.importing import imported


def test_times_are_those_of_the_sidecar_set_right_where_that_is_known(tmp_path: Path) -> None:
    recorded(tmp_path, 0)
    path = tmp_path / "unsynced-0f0e0d0c-1_wlan0.pcap"
    path.write_bytes(b"x" * 100)
    say(path, line("open", 5 * SECOND, synced=False), line("close", 9 * SECOND, synced=False, on_disk=100))
    dated, undated = find_recorded(tmp_path)
    assert (dated.begun_us, dated.ended_us, dated.closed) == (MIDNIGHT_US, MIDNIGHT_US + DAY - SECOND, True)
    assert not undated.dated
    say(path, line("sync", MIDNIGHT_US, offset_us=MIDNIGHT_US))
    _, undated = find_recorded(tmp_path)
    assert (undated.dated, undated.begun_us, undated.ended_us) == (
        True, MIDNIGHT_US + 5 * SECOND, MIDNIGHT_US + 9 * SECOND,
    )  # fmt: skip


def test_what_takes_room_is_counted_in_blocks_with_the_sidecar(tmp_path: Path) -> None:
    path = recorded(tmp_path, 0)
    (found,) = find_recorded(tmp_path)
    assert found.size == sum(each.stat().st_blocks * 512 for each in (path, sidecar_of(path))) >= found.length


def test_others_files_and_half_finished_ones_are_passed_over(tmp_path: Path) -> None:
    recorded(tmp_path, 0).rename(tmp_path / "day.pcap")
    alone = recorded(tmp_path, 1)
    sidecar_of(alone).unlink()
    empty = recorded(tmp_path, 2)
    sidecar_of(empty).write_bytes(b"")
    (tmp_path / f".{recorded(tmp_path, 3).name}.thinning").write_bytes(b"x")
    assert [each.path.name for each in find_recorded(tmp_path)] == ["2023-11-17_00.00.00_wlan0.pcap"]


def test_what_did_not_change_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, 0)
    recorded(tmp_path, 1, closed=False)
    before = find_recorded(tmp_path)
    opened: list[Path] = []

    def not_locked(path: Path) -> bool:
        opened.append(path)
        return False

    monkeypatch.setattr(stored, "_is_locked", not_locked)
    assert find_recorded(tmp_path, before) == before
    assert [path.name[8:10] for path in opened] == ["15"], "the one that is open still"
    say(tmp_path / "2023-11-14_00.00.00_wlan0.pcap", line("sync", MIDNIGHT_US, offset_us=SECOND))
    find_recorded(tmp_path, before)
    assert [path.name[8:10] for path in opened] == ["15", "14", "15"]


def test_states(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for day in range(2):
        recorded(folder, day)
    database = imported(tmp_path / "h.db", folder)
    grown = folder / "2023-11-15_00.00.00_wlan0.pcap"
    grown.write_bytes(grown.read_bytes() + grown.read_bytes()[24:])
    recorded(folder, 2)
    recorded(folder, 3, packets=False)
    held = recorded(folder, 4, closed=False)
    os.utime(held, (1, 1))
    recorded(folder, 5, closed=False)
    with held.open("rb") as file, closing(open_database(database)) as db:
        fcntl.flock(file, fcntl.LOCK_EX)
        states = [each.state for each, _ in find_stored(db, folder)]
    assert states == [READ, UNREAD, UNREAD, READ, WRITTEN, WRITTEN]
