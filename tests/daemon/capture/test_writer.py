"""The file of whole records, while the disk fails at each call in turn."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.capture.records import Records, records_of
from daemon.capture.writer import Flusher, RecordFile, SystemDisk, TroubleError, create, is_locked
from tests.support.recording import FaultyDisk, batch

ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EINTR, errno.EAGAIN)


def records(first: int, number: int) -> Records:
    return records_of(batch(range(first, first + number)), 262_144)


def opened(tmp_path: Path, disk: FaultyDisk, name: str = "file") -> RecordFile:
    return RecordFile(create(tmp_path / name), disk)


@pytest.mark.parametrize("number", ERRNOS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_write_that_fails_leaves_whole_records(tmp_path: Path, number: int, call: int) -> None:
    disk = FaultyDisk({1: -100, 2: -100, call: number})  # short writes before and around the one that fails
    file = opened(tmp_path, disk)
    wanted = records(0, 5)
    if number == errno.EINTR:
        file.append(wanted)
        assert (tmp_path / "file").read_bytes() == wanted.data
        return
    with pytest.raises(TroubleError) as caught:
        file.append(wanted)
    content = (tmp_path / "file").read_bytes()
    assert content == wanted.data[: file.size]
    assert len(content) == 76 * caught.value.written
    assert caught.value.written == min(call - 1, 2) * 100 // 76
    assert caught.value.usable == (number in (errno.ENOSPC, errno.EDQUOT))
    assert caught.value.full == caught.value.usable


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.dictionaries(st.integers(1, 30), st.integers(-200, -1) | st.sampled_from(ERRNOS), max_size=12))
def test_whatever_fails_the_file_holds_exactly_what_was_said(tmp_path: Path, faults: dict[int, int]) -> None:
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    disk = FaultyDisk(faults)
    file = opened(tmp_path, disk)
    expected = b""
    for turn in range(6):
        wanted = records(turn * 10, 3)
        try:
            file.append(wanted)
            expected += wanted.data
        except TroubleError as trouble:
            expected += wanted.data[: wanted.ends[trouble.written - 1] if trouble.written else 0]
            if not trouble.usable:
                break
        assert path.read_bytes() == expected
        assert file.size == len(expected)
    assert path.read_bytes() == expected
    file.close()


def test_a_file_that_cannot_be_cut_back_is_given_up(tmp_path: Path) -> None:
    file = opened(tmp_path, FaultyDisk({1: -100, 2: errno.ENOSPC}, cannot_cut=True))
    with pytest.raises(TroubleError) as caught:
        file.append(records(0, 3))
    assert not caught.value.usable
    assert caught.value.written == 1
    assert file.size == 76


def test_a_disk_that_takes_nothing_and_says_so_is_no_endless_loop(tmp_path: Path) -> None:
    class Idle(FaultyDisk):
        def write(self, descriptor: int, data: memoryview) -> int:  # noqa: ARG002 - as os.write
            return 0

    with pytest.raises(TroubleError, match="input/output"):
        opened(tmp_path, Idle()).append(records(0, 1))


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        create(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        create(tmp_path / "link")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_group_may_read_and_nobody_else(tmp_path: Path) -> None:
    before = os.umask(0o007)
    try:
        os.close(create(tmp_path / "file"))
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_lock_says_that_somebody_writes(tmp_path: Path) -> None:
    descriptor = create(tmp_path / "file", locked=True)
    assert is_locked(tmp_path / "file")
    os.close(descriptor)
    assert not is_locked(tmp_path / "file")


def test_fdatasync_tells_the_size_with_which_it_began(tmp_path: Path) -> None:
    disk = SystemDisk()
    flusher = Flusher(disk)
    file = RecordFile(create(tmp_path / "file"), disk)
    file.append(records(0, 2))
    first = flusher.begin(file, folder=tmp_path)
    file.append(records(2, 2))
    assert first.result() == 152
    assert flusher.begin(file).result() == 304
    file.close()
    file.close()  # once is enough, twice does no harm to whoever has the number now
    assert file.closed
    flusher.close()


def test_a_failed_fdatasync_is_heard_of(tmp_path: Path) -> None:
    disk = FaultyDisk(sync_faults={1: errno.EIO})
    flusher = Flusher(disk)
    with pytest.raises(OSError, match="Input/output"):
        flusher.begin(opened(tmp_path, disk)).result()
    flusher.close()


def test_the_room_that_is_left_is_a_number(tmp_path: Path) -> None:
    descriptor = create(tmp_path / "file")
    assert SystemDisk().free(descriptor) > 0
    os.close(descriptor)
