from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.merge import Cut
from daemon.decode.pcap_writing import OtherLinkError, PcapngWriter, PcapWriter, Writer
from tests.support.captures import START_US, frames_of, read

Packet = tuple[int, int, int, bytes]  # time in nanoseconds, link, original length, frame


def cut(packets: list[Packet]) -> Cut:
    buf = b"".join(frame for *_, frame in packets)
    sizes = np.array([len(frame) for *_, frame in packets], np.int64)
    return Cut(
        memoryview(buf),
        np.cumsum(sizes) - sizes,
        sizes,
        np.array([wire for _, _, wire, _ in packets], np.int64),
        np.array([time for time, *_ in packets], np.int64),
        np.array([link for _, link, *_ in packets], np.int32),
    )


def written(writer: Writer, *cuts: list[Packet]) -> bytes:
    return writer.head() + b"".join(writer.packets(cut(each)) for each in cuts)


packets = st.lists(
    st.tuples(
        st.integers(1, (1 << 32) * 1_000_000_000 - 1),
        st.just(1),
        st.integers(1, 70_000),
        st.binary(min_size=1, max_size=90),
    ),
    max_size=8,
)


@given(packets, packets, st.booleans(), st.booleans())
def test_what_is_written_is_read_again(one: list[Packet], other: list[Packet], nano: bool, ng: bool) -> None:
    data = written(PcapngWriter(nano=nano) if ng else PcapWriter(1, nano=nano), one, other)
    found = read(data)
    assert not found.damage
    assert [
        (row.time_us, row.link, row.wire, frame) for row, frame in zip(found.rows, found.frames(data), strict=True)
    ] == [(time // 1000, link, wire, frame) for time, link, wire, frame in one + other]


def test_nanoseconds_stand_in_the_record() -> None:
    time = START_US * 1000 + 789
    assert written(PcapWriter(1, nano=True), [(time, 1, 4, b"abcd")])[28:32] == (789).to_bytes(4, "little")
    assert written(PcapWriter(1, nano=False), [(time, 1, 4, b"abcd")])[28:32] == bytes(4)


def test_times_that_pcap_cannot_hold_become_the_nearest() -> None:
    data = written(PcapWriter(1, nano=False), [(-5, 1, 60, bytes(60)), (1 << 62, 1, 60, b"x" * 60)])
    assert [row.time_us for row in read(data).rows] == [0, (1 << 32) * 1_000_000 - 1]


def test_another_link_type_is_refused_by_pcap_and_described_by_pcapng() -> None:
    mixed = [(START_US * 1000, link, 60, bytes([link]) * 60) for link in (1, 113, 1)]
    with pytest.raises(OtherLinkError) as caught:
        written(PcapWriter(1, nano=False), mixed)
    assert caught.value.link == 113
    data = written(PcapngWriter(nano=False), mixed, mixed)
    assert [row.link for row in read(data).rows] == [1, 113, 1] * 2
    assert data.count(b"\x01\0\0\0\x20\0\0\0") == 2  # interface descriptions


@pytest.mark.skipif(not shutil.which("capinfos"), reason="no capinfos here to read it")
@pytest.mark.parametrize("nano", [False, True])
@pytest.mark.parametrize("ng", [False, True])
def test_wireshark_s_tools_read_it(tmp_path: Path, nano: bool, ng: bool) -> None:
    frames = [(START_US * 1000 + n * 1001, 1, len(frame), frame) for n, frame in enumerate(frames_of(5))]
    path = tmp_path / "out"
    path.write_bytes(written(PcapngWriter(nano=nano) if ng else PcapWriter(1, nano=nano), frames))
    said = subprocess.run(["capinfos", "-M", "-c", "-t", "-E", path], capture_output=True, text=True, check=True).stdout
    assert "Number of packets:   5" in said
    assert "ether" in said
    assert ("pcapng" in said) == ng
