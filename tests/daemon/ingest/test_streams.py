from __future__ import annotations

import gzip
import io
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ingest.source import Source

DATA = bytes(range(256)) * 2000 + random.Random(1).randbytes(40_000)


def read_all(path: Path, size: int = 65_536, limit: int | None = None) -> tuple[bytes, str | None]:
    with Source.open(path, limit) as source:
        out = bytearray()
        buf = bytearray(size)
        while count := source.read_into(memoryview(buf)):
            out += buf[:count]
        return bytes(out), source.problem


def member(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as file:
        file.write(data)
    return out.getvalue()


WHOLE = member(DATA)


@pytest.mark.parametrize("stored", [DATA, WHOLE])
@pytest.mark.parametrize("size", [777, 1 << 20])
def test_plain_and_gzip_give_the_same_stream(tmp_path: Path, stored: bytes, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(stored)
    assert read_all(path, size) == (DATA, None)


@pytest.mark.parametrize("stored", [DATA, WHOLE])
def test_seek_goes_forward_and_back(tmp_path: Path, stored: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(stored)
    with Source.open(path) as source:
        for offset in (500_000, 3, 300_000, 300_000, 0):
            source.seek(offset)
            buf = bytearray(64)
            count = source.read_into(memoryview(buf))
            assert buf[:count] == DATA[offset : offset + count]
            assert source.position == offset + count
        source.seek(len(DATA) + 5)
        assert source.read_into(memoryview(bytearray(8))) == 0


def test_several_members_and_zero_padding_are_one_stream(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(member(b"one") + member(b"") + member(b"two") + bytes(700))
    assert read_all(path) == (b"onetwo", None)


def test_something_else_behind_the_stream_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(member(b"one") + b"rubbish")
    assert read_all(path) == (b"one", "behind the gzip stream lies something else")


@pytest.mark.parametrize("cut", [2, 9, 5000, len(WHOLE) - 9, len(WHOLE) - 1])
def test_a_cut_stream_gives_what_lies_before_the_cut(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(WHOLE[:cut])
    expected = zlib.decompressobj(31).decompress(WHOLE[:cut])
    assert read_all(path) == (expected, "the gzip stream is cut")
    path.write_bytes(WHOLE)
    assert read_all(path, limit=cut) == (expected, "the gzip stream is cut"), "a limit cuts alike"


@given(st.integers(12, len(WHOLE) - 1), st.integers(0, 7))
def test_a_damaged_stream_gives_what_lies_before_the_damage(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    data = bytearray(WHOLE)
    data[at] ^= 1 << bit
    path = tmp_path_factory.mktemp("gzip") / "file"
    path.write_bytes(data)
    out, problem = read_all(path)
    before = zlib.decompressobj(31).decompress(WHOLE[:at])
    assert out.startswith(before[: len(before) - 1])
    assert problem
    assert read_all(path, 4096)[0].startswith(before[: len(before) - 1])


def test_a_wrong_checksum_is_damage_behind_all_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(WHOLE[:-8] + bytes(8))
    assert read_all(path) == (DATA, "the gzip stream is damaged")


def test_a_bomb_is_read_in_pieces_of_the_buffer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(member(bytes(50_000_000)))
    with Source.open(path) as source:
        buf = memoryview(bytearray(4096))
        assert [source.read_into(buf) for _ in range(3)] == [4096] * 3
        assert source.position == 3 * 4096
