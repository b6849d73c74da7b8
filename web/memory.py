"""What pages have computed, kept until the database changes: filters, pages of a list and the way back cost nothing.

Rule 1: an answer is kept under the state of the database from before its first query, so one that is older than that
        state is never found again. SQLite tells the state: a connection that is only asked whether anybody has written.
Rule 2: few answers are kept, the latest in any case; a box with little memory has better use for it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from pathlib import Path
from typing import TypeVar, cast

from daemon.store.database import read_database

T = TypeVar("T")
State = tuple[int, ...]

_MOST, _MOST_ROWS = 160, 20_000  # answers, and rows of them all: a service may have 120 MiB, and 75 are programs


class Memory:
    """Answers of one database. May be asked by several threads."""

    def __init__(self, database: Path, relieve: Callable[[], None] = lambda: None) -> None:
        """`relieve` is called when an answer was made: that takes several times the memory that it needs."""
        self._database = database
        self._relieve = relieve
        self._turn = threading.Lock()
        self._watch: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._opened = 0
        self._answers: OrderedDict[tuple[State | None, Hashable], object] = OrderedDict()

    def state(self) -> State:
        """What stands for all that the database says now. Raises StoreError, OSError."""
        with self._turn:
            about = self._database.stat()
            if self._watch is None or self._file != (about.st_dev, about.st_ino):
                self._forget()
                self._watch = read_database(self._database, any_thread=True)
                self._file = about.st_dev, about.st_ino
                self._opened += 1
            return self._opened, int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def recall(self, state: State | None, key: Hashable, make: Callable[[], T]) -> T:
        """The answer to `key` of that state, made where it is not kept. What it gives must not be changed.

        Without a state the key says all that the answer depends on.
        """
        with self._turn:
            if (state, key) in self._answers:
                self._answers.move_to_end((state, key))
                return cast("T", self._answers[state, key])
        made = make()
        with self._turn:
            for old in [each for each in self._answers if state is not None and each[0] not in (state, None)]:
                del self._answers[old]
            self._answers[state, key] = made
            while len(self._answers) > _MOST or (len(self._answers) > 1 and self._rows() > _MOST_ROWS):
                self._answers.popitem(last=False)
        self._relieve()
        return made

    def has(self, state: State | None, key: Hashable) -> bool:
        """Whether `recall` would answer at once."""
        with self._turn:
            return (state, key) in self._answers

    def _rows(self) -> int:
        return sum(len(answer) if isinstance(answer, Sized) else 1 for answer in self._answers.values())

    def close(self) -> None:
        """Let go of the database and of all answers."""
        with self._turn:
            self._forget()

    def _forget(self) -> None:
        self._answers.clear()
        if self._watch is not None:
            self._watch.close()
            self._watch = None
