"""One command, its cost: CPU seconds of its whole process tree, wall seconds, peak memory.

Rules: the kernel counts, not we (`wait4`); one command at a time; this process stays small, because Linux carries the
parent's resident size at the fork over into the child's peak. So numpy is never imported here.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

POLITELY = ("nice", "-n", "5")  # replaced by the command itself, so that it adds nothing to the measurement


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds of CPU (user and system), seconds of wall clock, peak resident size in MiB."""

    cpu: float
    wall: float
    memory: float


class CommandFailedError(Exception):
    """A measured command ended with an error; the message ends with what it said last."""


def run(argv: Sequence[str], *, cwd: Path) -> Cost:
    """Run a command to its end with its output thrown away. Children that it waited for are counted with it."""
    with tempfile.TemporaryFile() as complaints:
        begin = time.monotonic()
        child = subprocess.Popen(
            [*POLITELY, *argv], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=complaints
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
        if child.returncode:
            complaints.seek(0)
            said = complaints.read()[-4000:].decode(errors="replace").strip().splitlines()
            raise CommandFailedError(f"exit {child.returncode}: {said[-1][:160] if said else 'it said nothing'}")
    # ru_maxrss is in KiB on Linux, in bytes on macOS (getrusage(2) of each).
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20))


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of one tool: median and extremes of CPU seconds, median wall seconds, largest peak in MiB."""

    cpu: float
    cpu_min: float
    cpu_max: float
    wall: float
    memory: float
    rounds: int


def summarise(costs: Sequence[Cost]) -> Summary:
    """Sum up at least one run."""
    cpu = [cost.cpu for cost in costs]
    return Summary(
        statistics.median(cpu),
        min(cpu),
        max(cpu),
        statistics.median(cost.wall for cost in costs),
        max(cost.memory for cost in costs),
        len(costs),
    )
