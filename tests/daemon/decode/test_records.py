from __future__ import annotations

import numpy as np
import pytest

from daemon.decode.framing import Damage
from daemon.decode.pcap import ZEROS
from daemon.decode.records import gather, join_columns, no_columns, words_at
from tests.support.captures import frames_of, pcap, pcap_record, read

DATA = bytes(range(32))


@pytest.mark.parametrize("order", ["<", ">"])
def test_words_from_any_byte_position(order: str) -> None:
    name = "little" if order == "<" else "big"
    expected = [int.from_bytes(DATA[at : at + 4], name) for at in range(29)]  # type: ignore[arg-type]  # a literal
    assert words_at(DATA, 0, 29, order).tolist() == expected
    rows = gather(DATA, np.array([24, 3], np.int64), 8, order)
    assert rows.tolist() == [[expected[24], expected[28]], [expected[3], expected[7]]]


def test_no_offsets_no_rows() -> None:
    assert gather(b"", np.empty(0, np.int64), 16, "<").shape == (0, 4)
    assert len(join_columns([]).offset) == len(no_columns().link) == 0


def test_records_between_many_damaged_places_are_all_found() -> None:
    records = b"".join(pcap_record(frame) for frame in frames_of(3))
    head = pcap([])
    data = head + (records + bytes(16)) * 200
    reading = read(data)
    assert len(reading.rows) == 600
    step = len(records) + 16
    assert reading.damage == [Damage(len(head) + step * i - 16, 16, ZEROS) for i in range(1, 201)]


def test_one_wrong_clock_reading_does_not_close_the_window() -> None:
    frames = frames_of(6)
    odd = pcap(frames) + pcap_record(frames[0], time_us=0)
    later = b"".join(pcap_record(frame) for frame in frames)
    assert len(read(odd + b"\xee" * 40 + later).rows) == 13
