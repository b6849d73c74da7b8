"""A recording of a real interface whose day ends when the test wants, and who looks after the disk more often.

usage: python -m tests.support.capturing FOLDER INTERFACE [--midnight-in SECONDS] [--flush SECONDS] [--retry SECONDS]
           [--synced FILE]

With --synced the clock counts as set once that file is there, and the kernel is not asked.

The clock is the machine's, so that the kernel's times and ours are of one clock; what is moved is the time zone.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from datetime import timedelta, timezone
from pathlib import Path

from daemon.capture import clock as clock_module
from daemon.capture.clock import SystemClock
from daemon.capture.interface import Interface, Wanted
from daemon.capture.loop import Loop
from daemon.capture.plan import Pace, Place
from daemon.capture.recorder import Recorder
from daemon.capture.recover import recover
from daemon.capture.writer import SystemDisk

_DAY = 86_400


def zone_with_midnight_in(seconds: int, now: float) -> timezone:
    """A zone whose next midnight is so many whole seconds from now."""
    east = (_DAY - (int(now) + seconds)) % _DAY
    return timezone(timedelta(seconds=east if east < _DAY // 2 else east - _DAY))


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("interface")
    parser.add_argument("--midnight-in", type=int, default=3600)
    parser.add_argument("--flush", type=float, default=5.0)
    parser.add_argument("--retry", type=float, default=5.0)
    parser.add_argument("--synced", type=Path)
    given = parser.parse_args()
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    if given.synced is not None:
        clock_module.kernel_says_synced = lambda: None
    clock = SystemClock(trusted=given.synced is None, timesyncd=given.synced or Path())
    recover(given.folder, given.interface, clock)
    zone = zone_with_midnight_in(given.midnight_in, time.time())
    place = Place(given.folder, given.interface, zone, clock.boot_id, 262_144, {})
    pace = Pace(flush_us=round(given.flush * 1e6), retry_us=round(given.retry * 1e6), room=65_536)
    recorder = Recorder(place, SystemDisk(), pace, lambda sentence: print(sentence, file=sys.stderr, flush=True))  # noqa: T201  its log
    wanted = Wanted(given.interface)
    loop = Loop(lambda: Interface(wanted), recorder, clock, lambda _beat: None, time.sleep)
    loop.run(Interface(wanted), lambda: bool(stopped))


if __name__ == "__main__":
    main()
