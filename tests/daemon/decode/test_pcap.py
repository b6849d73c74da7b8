from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import pcap as pcap_module
from daemon.decode.cursor import DecodeError
from daemon.decode.framing import Damage, open_scanner
from daemon.decode.pcap import IMPOSSIBLE, ZEROS, PcapScanner, parse_header
from daemon.decode.records import LOOKAHEAD, TORN
from tests.support.captures import START_US, Row, frames_of, pcap, pcap_header, pcap_record, read, rows_of

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
FRAMES = frames_of(12)
PLAIN = pcap(FRAMES)
STARTS = [row.offset - 16 for row in read(PLAIN).rows]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "header"), [(MICRO, 16), (NANO, 16), (MODIFIED, 24)])
def test_every_form_gives_the_same_records(order: str, magic: int, header: int) -> None:
    data = pcap(FRAMES, order, magic)
    reading = read(data)
    assert reading.frames(data) == FRAMES
    assert [row.time_us for row in reading.rows] == [START_US + i * 1000 for i in range(len(FRAMES))]
    assert [row.wire for row in reading.rows] == [len(frame) for frame in FRAMES]
    assert reading.rows[0].offset == 24 + header
    assert reading.damage == []


def test_lengths_and_times_are_taken_as_the_file_has_them() -> None:
    data = pcap_header(link=113) + b"".join(
        (
            pcap_record(b"x" * 40, START_US, wire=1500),  # cut by the snaplen
            pcap_record(b"x" * 40, START_US, wire=20),  # captured above original: happens
            struct.pack("<IIII", 5, 2_000_003, 1, 1) + b"y",  # a fraction above a second
            struct.pack("<IIII", 0xFFFFFFFF, 0, 0, 9),  # nothing captured, the last second there is
        )
    )
    reading = read(data)
    assert [(row.captured, row.wire) for row in reading.rows] == [(40, 1500), (40, 20), (1, 1), (0, 9)]
    assert [row.time_us for row in reading.rows[2:]] == [7_000_003, 0xFFFFFFFF * 1_000_000]
    assert {row.link for row in reading.rows} == {113}
    assert reading.damage == []


def test_link_type_is_without_the_bits_above_it() -> None:
    scanner = open_scanner(pcap_header(link=0x14000001, snaplen=96))
    assert (scanner.link_types, scanner.snaplen) == ((1,), 96)


def test_before_version_2_3_the_lengths_stood_the_other_way_round() -> None:
    record = struct.pack("<IIII", 9, 5, 1500, 4) + b"abcd"
    assert read(pcap_header(version=(2, 2)) + record * 3).rows[2] == Row(24 + 2 * 20 + 16, 4, 1500, 9_000_005, 1)


