"""`homeport live` as it is typed: a process of its own, whose reader watches, goes, or is another program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.cli.live import ended_by_hand
from tests.support.captures import START_US, pcap, pcap_header, pcap_record, read
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, homeport
from tests.support.packets import ethernet, ipv4, udp

FRAMES = [ethernet(ipv4(udp(bytes([n]), 5000 + n % 2, 9999))) for n in range(30)]
NAME, NEXT = "2025-07-01_00.00.00_wlan0.pcap", "2025-07-02_00.00.00_wlan0.pcap"
LONG = 30.0

Live = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Starts `homeport live` on the folder; ends it."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*flags: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*COMMAND, "live", "--dir", tmp_path, *flags], cwd=ROOT, env={**os.environ, **NO_SETTINGS},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def taken(process: subprocess.Popen[bytes], size: int) -> bytes:
    """So many bytes of what it writes."""
    assert process.stdout is not None
    data = b""
    while len(data) < size:
        piece = os.read(process.stdout.fileno(), size - len(data))
        assert piece, process.stderr.read() if process.stderr else ""
        data += piece
    return data


RECORD = len(pcap_record(FRAMES[0]))


def test_from_now_on_and_over_a_rotation(tmp_path: Path, live: Live) -> None:
    old, new = tmp_path / NAME, tmp_path / NEXT
    old.write_bytes(pcap(FRAMES[:5]))
    process = live()
    data = taken(process, 24)  # the header is there before any packet
    append(old, pcap_record(FRAMES[5], START_US + 10))
    data += taken(process, RECORD)
    append(old, pcap_record(FRAMES[6])[:20])
    time.sleep(0.3)
    append(old, pcap_record(FRAMES[6])[20:])
    new.write_bytes(pcap([FRAMES[7]], ">", 0xA1B23C4D))  # another byte order and resolution
    append(new, pcap_record(FRAMES[8], order=">", magic=0xA1B23C4D))
    data += taken(process, 3 * RECORD)
    assert read(data).frames(data) == FRAMES[5:9]


def test_only_what_the_filter_accepts(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live("--from-start", "--filter", "port 5001")
    data = taken(process, 24 + 15 * RECORD)
    assert read(data).frames(data) == FRAMES[1::2]


def test_a_reader_who_leaves_ends_it_quietly_also_while_nothing_comes(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live()
    taken(process, 24)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(LONG) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_the_end_by_hand_is_no_error(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live()
    taken(process, 24)
    process.send_signal(signal.SIGINT)
    assert process.wait(LONG) == 0


def test_an_end_that_is_swallowed_is_still_known() -> None:
    with ended_by_hand() as asked:
        with suppress(KeyboardInterrupt):  # as Python does within a callback of its own
            signal.raise_signal(signal.SIGINT)
        assert asked == [signal.SIGINT]


def test_waiting_costs_nothing(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live()
    taken(process, 24)
    ticks = os.sysconf("SC_CLK_TCK")

    def spent() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    time.sleep(0.3)
    before = spent()
    time.sleep(2)
    assert spent() - before < 0.2  # of two seconds


def test_a_program_reads_along(tmp_path: Path, live: Live) -> None:
    if not shutil.which("tshark"):
        pytest.skip("no tshark here to read along")
    path = tmp_path / NAME
    path.write_bytes(pcap(FRAMES[:3]))
    process = live("-w", "-")
    reader = subprocess.Popen(
        ["tshark", "-l", "-r", "-", "-c", "4", "-T", "fields", "-e", "udp.srcport"], stdin=process.stdout,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    for frame in FRAMES[3:7]:
        time.sleep(0.1)
        append(path, pcap_record(frame))
    # It begins with what came when it had started, which may not be the first.
    for frame in FRAMES[7:] * 20:
        append(path, pcap_record(frame))
        time.sleep(0.01)
        if reader.poll() is not None:
            break
    said, _ = reader.communicate(timeout=LONG)
    assert len(said.split()) == 4
    assert set(said.split()) == {"5000", "5001"}
    assert process.wait(LONG) == 0


def test_it_waits_for_the_first_capture(tmp_path: Path, live: Live) -> None:
    process = live("--from-start")
    assert process.stderr is not None
    assert b"waiting" in process.stderr.readline()
    append(tmp_path / NAME, pcap_header())
    taken(process, 24)


def test_another_link_type_behind_a_rotation_is_said(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live()
    taken(process, 24)
    (tmp_path / NEXT).write_bytes(pcap(FRAMES, link=113))
    assert process.wait(LONG) == 3
    assert process.stderr is not None
    assert b"start anew" in process.stderr.read()


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--dir", "/nonexistent"), 3, "no folder"),
        (("--dir", ""), 2, "capture.folder"),
    ],
    ids=["no-folder", "no-flag"],
)
def test_what_cannot_be_is_explained(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], code: int, words: str
) -> None:
    assert homeport("live", *flags) == code
    assert words in capsys.readouterr().err


def test_what_is_no_filter_is_explained(tmp_path: Path, live: Live) -> None:
    (tmp_path / NAME).write_bytes(pcap(FRAMES))
    process = live("--from-start", "--filter", "tcp prt 443")
    assert process.wait(LONG) == 2
    assert process.stderr is not None
    assert b"filter" in process.stderr.read()
