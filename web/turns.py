"""One answer from the facts at a time: pages about a year take tens of megabytes while they are made, and a box has few.

Rule: who has waited for long goes on beside whoever is at it: a slow answer delays others, and stops nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_S = 10.0  # as long as a page may wait for its facts (`web.reading`)


class Turns:
    """Whose turn it is. May be asked by several threads."""

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._free = threading.Semaphore(1)

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Until the end of the block nobody else is at it; or (False) somebody is, and for long."""
        alone = self._free.acquire(timeout=self._patience_s)
        try:
            yield alone
        finally:
            if alone:
                self._free.release()
