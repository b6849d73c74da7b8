"""Bare columns say what numpy's say: by themselves, out of a scanner, and decoded."""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import bare, pcap
from daemon.decode.columns import SPARE, Columns, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner, restore_scanner
from daemon.decode.records import Records
from daemon.decode.walk import NATIVE
from tests.support.captures import frames_of
from tests.support.captures import pcap as capture
from tests.support.chunks import Frame, chunk, every_shape

if NATIVE is None:
    pytest.skip("daemon/decode/_walk.c is not built", allow_module_level=True)

DATA = Path(__file__).parents[2] / "data"
CAPTURES = sorted(DATA.glob("*.pcap"))
CODES: tuple[bare.Code, ...] = get_args(bare.Code)
COLUMNS = ("offset", "captured", "wire", "time_us", "link")
RECORDS = list(Records._fields)


def same(one: object, other: object) -> bool:
    """Equal, whatever holds the numbers, and of a type."""
    if not isinstance(one, (memoryview, np.ndarray)):
        return bool(one == other)
    one, other = np.asarray(one), np.asarray(other)
    return bool(one.dtype == other.dtype and np.array_equal(one, other))


def unlike(one: object, other: object, names: list[str]) -> list[str]:
    return [name for name in names if not same(getattr(one, name), getattr(other, name))]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_columns_of_one_number(code: bare.Code, rows: int) -> None:
    assert same(bare.zeros(rows, code), np.zeros(rows, code))
    assert same(bare.repeated(1, rows, code), np.ones(rows, code))
    if code in "hiq":
        assert same(bare.minus_ones(rows, code), np.full(rows, -1, code))


@given(st.lists(st.integers(0, 3), max_size=50))
def test_rows_are_found_and_read(kinds: list[int]) -> None:
    for column in (np.array(kinds, np.uint8), memoryview(bytes(kinds))):
        rows = bare.places(column, 2)
        assert rows == [row for row, kind in enumerate(kinds) if kind == 2]
        assert bare.values(column, rows) == [2] * len(rows)
    flags = bare.flags(len(kinds), [row for row, kind in enumerate(kinds) if kind])
    assert flags.tolist() == [kind > 0 for kind in kinds]


@given(st.lists(st.integers(-(2**40), 2**40), max_size=20), st.integers(-(2**40), 2**40))
def test_moved_and_joined(numbers: list[int], by: int) -> None:
    array = np.array(numbers, np.int64)
    column = memoryview(array.tobytes()).cast("q")
    assert same(bare.shifted(column, by), bare.shifted(array, by))
    assert same(bare.joined([column, column[:1], column[:0]]), np.concatenate([array, array[:1]]))


def read(data: bytes, *, barely: bool, through_state: bool = False) -> Records:
    scanner = open_scanner(data, barely=barely)
    if through_state:
        scanner = restore_scanner(scanner.state(), barely=barely)
    return scanner.scan(data, 0, len(data), 0, final=True)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
@pytest.mark.parametrize("through_state", [False, True])
def test_a_scanner_finds_the_same_records(path: Path, through_state: bool) -> None:
    data = path.read_bytes()
    barely = read(data, barely=True, through_state=through_state)
    assert all(bare.is_bare(getattr(barely, name)) for name in COLUMNS)
    assert unlike(barely, read(data, barely=False), RECORDS) == []


def test_damage_and_more_records_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcap, "_AT_ONCE", 7)
    whole = capture(frames_of(40))
    damaged = whole[:900] + b"\xff" * 40 + whole[900:]
    for data in (whole, damaged, whole[:-5], whole[:24], damaged[:940]):
        barely = read(data, barely=True)
        assert all(bare.is_bare(getattr(barely, name)) for name in COLUMNS)
        assert unlike(barely, read(data, barely=False), RECORDS) == []


def test_every_shape_decodes_to_the_same() -> None:
    frames: list[Frame] = list(every_shape().values()) * 2
    random.Random(5).shuffle(frames)
    buf, records = chunk(frames)
    columns: dict[str, Any] = {name: memoryview(np.ascontiguousarray(getattr(records, name)).data) for name in COLUMNS}
    barely = records._replace(**columns)
    names = [field.name for field in fields(Columns)]
    for how in ({}, {"thorough": True}, {"native": False}):
        one, other = decode_columns(buf, barely, Fragments(), **how), decode_columns(buf, records, Fragments(), **how)
        assert unlike(one, other, names) == []
        assert bare.is_bare(one.kind) == (how.get("native") is None)
        assert one.survey() == other.survey() == other.survey(native=False)


def test_a_capture_without_records_has_columns_too() -> None:
    data = capture([])
    records = read(data, barely=True)
    assert len(decode_columns(bytearray(data) + bytes(SPARE), records, Fragments())) == 0
