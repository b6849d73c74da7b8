"""Capture files written anew without a device: every format, damaged or not, by MAC or by address, by the file's clock."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.forget import Request, forget_device
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database
from tests.daemon.ingest.scenes import DAY, HOUR, ROUTER, SECOND, TABLET, TABLET_MAC, Frame, write
from tests.support import packets as p
from tests.support.compare import imbalance, same, views
from tests.support.forgetting import at_rest, forget, laptop, no_trace, rows, tablet
from tests.support.importing import imported
from tests.support.packets import HOST, START_US

Format = Callable[[Sequence[Frame]], bytes]
FORMATS: dict[str, Format] = {
    "day.pcap": p.pcap,
    "day.pcap.gz": lambda frames: gzip.compress(p.pcap(frames)),
    "day-ns.pcap": lambda frames: p.pcap(frames, nanosecond=True, big_endian=True),
    "day.pcapng": p.pcapng,
    "day-be.pcapng.gz": lambda frames: gzip.compress(p.pcapng(frames, big_endian=True)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_database_and_captures_agree_afterwards(tmp_path: Path, name: str) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 40001)])
    path = tmp_path / name
    path.write_bytes(FORMATS[name](frames))
    path.chmod(0o640)
    database = imported(tmp_path / "h.db", path)
    done = forget(database)
    assert (done.left, done.files) == ([], 1)
    assert done.frames == done.packets == len(tablet(START_US))
    assert path.stat().st_mode & 0o777 == 0o640
    no_trace(path, at_rest(database))
    assert sorted(tmp_path.glob(".*")) == []
    assert imbalance(database) == []
    assert same(imported(tmp_path / "fresh.db", path), database, {"device_addresses": {"first_seen_us"}}) == []
    before = views(database)
    imported(database, path)
    assert views(database) == before


def test_pcapng_with_damage_is_not_rewritten(tmp_path: Path) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 41000)])
    content = bytearray(p.pcapng(frames))
    at = content.index(b"bobs-tablet")
    content[at + 200 : at + 240] = bytes(40)
    path = tmp_path / "bad.pcapng"
    path.write_bytes(content)
    database = imported(tmp_path / "h.db", path, codes=(0, 1))
    if rows(database, "SELECT status FROM captures") != [("corrupt",)]:
        pytest.skip("the damage fell into a frame")
    (left,) = forget(database).left
    assert "cannot be rewritten (parts of this pcapng file cannot be read" in left[1]
    assert path.read_bytes() == bytes(content)
    assert imbalance(database) == []
    no_trace(at_rest(database))


def test_damaged_parts_of_a_pcap_are_not_copied(tmp_path: Path) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 41000)])
    content = bytearray(p.pcap(frames))
    at = content.index(b"bobs-tablet")
    start = content.rindex(p.mac_bytes(TABLET_MAC) + b"\x08\0", 0, at) - 6 - 16
    content[start : start + 16] = b"\xff" * 16
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    database = imported(tmp_path / "h.db", path, codes=(1,))
    done = forget(database)
    assert done.left == []
    assert done.skipped > 0
    assert imbalance(database) == []
    no_trace(path, at_rest(database))


def test_device_without_mac_is_told_by_its_address(tmp_path: Path) -> None:
    scene = [*laptop(START_US), *tablet(START_US + 5 * SECOND)[2:]]
    frames = [(at, frame[14:]) for at, frame in scene]
    path = tmp_path / "raw.pcap"
    path.write_bytes(p.pcap(frames, link=101))
    database = imported(tmp_path / "h.db", path)
    done = forget_device(database, Request("home", ((-1, TABLET),)), Knowledge())
    assert done.left == []
    assert rows(database, "SELECT address FROM device_addresses ORDER BY 1") == [(ROUTER,), (HOST,)]
    assert b"secret" not in path.read_bytes()
    assert imbalance(database) == []


def test_since_a_day_of_a_capture_whose_clock_was_set_later(tmp_path: Path) -> None:
    """The file's own times are an hour and a half early; the day begins by those of the database."""
    midnight = (START_US // DAY + 1) * DAY
    late = 90 * 60 * SECOND
    frames = [*laptop(midnight - late - HOUR), *tablet(midnight - HOUR), *tablet(midnight - late - HOUR, 43000)]
    path = write(tmp_path / "early.pcap", frames)
    with closing(open_database(tmp_path / "h.db")) as db:
        import_file(db, tmp_path / "h.db", Task(path, "home", clock_offset_us=late))
        settle_site(db, tmp_path / "h.db", "home")
    done = forget(tmp_path / "h.db", since_us=midnight)
    assert (done.left, done.frames) == ([], len(tablet(0)))
    assert imbalance(tmp_path / "h.db") == []
    assert rows(tmp_path / "h.db", "SELECT clock_offset_us, packets FROM captures") == [
        (late, len(frames) - done.frames)
    ]
    assert rows(tmp_path / "h.db", "SELECT max(last_seen_us) FROM flows")[0][0] < midnight
