"""The walks in C against their numpy twins and the slow path."""

from __future__ import annotations

import os
import random
import struct
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import columns as columns_module
from daemon.decode.columns import SPARE, Columns, decode_columns, empty_columns
from daemon.decode.cursor import DecodeError
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner
from daemon.decode.links import SUPPORTED
from daemon.decode.pcap import PcapScanner, parse_header
from daemon.decode.records import LOOKAHEAD, Damage, Records
from daemon.decode.sketch import _packed
from daemon.decode.walk import NATIVE, Native
from tests.support import captures
from tests.support.chunks import Frame, chunk, every_shape, seen
from tests.support.hostile import hostile

if NATIVE is None:
    pytest.skip("daemon/decode/_walk.c is not built", allow_module_level=True)
WALK: Native = NATIVE

CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "corpus"))
EVERY = every_shape()
LINKS = sorted({*SUPPORTED, -1, 105, 65537})
ARRAYS = [field.name for field in fields(Columns) if field.name not in ("payloads", "macs", "slow_rows")]


def differing(native: Columns, other: Columns) -> list[str]:
    """Columns that are not the same, to the last garbage."""
    arrays = [name for name in ARRAYS if not np.array_equal(getattr(native, name), getattr(other, name))]
    return arrays + [
        name for name in ("payloads", "macs", "slow_rows") if getattr(native, name) != getattr(other, name)
    ]


def assert_same_columns(buf: bytearray, records: Records) -> None:
    """The walks themselves, before the slow path fills what they leave; then with it."""
    alone, twin = empty_columns(records), empty_columns(records)
    slow, twin_slow = columns_module._common(buf, records, alone, WALK), columns_module._fast(buf, records, twin)
    assert slow.tolist() == twin_slow.tolist()
    assert differing(alone, twin) == []
    done, twin_done = (decode_columns(buf, records, Fragments(), native=native) for native in (True, False))
    assert differing(done, twin_done) == []


# --- frames


def test_every_shape_in_one_chunk() -> None:
    frames = list(EVERY.values()) * 3
    random.Random(2).shuffle(frames)
    buf, records = chunk(frames)
    assert_same_columns(buf, records)
    thorough = decode_columns(buf, records, Fragments(), thorough=True)
    assert seen(buf, decode_columns(buf, records, Fragments())) == seen(buf, thorough)


@pytest.mark.parametrize("link", LINKS)
def test_every_shape_under_every_link_type(link: int) -> None:
    buf, records = chunk([Frame(frame.data, link) for frame in EVERY.values()])
    assert_same_columns(buf, records)


@pytest.mark.parametrize("name", EVERY)
def test_a_frame_cut_anywhere(name: str) -> None:
    data, link, _ = EVERY[name]
    buf, records = chunk([Frame(data[:size], link, len(data)) for size in range(len(data) + 1)])
    assert_same_columns(buf, records)


@given(st.lists(st.builds(Frame, hostile([f.data for f in EVERY.values()], 120), st.sampled_from(LINKS),
                          st.none() | st.integers(0, 2000)), max_size=6), st.binary(max_size=20))  # fmt: skip
def test_hostile_frames(frames: list[Frame], gap: bytes) -> None:
    buf, records = chunk(frames, gap)
    if frames:
        assert_same_columns(buf, records)
    thorough = decode_columns(buf, records, Fragments(), thorough=True)
    assert seen(buf, decode_columns(buf, records, Fragments())) == seen(buf, thorough)


def test_every_byte_of_every_header_changed() -> None:
    random_bytes = random.Random(3)
    for frame in EVERY.values():
        changed = []
        for place in range(min(len(frame.data), 80)):
            data = bytearray(frame.data)
            data[place] = random_bytes.choice((0, 1, 4, 6, 8, 17, 41, 0x40, 0x45, 0x50, 0x60, 0x81, 0xFF))
            changed.append(Frame(bytes(data), frame.link, frame.wire))
        if changed:
            assert_same_columns(*chunk(changed))


def test_the_last_frame_may_end_with_the_buffer() -> None:
    for frame in EVERY.values():
        buf, records = chunk([frame], b"")
        whole = decode_columns(buf, records, Fragments())
        tight = buf[: len(frame.data)]
        assert differing(decode_columns(tight, records, Fragments()), whole) == []


