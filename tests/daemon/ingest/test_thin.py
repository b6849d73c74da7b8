"""Old captures made thinner: every packet stays with its length, the beginnings of flows stay whole, facts do not move."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.ingest import thin as module
from daemon.ingest.thin import thin, thin_capture
from daemon.store.blocks import read_blocks
from daemon.store.database import open_database
from daemon.store.kept import read_standings
from tests.daemon.ingest.scenes import HOUR, SECOND, Frame, evening, lookup, talk, write
from tests.support import packets as p
from tests.support.captures import read
from tests.support.compare import imbalance, same, views
from tests.support.forgetting import PRIVATE, forget, no_trace, tablet
from tests.support.importing import imported
from tests.support.packets import START_US
from tests.support.taken import packets_of, taken

KEEP = 4000
NAME = "2023-11-14_00.00.00_wlan0.pcap"
FACTS_OF_FILE = {"captures": {"path", "size", "cursor"}}


def long_talk(at: int, name: str, port: int, reply: int = 60_000) -> list[Frame]:
    return talk(at, name, port=port, reply=reply)


FRAMES = sorted(
    [
        *evening(),
        *long_talk(START_US + 60 * SECOND, "video.example", 45001),
        *long_talk(START_US + 61 * SECOND, "photos.example", 45002),
        *lookup(START_US + 62 * SECOND, "after.example", "198.51.100.9"),
        *long_talk(START_US + HOUR, "again.example", 45001),  # the same ports, another connection
    ],
    key=lambda frame: frame[0],
)


def records(path: Path) -> list[tuple[int, int, bytes]]:
    """(time, original length, bytes) of every record."""
    data = path.read_bytes()
    found = read(data)
    assert not found.damage
    return [(row.time_us, row.wire, frame) for row, frame in zip(found.rows, found.frames(data), strict=True)]


def thinned(path: Path, keep: int = KEEP, database: Path | None = None) -> int:
    database = database or path.parent / "h.db"
    with closing(open_database(database)) as db:
        known = read_standings(db, [str(path)])[str(path)]
        return thin_capture(db, database, known, path, keep)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = write(tmp_path / NAME, FRAMES)
    path.chmod(0o640)
    imported(tmp_path / "h.db", path)
    return path


def test_every_packet_stays_with_its_time_and_length_and_the_rest_is_won(file: Path) -> None:
    before, size = records(file), file.stat().st_size
    status = file.stat()
    won = thinned(file)
    after = records(file)
    assert won == size - file.stat().st_size > 100_000
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert all(old[2].startswith(new[2]) for old, new in zip(before, after, strict=True))
    cut = [(old[2], new[2]) for old, new in zip(before, after, strict=True) if old[2] != new[2]]
    assert {len(new) for _, new in cut} == {14 + 20 + 20}, "Ethernet, IP and TCP headers"
    now = file.stat()
    assert (now.st_mode, now.st_gid, now.st_mtime_ns) == (status.st_mode, status.st_gid, status.st_mtime_ns)
    assert [each.name for each in file.parent.glob(".*")] == []


def test_beginnings_and_names_stay_whole(file: Path) -> None:
    thinned(file)
    content = file.read_bytes()
    for name in (b"video.example", b"photos.example", b"again.example", b"\5after\7example"):
        assert name in content
    kept: dict[tuple[bytes, ...], int] = {}
    for (_, _, new), (_, old) in zip(records(file), FRAMES, strict=True):
        if old[12:14] == b"\x08\0" and old[23] == 6:
            flow = tuple(sorted((old[26:30] + old[34:36], old[30:34] + old[36:38])))
            if old[47] & 0x12 == 0x02:
                kept[flow] = 0
            if kept[flow] < KEEP:
                assert new == old
            kept[flow] += len(old) - 54


def test_what_the_database_says_stays(file: Path) -> None:
    before = views(file.with_name("h.db"), FACTS_OF_FILE)
    thinned(file)
    database = file.with_name("h.db")
    assert views(database, FACTS_OF_FILE) == before
    assert imbalance(database) == []
    imported(database, file)
    assert views(database, FACTS_OF_FILE) == before, "the thin file is known"
    with closing(open_database(database)) as db:
        known = read_standings(db, [str(file)])[str(file)]
    assert (known.thin, known.size, known.cursor) == (True, file.stat().st_size, file.stat().st_size)


@pytest.mark.parametrize("where", ["copy.pcap", "1-before-it.pcap"])
def test_the_whole_file_is_known_when_it_comes_back(file: Path, where: str) -> None:
    database, copy = file.with_name("h.db"), file.with_name("elsewhere") / where
    copy.parent.mkdir()
    shutil.copy(file, copy)
    thinned(file)
    before = views(database)
    imported(database, copy)
    assert views(database) == before


def test_the_whole_file_in_its_old_place_is_read_from_again(file: Path) -> None:
    database, whole = file.with_name("h.db"), file.read_bytes()
    thinned(file)
    file.write_bytes(whole)
    imported(database, file)
    assert [each.frame for each in taken(database)] == [frame for _, frame in FRAMES]
    assert thinned(file) > 0
    assert imbalance(database) == []


def test_packets_are_found_in_the_thin_file_through_the_index(tmp_path: Path) -> None:
    frames = [frame for n in range(120) for frame in talk(START_US + n * HOUR, f"n{n}.example", reply=60_000)]
    path = write(tmp_path / NAME, frames)
    database = imported(tmp_path / "h.db", path)
    with closing(open_database(database)) as db:
        assert len(read_blocks(db, 1)) > 1, "or there is nothing to find"
    thinned(path)
    with closing(open_database(database)) as db:
        blocks = read_blocks(db, 1)
    assert blocks[0].begin == 0
    assert blocks[-1].end == path.stat().st_size
    assert all(one.end == other.begin for one, other in pairwise(blocks))
    since = 100 * 3600 * SECOND + START_US
    span = "--since", f"{_instant(since)}", "--until", f"{_instant(since + 60 * SECOND)}"
    wanted = [each for each in packets_of(path) if since <= each.time_us < since + 60 * SECOND]
    assert taken(database, *span) == wanted != []


def _instant(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_device_is_forgotten_from_a_thin_file(tmp_path: Path) -> None:
    frames = sorted([*FRAMES, *tablet(START_US + 5 * SECOND)], key=lambda frame: frame[0])
    path = write(tmp_path / NAME, frames)
    database = imported(tmp_path / "h.db", path)
    thinned(path)
    done = forget(database)
    assert (done.left, done.files) == ([], 1)
    assert imbalance(database) == []
    assert PRIVATE.encode() not in path.read_bytes()
    no_trace(path)
    assert "video.example" in str(views(database)["hellos"])


def test_killed_before_the_thin_file_takes_its_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = file.with_name("h.db")
    before, whole = views(database, FACTS_OF_FILE), file.stat().st_size
    monkeypatch.setattr(module, "complete_replacements", lambda *_: None)
    with monkeypatch.context() as patched:
        patched.setattr(module, "thinned", _fail)
        with pytest.raises(OSError, match="a disk that fails"):
            thinned(file)
    assert file.stat().st_size == whole
    assert [each.name for each in file.parent.glob(".*")] == []
    thinned(file)  # the database knows, the file has not moved
    assert file.stat().st_size == whole
    imported(database, file)
    assert file.stat().st_size < whole
    assert views(database, FACTS_OF_FILE) == before
    assert imbalance(database) == []


def _fail(*_: object) -> None:
    raise OSError(5, "a disk that fails")


def test_what_is_not_the_file_that_was_read_is_left_alone(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(DecodeError, match="another file"):
        thinned(file)
    assert file.read_bytes() == bytes(data)
    assert [each.name for each in file.parent.glob(".*")] == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (p.pcapng(FRAMES), "only captures that Homeport recorded"),
        (p.pcap(FRAMES, nanosecond=True), "only captures that Homeport recorded"),
        (p.pcap(FRAMES)[:3000] + b"\xff" * 100 + p.pcap(FRAMES)[3000:], "damaged"),
    ],
    ids=["pcapng", "nanoseconds", "damaged"],
)
def test_what_cannot_be_thinned_is_left_alone(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match=why):
        thin(path, tmp_path / "partial", KEEP, [])
    assert path.read_bytes() == content
    assert not (tmp_path / "partial").exists()


def test_the_rest_of_a_torn_record_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(p.pcap(FRAMES)[:-7])
    database = imported(tmp_path / "h.db", path, codes=(1,))
    before = views(database, FACTS_OF_FILE)
    assert thinned(path) > 0
    assert len(records(path)) == len(FRAMES) - 1
    imported(database, path)
    assert views(database, FACTS_OF_FILE) == before


def test_where_there_is_nothing_to_cut_nothing_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / NAME, lookup(START_US, "a.example", "198.51.100.1"))
    imported(tmp_path / "h.db", path)
    inode = path.stat().st_ino
    assert thinned(path) == 0
    assert path.stat().st_ino == inode


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1400), st.booleans(), st.booleans()), max_size=60),
    st.sampled_from([1, 1000, 5000]),
    st.sampled_from(["<", ">"]),
)
def test_the_rule_of_beginnings_packet_by_packet(
    tmp_path_factory: pytest.TempPathFactory,
    sent: Sequence[tuple[int, int, bool, bool]],
    keep: int,
    order: str,
) -> None:
    """Against a plain walk over the packets: flows in any mixture, directions, SYNs, both byte orders."""
    folder = tmp_path_factory.mktemp("thin")
    frames, wanted, so_far = [], [], dict.fromkeys(range(6), 0)
    for number, (flow, size, back, opens) in enumerate(sent):
        ends = ("192.168.1.10", "198.51.100.1", 40_000 + flow, 443)
        ends = (ends[1], ends[0], ends[3], ends[2]) if back else ends
        payload, flags = (b"", 0x02) if opens else (bytes([flow]) * size, 0x18)
        frame = p.ethernet(p.ipv4(p.tcp(payload, ends[2], ends[3], flags=flags), ends[0], ends[1], 6))
        if opens:
            so_far[flow] = 0
        whole = not payload or so_far[flow] < keep
        so_far[flow] += len(payload)
        frames.append((START_US + number, frame))
        wanted.append((START_US + number, len(frame), frame if whole else frame[:54]))
    path = folder / NAME
    path.write_bytes(p.pcap(frames, big_endian=order == ">"))
    done = thin(path, folder / "partial", keep, [24, path.stat().st_size])
    assert records(folder / "partial") == wanted
    assert done.cut == sum(len(new) < wire for _, wire, new in wanted)
    assert done.places == {24: 24, path.stat().st_size: (folder / "partial").stat().st_size}
    header = struct.unpack_from(order + "IHH", (folder / "partial").read_bytes())
    assert header == (0xA1B2C3D4, 2, 4)


def test_thinning_leaves_views_as_an_import_of_the_whole_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    copy = tmp_path / "again" / NAME
    shutil.copy(file, copy)
    thinned(file)
    assert same(imported(tmp_path / "again.db", copy), tmp_path / "h.db", FACTS_OF_FILE) == []
