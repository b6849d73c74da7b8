"""Imports read what the recorder noted beside the captures: a database made anew knows the same gaps and clocks."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.decode.sidecar import SidecarLine
from daemon.ingest.sidecars import sidecar_of
from tests.daemon.ingest.scenes import HOUR, SECOND, lookup, write
from tests.support.compare import differences, views
from tests.support.following import BOOT, line, say
from tests.support.importing import imported
from tests.support.packets import START_US

AFTER = "a-boot-after-a-power-cut"
STOPPED = "not recording: it was stopped"
OFF = "not recording: the machine was off or restarted"
FULL = "recording paused: the disk is full"


def recorded(folder: Path, hour: int, *more: SidecarLine, boot_id: str = BOOT) -> Path:
    """A capture of one second, that many hours after the others began, and its sidecar."""
    begin = START_US + hour * HOUR
    path = write(folder / f"2026-03-01_{hour:02}.00.00_wlan0.pcap", lookup(begin, f"n{hour}.example"))
    drops = max((each.kernel_drops for each in more), default=0)
    close = line("close", begin + SECOND, path.stat().st_size, kernel_drops=drops)
    return say(path, *(replace(each, boot_id=boot_id) for each in (line("open", begin, 24), *more, close)))


def gaps(database: Path) -> list[tuple[object, ...]]:
    """(from, to, why), in seconds since the first recording."""
    found = views(database)["capture_gaps"].elements()
    return sorted(((row[2] - START_US) / SECOND, (row[3] - START_US) / SECOND, row[4]) for row in found)


def month(folder: Path) -> list[Path]:
    """Three files: one with a pause and lost packets, one later, one after the power was off."""
    folder.mkdir(exist_ok=True)
    pause = [
        line("pause", START_US + SECOND // 4, reason="the disk is full"),
        line("resume", START_US + SECOND // 2),
        line("sample", START_US + SECOND * 3 // 4, kernel_drops=12),
    ]
    return [recorded(folder, 0, *pause), recorded(folder, 5), recorded(folder, 9, boot_id=AFTER)]


ALL = [
    (0.25, 0.5, FULL),
    (0.5, 0.75, "12 packets dropped while recording"),
    (1.0, 5 * 3600.0, STOPPED),
    (5 * 3600 + 1.0, 9 * 3600.0, OFF),
]


def test_gaps_and_drops_are_imported(tmp_path: Path) -> None:
    month(tmp_path / "in")
    found = imported(tmp_path / "h.db", tmp_path / "in")
    assert gaps(found) == ALL
    assert sorted(row[-4] for row in views(found)["captures"].elements()) == [0, 0, 12]


def test_neither_order_nor_jobs_nor_portions_show(tmp_path: Path) -> None:
    paths = month(tmp_path / "in")
    whole = imported(tmp_path / "h.db", tmp_path / "in")
    expected = views(whole)
    first, second, third = paths
    for number, order in enumerate(((third, first, second), (second, third, first))):
        assert differences(views(imported(tmp_path / f"{number}.db", *order)), expected) == []
    assert differences(views(imported(tmp_path / "jobs.db", tmp_path / "in", jobs=2)), expected) == []
    for path in (third, first, second):
        imported(tmp_path / "one-by-one.db", path)
    assert differences(views(tmp_path / "one-by-one.db"), expected) == []
    assert differences(views(imported(whole, tmp_path / "in")), expected) == []  # again adds nothing


def test_of_files_that_are_not_imported_nothing_is_told(tmp_path: Path) -> None:
    paths = month(tmp_path / "in")
    assert gaps(imported(tmp_path / "second.db", paths[1])) == [ALL[2]]
    assert gaps(imported(tmp_path / "first.db", paths[0])) == ALL[:2]


def test_series_of_files_goes_on_in_another_folder(tmp_path: Path) -> None:
    paths = month(tmp_path / "in")
    (tmp_path / "newer").mkdir()
    for path in (paths[2], sidecar_of(paths[2])):
        shutil.move(path, tmp_path / "newer")
    assert gaps(imported(tmp_path / "h.db", tmp_path / "newer", tmp_path / "in")) == ALL


def test_copy_that_ends_earlier_is_no_gap(tmp_path: Path) -> None:
    paths = month(tmp_path / "in")
    backup = tmp_path / "backup"
    backup.mkdir()
    shutil.copy(paths[0], backup)
    whole = sidecar_of(paths[0]).read_bytes()
    (backup / sidecar_of(paths[0]).name).write_bytes(whole[: whole.index(b"\n") + 1])
    assert gaps(imported(tmp_path / "h.db", backup, tmp_path / "in")) == ALL


def test_packed_file_has_the_notes_of_the_whole_one(tmp_path: Path) -> None:
    for path in month(tmp_path / "in"):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    assert gaps(imported(tmp_path / "h.db", tmp_path / "in")) == ALL


def test_file_that_began_before_the_clock_was_set(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    early = write(folder / "unsynced-0f0e-1_wlan0.pcap", lookup(100 * SECOND, "early.example"))
    say(
        early,
        line("open", 100 * SECOND, synced=False),
        line("pause", 102 * SECOND, synced=False, reason="the disk is full"),
        line("resume", 103 * SECOND, synced=False),
        line("close", 105 * SECOND, synced=False),
    )
    assert imported(tmp_path / "alone.db", early, codes=(1,))
    assert gaps(tmp_path / "alone.db") == []  # nobody can tell when
    begin = START_US + 5 * SECOND
    later = write(folder / "2026-03-01_00.00.05_wlan0.pcap", lookup(begin, "late.example"))
    say(later, line("open", begin, monotonic_us=105 * SECOND), line("close", begin + SECOND, monotonic_us=106 * SECOND))
    found = imported(tmp_path / "h.db", early)  # its neighbour tells the time, whether or not it is imported
    assert gaps(found) == [(2.0, 3.0, FULL)]
    assert {row[-2] for row in views(found)["captures"]} == {START_US - 100 * SECOND}


def test_notes_that_are_missing_torn_or_made_up_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    paths = month(folder)
    expected = views(imported(tmp_path / "h.db", folder))
    sidecar_of(paths[0]).unlink()
    os.mkfifo(sidecar_of(paths[0]))  # who opens that waits for ever
    torn = sidecar_of(paths[1]).read_bytes()
    sidecar_of(paths[1]).write_bytes(torn[:-20])
    sidecar_of(paths[2]).write_bytes(
        b"\0\xff" * 70_000 + b"\n" + b"[" * 5000 + b"\n{}\n" + torn[: torn.index(b"\n") + 1]
    )
    found = views(imported(tmp_path / "torn.db", folder))
    assert {view: rows for view, rows in found.items() if view not in ("capture_gaps", "captures")} == {
        view: rows for view, rows in expected.items() if view not in ("capture_gaps", "captures")
    }


@pytest.mark.parametrize("number", [(1 << 63) - 1, -(1 << 63)])
def test_numbers_that_nobody_counted(tmp_path: Path, number: int) -> None:
    path = write(tmp_path / "2026-03-01_00.00.00_wlan0.pcap", lookup(START_US, "a.example"))
    say(
        path,
        line("open", number, number, monotonic_us=number, synced=False, kernel_drops=number),
        line("pause", number, reason="\ud800" + "x" * 4000),
        line("resume", START_US, from_us=number, lost=number),
        line("sync", START_US, offset_us=number),
        line("close", -number - 1, number, kernel_drops=-number - 1, interface_drops=number),
    )
    assert imported(tmp_path / "h.db", path, codes=(0, 1))
    assert gaps(tmp_path / "h.db") == []
