from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.capture import clock as clocks
from daemon.capture.clock import JUMP_US, Reading, SystemClock, jump_between, kernel_says_synced

TIMES = st.integers(0, 4_000_000_000_000_000)


@given(TIMES, TIMES, st.integers(0, 86_400_000_000))
def test_time_that_goes_by_is_no_jump(wall_us: int, monotonic_us: int, passed_us: int) -> None:
    before = Reading(wall_us, monotonic_us)
    assert jump_between(before.anchor_us, Reading(wall_us + passed_us, monotonic_us + passed_us)) is None


@given(TIMES, st.integers(-(10**15), 10**15), st.integers(0, 200_000))
def test_a_jump_says_how_far_and_which_packets_were_before_it(wall_us: int, offset_us: int, passed_us: int) -> None:
    before = Reading(wall_us, 77)
    after = Reading(wall_us + passed_us + offset_us, 77 + passed_us)
    jump = jump_between(before.anchor_us, after)
    if abs(offset_us) <= JUMP_US:
        assert jump is None
        return
    assert jump is not None
    assert jump.offset_us == offset_us
    for old_us in (wall_us, wall_us + passed_us):
        assert jump.is_old(old_us)
    for new_us in (after.wall_us, after.wall_us - passed_us):
        assert not jump.is_old(new_us)


def test_both_clocks_of_the_machine_are_read_at_one_instant() -> None:
    clock = SystemClock()
    first, second = clock.read(), clock.read()
    assert abs(first.wall_us - time.time_ns() // 1000) < 60_000_000
    assert second.monotonic_us >= first.monotonic_us
    assert jump_between(first.anchor_us, second) is None
    assert len(clock.boot_id) == 36


def test_a_clock_that_was_set_once_stays_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(clocks, "kernel_says_synced", lambda: False)
    clock = SystemClock(timesyncd=mark)
    assert not clock.synced()
    mark.touch()
    assert clock.synced()
    mark.unlink()
    assert clock.synced()


@pytest.mark.parametrize(("says", "synced"), [(True, True), (False, False), (None, False)])
def test_the_kernel_is_asked(says: bool | None, synced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "kernel_says_synced", lambda: says)
    assert SystemClock(timesyncd=tmp_path / "none").synced() is synced


def test_a_trusted_clock_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "kernel_says_synced", lambda: False)
    assert SystemClock(trusted=True, timesyncd=tmp_path / "none").synced()
    later = SystemClock(timesyncd=tmp_path / "none")
    later.trust()
    assert later.synced()


def test_asking_the_kernel_changes_nothing_and_answers() -> None:
    assert kernel_says_synced() in (True, False, None)