def test_version_2_3_was_written_both_ways() -> None:
    both = struct.pack("<IIII", 9, 5, 1500, 4) + b"abcd" + struct.pack("<IIII", 9, 5, 4, 1500) + b"abcd"
    assert [(row.captured, row.wire) for row in read(pcap_header(version=(2, 3)) + both).rows] == [(4, 1500)] * 2


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (pcap_header()[:23], "inside the pcap file header"),
        (pcap_header(version=(3, 0)), "version 3.0"),
        (pcap_header(version=(2, 5)), "version 2.5"),
        (bytes(24), "not a pcap file"),
    ],
)
def test_a_file_header_that_cannot_be_read_is_refused(head: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        parse_header(head)


def test_a_large_snaplen_is_believed_up_to_a_mebibyte() -> None:
    frame = bytes(300_000)
    assert len(read(pcap([frame], snaplen=400_000)).rows) == 1
    assert read(pcap([frame], snaplen=0xFFFFFFFF)).rows == []
    assert read(pcap([frame])).damage == [Damage(24, 300_016, IMPOSSIBLE)]


@pytest.mark.parametrize("magic", [MICRO, MODIFIED])
def test_cut_at_any_byte_every_whole_record_is_kept(magic: int) -> None:
    whole = pcap(FRAMES[:5], magic=magic)
    rows = read(whole).rows
    for cut in range(24, len(whole)):
        data = whole[:cut]
        kept = [row for row in rows if row.offset + row.captured <= cut]
        behind = kept[-1].offset + kept[-1].captured if kept else 24
        finished = read(data)
        assert finished.rows == kept
        assert finished.damage == ([Damage(behind, cut - behind, TORN)] if cut > behind else [])
        assert read(data, final=False) == (kept, []), "a live file is waited for"
        assert read(whole, [cut]).rows == rows


def test_a_torn_record_is_not_consumed_so_that_a_longer_copy_goes_on() -> None:
    scanner = open_scanner(PLAIN)
    torn = bytearray(PLAIN[: STARTS[7] + 30])
    records = scanner.scan(torn, 0, len(torn), 0, final=True)
    assert (records.consumed, records.damage) == (STARTS[7], (Damage(STARTS[7], 30, TORN),))
    rest = PLAIN[records.consumed :]
    records = scanner.scan(rest, 0, len(rest), STARTS[7], final=True)
    assert (len(records.offset), records.damage) == (5, ())


def test_the_buffer_may_hold_other_bytes_around_the_file() -> None:
    buf = b"#" * 7 + PLAIN + b"#" * 9
    records = open_scanner(PLAIN).scan(memoryview(buf), 7, 7 + len(PLAIN), 0, final=True)
    assert [buf[o : o + c] for o, c in zip(records.offset, records.captured, strict=True)] == FRAMES
    assert records.consumed == len(PLAIN)


def test_behind_an_impossible_header_the_next_record_is_found() -> None:
    data = bytearray(PLAIN)
    data[STARTS[4] + 8 : STARTS[4] + 12] = b"\xff\xff\xff\x7f"
    reading = read(bytes(data))
    assert reading.frames(PLAIN) == FRAMES[:4] + FRAMES[5:]
    assert reading.damage == [Damage(STARTS[4], STARTS[5] - STARTS[4], IMPOSSIBLE)]


def test_zeros_in_the_middle_and_at_the_end_are_no_records() -> None:
    data = PLAIN[: STARTS[3]] + bytes(5000) + PLAIN[STARTS[3] :] + bytes(4096)
    reading = read(data)
    assert reading.frames(data) == FRAMES
    assert reading.damage == [Damage(STARTS[3], 5000, ZEROS), Damage(len(data) - 4096, 4096, ZEROS)]


def test_a_record_with_a_wrong_length_costs_itself_and_the_next() -> None:
    data = bytearray(PLAIN)
    data[STARTS[4] + 8] += 4
    reading = read(bytes(data))
    assert [row.offset - 16 for row in reading.rows] == STARTS[:5] + STARTS[6:]
    assert reading.damage == [Damage(STARTS[5] + 4, STARTS[6] - STARTS[5] - 4, IMPOSSIBLE)]


def test_an_original_length_that_no_link_carries_is_damage() -> None:
    data = PLAIN + pcap_record(b"x" * 60, START_US, wire=(1 << 24) + 1)
    assert read(data).damage == [Damage(len(PLAIN), 76, IMPOSSIBLE)]
    assert read(data[:-1]).damage == [Damage(len(PLAIN), 75, IMPOSSIBLE)]


def test_damage_behind_which_nothing_follows_reaches_to_the_end() -> None:
    data = PLAIN + b"\xee" * 1000
    assert read(data).damage == [Damage(len(PLAIN), 1000, IMPOSSIBLE)]
    assert read(data, final=False).damage == [], "more may follow"


def test_a_last_record_that_ends_with_the_file_is_enough_to_resume() -> None:
    last = pcap_record(b"z" * 77, START_US + 20_000)
    reading = read(PLAIN + b"\xee" * 501 + last)
    assert len(reading.rows) == 13
    assert len(read(PLAIN + b"\xee" * 501 + last + b"?").rows) == 12, "not with one stray byte behind it"


def test_records_of_another_year_are_not_resumed_at() -> None:
    other = b"".join(pcap_record(frame, START_US - 365 * 86_400_000_000) for frame in FRAMES)
    near = b"".join(pcap_record(frame, START_US + 86_400_000_000) for frame in FRAMES)
    reading = read(PLAIN + b"\xee" * 100 + other + b"\xee" * 100 + near)
    assert len(reading.rows) == 24
    assert reading.damage == [Damage(len(PLAIN), 200 + len(other), IMPOSSIBLE)]


def test_a_file_whose_first_record_is_broken_is_read_from_the_second() -> None:
    data = bytearray(PLAIN)
    data[24 + 8 : 24 + 12] = b"\xff" * 4
    assert read(bytes(data)).frames(PLAIN) == FRAMES[1:]


def test_lookahead_bytes_always_get_on() -> None:
    # The worst garbage: every position could be the header of a record of the largest size.
    header = pcap_record(b"", START_US)[:8] + struct.pack("<II", 262_144, 262_144)
    data = PLAIN + b"\xff" * 16 + header * (LOOKAHEAD // 16)
    scanner = open_scanner(data)
    base, scans = 0, 0
    while base + LOOKAHEAD <= len(data):
        records = scanner.scan(data, base, base + LOOKAHEAD, base, final=False)
        assert records.consumed
        base += records.consumed
        scans += 1
    assert scans >= 1


flips = st.lists(st.integers(0, (len(PLAIN) - 24) * 8 - 1), min_size=1, max_size=3)


@given(flips)
def test_flipped_bits_cost_no_record_before_them(bits: list[int]) -> None:
    data = bytearray(PLAIN)
    for bit in bits:
        data[24 + bit // 8] ^= 1 << bit % 8
    first = 24 + min(bits) // 8
    whole = [row for row in read(PLAIN).rows if row.offset + row.captured <= first]
    assert read(bytes(data)).rows[: len(whole)] == whole


damaged = st.builds(
    lambda at, garbage, cut: PLAIN[:at] + garbage + PLAIN[at + cut :],
    st.integers(24, len(PLAIN)),
    st.one_of(st.binary(max_size=200), st.just(bytes(64)), st.just(b"\xff" * 40)),
    st.integers(0, 150),
)


@given(damaged, st.lists(st.integers(0, 1200), max_size=30), st.booleans())
def test_pieces_give_what_the_whole_file_gives(data: bytes, cuts: list[int], through_state: bool) -> None:
    assert read(data, cuts, through_state=through_state) == read(data)


@given(damaged)
def test_the_walks_in_c_and_in_python_agree(data: bytes) -> None:
    here = PcapScanner(parse_header(data), native=False).scan(data, 0, len(data), 0, final=True)
    default = PcapScanner(parse_header(data)).scan(data, 0, len(data), 0, final=True)
    assert rows_of(here, 0) == rows_of(default, 0)
    assert (here.consumed, here.damage) == (default.consumed, default.damage)


@given(damaged, st.integers(0, 1200), st.lists(st.integers(0, 1200), max_size=4), st.sampled_from([1 << 15, 7, 1]))
def test_what_was_found_ahead_changes_nothing(data: bytes, first: int, ends: list[int], room: int) -> None:
    once, early = (PcapScanner(parse_header(data), barely=True) for _ in range(2))
    base = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pcap_module, "_AT_ONCE", room)
        for stop in (first, len(data)):
            part = data[base:stop]
            for end in sorted(ends):
                early.ahead(part, min(end, len(part)), base)
            found, expected = (each.scan(part, 0, len(part), base, stop == len(data)) for each in (early, once))
            assert [list(column) for column in found[:5]] == [list(column) for column in expected[:5]]
            assert found[5:] == expected[5:]
            base += found.consumed
    assert early.state() == once.state()


def test_byte_by_byte_gives_what_the_whole_file_gives() -> None:
    data = PLAIN[: STARTS[3]] + bytes(100) + PLAIN[STARTS[3] : -20]
    assert read(data, range(len(data)), through_state=True) == read(data)


@given(st.binary(max_size=3000), st.sampled_from(["<", ">"]), st.sampled_from([MICRO, NANO, MODIFIED]))
def test_any_bytes_behind_a_file_header_are_survived(garbage: bytes, order: str, magic: int) -> None:
    data = pcap_header(order, magic) + garbage
    reading = read(data)
    end = 24
    for row in reading.rows:
        assert end <= row.offset - 16
        end = row.offset + row.captured
    assert end <= len(data)
