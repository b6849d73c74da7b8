from __future__ import annotations

from pathlib import Path

import pytest

from appliance.progress import BarProgress, LineProgress, Pace, outcome_line
from daemon.ingest import FileOutcome

EVENING = Path("evening.pcap")


def outcome(status: str = "done", packets: int = 5, new: int | None = None, message: str = "") -> FileOutcome:
    return FileOutcome(
        path=EVENING,
        status=status,
        packets=packets,
        bytes=500,
        new_packets=packets if new is None else new,
        undecoded_packets=0,
        message=message,
    )


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_pace_says_rates_and_time_left() -> None:
    pace = Pace(began=10.0, total=90_000_000)
    assert pace.left(10.0) is None
    pace.add(30_000_000, 40_000)
    assert pace.rates(12.0) == (15_000_000, 20_000)
    assert pace.words(12.0) == "15 MB/s, 20,000 packets/s, 4.0 s left"
    assert pace.words(12.0, short=True) == "4.0 s left"


def test_pace_never_promises_less_than_nothing() -> None:
    pace = Pace(began=0.0, total=100)
    pace.add(150, 1)  # a file that grew meanwhile
    assert pace.left(1.0) == 0


@pytest.mark.parametrize(
    ("done", "line"),
    [
        (outcome(), "evening.pcap: 5 packets"),
        (outcome(packets=1), "evening.pcap: 1 packet"),
        (outcome(new=2), "evening.pcap: 5 packets, 2 of them new"),
        (outcome("known", new=0), "evening.pcap: nothing new in it"),
        (outcome("empty", packets=0), "evening.pcap: no packet in it"),
        (outcome("torn"), "evening.pcap: torn, 5 packets"),
        (outcome("corrupt", message="damaged at 24"), "evening.pcap: corrupt: damaged at 24"),
        (outcome("corrupt", message="a\x1b[2Jb"), "evening.pcap: corrupt: a\\x1b[2Jb"),
    ],
)
def test_one_line_a_file(done: FileOutcome, line: str) -> None:
    assert outcome_line(done) == line


def test_lines_come_with_each_file_and_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with LineProgress(clock) as progress:
        progress.started(2, 100_000_000)
        for _ in range(25):
            clock.now += 1
            progress.advanced(EVENING, 1_000_000, 1000)
        progress.finished(outcome())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2 captures, 100 MB"
    assert lines[1] == "evening.pcap: 10 MB of 100 MB, 1 MB/s, 1,000 packets/s, 1 min 30 s left"
    assert lines[2].startswith("evening.pcap: 20 MB of 100 MB, ")
    assert lines[3:] == ["evening.pcap: 5 packets"]


def test_bar_leaves_only_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    with BarProgress(Clock()) as progress:
        progress.started(2, 100)
        progress.advanced(EVENING, 50, 5)
        progress.finished(outcome())
        progress.finished(outcome("torn", message="ends inside a record [sic]"))
    err = capsys.readouterr().err
    assert "evening.pcap: torn: ends inside a record [sic]" in err
    assert "evening.pcap: 5 packets" not in err
