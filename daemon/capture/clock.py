"""The clocks a recording needs, and what is concluded from two of them.

Rule 1: whoever needs the time is given a `Clock`; only `SystemClock` asks the machine.
Rule 2: wall clock and monotonic clock are read together. How far they are apart stays the same until somebody sets the
        wall clock: that difference is an epoch's anchor, and a change of it is a jump.
Rule 3: a clock that was set once since the machine started counts as set. The kernel forgets it after some nine hours
        without a time server, in which a quartz drifts less than a second.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import NamedTuple, Protocol

JUMP_US = 2_000_000  # a smaller step is left to the file in which it happens

_TIMESYNCD = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd makes it after the first answer
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC = 0x40  # adjtimex(2)
_TIME_ERROR = 5


class Reading(NamedTuple):
    """Both clocks at one instant, in microseconds; `monotonic_us` is of the running boot."""

    wall_us: int
    monotonic_us: int

    @property
    def anchor_us(self) -> int:
        """What has to be added to the monotonic clock to get the wall clock."""
        return self.wall_us - self.monotonic_us


class Clock(Protocol):
    """The time, for a recording."""

    @property
    def boot_id(self) -> str:
        """Names the period in which the monotonic clock counts."""

    def read(self) -> Reading:
        """Both clocks, as near to each other as can be."""

    def synced(self) -> bool:
        """Whether the wall clock was set by somebody who knows the time."""


class _Timex(ctypes.Structure):
    _fields_ = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),  # nobody needs it, and it is of different size on different machines
    ]


def kernel_says_synced() -> bool | None:
    """What adjtimex(2) says without changing anything; None where it may not be asked."""
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC


class SystemClock:
    """The machine's clocks."""

    def __init__(self, *, trusted: bool = False, timesyncd: Path = _TIMESYNCD, boot_id: Path = _BOOT_ID) -> None:
        """`trusted`: the wall clock is right, whatever the kernel knows of it (a clock with a battery, say)."""
        self._timesyncd = timesyncd
        self._once = trusted
        self._boot_id = boot_id.read_text("ascii").strip()
        self._running = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    @property
    def boot_id(self) -> str:
        """As the kernel has it."""
        return self._boot_id

    def read(self) -> Reading:
        """Both clocks: the monotonic one before and after the wall clock, so that a pause between them does no harm."""
        before = time.clock_gettime_ns(self._running)
        wall = time.time_ns()
        after = time.clock_gettime_ns(self._running)
        return Reading(wall // 1000, (before + after) // 2000)

    def synced(self) -> bool:
        """Rule 3; systemd's mark counts where the kernel may not be asked, and also where it has forgotten."""
        self._once = self._once or bool(kernel_says_synced()) or self._timesyncd.exists()
        return self._once

    def trust(self) -> None:
        """Count the clock as set from now on."""
        self._once = True


class Jump(NamedTuple):
    """The wall clock was moved."""

    offset_us: int  # by so much; negative: back
    border_us: int  # packet times on the one side of it are of the old clock, on the other of the new

    def is_old(self, packet_us: int) -> bool:
        """Whether a packet with this time was stamped before the clock was moved."""
        return packet_us < self.border_us if self.offset_us > 0 else packet_us >= self.border_us


def jump_between(anchor_us: int, now: Reading) -> Jump | None:
    """The jump since the clocks were `anchor_us` apart, or None where it is small.

    The border lies half way between the time it is and the time it would be: packets wait in the kernel for far less
    than a jump is long.
    """
    offset_us = now.anchor_us - anchor_us
    if abs(offset_us) <= JUMP_US:
        return None
    return Jump(offset_us, now.wall_us - offset_us // 2)
