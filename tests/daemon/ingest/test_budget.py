"""What has to go: the oldest, no more than have to, never what is written, unread only for the floor."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daemon.ingest.budget import (
    AGE,
    BYTES,
    FLOOR,
    READ,
    UNREAD,
    WRITTEN,
    Limits,
    Stored,
    ballast_of,
    floor_of,
    plan,
    to_be_thinned,
)

DAY = 86_400 * 1_000_000


def file(day: int | None, size: int = 100, state: str = READ, *, thin: bool = False) -> Stored:
    return Stored(Path(f"day-{day}-{state}"), size, None if day is None else day * DAY, state, thin)


def going(files: list[Stored], limits: Limits, free: int = 1000) -> list[tuple[str, str]]:
    return [(each.file.path.name, each.why) for each in plan(files, limits, free).going]


def test_without_limits_nothing_goes() -> None:
    assert going([file(1), file(2, state=UNREAD), file(3, state=WRITTEN)], Limits()) == []


def test_by_age_from_the_newest_recording() -> None:
    files = [file(day) for day in (1, 2, 3, 40)] + [file(39, state=WRITTEN), file(1, state=UNREAD), file(None)]
    assert going(files, Limits(age_us=37 * DAY)) == [("day-1-read", AGE), ("day-2-read", AGE)]


def test_by_bytes_the_oldest_and_no_more_than_have_to() -> None:
    files = [file(4), file(2), file(3), file(1)]
    assert going(files, Limits(most_bytes=250)) == [("day-1-read", BYTES), ("day-2-read", BYTES)]
    assert going(files, Limits(most_bytes=400)) == []


def test_what_was_not_read_stays_for_bytes_and_age_and_that_is_told() -> None:
    files = [file(1, state=UNREAD), file(2, state=UNREAD), file(3), file(4, state=WRITTEN)]
    planned = plan(files, Limits(most_bytes=100, age_us=DAY), 0)
    assert [each.file.path.name for each in planned.going] == ["day-3-read"]
    assert planned.over == 200


def test_for_the_floor_what_was_read_goes_before_what_was_not() -> None:
    files = [file(1, state=UNREAD), file(2), file(3, state=UNREAD), file(4), file(5, state=WRITTEN)]
    planned = plan(files, Limits(floor=1250), 1000)
    assert [(each.file.path.name, each.unread) for each in planned.going] == [
        ("day-2-read", False), ("day-4-read", False), ("day-1-unread", True),
    ]  # fmt: skip
    assert planned.short == 0
    assert plan(files, Limits(floor=9000), 1000).short == 9000 - 1000 - 400


def test_what_goes_anyway_counts_for_the_floor() -> None:
    files = [file(1), file(2), file(40)]
    assert going(files, Limits(age_us=38 * DAY + 1, floor=1100)) == [("day-1-read", AGE)]


def test_a_floor_for_which_nothing_may_go() -> None:
    planned = plan([file(1), file(2)], Limits(floor=1100, gives_up=False), 1000)
    assert (planned.going, planned.short) == ((), 100)


def test_thinned_are_those_that_are_old_read_and_whole() -> None:
    files = [file(1, thin=True), file(2, state=UNREAD), file(4), file(3), file(20)]
    assert [each.path.name for each in to_be_thinned(files, Limits(thin_age_us=10 * DAY))] == [
        "day-3-read",
        "day-4-read",
    ]
    assert to_be_thinned(files, Limits()) == []


def test_on_a_small_disk_floor_and_ballast_are_small() -> None:
    assert (floor_of(1 << 30, 32 << 30), floor_of(1 << 30, 1 << 30)) == (1 << 30, (1 << 30) // 10)
    assert (ballast_of(32 << 20, 32 << 30), ballast_of(32 << 20, 4 << 20)) == (32 << 20, (4 << 20) // 20)


STORED = st.builds(
    Stored,
    st.integers(0, 10**6).map(lambda number: Path(f"{number:07}")),
    st.integers(1, 1000),
    st.none() | st.integers(0, 100 * DAY),
    st.sampled_from([WRITTEN, UNREAD, READ]),
)
LIMITS = st.builds(
    Limits,
    st.none() | st.integers(0, 5000),
    st.none() | st.integers(0, 100 * DAY),
    st.integers(0, 5000),
    st.booleans(),
)


@given(st.lists(STORED, max_size=14, unique_by=lambda each: each.path), LIMITS, st.integers(0, 5000))
def test_whatever_there_is_the_rules_hold(files: list[Stored], limits: Limits, free: int) -> None:
    planned = plan(files, limits, free)
    gone = {each.file.path for each in planned.going}
    kept = [each for each in files if each.path not in gone]
    won = sum(each.file.size for each in planned.going)
    assert len(gone) == len(planned.going)
    assert not [each for each in planned.going if each.file.state == WRITTEN]
    assert all(each.why == FLOOR and limits.gives_up for each in planned.going if each.unread)
    read = [each for each in kept if each.state == READ]
    if any(each.unread for each in planned.going):
        assert not read
    if planned.over:
        assert not read
        assert _more(planned) or planned.over == sum(each.size for each in kept) - (limits.most_bytes or 0)
    if planned.short:
        assert free + won == limits.floor - planned.short
        assert not limits.gives_up or all(each.state == WRITTEN for each in kept)
    for why in (BYTES, FLOOR):  # without the last of them the limit would not hold
        last = [each for each in planned.going if each.why == why][-1:]
        for each in last:
            total = sum(other.size for other in kept) + each.file.size
            assert (total > (limits.most_bytes or 0)) if why == BYTES and not _more(planned) else True
            assert (free + won - each.file.size < limits.floor) if why == FLOOR else True


def _more(planned: object) -> bool:
    """Whether files went for the floor after those that went for the number of bytes."""
    return any(each.why == FLOOR for each in planned.going)  # type: ignore[attr-defined]  # a Plan
