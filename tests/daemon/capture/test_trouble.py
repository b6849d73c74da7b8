"""A recording while its disk is full, or fails: what is lost is counted, what was written is whole, and it goes on."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.capture.plan import Pace
from daemon.decode.sidecar import SidecarLine
from tests.support.recording import SECOND, Bench, FakeClock, FaultyDisk, files_in, lines_of, times_in

QUICK = Pace(retry_us=1_000_000, room=10_000)


def events(lines: list[SidecarLine]) -> list[str]:
    return [line.event for line in lines if line.event != "sample"]


def lost_so_far(bench: Bench) -> int | None:
    """Packets that a pause has cost until now; None while there is none."""
    return bench.recorder.pause.lost if bench.recorder.pause else None


def test_a_full_disk_is_a_pause_that_ends_by_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pace=QUICK)
    kept = [bench.packet() for _ in range(3) if bench.clock.pass_by(0.1)]
    bench.disk.room = bench.disk.used + 100  # one more record fits, and half of another
    bench.clock.pass_by(0.1)
    first = bench.clock.wall_us
    bench.round([first, first + 1, first + 2])
    kept.append(first)
    assert lost_so_far(bench) == 2
    assert "the disk is full" in bench.said[0]
    began_us = bench.clock.wall_us
    for _ in range(30):
        bench.clock.pass_by(0.2)
        bench.packet()
    assert times_in(files_in(tmp_path)[0]) == kept, "nothing torn while it is full"
    bench.disk.room += 5_000  # somebody frees a little: not enough to begin again
    bench.clock.pass_by(2)
    bench.round()
    assert lost_so_far(bench) is not None
    bench.disk.room += 1_000_000
    bench.clock.pass_by(1.5)
    bench.round()
    assert lost_so_far(bench) is None
    bench.clock.pass_by(0.1)
    kept.append(bench.packet())
    (file,) = bench.end()
    assert times_in(file) == kept
    lines = lines_of(file)
    assert events(lines) == ["open", "pause", "resume", "close"]
    pause, resume = (line for line in lines if line.event in ("pause", "resume"))
    assert pause.time_us == began_us
    assert pause.more == {"reason": "the disk is full"}
    assert resume.more == {"lost": 32, "from_us": began_us}
    assert (lines[-1].received, lines[-1].written) == (37, 5)
    assert [line.time_us for line in lines] == sorted(line.time_us for line in lines)


def test_a_recording_that_starts_on_a_full_disk_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path, disk=FaultyDisk(room=10), pace=QUICK)
    assert files_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    began_us = bench.clock.wall_us
    bench.clock.pass_by(1)
    bench.packet()
    bench.disk.room = None
    bench.clock.pass_by(2)
    sent = bench.packet()
    (file,) = bench.end()
    assert times_in(file) == [sent]
    first, second = lines_of(file)[:2]
    assert first.more["reason"] == "resume"
    assert second.more == {"lost": 1, "from_us": began_us}


def test_a_day_that_begins_while_the_disk_is_full(tmp_path: Path) -> None:
    clock = FakeClock(wall_us=(1_767_222_000 - 2) * SECOND)  # two seconds before midnight in Berlin
    bench = Bench(tmp_path, clock=clock, pace=QUICK)
    before = bench.packet()
    bench.disk.room = bench.disk.used
    clock.pass_by(0.5)
    bench.packet()
    for _ in range(20):
        clock.pass_by(0.5)
        bench.packet()
    bench.disk.room = None
    clock.pass_by(1)
    after = bench.packet()
    bench.idle(4)
    old, new = bench.end()
    assert times_in(old) == [before]
    assert times_in(new) == [after]
    assert events(lines_of(old)) == ["open", "pause", "close"]
    assert events(lines_of(new)) == ["open", "resume", "close"]
    assert lines_of(new)[1].more["lost"] == 21


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ESTALE], ids=errno.errorcode.__getitem__)
def test_a_file_on_which_the_disk_failed_is_given_up_and_another_begun(tmp_path: Path, number: int) -> None:
    bench = Bench(tmp_path, pace=QUICK)
    kept = [bench.packet()]
    bench.disk.faults = {bench.disk.writes + 1: number}
    bench.clock.pass_by(0.1)
    bench.packet()
    assert lost_so_far(bench) is not None
    bench.clock.pass_by(2)
    after = bench.packet()
    old, new = bench.end()
    assert times_in(old) == kept
    assert lines_of(old)[-1].more == {"reason": "failed"}
    assert lines_of(old)[-1].on_disk == 0, "nobody knows what of it is on the disk"
    assert times_in(new) == [after]
    assert lines_of(new)[1].more["lost"] == 1


def test_a_folder_that_is_taken_away_and_put_back(tmp_path: Path) -> None:
    folder, away = tmp_path / "captures", tmp_path / "away"
    folder.mkdir()
    bench = Bench(folder, pace=QUICK)
    before = [bench.packet()]
    folder.rename(away)
    bench.idle(6)  # the next look at the disk finds nothing under that name
    for _ in range(5):
        bench.clock.pass_by(1)
        bench.packet()
    assert lost_so_far(bench) == 5
    away.rename(folder)
    bench.clock.pass_by(2)
    after = bench.packet()
    old, new = bench.end()
    assert (times_in(old), times_in(new)) == (before, [after])
    assert lines_of(new)[1].more["lost"] == 5


def test_a_failed_fdatasync_is_believed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pace=QUICK, disk=FaultyDisk(sync_faults={2: errno.EIO}))
    for _ in range(20):
        bench.clock.pass_by(1)
        bench.packet()
        bench.wait_for_disk()
    old, new = bench.end()
    lines = lines_of(old)
    assert lines[-1].more == {"reason": "failed"}
    assert lines[-1].on_disk < old.stat().st_size
    assert lines[-1].on_disk == max(line.on_disk for line in lines)
    assert len(times_in(old)) + len(times_in(new)) == bench.recorder.written
    assert bench.recorder.received - bench.recorder.written == lines_of(new)[1].more["lost"]


def test_the_sidecar_waits_for_room_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pace=QUICK)
    bench.packet()
    bench.disk.room = bench.disk.used + 10  # not even a line
    bench.idle(22)
    assert lost_so_far(bench) is None
    assert events(lines_of(files_in(tmp_path)[0])) == ["open"]
    bench.disk.room = None
    bench.idle(1)
    (file,) = bench.end()
    assert events(lines_of(file)) == ["open", "close"]
    assert len(lines_of(file)) >= 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.dictionaries(
        st.integers(3, 60),
        st.integers(-150, -1) | st.sampled_from([errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR, errno.EROFS]),
        max_size=8,
    ),
    st.dictionaries(st.integers(1, 8), st.sampled_from([errno.EIO, errno.ENOSPC]), max_size=2),
    st.booleans(),
)
def test_whatever_call_fails_packets_are_written_once_or_counted_as_lost(
    tmp_path_factory: pytest.TempPathFactory,
    faults: dict[int, int],
    sync_faults: dict[int, int],
    cannot_cut: bool,
) -> None:
    folder = tmp_path_factory.mktemp("faults")
    disk = FaultyDisk(faults, sync_faults, cannot_cut=cannot_cut)
    bench = Bench(folder, disk=disk, pace=Pace(retry_us=500_000, rotate=1500, flush_us=2_000_000))
    sent = []
    for _ in range(45):
        bench.clock.pass_by(0.4)
        times = [bench.clock.wall_us + n for n in range(2)]
        bench.round(times)
        bench.wait_for_disk()
        sent += times
    recorder = bench.recorder
    files = bench.end()
    found = sorted(time for file in files for time in _whole(file, torn_allowed=cannot_cut))
    assert len(set(found)) == len(found), "a packet is in a file once"
    assert set(found) <= set(sent)
    assert len(found) == recorder.written
    assert recorder.received == len(sent)
    lost = sum(int(line.more["lost"] or 0) for file in files for line in lines_of(file) if line.event == "resume")
    still = recorder.pause.lost if recorder.pause else 0
    unwritten = recorder.received - recorder.written
    assert lost + still == unwritten or _some_sidecar_failed(files)


def _whole(path: Path, *, torn_allowed: bool) -> list[int]:
    try:
        return times_in(path)
    except (AssertionError, struct.error):
        if not torn_allowed:
            raise
        data = path.read_bytes()
        copy = path.with_name("whole")
        for cut in range(1, 80):
            copy.write_bytes(data[:-cut])
            try:
                return times_in(copy)
            except Exception:  # noqa: BLE001, S112 - longer and longer pieces of a torn record are cut off
                continue
        raise


def _some_sidecar_failed(files: list[Path]) -> bool:
    """A sidecar that the disk failed on ends without a line that says so."""
    return any(lines_of(file)[-1:] == [] or lines_of(file)[-1].event != "close" for file in files)
