from __future__ import annotations

from collections.abc import Iterator
from heapq import merge as heap_merge

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.merge import Cut, merge

Times = list[list[int]]  # of a source, cut by cut


def cut(source: int, times: list[int], first: int) -> Cut:
    """Packets whose frames say which they are: (source, place in it)."""
    places = np.arange(first, first + len(times))
    column = np.full(len(times), source)
    return Cut(memoryview(b""), places, column, column, np.array(times, np.int64), np.ones(len(times), np.int32))


def source(number: int, cuts: Times, asked: list[int]) -> tuple[int, Iterator[Cut]]:
    def packets() -> Iterator[Cut]:
        asked.append(number)
        place = 0
        for times in cuts:
            yield cut(number, times, place)
            place += len(times)

    return min((time for times in cuts for time in times), default=0), packets()


def merged(sources: list[Times]) -> list[tuple[int, int, int]]:
    asked: list[int] = []
    given = sorted((source(number, cuts, asked) for number, cuts in enumerate(sources)), key=lambda each: each[0])
    out = []
    for part in merge(given):
        assert len(part.offset)
        out += list(zip(part.time_ns.tolist(), part.captured.tolist(), part.offset.tolist(), strict=True))
    assert sorted(asked) == list(range(len(sources)))
    return out


sorted_cuts = st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=4).map(
    lambda cuts: [sorted(times) for times in cuts]
)


def ascending(cuts: Times) -> Times:
    flat = iter(sorted(time for times in cuts for time in times))
    return [[next(flat) for _ in times] for times in cuts]


@given(st.lists(sorted_cuts.map(ascending), max_size=5))
def test_sources_in_order_give_one_order(sources: list[Times]) -> None:
    found = merged(sources)
    flat = [[time for times in cuts for time in times] for cuts in sources]
    assert [time for time, _, _ in found] == list(heap_merge(*flat))
    for number, times in enumerate(flat):
        assert [place for _, which, place in found if which == number] == list(range(len(times)))


@given(st.lists(st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=4), max_size=5))
def test_a_source_keeps_its_order_even_where_its_clock_does_not(sources: list[Times]) -> None:
    found = merged(sources)
    for number, cuts in enumerate(sources):
        flat = [time for times in cuts for time in times]
        assert [(time, place) for time, which, place in found if which == number] == list(
            zip(flat, range(len(flat)), strict=True)
        )
    assert len(found) == sum(len(times) for cuts in sources for times in cuts)


def test_of_equal_times_the_source_named_first_goes_first() -> None:
    assert [which for _, which, _ in merged([[[1, 5]], [[1, 5]], [[5]]])] == [0, 1, 0, 1, 2]


def test_a_later_source_is_not_asked_before_its_time() -> None:
    asked: list[int] = []
    parts = merge([source(0, [[1, 2], [3]], asked), source(1, [[10]], asked)])
    next(parts)
    assert asked == [0]
    next(parts)
    assert asked == [0]
    next(parts)
    assert asked == [0, 1]


def test_packets_are_chosen_by_what_is_in_them() -> None:
    data = memoryview(b"abcdef")
    whole = np.array([0, 2, 4])
    packets = Cut(data, whole, np.array([2, 2, 2]), whole, whole, np.array([1, 2, 1], np.int32))
    kept = packets.chosen(lambda link, frame: link == 1 and frame != b"ab")
    assert kept.offset.tolist() == [4]
    assert len(packets.chosen(lambda _link, _frame: False).offset) == 0
