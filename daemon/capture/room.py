"""How much room the disk has left for a recording.

Rule 1: it is looked at every few seconds, and not with every packet.
Rule 2: who stopped for want of room goes on when there is clearly more of it than the little that stopped him, so that
        nobody stops and goes on in turn.
"""

from __future__ import annotations

import os
from pathlib import Path

from daemon.capture.plan import Pace
from daemon.capture.writer import Disk

_MARGIN = 16  # a sixteenth of the floor more than the floor


class RoomWatch:
    """The disk of one folder; `low` is how it was when it was looked at last."""

    def __init__(self, disk: Disk, folder: Path, pace: Pace) -> None:
        self.low = False
        self._disk, self._folder, self._pace = disk, folder, pace
        self._looked_us: int | None = None

    def turned(self, now_us: int) -> bool:
        """Whether it became low, or is so no longer; told once. Never where nothing is to stay free."""
        pace = self._pace
        if not pace.floor or (self._looked_us is not None and now_us - self._looked_us < pace.retry_us):
            return False
        self._looked_us = now_us
        free = self._free()
        before, self.low = self.low, free < (self._enough() if self.low else pace.floor)
        return self.low != before

    def enough(self) -> bool:
        """Whether a recording that had stopped can go on."""
        waits = self._pace.floor > 0 and not self._pace.low_snaplen  # for more than just some room
        found = self._free() >= max(self._pace.room, self._enough() if waits else 0)
        self.low = self.low and not (found and waits)
        return found

    def _enough(self) -> int:
        return self._pace.floor + self._pace.floor // _MARGIN

    def _free(self) -> int:
        """A folder that is gone (a disk that was pulled) has none."""
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            return self._disk.free(descriptor)
        finally:
            os.close(descriptor)
