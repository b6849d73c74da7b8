from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.notify import Notifier, Watchdog, watchdog_seconds


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The end at which systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_each_message_has_its_assignments(manager: socket.socket) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": manager.getsockname()})
    assert notifier.ready("Records wlan0.")
    assert heard(manager) == ["READY=1", "STATUS=Records wlan0."]
    assert notifier.status("42 packets.")
    assert heard(manager) == ["STATUS=42 packets."]
    assert notifier.reloading(1_500_000)
    assert heard(manager) == ["RELOADING=1", "MONOTONIC_USEC=1500000"]
    assert notifier.alive()
    assert heard(manager) == ["WATCHDOG=1"]
    assert notifier.stopping("Stops.")
    assert heard(manager) == ["STOPPING=1", "STATUS=Stops."]


def test_a_line_break_in_a_status_starts_no_assignment(manager: socket.socket) -> None:
    Notifier(manager.getsockname()).status("bad.pcap\nWATCHDOG=trigger\nMAINPID=1")
    assert heard(manager) == ["STATUS=bad.pcap\\nWATCHDOG=trigger\\nMAINPID=1"]


def test_abstract_socket() -> None:
    name = f"homeport-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        assert Notifier.of({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert heard(listener) == ["WATCHDOG=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_outside_systemd_nothing_is_sent(environ: dict[str, str]) -> None:
    assert not Notifier.of(environ).ready("x")


def test_a_manager_that_went_away_is_no_error(tmp_path: Path) -> None:
    assert not Notifier(str(tmp_path / "gone")).ready("x")


def test_a_manager_that_does_not_read_does_not_block(manager: socket.socket) -> None:
    notifier = Notifier(manager.getsockname())
    assert not all(notifier.status("x" * 500) for _ in range(5000))


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_seconds(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environ, 7) == seconds


@dataclass
class Bench:
    """A watchdog of 10 s with a clock that only the test moves."""

    time: float = 100.0
    pings: int = 0
    reachable: bool = True
    watchdog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(10.0, self.ping, lambda: self.time)

    def ping(self) -> bool:
        self.pings += self.reachable
        return self.reachable

    def rounds(self, seconds: int, *, advanced: bool, waiting: bool) -> None:
        for _ in range(seconds):
            self.time += 1
            self.watchdog.beat(advanced=advanced, waiting=waiting)


def test_work_that_gets_done_feeds_it_at_half_of_the_wait() -> None:
    bench = Bench()
    bench.rounds(4, advanced=True, waiting=True)
    assert bench.pings == 0
    bench.rounds(16, advanced=True, waiting=True)
    assert bench.pings == 4


def test_a_quiet_house_feeds_it() -> None:
    bench = Bench()
    bench.rounds(20, advanced=False, waiting=False)
    assert bench.pings == 4


def test_a_loop_that_turns_without_doing_its_work_starves_it() -> None:
    bench = Bench()
    bench.rounds(5, advanced=True, waiting=True)
    bench.rounds(100, advanced=False, waiting=True)
    assert bench.pings == 1


def test_one_packet_between_two_pings_is_enough() -> None:
    bench = Bench()
    for _ in range(4):
        bench.rounds(1, advanced=True, waiting=True)
        bench.rounds(4, advanced=False, waiting=True)
    assert bench.pings == 4


def test_a_ping_that_was_not_sent_is_tried_again() -> None:
    bench = Bench(reachable=False)
    bench.rounds(7, advanced=True, waiting=True)
    bench.reachable = True
    bench.rounds(1, advanced=False, waiting=True)
    assert bench.pings == 1


def test_without_a_manager_that_watches_nothing_is_sent() -> None:
    bench = Bench()
    bench.watchdog = Watchdog(None, bench.ping, lambda: bench.time)
    bench.rounds(100, advanced=True, waiting=True)
    assert bench.pings == 0
