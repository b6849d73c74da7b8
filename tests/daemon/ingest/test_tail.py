from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ingest import tail
from daemon.ingest.tail import Follower, series_of
from tests.support.captures import START_US, frames_of, pcap, pcap_header, pcap_record, pcapng

FRAMES = frames_of(40)
NAME = "2025-07-01_00.00.00_wlan0.pcap"
NEXT = "2025-07-02_00.00.00_wlan0.pcap"


@pytest.fixture(autouse=True)
def handles_are_closed() -> Iterator[None]:
    folder = Path("/proc/self/fd")
    before = len(list(folder.iterdir()))
    yield
    assert len(list(folder.iterdir())) <= before


def given_by(follower: Follower) -> list[bytes]:
    out = []
    for cut in follower.cuts():
        out += [
            bytes(cut.buf[start : start + size])
            for start, size in zip(cut.offset.tolist(), cut.captured.tolist(), strict=True)
        ]
    return out


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@given(st.lists(st.integers(0, 4000), max_size=6), st.booleans())
@settings(max_examples=40)
def test_every_record_once_however_the_file_grows(cuts: list[int], ng: bool) -> None:
    import tempfile  # noqa: PLC0415  hypothesis and tmp_path do not go together

    data = pcapng(FRAMES) if ng else pcap(FRAMES, ">", 0xA1B23C4D)
    edges = sorted({0, *[min(cut, len(data)) for cut in cuts], len(data)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.touch()
        follower = Follower(Path(folder), None, from_start=True)
        got: list[bytes] = []
        for start, stop in pairwise(edges):
            append(path, data[start:stop])
            got += given_by(follower)
        follower.close()
    assert got == FRAMES


def test_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(pcap(FRAMES[:10])[:-3])  # the last is being written
    follower = Follower(tmp_path, None, from_start=False)
    assert given_by(follower) == []
    append(path, pcap(FRAMES[:12])[len(pcap(FRAMES[:10])) - 3 :])
    assert given_by(follower) == FRAMES[9:12]
    follower.close()


@pytest.mark.parametrize("torn", [0, 1, 15, 16, 17, 60])
def test_from_now_on_in_a_large_file(tmp_path: Path, torn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning is not read: there stands something that would be found broken."""
    monkeypatch.setattr(tail, "_LAST_PART", 5000)
    every = frames_of(500)
    data = bytearray(pcap(every, step_us=100_000))
    place = len(data) // 2
    data[place : place + 400] = b"\xff" * 400
    path = tmp_path / NAME
    path.write_bytes(data[: len(data) - torn] if torn else data)
    follower = Follower(tmp_path, None, from_start=False)
    assert given_by(follower) == []
    append(path, bytes(data[len(data) - torn :]) if torn else b"")
    more = pcap_record(b"later" * 20, START_US + 900_000_000)
    append(path, more)
    assert given_by(follower) == ([every[-1]] if torn else []) + [b"later" * 20]
    follower.close()


def test_a_large_file_in_whose_end_no_record_is_found_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_LAST_PART", 100)  # less than a record
    path = tmp_path / NAME
    path.write_bytes(pcap(frames_of(100, 200)))
    follower = Follower(tmp_path, None, from_start=False)
    assert given_by(follower) == []
    append(path, pcap_record(b"later" * 20))
    assert given_by(follower) == [b"later" * 20]
    follower.close()


def test_over_a_rotation(tmp_path: Path) -> None:
    old, new = tmp_path / NAME, tmp_path / NEXT
    old.write_bytes(pcap(FRAMES[:5]))
    follower = Follower(tmp_path, None, from_start=True)
    assert given_by(follower) == FRAMES[:5]
    append(old, pcap_record(FRAMES[5]))
    new.write_bytes(pcap_header()[:10])
    assert given_by(follower) == [FRAMES[5]]
    append(old, pcap_record(FRAMES[6]))  # the new file is not begun as long as its header is not whole
    assert given_by(follower) == [FRAMES[6]]
    new.write_bytes(pcap([FRAMES[7]]))
    append(old, pcap_record(b"last" * 15))
    assert given_by(follower) == [b"last" * 15, FRAMES[7]]
    assert follower.path == new
    append(new, pcap_record(FRAMES[8]))
    assert given_by(follower) == [FRAMES[8]]
    follower.close()


def test_a_file_that_is_deleted_is_read_on_until_there_is_another(tmp_path: Path) -> None:
    old = tmp_path / NAME
    old.write_bytes(pcap(FRAMES[:2]))
    follower = Follower(tmp_path, None, from_start=True)
    assert given_by(follower) == FRAMES[:2]
    with old.open("ab") as file:
        old.unlink()
        file.write(pcap_record(FRAMES[2]))
    assert given_by(follower) == [FRAMES[2]]
    (tmp_path / NEXT).write_bytes(pcap(FRAMES[3:4]))
    assert given_by(follower) == [FRAMES[3]]
    follower.close()


def test_the_newest_of_the_interface_that_is_meant(tmp_path: Path) -> None:
    for place, name in enumerate(
        ("2025-07-01_00.00.00_wlan0.pcap", "2025-07-01_00.00.00_wlan0_2.pcap", "unsynced-abcd1234-1_eth0.pcap")
    ):
        (tmp_path / name).write_bytes(pcap([FRAMES[place]]))
        os.utime(tmp_path / name, (place, place))
    (tmp_path / f"{NAME}.meta.jsonl").write_text("{}")
    (tmp_path / ".hidden.pcap").write_bytes(pcap([FRAMES[9]]))
    (tmp_path / "notes.txt").write_text("no capture")
    for interface, expected in ((None, 2), ("wlan0", 1), ("eth0", 2)):
        follower = Follower(tmp_path, interface, from_start=True)
        assert given_by(follower) == [FRAMES[expected]]
        follower.close()


def test_another_interface_s_next_file_is_not_the_next(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES[:1]))
    follower = Follower(tmp_path, None, from_start=True)
    assert given_by(follower) == FRAMES[:1]
    (tmp_path / "2025-07-02_00.00.00_eth0.pcap").write_bytes(pcap(FRAMES[5:6]))
    assert given_by(follower) == []
    (tmp_path / NEXT).write_bytes(pcap(FRAMES[1:2]))
    assert given_by(follower) == FRAMES[1:2]
    follower.close()


def test_nothing_there_yet(tmp_path: Path) -> None:
    follower = Follower(tmp_path, None, from_start=False)
    assert given_by(follower) == []
    assert follower.path is None
    (tmp_path / NAME).write_bytes(pcap([], link=113))
    assert given_by(follower) == []
    assert follower.form is not None
    assert follower.form.links == (113,)
    follower.close()


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("2025-07-01_00.00.00_wlan0.pcap", "wlan0"),
        ("2025-07-01_00.00.00_wlan0_2.pcap", "wlan0"),
        ("2025-07-01_00.00.00_br-lan.10.pcap", "br-lan.10"),
        ("unsynced-0a1b2c3d-1_wlan0.pcap", "wlan0"),
        ("monday.pcap", ""),
    ],
)
def test_the_interface_that_a_name_says(name: str, series: str) -> None:
    assert series_of(Path(name)) == series