def test_rows_for_the_slow_path_keep_what_they_had() -> None:
    buf, records = chunk([EVERY["vxlan"], EVERY["cut tcp header"]])
    out = empty_columns(records)
    for name in ARRAYS:
        if name not in ("time_us", "wire", "frame_offset", "link"):
            getattr(out, name)[:] = 1
    assert all(columns_module._common(buf, records, out, WALK))
    assert all((getattr(out, name) == 1).all() for name in ARRAYS[2:-2])


def arguments(count: int = 1) -> list[Any]:
    """What decode() takes, for `count` frames at the beginning of a buffer."""
    buf, records = chunk([EVERY["udp4"]] * count, b"")
    out = empty_columns(records)
    columns = [getattr(out, name) for name in (*ARRAYS[2:17],)]
    tables = [np.zeros(256, bool), np.zeros(65536, bool), np.zeros(count, bool)]
    return [buf, records.offset, records.captured, records.wire, records.link, *tables, *columns]


def test_arguments_are_those_of_the_columns() -> None:
    taken = arguments()
    assert WALK.decode(*taken) == 0
    assert (taken[8].tolist(), taken[21].tolist()) == ([1], [8])


@pytest.mark.parametrize(
    ("offset", "captured"),
    [(-1, 10), (1 << 40, 10), (0, 1 << 40), (225, 10), (2**63 - 1, 2**63 - 1), (-(2**63), 2**63 - 1)],
)
def test_a_frame_outside_the_buffer_is_refused(offset: int, captured: int) -> None:
    taken = arguments(2)
    taken[1][1], taken[2][1] = offset, captured
    with pytest.raises(ValueError, match="outside the buffer"):
        WALK.decode(*taken)


def test_the_buffer_is_let_go_whatever_happens() -> None:
    taken = arguments()
    WALK.decode(*taken)
    taken[0] += b"x"  # a bytearray that is still held cannot grow
    taken[1][0] = -1
    with pytest.raises(ValueError, match="outside the buffer"):
        WALK.decode(*taken)
    taken[0] += b"x"
    with pytest.raises(ValueError, match="wrong type or length"):
        WALK.decode(*taken[:-1], taken[-1][:0])
    taken[0] += b"x"


def test_a_negative_length_is_no_frame() -> None:
    taken = arguments()
    taken[2][0] = -(2**63)
    assert WALK.decode(*taken) == 1


@pytest.mark.parametrize("place", range(len(arguments())))
def test_wrong_arrays_are_refused(place: int) -> None:
    given = arguments(3)
    array = np.frombuffer(given[0], np.uint8) if place == 0 else given[place]
    other = np.float32 if array.dtype.itemsize == 4 else np.float64
    wrong: list[Any] = [
        None,
        7,
        array.astype(other),
        array.reshape(1, -1),
        np.zeros((len(array), 2), array.dtype)[:, 0],
    ]
    if place:
        wrong += [array[:-1], np.append(array, array[:1]), array.astype(array.dtype.newbyteorder("S"))]
        wrong += [bytes(len(array) * array.dtype.itemsize)]
        wrong[-2:-1] = [] if array.dtype.itemsize == 1 else wrong[-2:-1]
    if place > 6:
        frozen = array.copy()
        frozen.flags.writeable = False
        wrong.append(frozen)
    for each in wrong:
        taken = list(given)
        taken[place] = each
        # The first array says how many rows there are: a shorter or longer one makes the others wrong.
        with pytest.raises((TypeError, ValueError, BufferError)):
            WALK.decode(*taken)


def test_arguments_are_counted() -> None:
    with pytest.raises(TypeError, match="23 arguments"):
        WALK.decode(*arguments()[:-1])
    with pytest.raises(TypeError, match="13 arguments"):
        WALK.scan_pcap(b"")


# --- records

FRAMES = [frame.data for frame in EVERY.values()]
Form: TypeAlias = tuple[str, int, tuple[int, int]]
FORMS: list[Form] = [
    (order, magic, version)
    for order in "<>"
    for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
    for version in ((2, 2), (2, 3), (2, 4))
]

TELLING = [0, 1, 2, 9, 0x40000, 0x40001, 1 << 24, (1 << 24) + 1, 2**32 - 1]


