"""Memory that a process has freed but holds, given back to the system.

glibc keeps what was freed below something still in use, and for a service with a limit held is as good as used.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import threading
from pathlib import Path

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of mallopt(3), by <malloc.h>
_ARENAS, _LARGE = 2, 256 << 10  # bytes
_MUCH = 8 << 20  # bytes more than after the last time, from which on nothing waits
_SOON_S = 1.0  # the answer at hand is sent by then, and others that were asked for with it


def hold_little() -> None:
    """Let what threads free serve others, and give what is large back at once. Where the C library is another: nothing.

    By itself each thread has a heap of its own, and what was large once is kept there the next time.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(_ARENA_MAX, _ARENAS)
        choose(_MMAP_THRESHOLD, _LARGE)


class Reliever:
    """Gives free memory back: malloc_trim(3) where the C library has it, else nothing.

    At once where there may be much of it, so that the next answer does not come on top; else a moment after it was called.
    """

    def __init__(self, wait_s: float = _SOON_S) -> None:
        self._wait_s = wait_s
        self._turn = threading.Lock()
        self._soon = False
        self._held = 0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # None: not glibc

    def __call__(self) -> None:
        """At once or soon; calls until then are one."""
        if _resident() > self._held + _MUCH:
            self._collected()
            return
        with self._turn:
            if self._soon or self._trim is None:
                return
            self._soon = True
        timer = threading.Timer(self._wait_s, self._collected)
        timer.daemon = True
        timer.start()

    def _collected(self) -> None:
        """At once, and what only cycles still hold, as a page's rows may be. What a program is made of is looked at once."""
        gc.collect()
        if not gc.get_freeze_count():
            gc.freeze()
        self.now()

    def now(self) -> None:
        """At once."""
        with self._turn:
            self._soon = False
        if self._trim is not None:
            self._trim(ctypes.c_size_t(0))
        self._held = _resident()


def _resident() -> int:
    """Bytes of this process in memory; 0 where nobody tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
