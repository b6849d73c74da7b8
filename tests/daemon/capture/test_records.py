from __future__ import annotations

import struct
from array import array
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daemon.capture.records import EMPTY, Batch, batch_of, file_header, records_of
from tests.support.recording import SECOND, batch, records_in

PACKETS = st.lists(st.tuples(st.integers(0, 2**32 * SECOND - 1), st.binary(max_size=90)), max_size=12)


def of(packets: list[tuple[int, bytes]]) -> Batch:
    meta = b""
    data = b""
    for time_us, packet in packets:
        meta += struct.pack("=IIII", time_us // SECOND, time_us % SECOND, len(data), len(packet))
        data += packet
    return batch_of(data, meta)


@given(PACKETS, st.integers(64, 100))
def test_records_are_the_packets(packets: list[tuple[int, bytes]], snaplen: int) -> None:
    records = records_of(of(packets), snaplen)
    at = 0
    for end, (time_us, packet) in zip(records.ends, packets, strict=True):
        kept = packet[:snaplen]
        head = struct.pack("=IIII", time_us // SECOND, time_us % SECOND, len(kept), len(packet))
        assert records.data[at:end] == head + kept
        at = end
    assert at == len(records.data)


@given(PACKETS, st.integers(0, 2**32 * SECOND))
def test_a_border_parts_packets_and_keeps_their_order(packets: list[tuple[int, bytes]], border_us: int) -> None:
    old, new = of(packets).split(lambda time_us: time_us < border_us)
    sides = [(time_us < border_us, time_us, packet) for time_us, packet in packets]
    for side, is_old in ((old, True), (new, False)):
        mine = [(time_us, packet) for was_old, time_us, packet in sides if was_old is is_old]
        assert records_of(side, 100) == records_of(of(mine), 100)
        assert side.times_us() == [time_us for time_us, _ in mine]


@given(PACKETS, st.integers(0, 2000))
def test_whole_records_in_the_part_that_was_written(packets: list[tuple[int, bytes]], length: int) -> None:
    records = records_of(of(packets), 100)
    number, end = records.whole(length)
    assert end <= length or not number
    assert number == sum(e <= length for e in records.ends)


def test_a_file_of_them_is_a_pcap_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(file_header(1, 262_144) + records_of(batch([5, 6]), 262_144).data)
    assert [(time_us, wire) for time_us, wire, _ in records_in(path)] == [(5, 60), (6, 60)]


def test_a_batch_that_is_not_split_is_not_copied() -> None:
    whole = batch([1, 2, 3])
    assert whole.split(lambda _: True) == (whole, EMPTY)
    assert whole.split(lambda _: False)[1] is whole
    assert len(EMPTY) == 0
    assert records_of(EMPTY, 64).ends == array("Q")