def capture(order: str, magic: int, version: tuple[int, int], snaplen: int = 262144) -> bytes:
    """A capture whose lengths stand as its version wants them."""
    records = []
    for i, frame in enumerate(FRAMES):
        record = captures.pcap_record(frame, captures.START_US + 999 * i, len(frame) + i % 3, order, magic)
        lengths = record[12:16] + record[8:12] if version[1] < 3 + i % 2 else record[8:16]
        records.append(record[:8] + lengths + record[16:])
    return captures.pcap_header(order, magic, version, snaplen) + b"".join(records)


def columns_of(read: tuple[Any, int, str | None]) -> tuple[list[list[int]], int, str | None]:
    columns, pos, problem = read
    return [column.tolist() for column in columns], pos, problem


def assert_same_records(data: bytes, pos: int, end: int) -> tuple[list[list[int]], int, str | None]:
    """One reading in line, from a position to another."""
    scanner = PcapScanner(parse_header(data))
    native = columns_of(scanner._read(data, pos, end, end - pos))
    assert native == columns_of(scanner._read_here(data, pos, end, end - pos))
    return native


def scan(data: bytes, cuts: list[int], *, native: bool) -> tuple[list[captures.Row], list[Damage]]:
    """A whole file, as it grows to each of the cuts."""
    scanner = PcapScanner(parse_header(data), native=native)
    rows: list[captures.Row] = []
    damage: list[Damage] = []
    base = 0
    for stop in [*sorted(cuts), len(data)]:
        part = data[base : max(stop, base)]
        records = scanner.scan(part, 0, len(part), base, stop == len(data))
        rows += captures.rows_of(records, base)
        damage += records.damage
        base += records.consumed
    return rows, damage


@pytest.mark.parametrize(("order", "magic", "version"), FORMS)
def test_every_form_of_pcap(order: str, magic: int, version: tuple[int, int]) -> None:
    data = capture(order, magic, version)
    (offset, captured, *_), pos, problem = assert_same_records(data, 24, len(data))
    assert [data[at : at + size] for at, size in zip(offset, captured, strict=True)] == FRAMES
    assert (pos, problem) == (len(data), "")


@pytest.mark.parametrize(("order", "magic", "version"), FORMS)
def test_a_file_that_ends_anywhere(order: str, magic: int, version: tuple[int, int]) -> None:
    data = capture(order, magic, version)
    for end in range(24, 600):
        assert_same_records(data, 24, end)
        assert_same_records(data[:end], 24, end)


@given(st.sampled_from(FORMS), st.lists(st.tuples(st.integers(24 * 8, 900 * 8), st.booleans()), max_size=6),
       st.lists(st.integers(24, 5000), max_size=4), st.sampled_from([0, 96, 262144, 400_000]))  # fmt: skip
