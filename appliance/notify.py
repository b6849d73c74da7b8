"""What a service tells systemd: ready, how it goes, alive, on its way out. Source: sd_notify(3), systemd.service(5).

Rule 1: outside systemd everything here does nothing.
Rule 2: a manager that does not listen must not stop the work: a message that cannot be sent at once is lost, and the
        caller is told so.
Rule 3: the watchdog is fed by work that got done, or by there being none to do; never by a timer or by a loop that turns.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.console import printable

SOCKET, WATCHDOG_USEC, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


@dataclass(frozen=True, slots=True)
class Notifier:
    """The manager's notification socket; `address` None where there is none. Each call says whether it was sent."""

    address: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """The socket that the environment names. Other kinds than AF_UNIX (vsock, for whole machines) are not ours."""
        address = environ.get(SOCKET, "")
        return cls(address if address[:1] in ("/", "@") else None)

    def ready(self, status: str) -> bool:
        """Start-up, or a reload, is over."""
        return self._send("READY=1", _status(status))

    def status(self, status: str) -> bool:
        """One line that `systemctl status` shows to a person."""
        return self._send(_status(status))

    def stopping(self, status: str) -> bool:
        """The end has begun."""
        return self._send("STOPPING=1", _status(status))

    def reloading(self, monotonic_us: int) -> bool:
        """The configuration is read anew; `ready` ends it. The time is CLOCK_MONOTONIC, in microseconds."""
        return self._send("RELOADING=1", f"MONOTONIC_USEC={monotonic_us}")

    def alive(self) -> bool:
        """Food for the watchdog."""
        return self._send("WATCHDOG=1")

    def _send(self, *assignments: str) -> bool:
        if self.address is None:
            return False
        # "@" stands for the zero byte of an abstract address (unix(7)).
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:  # Rule 2
            out.sendto("\n".join(assignments).encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, address)
            return True
        return False


def _status(line: str) -> str:
    return f"STATUS={printable(line)}"  # a line break in it would start an assignment of its own


def watchdog_seconds(environ: Mapping[str, str], pid: int | None = None) -> float | None:
    """How long the manager waits for a sign of life before it ends us; None where it does not watch this process."""
    meant = environ.get(WATCHDOG_PID, "")
    if meant and meant != str(os.getpid() if pid is None else pid):
        return None
    wait = environ.get(WATCHDOG_USEC, "")
    return int(wait) / 1_000_000 if wait.isascii() and wait.isdecimal() and int(wait) > 0 else None


class Watchdog:
    """Pings when half of the wait is over, if work was done since the last ping or none is waiting.

    `now` counts seconds of a clock that nobody sets; `ping` says whether the sign of life was sent.
    """

    def __init__(self, wait: float | None, ping: Callable[[], bool], now: Callable[[], float]) -> None:
        self._every = wait / 2 if wait else None
        self._ping = ping
        self._now = now
        self._advanced = True  # to have come so far is an advance
        self._last = now()

    def beat(self, *, advanced: bool, waiting: bool) -> bool:
        """One round of the work: whether it got any done, and whether there was any to do. True where it pinged."""
        if self._every is None:
            return False
        self._advanced = self._advanced or advanced or not waiting
        if not self._advanced or self._now() - self._last < self._every or not self._ping():
            return False
        self._last = self._now()
        self._advanced = False
        return True
