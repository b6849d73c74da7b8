"""What a recording lacks, from the lines of its sidecar."""

from __future__ import annotations

from daemon.ingest.gaps import Gap, GapBook, between
from tests.support.following import line

S = 1_000_000


def gaps(*lines: object) -> list[Gap]:
    book = GapBook()
    for each in lines:
        book.add(each)  # type: ignore[arg-type]  # SidecarLine, all of them
    return book.gaps


def test_pause_is_a_gap_from_where_it_began() -> None:
    found = gaps(
        line("open", 0),
        line("pause", 12 * S, reason="the disk is full"),
        line("resume", 60 * S, lost=1234, from_us=10 * S),
    )
    assert found == [Gap(10 * S, 60 * S, "recording paused: the disk is full (1,234 packets not written)")]


def test_pause_that_lasts_to_the_end_of_the_file() -> None:
    assert gaps(line("open", 0), line("pause", 5 * S, reason="x"), line("close", 9 * S)) == [
        Gap(5 * S, 9 * S, "recording paused: x")
    ]


def test_drops_near_to_each_other_are_one_gap() -> None:
    found = gaps(
        line("open", 0),
        line("sample", 5 * S, kernel_drops=3),
        line("sample", 10 * S, kernel_drops=3, interface_drops=4),
        line("sample", 15 * S, kernel_drops=3, interface_drops=4),
        line("sample", 100 * S, kernel_drops=3, interface_drops=4),
        line("sample", 105 * S, kernel_drops=13, interface_drops=4),
    )
    assert found == [
        Gap(0, 10 * S, "7 packets dropped while recording"),
        Gap(100 * S, 105 * S, "10 packets dropped while recording"),
    ]


def test_rotation_leaves_no_gap() -> None:
    assert between(line("close", 100 * S), line("open", 100 * S + 4000), 0) is None


def test_recorder_that_was_stopped() -> None:
    gap = between(line("close", 100 * S), line("open", 160 * S), 0)
    assert gap == Gap(100 * S, 160 * S, "not recording: it was stopped")


def test_recorder_that_died() -> None:
    gap = between(line("sample", 100 * S), line("open", 160 * S), 0)
    assert gap == Gap(100 * S, 160 * S, "not recording: it had ended unexpectedly")


def test_machine_that_was_off() -> None:
    gap = between(line("sample", 100 * S), line("open", 400 * S, monotonic_us=7 * S, boot_id="other"), 0)
    assert gap == Gap(100 * S, 400 * S, "not recording: the machine was off or restarted")


def test_clock_that_was_set_forward_is_no_gap() -> None:
    assert between(line("close", 100 * S), line("open", 3700 * S, monotonic_us=100 * S + 5000), 0) is None


def test_clock_that_was_set_back_hides_no_gap() -> None:
    gap = between(line("close", 5000 * S, monotonic_us=100 * S), line("open", 1400 * S, monotonic_us=160 * S), 0)
    assert gap == Gap(1340 * S, 1400 * S, "not recording: it was stopped")
