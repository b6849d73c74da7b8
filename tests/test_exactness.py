"""Every packet once: however often, in how many pieces and under which names a capture is offered."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.ingest import scenes
from tests.daemon.ingest.scenes import HOUR, SECOND, Frame, at_borders, evening, talk, write
from tests.support import packets as p
from tests.support.compare import Views, differences, imbalance, same, views
from tests.support.importing import import_live, imported
from tests.support.packets import START_US

FRAMES = sorted(evening(), key=lambda frame: frame[0])
BORDERS = at_borders(FRAMES)
BYTES = p.pcap(FRAMES)
HELLO = next(place for place, (_, frame) in enumerate(FRAMES) if b"\x16\x03\x01" in frame)  # of several segments
FRAGMENT = next(place for place, (_, frame) in enumerate(FRAMES) if frame[12:14] == b"\x08\0" and frame[20] & 0x20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Views:
    folder = tmp_path_factory.mktemp("whole")
    database = imported(folder / "h.db", write(folder / "day.pcap", FRAMES))
    assert imbalance(database) == []
    return views(database)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    return write(tmp_path / "day.pcap", FRAMES)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "h.db"


def test_scene_has_what_it_promises(whole: Views) -> None:
    assert sum("long.example" in row for row in whole["dns_answers"]) == 59  # the fragments came together
    assert {row[8] for row in whole["hellos"]} == {"www.example.com", "six.example.org"}
    assert len(FRAMES[HELLO][1]) > 1400
    assert len(FRAMES) > FRAGMENT + 2


def test_same_file_again_adds_nothing(day: Path, database: Path, whole: Views) -> None:
    for _ in range(3):
        imported(database, day)
        assert differences(whole, views(database)) == []


def test_copy_under_another_name_adds_nothing(tmp_path: Path, database: Path, whole: Views) -> None:
    for name in ("later.pcap", "day.pcap", "mirror/day.pcap"):
        imported(database, write(tmp_path / name, FRAMES))
    assert differences(whole, views(database)) == []  # of copies the first by name is shown


def test_gzip_of_the_same_bytes_is_the_same_capture(day: Path, database: Path, whole: Views) -> None:
    packed = day.with_name("day.pcap.gz")
    packed.write_bytes(gzip.compress(BYTES))
    imported(database, packed)
    imported(database, day)
    assert differences(whole, views(database)) == []


@pytest.mark.parametrize("first", ["day.pcap", "day.pcap.gz"])
def test_size_is_that_of_the_file_that_is_shown(tmp_path: Path, first: str) -> None:
    for name, content in (("day.pcap", BYTES), ("day.pcap.gz", gzip.compress(BYTES))):
        (tmp_path / name).write_bytes(content)
    second = {"day.pcap": "day.pcap.gz", "day.pcap.gz": "day.pcap"}[first]
    database = imported(tmp_path / "h.db", tmp_path / first)
    imported(database, tmp_path / second)
    (row,) = views(database)["captures"]
    assert row[3:6] == ("day.pcap", "ETHERNET", len(BYTES))


def grow(path: Path, database: Path, cuts: Sequence[int], content: bytes = BYTES) -> Path:
    """Import a file as it is after each cut, at last whole."""
    for end in (*sorted(cuts), len(content)):
        path.write_bytes(content[:end])
        imported(database, path, codes=(0, 1))
        assert imbalance(database) == []
    return database


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([BORDERS[5]], id="behind a record"),
        pytest.param([BORDERS[5] + 7], id="inside a record header"),
        pytest.param([BORDERS[5] + 40], id="inside a frame"),
        pytest.param([BORDERS[HELLO + 1]], id="inside a hello"),
        pytest.param([BORDERS[HELLO + 1] + 30], id="inside a segment of a hello"),
        pytest.param([BORDERS[FRAGMENT + 1], BORDERS[FRAGMENT + 2]], id="inside a train of fragments"),
        pytest.param([BORDERS[-1] - 1], id="one byte before the end"),
        pytest.param([BORDERS[1]], id="behind the first record"),
        pytest.param([BORDERS[k] for k in (1, HELLO, HELLO + 1, HELLO + 2)], id="step by step"),
        pytest.param([BORDERS[9], BORDERS[9] + 3, BORDERS[9] + 17, BORDERS[10]], id="without a new record"),
    ],
)
def test_file_that_grew_equals_one_import(tmp_path: Path, database: Path, whole: Views, cuts: list[int]) -> None:
    assert differences(whole, views(grow(tmp_path / "day.pcap", database, cuts))) == []


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(BORDERS[0] + 1, len(BYTES)), min_size=1, max_size=4))
def test_file_that_grew_anyhow(tmp_path_factory: pytest.TempPathFactory, whole: Views, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("grown")
    assert differences(whole, views(grow(folder / "day.pcap", folder / "h.db", cuts))) == []


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, len(FRAMES)), min_size=1, max_size=3))
def test_pcapng_that_grew(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    folder = tmp_path_factory.mktemp("grown")
    content = p.pcapng(FRAMES)
    (folder / "whole.pcapng").write_bytes(content)
    once = imported(folder / "once.db", folder / "whole.pcapng")
    grown = grow(folder / "day.pcapng", folder / "h.db", [len(p.pcapng(FRAMES[:cut])) - 3 for cut in cuts], content)
    assert same(once, grown, {"captures": {"path"}}) == []


def test_gzip_that_grew(tmp_path: Path, database: Path, whole: Views) -> None:
    path = tmp_path / "day.pcap.gz"
    for end in (BORDERS[12], BORDERS[30], len(BYTES)):
        path.write_bytes(gzip.compress(BYTES[:end]))
        imported(database, path)
    without = {"path", "size"}
    plain = imported(tmp_path / "plain.db", write(tmp_path / "day.pcap", FRAMES))
    assert same(plain, database, {"captures": without}) == []


@pytest.mark.parametrize("cut", [BORDERS[1], BORDERS[9], BORDERS[9] + 5, BORDERS[-1] - 1])
def test_shorter_copy_after_the_longer_adds_nothing(tmp_path: Path, day: Path, whole: Views, cut: int) -> None:
    short = tmp_path / "a-short-one.pcap"
    short.write_bytes(BYTES[:cut])
    for order in ((day, short), (short, day), (short, day, short)):
        database = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        for path in order:
            imported(database, path, codes=(0, 1))
        assert differences(whole, views(database)) == []
    database = imported(tmp_path / "both.db", short, day, codes=(0, 1))
    assert differences(whole, views(database)) == []


def forks() -> dict[str, list[Frame]]:
    """Captures that begin alike: two that part after some records, the shorter of them twice as long as their stem."""
    stem = FRAMES[:8]
    return {
        "stem": stem,
        "left": [*stem, *talk(START_US + HOUR, "left.example", port=40900)],
        "right": [*stem, *talk(START_US + HOUR, "right.example", port=40900, reply=200)],
    }


def test_files_that_begin_alike_are_different_captures(tmp_path: Path) -> None:
    paths = {name: write(tmp_path / f"{name}.pcap", frames) for name, frames in forks().items()}
    together = imported(tmp_path / "right.db", paths["right"])
    imported(together, paths["left"])
    assert {row[8] for row in views(together)["hellos"]} >= {"left.example", "right.example"}
    assert sum(views(together)["captures"].values()) == 2
    for order in (("left", "right"), ("stem", "right", "left"), ("left", "stem", "right"), ("right", "left", "stem")):
        database = tmp_path / f"{'-'.join(order)}.db"
        for name in order:
            imported(database, paths[name])
        assert same(together, database) == [], order
        for name in order:  # and again
            imported(database, paths[name])
        assert same(together, database) == [], order


def test_file_without_a_record_is_not_stored(tmp_path: Path, database: Path) -> None:
    for name, content in (("pcap", p.pcap([])), ("pcapng", p.pcapng([])), ("torn", BYTES[: BORDERS[1] - 1])):
        path = tmp_path / f"empty.{name}"
        path.write_bytes(content)
        imported(database, path)
    assert views(database)["captures"] == {}
    grow(tmp_path / "empty.torn", database, [])
    assert sum(views(database)["captures"].values()) == 1


LIMITS = [BORDERS[3], BORDERS[HELLO + 1] + 5, BORDERS[-1] - 1]


def test_live_file_is_read_up_to_the_limit(day: Path, database: Path) -> None:
    outcome = import_live(database, day, LIMITS[1])
    assert (outcome.status, outcome.packets) == ("live", HELLO + 1)
    told = views(database)
    assert {row[13] for row in told["captures"]} == {"live"}
    assert {row[15] for row in told["flows"]} == {"open"}
    assert imbalance(database) == []


@pytest.mark.parametrize("limits", [[limit] for limit in LIMITS] + [LIMITS, [None], [*LIMITS, None, None]], ids=str)
def test_live_file_that_is_finished_equals_one_import(
    day: Path, database: Path, whole: Views, limits: list[int | None]
) -> None:
    for limit in limits:
        import_live(database, day, limit)
        assert imbalance(database) == []
    imported(database, day)
    assert differences(whole, views(database)) == []


def test_live_file_is_not_finished_by_a_shorter_copy(tmp_path: Path, day: Path, database: Path) -> None:
    import_live(database, day, None)
    short = tmp_path / "short.pcap"
    short.write_bytes(BYTES[: BORDERS[20]])
    imported(database, short)
    assert {row[13] for row in views(database)["captures"]} == {"live"}


def test_live_file_of_which_nothing_could_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "radio.pcap"
    path.write_bytes(p.pcap([(START_US, b"\x80\0" + bytes(60))] * 3, link=105))
    imported(tmp_path / "once.db", path, codes=(3,))
    import_live(tmp_path / "live.db", path, None)
    imported(tmp_path / "live.db", path, codes=(3,))
    assert same(tmp_path / "once.db", tmp_path / "live.db") == []


def test_damaged_live_file_is_finished_too(tmp_path: Path) -> None:
    content = bytearray(p.pcap(FRAMES * 2))
    content[BORDERS[20] : BORDERS[20] + 16] = b"\xff" * 16
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    imported(tmp_path / "once.db", path, codes=(1,))
    import_live(tmp_path / "live.db", path, None)
    imported(tmp_path / "live.db", path, codes=(1,))
    assert same(tmp_path / "once.db", tmp_path / "live.db") == []


def test_flow_over_two_slots_that_grew(tmp_path: Path) -> None:
    frames = [frame for n in range(6) for frame in talk(START_US + n * 400 * SECOND, port=40000, close=False)]
    borders = at_borders(frames)
    once = imported(tmp_path / "once.db", write(tmp_path / "day.pcap", frames))
    assert len(views(once)["traffic"]) > 2
    grown = grow(tmp_path / "day.pcap", tmp_path / "h.db", [borders[k] for k in (10, 30, 31)], p.pcap(frames))
    assert same(once, grown) == []


def test_torn_file_again_keeps_its_labels(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "torn.pcap"
    path.write_bytes(p.pcap([*FRAMES, *scenes.lookup(START_US + HOUR, "x.example")])[:-3])
    imported(database, path, codes=(1,))
    once = views(database)
    assert "dns" in {row[13] for row in once["flows"]}  # a name that is a label
    imported(database, path, codes=(1,))
    assert differences(once, views(database)) == []
