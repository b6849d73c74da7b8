"""Long work on a database that the service which follows captures writes, too.

Rule 1: between two transactions others have their turn. SQLite has no queue: who waits looks again ten times a second,
        and finds a database that is always held.
Rule 2: while the owner waits for something that only the service can do, a transaction is left off for it and begun anew
        a moment later; after some times in a row it is not, so that the work comes to its end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from daemon.ingest.heed import Ear
from daemon.store.database import transaction

_TURN_S = 0.3  # longer than anybody who waits sleeps between two looks
_ACTING_S = 3.0  # so long the service has for what the owner said
_OFTEN = 5  # times in a row
_INSTRUCTIONS = 200_000  # of SQLite's machine, some milliseconds, after which it asks whether to stop

_Result = TypeVar("_Result")


class Turns:
    """Does the steps of long work, each in a transaction of its own."""

    def __init__(self, db: sqlite3.Connection, ear: Ear, sleep: Callable[[float], None]) -> None:
        """`ear`: hears the owner for whom the service acts. `sleep`: waits so many seconds."""
        self._db, self._ear, self._sleep = db, ear, sleep

    def take(self, step: Callable[[], _Result]) -> _Result:
        """What the step answers; it may be begun several times, each time on a database as it was. Raises sqlite3.Error."""
        for _ in range(_OFTEN):
            self._ear.leave_to_others()
            try:
                return self._do(step, self._ear.news)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT or not self._ear.news():
                    raise
            self._sleep(_ACTING_S)
        return self._do(step, None)

    def _do(self, step: Callable[[], _Result], stops: Callable[[], bool] | None) -> _Result:
        self._db.set_progress_handler(stops, _INSTRUCTIONS)
        try:
            with transaction(self._db):
                return step()
        finally:
            self._db.set_progress_handler(None, 0)
            self._sleep(_TURN_S)
