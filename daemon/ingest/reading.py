"""One piece of one followed file into the database.

Rule 1: what goes wrong with one file is that file's: it is set aside with a sentence, and the others do not wait for it.
        What goes wrong with the database is raised.
Rule 2: a file that is known by its place and its beginning is taken for what it was: to compare all bytes of all files
        after each start would take minutes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from daemon.decode.pcap import FILE_HEADER
from daemon.ingest.attention import Attention
from daemon.ingest.capture_file import Task, continue_file, head_of, import_file
from daemon.ingest.follow import Followed
from daemon.ingest.outcome import FileOutcome
from daemon.ingest.source import find_captures
from daemon.store.captures import find_placed
from daemon.store.errors import StoreError, explained

PIECE = 64 << 20  # bytes of a file that are read before others have their turn
_ASIDE = ("unreadable", "closed")
_GZIP = (".gz",)


class Piece(NamedTuple):
    """What was read: bytes of the file on disk, and what they held. `final`: the file is read to its end."""

    size: int
    packets: int
    facts: int
    final: bool


class Reader:
    """Reads the files of one site. Between two batches the owner is heard, and a sign of life is given."""

    def __init__(self, database: Path, site: str, attention: Attention, live_on: Callable[[], None]) -> None:
        self._database, self._site, self._attention, self._live_on = database, site, attention, live_on

    def read(self, db: sqlite3.Connection, file: Followed, now: float, *, at_once: bool) -> Piece | None:
        """Read the next piece; None where the database has all of the file. `at_once`: nobody's file will grow.

        Raises StoreError.
        """
        if not file.met and self._meet(db, file):
            return None
        over = file.over(now, at_once=at_once)
        packed = file.path.suffix in _GZIP  # to its end in one go: nobody can begin in the middle of it
        end = file.readable if packed else min(file.readable, file.read + PIECE)
        final = over and end == file.readable
        task = Task(
            file.path, self._site, limit=None if final else end, final=final, clock_offset_us=file.clock_offset_us
        )
        try:
            outcome = self._offer(db, file, task)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  a fault that one file brings to light must not stop the others
            outcome = FileOutcome(file.path, "unreadable", message=f"a fault in Homeport: {error!r}; please report it")
        piece = Piece(end - file.read, outcome.new_packets, outcome.facts, final)
        file.capture_id = outcome.capture_id or file.capture_id
        file.noticed_s, file.read, file.ended = now, end, final
        file.waits = outcome.status == "unsynced"
        file.aside = outcome.message if outcome.status in _ASIDE else None
        return piece

    def _meet(self, db: sqlite3.Connection, file: Followed) -> bool:
        """Whether the database has a file already, all of it.

        That goes for a file at its old place with its old beginning, and as long as it was, or one that our recorder wrote
        (rule 2).
        """
        file.met = True
        with explained(self._database):
            placed = find_placed(db, self._site, str(file.path.absolute()))
        if placed is None or placed.status == "deleted" or head_of(file.path) != placed.head:
            return False
        if placed.status != "live" and placed.size == file.shape.size:
            file.capture_id, file.read, file.ended = (
                placed.capture_id,
                placed.size,
                file.sidecar is None or file.finished,
            )
            return True
        if file.sidecar is not None and placed.cursor <= file.shape.size:
            file.capture_id, file.read = placed.capture_id, placed.cursor
        return False

    def _offer(self, db: sqlite3.Connection, file: Followed, task: Task) -> FileOutcome:
        database, hurry = self._database, self._attention.speaks

        def heard(_size: int, _packets: int) -> None:
            self._live_on()
            self._attention.between(db)

        if file.capture_id is not None:
            outcome = continue_file(db, database, task, file.capture_id, heard, hurry)
            if outcome is not None:
                return outcome
        if file.sidecar is not None and file.shape.size < FILE_HEADER:  # the power went when it had just been made
            return FileOutcome(file.path, "empty", message="it holds no record")
        if file.sidecar is None:
            _, problems = find_captures([file.path])
            if problems and not (problems[0][1] == "the file is empty" and not file.ended):
                return FileOutcome(file.path, "unreadable", message=problems[0][1])
        return import_file(db, database, task, heard, hurry)