def test_flipped_bits(form: Form, flips: list[tuple[int, bool]], cuts: list[int], snaplen: int) -> None:
    data = bytearray(capture(*form, snaplen=snaplen))
    for bit, zeros in flips:
        if zeros:
            data[bit // 8 : bit // 8 + 16] = bytes(16)
        else:
            data[bit // 8] ^= 1 << bit % 8
    assert_same_records(bytes(data), 24, len(data))
    assert scan(bytes(data), cuts, native=True) == scan(bytes(data), cuts, native=False)


@given(st.sampled_from(FORMS), st.lists(st.sampled_from(TELLING), max_size=40), st.binary(max_size=40))
def test_headers_made_of_telling_numbers(form: Form, words: list[int], rest: bytes) -> None:
    data = captures.pcap_header(*form) + struct.pack(f"{form[0]}{len(words)}I", *words) + rest
    assert_same_records(data, 24, len(data))


@pytest.mark.parametrize("wire", [1 << 24, (1 << 24) + 1])
@pytest.mark.parametrize("captured", [0, 4, 262_144, 262_145])
def test_lengths_at_the_bounds(captured: int, wire: int) -> None:
    record = struct.pack("<IIII", 5, 5, captured, wire)
    for rest in (b"", b"abcd", bytes(262_200)):
        data = captures.pcap_header() + record + rest
        assert_same_records(data, 24, len(data))


def test_any_place_to_begin() -> None:
    data = capture(">", 0xA1B23C4D, (2, 4))
    for start in range(24, 400):
        assert_same_records(data, start, len(data))


@pytest.mark.parametrize("step", [16, 100, 700])
def test_a_reach_is_read_piece_by_piece(step: int) -> None:
    data = capture("<", 0xA1B2C3D4, (2, 4))
    scanner = PcapScanner(parse_header(data))
    offsets, at, problem = [], 24, None
    while problem is None:
        columns, at, problem = scanner._read(data, at, len(data), step)
        offsets += columns.offset.tolist()
    assert (offsets, at, problem) == (assert_same_records(data, 24, len(data))[0][0], len(data), "")


def test_where_the_arrays_are_full_the_walk_stops() -> None:
    data = capture("<", 0xA1B2C3D4, (2, 4))
    arrays = [np.zeros(3, np.int64) for _ in range(4)]
    count, pos, problem = WALK.scan_pcap(data, 24, len(data), 0, 0, 1, 16, 262_144, 1 << 24, *arrays)
    assert (count, problem) == (3, 0)
    assert pos == int(arrays[0][2] + arrays[1][2])


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, None), (0, np.zeros(9)), (1, -1), (1, 99), (2, 49), (2, 1 << 70), (2, None), (4, -1), (4, 3), (5, 0), (6, 15),
     (9, np.zeros(3, np.int32)), (10, np.zeros(2, np.int64)), (12, b"x" * 24), (11, None)],
)  # fmt: skip
def test_a_scan_with_wrong_arguments_is_refused(place: int, value: Any) -> None:  # noqa: ANN401  wrong ones of any type
    taken: list[Any] = [bytes(48), 24, 48, 0, 0, 1, 16, 262_144, 1 << 24, *(np.zeros(3, np.int64) for _ in range(4))]
    taken[place] = value
    with pytest.raises((TypeError, ValueError, BufferError, OverflowError)):
        WALK.scan_pcap(*taken)


# --- real captures


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_real_captures_read_the_same() -> None:
    count = 0
    for path in sorted(CORPUS.rglob("*.pcap*")):
        data = path.read_bytes()[:LOOKAHEAD]
        try:
            scanner = open_scanner(data[:4096])
        except DecodeError:
            continue
        if isinstance(scanner, PcapScanner):
            assert scan(data, [len(data) // 2], native=True) == scan(data, [len(data) // 2], native=False), path
        buf = bytearray(data) + bytes(SPARE)
        records = scanner.scan(buf, 0, len(data), 0, final=True)
        if len(records.offset):
            assert_same_columns(buf, records)
            count += len(records.offset)
    assert count


# --- all rows together


@given(
    st.lists(st.sampled_from([*EVERY.values()]), min_size=1, max_size=20),
    st.sampled_from(LINKS),
    st.integers(-(2**62), 2**62),
)
def test_both_surveys_are_the_same(frames: list[Frame], link: int, time_us: int) -> None:
    buf, records = chunk(frames)
    columns = decode_columns(buf, records, Fragments())
    columns.time_us[-1], columns.link[0] = time_us, link
    assert columns.survey() == columns.survey(native=False)


def test_a_survey_of_nothing_or_of_other_arrays_is_refused() -> None:
    few, many = np.zeros(1, np.int64), np.zeros(2, np.int64)
    kind, link = np.zeros(1, np.uint8), np.zeros(1, np.int32)
    for wrong in [(many, few, kind, link), (few, few, link, link), (few[:0], few[:0], kind[:0], link[:0])]:
        with pytest.raises(ValueError, match=r"wrong type|no rows"):
            WALK.survey(*wrong)
    with pytest.raises(TypeError, match="4 arguments"):
        WALK.survey(few)
    with pytest.raises(ValueError, match="held"):
        WALK.pack(np.zeros(65535, bool))
    with pytest.raises(TypeError, match="1 argument"):
        WALK.pack()


@given(st.sets(st.integers(0, 65535), max_size=40), st.sampled_from([0, 4095, 4096, 9000, 65536]))
def test_both_pack_the_same_marks(some: set[int], more: int) -> None:
    held = np.zeros(65536, bool)
    held[:more] = True
    held[list(some)] = True
    expected = _packed(held)
    assert WALK.pack(held) == expected
    assert not held.any()
