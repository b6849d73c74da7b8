from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.fragments import (
    MAX_AGE_US,
    MAX_BYTES,
    MAX_DATAGRAMS,
    MAX_PARTS,
    MAX_SIZE,
    Fragment,
    Fragments,
    Key,
    Origin,
)

KEY = Key(4, b"\x0a\0\0\1", b"\x0a\0\0\2", 17, 7)
ORIGIN = Origin(17, 17, 53, 4000)
MORE, LAST = True, False
BODY = bytes(range(256)) * 4


def cut(body: bytes, size: int) -> list[Fragment]:
    return [
        Fragment(i, i + size < len(body), len(body[i : i + size]), body[i : i + size])
        for i in range(0, len(body), size)
    ]


def feed(fragments: Fragments, parts: list[Fragment], key: Key = KEY, time_us: int = 0) -> list[bytes]:
    found = []
    for part in parts:
        _, whole = fragments.add(key, part, time_us, None if part.offset else ORIGIN)
        if whole is not None:
            found.append(whole)
    return found


@given(st.sampled_from([8, 16, 104, 512]), st.randoms(use_true_random=False))
def test_any_order_with_duplicates_gives_the_datagram_once(size: int, rng: random.Random) -> None:
    parts = cut(BODY, size)
    extra = rng.choices(parts[:-1], k=3)
    mixed = parts[:-1] + extra
    rng.shuffle(mixed)
    fragments = Fragments()
    assert feed(fragments, [*mixed, parts[-1]]) == [BODY]
    assert fragments.held == 0


def test_bytes_that_came_first_win() -> None:
    fragments = Fragments()
    parts = [
        Fragment(8, MORE, 16, b"B" * 16),
        Fragment(0, MORE, 32, b"a" * 32),  # only 0-8 and 24-32 are still open
        Fragment(32, LAST, 4, b"cccc"),
    ]
    assert feed(fragments, parts) == [b"a" * 8 + b"B" * 16 + b"a" * 8 + b"cccc"]


def test_first_part_cannot_be_replaced_either() -> None:
    fragments = Fragments()
    fragments.add(KEY, Fragment(0, MORE, 8, b"\0" * 8), 0, ORIGIN)
    known, _ = fragments.add(KEY, Fragment(0, MORE, 8, b"\1" * 8), 0, Origin(17, 17, 1, 1))
    assert known == ORIGIN


def test_origin_reaches_parts_behind_the_first_and_late_duplicates() -> None:
    fragments = Fragments()
    parts = cut(BODY, 512)
    assert fragments.add(KEY, parts[1], 0, None) == (None, None)
    assert fragments.add(KEY, parts[0], 0, ORIGIN) == (ORIGIN, BODY)
    assert fragments.add(KEY, parts[1], 0, None) == (ORIGIN, None)


def test_identification_used_again_is_a_new_datagram() -> None:
    fragments = Fragments()
    other = BODY[::-1]
    assert feed(fragments, cut(BODY, 512)) == [BODY]
    later = Origin(17, 17, 9, 9)
    first, last = cut(other, 512)
    assert fragments.add(KEY, first, 5, later) == (later, None)
    assert fragments.add(KEY, last, 5, None) == (later, other)


def test_fragment_cut_by_the_snaplen_leaves_a_hole() -> None:
    fragments = Fragments()
    first, last = cut(BODY, 512)
    assert feed(fragments, [first._replace(data=first.data[:100]), last]) == []
    assert feed(fragments, [first]) == [BODY]  # the same part, whole this time, fills it


def test_part_with_others_behind_it_ends_on_eight_bytes() -> None:
    fragments = Fragments()
    assert feed(fragments, [Fragment(0, MORE, 13, b"a" * 13), Fragment(8, LAST, 3, b"bbb")]) == [b"a" * 8 + b"bbb"]


def test_a_last_part_before_held_bytes_is_not_believed() -> None:
    fragments = Fragments()
    parts = [Fragment(16, MORE, 8, b"c" * 8), Fragment(8, LAST, 4, b"xxxx"), Fragment(0, MORE, 16, b"a" * 16)]
    assert feed(fragments, parts) == []
    assert feed(fragments, [Fragment(24, LAST, 1, b"d")]) == [b"a" * 16 + b"c" * 8 + b"d"]


