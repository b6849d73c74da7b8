from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.ingest.source import BLOCK_SIZE, RollingDigest, Source, find_captures, head_identity
from tests.support.captures import frames_of, pcap, pcapng, read

CAPTURE = pcap(frames_of(5))


def write(path: Path, data: bytes = CAPTURE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("stored", [CAPTURE, gzip.compress(CAPTURE)])
def test_head_does_not_move_the_reader(tmp_path: Path, stored: bytes) -> None:
    with Source.open(write(tmp_path / "a", stored)) as source:
        buf = memoryview(bytearray(10))
        assert source.read_into(buf) == 10
        assert (source.head(), source.head(7)) == (CAPTURE, CAPTURE[:7])
        assert source.read_into(buf) == 10
        assert bytes(buf) == CAPTURE[10:20]
        assert (source.size, source.compressed) == (len(stored), stored != CAPTURE)


def test_a_limit_hides_what_lies_behind_it(tmp_path: Path) -> None:
    with Source.open(write(tmp_path / "a"), limit=30) as source:
        buf = memoryview(bytearray(100))
        assert source.head() == CAPTURE[:30]
        assert (source.read_into(buf), source.read_into(buf)) == (30, 0)
        assert source.size == len(CAPTURE)


def test_a_growing_file_is_read_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a", CAPTURE[:50])
    with Source.open(path) as source:
        buf = memoryview(bytearray(100))
        assert (source.read_into(buf), source.read_into(buf)) == (50, 0)
        write(path)
        assert source.read_into(buf) == 100
        assert bytes(buf) == CAPTURE[50:150]


def test_a_missing_file_raises_as_the_system_says_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Source.open(tmp_path / "none")


def names(found: list[Path], root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in found]


def test_folders_are_searched_in_natural_order_by_first_bytes(tmp_path: Path) -> None:
    for name in ("day10.pcap", "day9.pcap", "b/x.bin", "a/2/y.pcapng", "a/10/y.gz", ".hidden/z.pcap", "c/.z.pcap"):
        data = {"pcapng": pcapng(frames_of(2)), "gz": gzip.compress(CAPTURE)}.get(name.rpartition(".")[2], CAPTURE)
        write(tmp_path / name, data)
    write(tmp_path / "day9.pcap.meta.jsonl", CAPTURE)
    write(tmp_path / "readme.pcap", b"no capture at all")
    write(tmp_path / "other.gz", gzip.compress(b"no capture"))
    write(tmp_path / "empty.pcap", b"")
    found, problems = find_captures([tmp_path])
    assert names(found, tmp_path) == ["a/2/y.pcapng", "a/10/y.gz", "b/x.bin", "day9.pcap", "day10.pcap"]
    assert problems == []


def test_what_is_named_and_is_no_capture_is_said(tmp_path: Path) -> None:
    text = write(tmp_path / "notes.txt", b"hello\n")
    cut = write(tmp_path / "cut.gz", gzip.compress(CAPTURE)[:8])
    empty = tmp_path / "folder"
    empty.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    asked: list[Path | str] = [text, cut, empty, pipe, tmp_path / "none.pcap", str(tmp_path / "*.pcapng")]
    found, problems = find_captures(asked)
    assert found == []
    assert problems == [
        (str(text), "this is text, not a capture file"),
        (str(cut), "the gzip stream is cut"),
        (str(empty), "no capture files in it"),
        (str(pipe), "not a file"),
        (str(tmp_path / "none.pcap"), "no such file or directory"),
        (str(tmp_path / "*.pcapng"), "nothing matches"),
    ]


def test_patterns_repetitions_and_sidecars(tmp_path: Path) -> None:
    for name in ("a10.pcap", "a9.pcap", "deep/er/c.pcap", "odd[1].pcap"):
        write(tmp_path / name)
    sidecar = write(tmp_path / "a9.pcap.meta.jsonl", b"{}\n")
    asked: list[Path | str] = [
        tmp_path / "a*",
        tmp_path / "a10.pcap",
        sidecar,
        tmp_path / "odd[1].pcap",
        str(tmp_path / "**/c.pcap"),
    ]
    found, problems = find_captures(asked)
    assert names(found, tmp_path) == ["a9.pcap", "a10.pcap", "odd[1].pcap", "deep/er/c.pcap"]
    assert problems == []


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write(tmp_path / "a/b/x.pcap")
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "a/b/self").symlink_to(tmp_path / "a/b/self")
    found, problems = find_captures([tmp_path])
    assert names(found, tmp_path) == ["a/b/x.pcap"]
    assert [what for what, _ in problems] == [str(tmp_path / "a/b/self")]


PIECES = st.lists(st.integers(0, 3 * BLOCK_SIZE), max_size=5)
STREAM = bytes(range(251)) * (9 * 1024 * 1024 // 251)


def digest_of(data: bytes) -> RollingDigest:
    digest = RollingDigest()
    digest.update(data)
    return digest


@given(PIECES)
def test_a_digest_does_not_depend_on_the_pieces(cuts: list[int]) -> None:
    digest = RollingDigest()
    before = 0
    for cut in sorted({min(cut, len(STREAM)) for cut in cuts} | {len(STREAM)}):
        digest.update(memoryview(STREAM)[before:cut])
        before = cut
        digest.hexdigest()
    assert (digest.hexdigest(), digest.position) == (digest_of(STREAM).hexdigest(), len(STREAM))


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 2 * BLOCK_SIZE])
def test_a_digest_goes_on_from_its_state(size: int) -> None:
    digest = digest_of(STREAM[:size])
    state = json.loads(json.dumps(digest.state()))
    restored = RollingDigest.restore(state, STREAM[state["position"] : size])
    assert (restored.hexdigest(), restored.position) == (digest.hexdigest(), size)
    restored.update(STREAM[size:])
    assert restored.hexdigest() == digest_of(STREAM).hexdigest()


def test_digests_tell_streams_apart() -> None:
    changed = b"?" + STREAM[1:]
    streams = [b"", b"a", STREAM[:BLOCK_SIZE], STREAM[: BLOCK_SIZE + 1], STREAM, changed]
    assert len({digest_of(stream).hexdigest() for stream in streams}) == len(streams)


@pytest.mark.parametrize("data", [CAPTURE, pcapng(frames_of(5))])
def test_a_capture_is_known_by_its_head(data: bytes) -> None:
    first = read(data).rows[0]
    end = first.offset + first.captured
    identity = head_identity(data)
    assert identity is not None
    assert head_identity(data[: end + 40]) == identity, "what follows the first record does not matter"
    changed = bytearray(data)
    changed[end - 1] ^= 1
    assert head_identity(bytes(changed)) != identity


def test_no_record_no_identity() -> None:
    assert head_identity(pcap([])) is None
    with pytest.raises(DecodeError):
        head_identity(b"text\n")
