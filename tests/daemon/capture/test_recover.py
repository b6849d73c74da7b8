from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.capture.recover import BusyError, recover, was_synced
from daemon.decode.sidecar import SUFFIX, parse_lines
from tests.support.recording import BOOT, SECOND, Bench, FakeClock, files_in, lines_of, times_in


def kill(bench: Bench) -> Path:
    """End a recorder as SIGKILL does: nothing is said, the locks are gone."""
    recording = bench.recorder.current
    assert recording is not None
    bench.wait_for_disk()
    bench.recorder._flusher.close()
    recording.close()
    return recording.path


def test_a_start_says_of_files_that_a_kill_left_that_they_are_complete(tmp_path: Path) -> None:
    clock = FakeClock()
    bench = Bench(tmp_path, clock=clock)
    sent = [bench.packet()]
    path = kill(bench)
    content = path.read_bytes()
    clock.pass_by(60)
    assert recover(tmp_path, "wlan0", clock) == [path]
    close = lines_of(path)[-1]
    assert (close.event, close.more, close.on_disk, close.time_us) == (
        "close", {"reason": "killed"}, len(content), clock.wall_us)  # fmt: skip
    assert path.read_bytes() == content
    assert times_in(path) == sent
    assert recover(tmp_path, "wlan0", clock) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1000), st.binary(max_size=20).filter(lambda raw: b"\n" not in raw))
def test_a_sidecar_torn_anywhere_is_ended_by_a_line_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    clock = FakeClock()
    bench = Bench(folder, clock=clock)
    bench.idle(21)
    path = kill(bench)
    sidecar = path.with_name(path.name + SUFFIX)
    whole = sidecar.read_bytes()
    first = whole.index(b"\n") + 1
    torn = whole[: max(first, len(whole) - cut)] + garbage
    sidecar.write_bytes(torn)
    recover(folder, "wlan0", clock)
    after = sidecar.read_bytes()
    assert after.startswith(torn)
    assert parse_lines(after).lines[-1].event == "close"


def test_a_file_that_is_being_written_is_not_ended_by_another_start(tmp_path: Path) -> None:
    clock = FakeClock()
    bench = Bench(tmp_path, clock=clock)
    with pytest.raises(BusyError, match="another process"):
        recover(tmp_path, "wlan0", clock)
    assert recover(tmp_path, "eth0", clock) == []
    bench.end()


def test_a_start_with_a_set_clock_dates_the_files_of_this_boot_alone(tmp_path: Path) -> None:
    for boot in (BOOT, "ffffffff-1"):
        clock = FakeClock(wall_us=5 * SECOND, is_synced=False, boot_id=boot)
        bench = Bench(tmp_path, clock=clock)
        bench.packet()
        bench.end()
    later = FakeClock(wall_us=1_767_225_600 * SECOND, monotonic_us=clock.monotonic_us + 90 * SECOND)
    recover(tmp_path, "wlan0", later)
    recover(tmp_path, "wlan0", later)
    mine, other = files_in(tmp_path)
    offset_us = 1_767_225_600 * SECOND - 90 * SECOND - 5 * SECOND
    assert [line.more for line in lines_of(mine) if line.event == "sync"] == [{"offset_us": offset_us}]
    assert lines_of(other)[-1].event == "close"


def test_files_of_others_are_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "holiday.pcap").write_bytes(b"x")
    (tmp_path / f"holiday.pcap{SUFFIX}").write_bytes(b"y")
    (tmp_path / "2026-01-01_00.00.00_wlan0.pcap").write_bytes(b"without a sidecar")
    (tmp_path / "2026-01-01_00.00.01_wlan0.pcap").write_bytes(b"empty sidecar")
    (tmp_path / f"2026-01-01_00.00.01_wlan0.pcap{SUFFIX}").write_bytes(b"")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert recover(tmp_path, "wlan0", FakeClock()) == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_an_earlier_start_of_this_boot_knew_of_the_clock_is_remembered(tmp_path: Path) -> None:
    assert not was_synced(tmp_path, "wlan0", BOOT)
    Bench(tmp_path, clock=FakeClock(is_synced=False)).end()
    assert not was_synced(tmp_path, "wlan0", BOOT)
    Bench(tmp_path).end()
    newest = tmp_path / f"2026-01-01_01.00.00_wlan0.pcap{SUFFIX}"
    os.utime(newest, (2_000_000_000, 2_000_000_000))
    assert was_synced(tmp_path, "wlan0", BOOT)
    assert not was_synced(tmp_path, "wlan0", "another boot")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(1, 120), st.floats(0, 1), st.booleans())
def test_a_power_cut_costs_five_seconds_of_packets_at_most(
    tmp_path_factory: pytest.TempPathFactory,
    turns: int,
    kept: float,
    slow: bool,
) -> None:
    """All that fdatasync had not confirmed is gone; of the sidecar a part of what came later may be there."""
    folder = tmp_path_factory.mktemp("power")
    clock = FakeClock()
    bench = Bench(folder, clock=clock)
    sent = []
    for _ in range(turns):
        clock.pass_by(0.25)
        sent.append(bench.packet())
        if not slow:
            bench.wait_for_disk()
    path = kill(bench)
    sidecar = path.with_name(path.name + SUFFIX)
    os.truncate(path, bench.disk.safe.get(str(path), 0))
    safe = bench.disk.safe.get(str(sidecar), 0)
    os.truncate(sidecar, safe + round(kept * (sidecar.stat().st_size - safe)))
    size = path.stat().st_size
    said = parse_lines(sidecar.read_bytes()).lines
    assert all(line.on_disk <= size for line in said)
    recover(folder, "wlan0", clock)
    found = times_in(path) if size else []
    assert found == sent[: len(found)]
    if not slow:  # time of the test flies: a disk that was not waited for is as if it were seconds late
        assert clock.wall_us - max(found, default=sent[0]) <= 5_500_000
    after = parse_lines(sidecar.read_bytes()).lines
    assert not after or (after[-1].event, after[-1].on_disk) == ("close", size)
    if found:
        assert after[0].event == "open", "a file with packets always says of which boot it is"
