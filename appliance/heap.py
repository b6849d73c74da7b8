"""Memory that a process has freed but holds, given back to the system.

glibc keeps what was freed below something still in use, and for a service with a limit held is as good as used.
"""

from __future__ import annotations

import ctypes
import threading

_SOON_S = 1.0  # the answer at hand is sent by then, and others that were asked for with it


class Reliever:
    """Gives free memory back a moment after it was called: malloc_trim(3) where the C library has it, else nothing."""

    def __init__(self, wait_s: float = _SOON_S) -> None:
        self._wait_s = wait_s
        self._turn = threading.Lock()
        self._soon = False
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # None: not glibc

    def __call__(self) -> None:
        """Soon; calls until then are one."""
        with self._turn:
            if self._soon or self._trim is None:
                return
            self._soon = True
        timer = threading.Timer(self._wait_s, self.now)
        timer.daemon = True
        timer.start()

    def now(self) -> None:
        """At once."""
        with self._turn:
            self._soon = False
        if self._trim is not None:
            self._trim(ctypes.c_size_t(0))
