"""The replay itself: what is safe stays, what is not may go, in every way that it may."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.powercut import ALL, NOTHING, SOME, Disk, Done, build, environment, read_log


def done(op: str, path: str = "/d/a", data: bytes = b"", offset: int = 0, other: str = "") -> Done:
    return Done(0, offset, path, other, op, data)


def left(how: str, *log: Done, seed: int = 1) -> dict[str, bytes]:
    disk = Disk()
    for each in log:
        disk.take(each)
    return disk.left(how, random.Random(seed))


SYNCED = [
    done("C"),
    done("W", data=b"safe"),
    done("B", offset=3),
    done("W", data=b"late", offset=4),
    done("S", offset=3),
]


def test_what_was_synced_is_there_and_what_came_during_the_sync_may_not_be() -> None:
    assert left(NOTHING, *SYNCED) == {"/d/a": b"safe"}
    assert left(ALL, *SYNCED) == {"/d/a": b"safelate"}
    assert {left(SOME, *SYNCED, seed=n)["/d/a"] for n in range(20)} == {b"safe", b"safelate"}


def test_a_hole_is_zeros() -> None:
    log = [*SYNCED, done("W", data=b"end", offset=8)]
    assert b"safe\0\0\0\0end" in {left(SOME, *log, seed=n)["/d/a"] for n in range(30)}


def test_a_file_that_nobody_synced_may_not_be_there() -> None:
    assert left(NOTHING, done("C"), done("W", data=b"x")) == {}
    folder = [done("C"), done("B", "/d", offset=4), done("S", "/d", offset=4), done("W", data=b"x")]
    assert left(NOTHING, *folder) == {"/d/a": b""}


def test_removed_and_renamed_files_may_still_have_their_names() -> None:
    log = [*SYNCED, done("U")]
    assert (left(NOTHING, *log), left(ALL, *log)) == ({"/d/a": b"safe"}, {})
    log = [*SYNCED, done("R", other="/d/b")]
    assert left(NOTHING, *log) == {"/d/a": b"safe"}
    assert left(ALL, *log) == {"/d/b": b"safelate"}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="it needs gcc")
def test_a_program_tells_what_it_does(tmp_path: Path) -> None:
    folder, log = tmp_path / "watched", tmp_path / "log"
    folder.mkdir()
    program = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "f = os.open('a', os.O_RDWR | os.O_CREAT | os.O_APPEND)\n"
        "os.write(f, b'one'); d = os.dup(f); os.fdatasync(d); os.write(f, b'two'); os.ftruncate(f, 4)\n"
        "os.rename('a', 'b'); os.unlink('b'); open('/dev/null', 'w').write('x')\n"
    )
    shim = environment(build(tmp_path), log, folder)
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, env=shim)
    found = [(each.op, Path(each.path).name, each.data) for each in read_log(log)]
    assert found == [
        ("C", "a", b""), ("W", "a", b"one"), ("B", "a", b""), ("S", "a", b""), ("W", "a", b"two"), ("T", "a", b""),
        ("R", "a", b""), ("U", "b", b""),
    ]  # fmt: skip
    assert [each.offset for each in read_log(log) if each.op in "WT"] == [0, 3, 4]
