from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode import walk
from daemon.decode.columns import SPARE, Columns, decode_columns
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner
from daemon.decode.packet import NO_MAC
from daemon.decode.sketch import BLOCK, Sketcher, address_mark, has_any, joined, mac_mark
from daemon.decode.slow import decode_frame
from tests.support.captures import pcap
from tests.support.packets import HOST_MAC, ROUTER_MAC, ethernet, ipv4, mac_int, udp

DATA = Path(__file__).parents[2] / "data"
CAPTURES = sorted(path for path in DATA.iterdir() if path.suffix in {".pcap", ".pcapng"})


def decoded(data: bytes) -> tuple[bytearray, Columns]:
    buf = bytearray(data) + bytes(SPARE)
    records = open_scanner(data).scan(buf, 0, len(data), 0, final=True)
    return buf, decode_columns(buf, records, Fragments())


def sketched(data: bytes, *, native: bool = True) -> bytes:
    buf, columns = decoded(data)
    sketcher = Sketcher(native=native)
    sketcher.add(buf, columns, int(columns.time_us.min()), int(columns.time_us.max()))
    sketcher.stand(0, len(data), None)
    (block,) = sketcher.take()
    assert block.packets == len(columns)
    return block.sketch


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_nobody_is_missed(path: Path) -> None:
    data = path.read_bytes()
    sketch = sketched(data)
    buf, columns = decoded(data)
    fragments = Fragments()
    for row in range(len(columns)):
        start = int(columns.frame_offset[row])
        # As the slow path sees each frame by itself.
        frame = bytes(buf[start : start + int(columns.wire[row])])
        packet = decode_frame(frame, len(frame), int(columns.link[row]), int(columns.time_us[row]), fragments)
        for mac in (packet.src_mac, packet.dst_mac):
            assert mac == NO_MAC or has_any(sketch, [mac_mark(mac)])
        for address in (packet.source, packet.destination):
            assert not address or has_any(sketch, [address_mark(int.from_bytes(address, "big"))])


@pytest.mark.skipif(walk.NATIVE is None, reason="the walk in C is not built here")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_the_walk_in_c_marks_the_same(path: Path) -> None:
    assert sketched(path.read_bytes(), native=True) == sketched(path.read_bytes(), native=False)


@pytest.mark.skipif(walk.NATIVE is None, reason="the walk in C is not built here")
def test_the_walk_in_c_trusts_no_argument() -> None:
    assert walk.NATIVE is not None
    held = np.zeros(65536, bool)
    ends = [np.zeros(1, np.uint64)] * 4
    link, kind = np.ones(1, np.int32), np.ones(1, np.uint8)
    for place in (-1, 9, 1 << 40):
        with pytest.raises(ValueError, match="outside"):
            walk.NATIVE.mark(bytearray(20), np.array([place]), link, kind, *ends, held)
    with pytest.raises(ValueError, match="held"):
        walk.NATIVE.mark(bytearray(20), np.array([0]), link, kind, *ends, held[:9])
    with pytest.raises(ValueError, match="link"):
        walk.NATIVE.mark(bytearray(20), np.array([0]), link.astype(np.int64), kind, *ends, held)
    with pytest.raises(TypeError):
        walk.NATIVE.mark(bytearray(20))


def test_who_was_not_there_is_rarely_in() -> None:
    frames = [ethernet(ipv4(udp(b"hi", 5000, 53), dst=f"198.51.100.{host}")) for host in range(100)]
    sketch = sketched(pcap(frames))
    assert has_any(sketch, [mac_mark(mac_int(HOST_MAC))])
    assert has_any(sketch, [mac_mark(mac_int(ROUTER_MAC))])
    others = sum(has_any(sketch, [mac_mark(0x0200_0000_1000 + other)]) for other in range(1000))
    assert others < 20


@given(st.sets(st.integers(0, 65535), max_size=200), st.integers(0, 70), st.integers(1, 20))
def test_few_and_many_marks_are_kept_and_joined(few: set[int], first: int, step: int) -> None:
    many = set(range(first, 65536, step))

    def sketch(marks: set[int]) -> bytes:
        sketcher = Sketcher()
        for mark in marks:
            sketcher._held[mark] = True
        sketcher.stand(0, 1, None)
        return sketcher.take()[0].sketch

    both = joined(sketch(few), sketch(many))
    assert len(both) <= 8192
    for held, marks in ((sketch(few), few), (sketch(many), many), (both, few | many)):
        assert len(held) == (8192 if len(marks) >= 4096 else 2 * len(marks))
        for mark in range(0, 65536, 997):
            assert has_any(held, [mark]) == (mark in marks)
        assert has_any(held, marks) == bool(marks)
    assert joined(both, both) == both


def test_blocks_follow_each_other_without_a_gap() -> None:
    buf, columns = decoded(pcap([ethernet(ipv4(udp(b"x", 1, 2)))] * 10))
    sketcher = Sketcher()
    place = 0
    blocks = []
    for step in (BLOCK // 2, BLOCK // 3, 7, 0, BLOCK * 2, BLOCK // 4):
        sketcher.add(buf, columns, 5, 9)
        sketcher.stand(place, place + step, None)
        place += step
        if step == 7:
            blocks += sketcher.take()
    blocks += sketcher.take()
    assert blocks[0].begin == 0
    assert blocks[-1].end == place
    assert [block.begin for block in blocks[1:]] == [block.end for block in blocks[:-1]]
    assert sum(block.packets for block in blocks) == 60
    assert {(block.first_us, block.last_us) for block in blocks} == {(5, 9)}
    assert sketcher.take() == []


def test_a_block_begins_with_what_its_reader_needs() -> None:
    sketcher = Sketcher()
    sketcher.stand(0, 100, "first")
    sketcher.stand(100, 200, "second")
    assert [(block.begin, block.scanner, block.packets) for block in sketcher.take()] == [(0, "first", 0)]
    sketcher.stand(200, 300, "third")
    assert [(block.begin, block.scanner) for block in sketcher.take()] == [(200, "third")]
