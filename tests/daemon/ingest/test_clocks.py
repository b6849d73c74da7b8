"""Files that began before the clock was set."""

from __future__ import annotations

from pathlib import Path

from daemon.ingest.clocks import anchors, offset_of
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


def test_what_no_clock_was_ever_wrong_by_is_not_believed(tmp_path: Path) -> None:
    path = say(tmp_path / "a.pcap", line("open", 5 * S, synced=False), line("sync", REAL, offset_us=1 << 62))
    assert offset_of(sidecar(path), {}) is None


def test_unsynced_lines_are_no_anchor() -> None:
    assert anchors([line("open", 5 * S, synced=False)]) == {}
