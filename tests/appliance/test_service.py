"""A service among its surroundings: a manager that listens, a status folder, signals as `kill` sends them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.service import Beat, Service, World, run_service
from appliance.status import Status, read_status


@dataclass
class Surroundings:
    """A world whose clocks only the test moves, and what was heard in it."""

    manager: socket.socket
    folder: Path
    time: float = 1_000.0
    journal: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)

    def world(self) -> World:
        environ = {"NOTIFY_SOCKET": self.manager.getsockname(), "WATCHDOG_USEC": "10000000"}
        return World(environ, self.folder, lambda: self.time, lambda: self.time, self.write)

    def write(self, priority: int, sentence: str, fields: Mapping[str, object]) -> None:
        self.journal.append((priority, sentence, dict(fields)))

    def heard(self) -> list[str]:
        lines = []
        while True:
            try:
                lines += self.manager.recv(4096, socket.MSG_DONTWAIT).decode().split("\n")
            except BlockingIOError:
                return lines

    def status(self) -> Status:
        said = read_status("capture", self.folder)
        assert said is not None
        return said


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    folder = tmp_path / "run"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        yield Surroundings(manager, folder)


def beat(packets: int, *, advanced: bool = True, state: str = "capturing") -> Beat:
    return Beat(state, f"{packets} packets.", advanced, waiting=True, numbers={"packets": packets})


def test_from_ready_to_done(around: Surroundings) -> None:
    def work(service: Service) -> int:
        service.ready("Records wlan0.")
        assert around.status().state == "ready"
        for packets in range(12):
            around.time += 1
            service.beat(beat(packets))
        return 7

    assert run_service("capture", work, around.world()) == 7
    heard = around.heard()
    assert heard[:2] == ["READY=1", "STATUS=Records wlan0."]
    assert heard.count("WATCHDOG=1") == 2
    assert heard[-2:] == ["STOPPING=1", "STATUS=Done."]
    last = around.status()
    assert (last.state, last.since_us, last.now_us) == ("stopped", 1_000_000_000, 1_012_000_000)
    assert (last.pid, last.numbers["packets"]) == (os.getpid(), 9)  # those of the last beat that was written


def test_the_status_is_written_now_and_then_and_whenever_the_state_changes(around: Surroundings) -> None:
    def work(service: Service) -> int:
        service.beat(beat(1))
        service.beat(beat(2))
        assert around.status().numbers["packets"] == 1
        service.beat(beat(3, state="paused"))
        assert (around.status().state, around.status().numbers["packets"]) == ("paused", 3)
        around.time += 3
        service.beat(beat(4, state="paused"))
        assert around.status().numbers["packets"] == 4
        return 0

    run_service("capture", work, around.world())
    assert [line for line in around.heard() if line.startswith("STATUS=")] == [
        "STATUS=1 packets.",
        "STATUS=3 packets.",
        "STATUS=4 packets.",
        "STATUS=Done.",
    ]


def test_a_round_without_progress_does_not_feed_the_watchdog(around: Surroundings) -> None:
    def work(service: Service) -> int:
        service.beat(beat(1))
        for _ in range(60):
            around.time += 1
            service.beat(beat(1, advanced=False))
        return 0

    run_service("capture", work, around.world())
    assert around.heard().count("WATCHDOG=1") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_work_in_order(around: Surroundings, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def work(service: Service) -> int:
        quiet = service.stopping
        os.kill(os.getpid(), number)
        assert (quiet, service.stopping) == (False, True)
        return 0

    assert run_service("capture", work, around.world()) == 0
    assert around.status().sentence == "Stopped as asked."
    assert signal.getsignal(number) is before


def test_an_impatient_second_signal_ends_it_at_once(around: Surroundings) -> None:
    def work(_service: Service) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        run_service("capture", work, around.world())
    assert around.status().state == "failed"


def test_hangup_reloads_between_two_beats(around: Surroundings) -> None:
    reloads: list[float] = []

    def work(service: Service) -> int:
        service.ready("Records wlan0.")
        os.kill(os.getpid(), signal.SIGHUP)
        assert reloads == []
        service.beat(beat(1))
        assert not service.stopping
        return 0

    run_service("capture", work, around.world(), lambda: reloads.append(around.time))
    assert reloads == [1_000.0]
    assert around.heard()[2:6] == ["RELOADING=1", "MONOTONIC_USEC=1000000000", "READY=1", "STATUS=Records wlan0."]


def test_a_fault_is_said_and_passed_on(around: Surroundings) -> None:
    def work(_service: Service) -> int:
        raise OSError("wlan0 is gone")

    with pytest.raises(OSError, match="wlan0 is gone"):
        run_service("capture", work, around.world())
    assert (around.status().state, around.status().sentence) == ("failed", "Ended by OSError: wlan0 is gone")
    assert [(priority, fields) for priority, _, fields in around.journal] == [(3, {"state": "failed"})]


def test_a_status_that_cannot_be_written_is_said_once_and_the_work_goes_on(around: Surroundings) -> None:
    (around.folder / "capture.json").mkdir()

    def work(service: Service) -> int:
        for packets in range(20):
            around.time += 1
            service.beat(beat(packets))
        return 0

    assert run_service("capture", work, around.world()) == 0
    warnings = [sentence for priority, sentence, _ in around.journal if priority == 4]
    assert len(warnings) == 1
    assert "status file of capture cannot be written" in warnings[0]


def test_without_a_folder_for_it_there_is_no_status_file(around: Surroundings) -> None:
    around.folder.rmdir()
    assert run_service("capture", lambda _: 0, around.world()) == 0
    assert not around.folder.exists()
    assert [priority for priority, _, _ in around.journal] == [5]
