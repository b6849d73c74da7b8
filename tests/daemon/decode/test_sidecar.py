from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.sidecar import EVENTS, SidecarLine, format_line, parse_lines

NUMBERS = st.integers(0, 2**62)
VALUES = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=40)
LINES = st.builds(
    SidecarLine,
    st.sampled_from(EVENTS),
    NUMBERS,
    NUMBERS,
    st.text(max_size=40),
    st.booleans(),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.dictionaries(st.sampled_from(["reason", "offset_us", "lost", "filter"]), VALUES, max_size=4),
)
SAMPLE = SidecarLine("sample", 5, 3, "boot", synced=True, on_disk=24, received=7, written=6)


@given(st.lists(LINES, max_size=5))
def test_what_is_written_is_read(lines: list[SidecarLine]) -> None:
    data = b"".join(map(format_line, lines))
    parsed = parse_lines(data)
    assert list(parsed.lines) == lines
    assert (parsed.consumed, parsed.skipped) == (len(data), 0)


@given(st.lists(LINES, min_size=1, max_size=3), st.data())
def test_a_torn_last_line_is_left_for_later(lines: list[SidecarLine], data: st.DataObject) -> None:
    whole = b"".join(map(format_line, lines))
    last = len(format_line(lines[-1]))
    cut = data.draw(st.integers(len(whole) - last, len(whole) - 1))
    parsed = parse_lines(whole[:cut])
    assert list(parsed.lines) == lines[:-1]
    assert parsed.consumed == len(whole) - last
    assert parse_lines(whole[parsed.consumed :]).lines == (lines[-1],)


@given(st.binary(max_size=300), LINES)
def test_what_a_power_cut_left_hides_nothing_behind_it(garbage: bytes, line: SidecarLine) -> None:
    parsed = parse_lines(garbage + b"\n" + format_line(line))
    assert parsed.lines[-1] == line


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert parse_lines(data).consumed <= len(data)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "melt"},
        {"event": 7},
        {"time_us": "yesterday"},
        {"time_us": None},
        {"on_disk": -1},
        {"on_disk": True},
        {"on_disk": 2**63},
        {"synced": 1},
        {"boot_id": 5},
        {"received": 1.5},
    ],
)
def test_a_line_that_says_what_cannot_be_is_passed_over(change: dict[str, object]) -> None:
    said = json.loads(format_line(SAMPLE)) | change
    parsed = parse_lines(json.dumps(said).encode() + b"\n" + format_line(SAMPLE))
    assert parsed.lines == (SAMPLE,)
    assert parsed.skipped == 1


def test_lines_of_a_later_version_are_read_as_far_as_they_are_known() -> None:
    said = json.loads(format_line(SAMPLE)) | {"weather": "fine", "list": [1]}
    (line,) = parse_lines(json.dumps(said).encode() + b"\n").lines
    assert line.on_disk == 24
    assert dict(line.more) == {"weather": "fine"}


def test_a_line_without_end_is_not_kept_in_memory_as_an_object() -> None:
    huge = b'{"event":"sample","boot_id":"' + b"x" * 100_000 + b'"}\n'
    assert parse_lines(huge).skipped == 1


def test_a_field_cannot_hide_one_that_every_line_has() -> None:
    with pytest.raises(ValueError, match="on_disk"):
        format_line(SidecarLine("sample", 1, 1, "b", synced=True, on_disk=1, more={"on_disk": 99}))


def test_an_event_nobody_knows_is_not_written() -> None:
    with pytest.raises(ValueError, match="melt"):
        format_line(SidecarLine("melt", 1, 1, "b", synced=True, on_disk=1))