def test_bytes_behind_the_known_end_are_not_kept() -> None:
    fragments = Fragments()
    feed(fragments, [Fragment(8, LAST, 8, b"b" * 8), Fragment(16, MORE, 64, b"x" * 64)])
    assert fragments.held == 8
    assert feed(fragments, [Fragment(0, MORE, 8, b"a" * 8)]) == [b"a" * 8 + b"b" * 8]


def test_a_datagram_cannot_pass_its_size() -> None:
    fragments = Fragments()
    assert feed(fragments, [Fragment(65528, LAST, 64, b"x" * 64)]) == []
    assert fragments.held == 0
    whole = bytes(MAX_SIZE)
    assert feed(fragments, cut(whole, 1480)) == [whole]


@pytest.mark.parametrize("step", [MAX_AGE_US + 1, -MAX_AGE_US - 1])
def test_old_datagrams_are_forgotten_by_packet_time(step: int) -> None:
    fragments = Fragments()
    first, last = cut(BODY, 512)
    fragments.add(KEY, first, 10**15, ORIGIN)
    assert fragments.add(KEY, last, 10**15 + step, None) == (None, None)
    assert fragments.count == 1


def test_flood_of_datagrams_is_bounded_and_the_oldest_goes() -> None:
    fragments = Fragments()
    first, last = cut(BODY, 512)
    for ident in range(MAX_DATAGRAMS + 10):
        fragments.add(KEY._replace(identification=ident), first, ident, ORIGIN)
    assert fragments.count == MAX_DATAGRAMS
    assert fragments.add(KEY._replace(identification=MAX_DATAGRAMS + 9), last, 999, None)[1] == BODY
    assert fragments.add(KEY._replace(identification=0), last, 999, None) == (None, None)


def test_flood_of_bytes_and_of_parts_is_bounded() -> None:
    fragments = Fragments()
    for ident in range(40):
        fragments.add(KEY._replace(identification=ident), Fragment(0, MORE, 65520, bytes(65520)), 0, ORIGIN)
        assert fragments.held <= MAX_BYTES
    tiny = Fragments()
    for i in range(1000):
        tiny.add(KEY, Fragment(16 * i, MORE, 8, bytes(8)), 0, None)
    assert tiny.held == 8 * MAX_PARTS


actions = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 12).map(lambda n: 8 * n),
        st.booleans(),
        st.binary(max_size=40),
        st.integers(0, 3),
        st.integers(0, 40_000_000),
    ),
    max_size=30,
)


@given(actions, actions)
def test_state_goes_through_json_and_on_as_if_nothing_happened(
    before: list[tuple[int, int, bool, bytes, int, int]], after: list[tuple[int, int, bool, bytes, int, int]]
) -> None:
    def run(fragments: Fragments, steps: list[tuple[int, int, bool, bytes, int, int]]) -> list[object]:
        out: list[object] = []
        for ident, offset, more, data, lost, time_us in steps:
            part = Fragment(offset, more, len(data) + lost, data)
            key = KEY._replace(identification=ident)
            out.append(fragments.add(key, part, time_us, None if offset else ORIGIN))
        return out

    straight = Fragments()
    run(straight, before)
    resumed = Fragments.from_state(json.loads(json.dumps(straight.state())))
    assert resumed.held == straight.held
    assert run(resumed, after) == run(straight, after)
    assert resumed.state() == straight.state()


@given(actions)
def test_a_whole_datagram_is_made_of_the_bytes_that_came(steps: list[tuple[int, int, bool, bytes, int, int]]) -> None:
    """Against the obvious model: one dictionary of bytes by position for each datagram."""
    fragments = Fragments()
    model: dict[int, int] = {}
    total: int | None = None
    for _, offset, more, data, lost, _ in steps:
        size = len(data) + lost
        kept = size - size % 8 if more else size
        end = offset + kept
        if total is not None:
            end = min(end, total)
        elif not more:
            if model and end <= max(model):
                end = offset
            else:
                total = end
        for position in range(offset, min(end, offset + len(data))):
            model.setdefault(position, data[position - offset])
        _, whole = fragments.add(KEY, Fragment(offset, more, size, data), 0, None)
        expected = None if total is None or len(model) != total else bytes(model[i] for i in range(total))
        assert whole == expected
        if whole is not None:
            model, total = {}, None
