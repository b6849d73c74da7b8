from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.decode.sketch import BLOCK, Block
from daemon.store.blocks import drop_blocks, read_blocks, write_blocks
from daemon.store.database import open_database, transaction
from tests.support.captures import pcap, pcapng
from tests.support.importing import import_live, imported
from tests.support.packets import ethernet, ipv4, udp

FRAMES = [ethernet(ipv4(udp(bytes([n]), 5000, 9999))) for n in range(40)]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "home.db")) as db:
        yield db


def block(begin: int, end: int, first: int = 1, last: int = 2, mark: int = 7) -> Block:
    return Block(begin, end, 3, first, last, mark.to_bytes(2, "little"))


def test_small_blocks_become_one(db: sqlite3.Connection) -> None:
    write_blocks(db, 1, [block(0, 100, 5, 9, 1)])
    write_blocks(db, 1, [block(100, 250, 2, 8, 2), block(250, 300, 6, 11, 3)])
    write_blocks(db, 2, [block(0, 50)])
    assert read_blocks(db, 1) == [Block(0, 300, 9, 2, 11, b"\x01\0\x02\0\x03\0")]
    assert read_blocks(db, 2) == [block(0, 50)]


def test_a_full_block_is_left_alone(db: sqlite3.Connection) -> None:
    write_blocks(db, 1, [block(0, BLOCK - 10)])
    write_blocks(db, 1, [block(BLOCK - 10, BLOCK + 10), block(BLOCK + 10, BLOCK + 20)])
    assert [(each.begin, each.end) for each in read_blocks(db, 1)] == [(0, BLOCK - 10), (BLOCK - 10, BLOCK + 20)]


def test_a_block_without_packets_has_no_times(db: sqlite3.Connection) -> None:
    write_blocks(db, 1, [Block(0, 24, 0, 0, 0, b""), block(24, 90, 500, 600)])
    assert read_blocks(db, 1) == [Block(0, 90, 3, 500, 600, b"\x07\0")]


def test_what_begins_elsewhere_is_not_joined(db: sqlite3.Connection) -> None:
    write_blocks(db, 1, [block(500, 600)])  # what was before was read by an earlier version
    write_blocks(db, 1, [block(700, 800)])
    assert [each.begin for each in read_blocks(db, 1)] == [500, 700]
    drop_blocks(db, 1)
    assert read_blocks(db, 1) == []


def test_how_to_begin_is_that_of_the_first(db: sqlite3.Connection) -> None:
    write_blocks(db, 1, [Block(0, 10, 1, 1, 1, b"", "first")])
    write_blocks(db, 1, [Block(10, 20, 1, 1, 1, b"", "second")])
    assert [each.scanner for each in read_blocks(db, 1)] == ["first"]


def test_they_go_with_the_facts_or_not_at_all(db: sqlite3.Connection) -> None:
    def interrupted() -> None:
        with transaction(db):
            write_blocks(db, 1, [block(0, 10)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert read_blocks(db, 1) == []


@pytest.mark.parametrize("ng", [False, True])
@pytest.mark.parametrize("cuts", [(), (0, 23, 24, 30), (500, 501, 2900)], ids=["at-once", "early", "late"])
def test_they_cover_a_capture_however_it_grew(tmp_path: Path, cuts: tuple[int, ...], ng: bool) -> None:
    data = pcapng(FRAMES) if ng else pcap(FRAMES)
    path, database = tmp_path / "live.pcap", tmp_path / "home.db"
    for cut in cuts:
        path.write_bytes(data[: min(cut, len(data))])
        import_live(database, path, None)
    path.write_bytes(data)
    import_live(database, path, None, final=True)
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT id, cursor, packets FROM capture WHERE cursor > 0").fetchall()
        for number, cursor, packets in rows:
            blocks = read_blocks(db, number)
            assert blocks[0].begin == 0
            assert blocks[-1].end == cursor
            assert all(one.end == other.begin for one, other in pairwise(blocks))
            assert sum(each.packets for each in blocks) == packets
            assert (blocks[0].scanner is not None) == ng


def test_reading_the_same_file_again_adds_none(tmp_path: Path) -> None:
    path = tmp_path / "day.pcap"
    path.write_bytes(pcap(FRAMES))
    database = imported(tmp_path / "home.db", path)

    def rows() -> list[tuple[int, ...]]:
        with closing(sqlite3.connect(database)) as db:
            return db.execute("SELECT * FROM block").fetchall()

    before = rows()
    imported(database, path)
    assert rows() == before
    assert len(before) == 1
