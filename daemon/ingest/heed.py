"""What the owner says, acted on within seconds: names, joins, the time zone, and the wish that a device be forgotten.

Rule 1: to listen costs two calls of the system, so that it is done between any two batches of a file and in the middle of
        a pass over facts. To act on it takes no longer where much was read meanwhile: facts are left to the next pass.
Rule 2: what was said while the service was down is acted on when it starts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import heed_owner
from daemon.store.owner import read_owner, version, wishes
from daemon.store.settings import TIME_ZONE, read_settings

_AGAIN_S = 5.0  # so often the file is read in any case: two writings in one tick of its clock look like one


class Ear:
    """Listens for one site, and acts."""

    def __init__(self, database: Path, site: str, knowledge: Knowledge, monotonic: Callable[[], float]) -> None:
        self.wished = False  # somebody is to be forgotten
        self._database, self._site, self._knowledge, self._monotonic = database, site, knowledge, monotonic
        self._seen: tuple[object, ...] = ()  # the state of the file when it was read
        self._said: object = None  # what it said then; None: there was none
        self._heeded: object = None

    def news(self) -> bool:
        """Whether there are words that were not acted on. Raises StoreError."""
        path = self._knowledge.owner
        if path is None:
            return False
        seen = self._monotonic() // _AGAIN_S, *stamps(path)
        if seen != self._seen:
            self._said = self._read(path)
            self._seen = seen
        return self._said is not None and self._said != self._heeded

    def heed(self, db: sqlite3.Connection) -> None:
        """Act on what was said since the last time. Raises StoreError; then it is tried again."""
        if self.news():
            said = self._said
            heed_owner(db, self._database, self._site, self._knowledge)
            self._heeded = said

    def leave_to_others(self) -> None:
        """Whatever was said until now is somebody else's to act on. Raises StoreError."""
        if self.news():
            self._heeded = self._said

    def _read(self, path: Path) -> object:
        owner = read_owner(path)
        if owner is None:
            return None
        with closing(owner):
            self.wished = bool(wishes(owner, self._site))
            return version(owner), read_settings(owner).get(TIME_ZONE)


def stamps(path: Path) -> tuple[tuple[int, int, int], ...]:
    """What tells that a database has changed, of its file and of its log."""
    return tuple(_stamp(path.with_name(path.name + end)) for end in ("", "-wal"))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns
