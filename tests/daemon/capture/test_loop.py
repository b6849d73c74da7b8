from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.capture.levels import LevelsWatch
from daemon.capture.loop import WAIT_S, Beat, Loop
from daemon.capture.plan import Pace, Place
from daemon.capture.recorder import Recorder
from daemon.capture.records import EMPTY, Batch
from daemon.capture.source import InterfaceError, LostError
from daemon.capture.status import standing
from daemon.decode.levels import Levels
from tests.support.recording import FakeClock, FaultyDisk, batch, files_in, lines_of, times_in


@dataclass
class Script:
    """A source whose answers are written down: a batch, an error, or nothing; time passes while it waits."""

    clock: FakeClock
    answers: list[Batch | Exception]
    link: int = 1
    waited: int = 0
    tended: int = 0
    closed: bool = False
    counted: list[tuple[int, int]] = field(default_factory=list)
    heeded: list[Levels] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waited += 1
        self.clock.pass_by(seconds)

    def take(self) -> tuple[Batch, bool]:
        answer = self.answers.pop(0) if self.answers else EMPTY
        if isinstance(answer, Exception):
            raise answer
        return answer, True

    def drops(self) -> tuple[int, int]:
        return self.counted.pop(0) if self.counted else (0, 0)

    def tend(self) -> None:
        self.tended += 1

    def heed(self, levels: Levels) -> None:
        self.heeded.append(levels)

    def close(self) -> None:
        self.closed = True


class Running:
    """A loop over scripts, that stops after so many beats."""

    def __init__(self, folder: Path, clock: FakeClock, pace: Pace | None = None) -> None:
        self.folder = folder
        self.clock = clock
        self.beats: list[Beat] = []
        self.said: list[str] = []
        self.turns = 0
        self.watch: LevelsWatch | None = None
        self.during: dict[int, Callable[[], None]] = {}  # what happens before a turn
        place = Place(folder, "wlan0", ZoneInfo("UTC"), clock.boot_id, 262_144, {})
        self.recorder = Recorder(place, FaultyDisk(), pace or Pace(), self.said.append)

    def _sleep(self, seconds: float) -> None:
        self.clock.pass_by(seconds)

    def run(self, source: Script, turns: int, again: Callable[[], Script] | None = None) -> None:
        def stopped() -> bool:
            self.turns += 1
            self.during.get(self.turns, lambda: None)()
            return self.turns > turns

        def reopened() -> Script:
            if again is None:
                raise InterfaceError("gone for good")
            return again()

        loop = Loop(reopened, self.recorder, self.clock, self.beats.append, self._sleep, self.watch)
        loop.run(source, stopped)


def test_packets_of_a_script_are_in_the_file_and_beats_tell_work_from_waiting(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    sent = [clock.wall_us + n for n in (1, 2, 3)]
    source = Script(clock, [batch(sent[:2]), EMPTY, batch(sent[2:])])
    running.run(source, turns=4)
    assert times_in(files_in(tmp_path)[0]) == sent
    assert [(beat.waiting, beat.advanced) for beat in running.beats[:4]] == [
        (True, True), (False, False), (True, True), (False, False)]  # fmt: skip
    assert source.closed
    assert lines_of(files_in(tmp_path)[0])[-1].more == {"reason": "stopped"}


def test_what_the_kernel_held_when_the_end_was_asked_for_is_written(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    sent = [clock.wall_us + 5]
    running.run(Script(clock, [batch(sent)]), turns=0)
    assert times_in(files_in(tmp_path)[0]) == sent


def test_midnight_does_not_wait_for_a_packet(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.step(-1)
    running = Running(tmp_path, clock)
    source = Script(clock, [])
    running.run(source, turns=20)
    assert [path.name for path in files_in(tmp_path)] == [
        "2025-12-31_23.59.59_wlan0.pcap",
        "2026-01-01_00.00.00_wlan0.pcap",
    ]
    assert source.waited == 20


def test_an_interface_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    again = [Script(clock, [batch([clock.wall_us + 2])])]
    first = Script(clock, [batch([clock.wall_us + 1]), LostError("wlan0: The interface went down")])
    tries = 0

    def reopened() -> Script:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise LostError("wlan0 is down")
        return again.pop()

    running.run(first, turns=40, again=reopened)
    assert first.closed
    (file,) = files_in(tmp_path)
    assert len(times_in(file)) == 2
    events = [line for line in lines_of(file) if line.event in ("pause", "resume")]
    assert [line.event for line in events] == ["pause", "resume"]
    assert events[0].more["reason"] == "wlan0: The interface went down"
    assert events[1].time_us - events[0].time_us >= 3_000_000, "it is tried once a second"
    assert len(running.beats) >= 38, "waiting is no standstill"
    assert running.said == ["paused: wlan0: The interface went down; waiting for it", "capturing again"]


def test_drops_are_asked_for_every_second_and_addresses_every_ten(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    source = Script(clock, [], counted=[(1, 0)] * 100)
    running.run(source, turns=round(30 / WAIT_S))
    assert 28 <= running.recorder.kernel_drops <= 31
    assert source.tended == 3


def test_a_disk_that_owes_an_answer_for_a_minute_stops_the_beat(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    owed_us = clock.monotonic_us
    running.recorder.flushing_since_us = lambda: owed_us  # type: ignore[method-assign]  # a disk that hangs
    running.run(Script(clock, []), turns=round(90 / WAIT_S))
    assert 59 <= len(running.beats) * WAIT_S <= 61


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    running.run(Script(clock, [batch([clock.wall_us])], counted=[(0, 0), (7, 0)]), turns=12)
    says = standing(running.recorder, "wlan0", clock.read(), synced=False)
    assert says.state == "capturing"
    assert says.sentence == "Recording wlan0: 1 packets, 7 lost; nobody has set the clock yet."
    assert says.numbers["received"] == 1
    running.recorder.link_lost(clock.read(), "wlan0 is down")
    clock.pass_by(90)
    says = standing(running.recorder, "wlan0", clock.read(), synced=True)
    assert says.state == "paused"
    assert says.sentence == "Nothing of wlan0 has been recorded for 90 s: wlan0 is down."


def test_a_folder_that_takes_no_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Script(clock, [])
    with pytest.raises(FileNotFoundError):
        Running(tmp_path / "gone", clock).run(source, turns=1)
    assert source.closed
