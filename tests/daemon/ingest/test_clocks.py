"""Files that began before the clock was set."""

from __future__ import annotations

from pathlib import Path

from daemon.ingest.clocks import anchors, offset_in_folder, offset_of
from daemon.ingest.sidecars import Sidecar, read_sidecar
from tests.support.following import line, say

S = 1_000_000
REAL = 1_770_000_000 * S


def sidecar(path: Path) -> Sidecar:
    found = read_sidecar(path)
    assert found is not None
    return found


def test_synced_file_stays_as_it_is(tmp_path: Path) -> None:
    assert offset_of(sidecar(say(tmp_path / "a.pcap", line("open", REAL))), {}) == 0


def test_sync_in_the_file_tells(tmp_path: Path) -> None:
    path = say(tmp_path / "a.pcap", line("open", 5 * S, synced=False), line("sync", REAL, offset_us=REAL - 9 * S))
    assert offset_of(sidecar(path), {}) == REAL - 9 * S


def test_nobody_can_tell_yet(tmp_path: Path) -> None:
    path = say(tmp_path / "a.pcap", line("open", 5 * S, synced=False), line("sample", 10 * S, synced=False))
    assert offset_of(sidecar(path), {}) is None
    assert offset_in_folder(path) is None


def test_later_file_of_the_boot_tells(tmp_path: Path) -> None:
    path = say(tmp_path / "a.pcap", line("open", 5 * S, synced=False), line("close", 9 * S, synced=False))
    say(tmp_path / "b.pcap", line("open", REAL, monotonic_us=9 * S))
    assert offset_in_folder(path) == REAL - 9 * S


def test_file_of_another_boot_does_not(tmp_path: Path) -> None:
    path = say(tmp_path / "a.pcap", line("open", 5 * S, synced=False))
    say(tmp_path / "b.pcap", line("open", REAL, monotonic_us=9 * S, boot_id="another"))
    assert offset_in_folder(path) is None


def test_unsynced_lines_are_no_anchor() -> None:
    assert anchors([line("open", 5 * S, synced=False)]) == {}


def test_foreign_file_has_the_time_that_it_has(tmp_path: Path) -> None:
    assert offset_in_folder(tmp_path / "foreign.pcap") == 0
