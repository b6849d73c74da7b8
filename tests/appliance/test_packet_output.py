from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from appliance.console import CannotDoError
from appliance.packet_output import Target, packet_output


def test_a_file_is_there_as_it_is_written_and_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    with packet_output(str(path)) as target:
        target.write(b"abc")
        assert path.read_bytes() == b"abc"
        target.wait(0)
    assert path.stat().st_mode & 0o777 & ~0o640 == 0


def test_a_capture_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "day.pcap"
    path.write_bytes(b"evidence")
    (tmp_path / "link.pcap").symlink_to(path)
    for name in ("day.pcap", "link.pcap", f"../{tmp_path.name}/day.pcap"):
        with (
            pytest.raises(CannotDoError, match="reads from"),
            packet_output(str(tmp_path / name), [tmp_path / "x", path]),
        ):
            pass
    assert path.read_bytes() == b"evidence"


def test_what_cannot_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CannotDoError, match="cannot be written"), packet_output(str(tmp_path / "no" / "out.pcap")):
        pass


def test_a_reader_who_leaves_is_noticed_while_nothing_is_written() -> None:
    reading, writing = os.pipe()
    target = Target(writing)
    try:
        begun = time.monotonic()
        target.wait(0.05)
        assert time.monotonic() - begun >= 0.04  # with a reader it sleeps
        os.close(reading)
        with pytest.raises(BrokenPipeError):
            target.wait(60)
    finally:
        os.close(writing)


def test_more_than_a_pipe_holds_is_written_whole(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    data = os.urandom(300_000)
    child = os.fork()
    if not child:  # the reader
        got = fifo.read_bytes()
        os._exit(0 if got == data else 1)
    with packet_output(str(fifo)) as target:
        target.write(data)
    assert os.waitpid(child, 0)[1] == 0
