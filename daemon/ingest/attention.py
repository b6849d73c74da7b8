"""What the service does for the owner, whatever else it is in the middle of.

Rule 1: the owner is not kept waiting: what they said is acted on between two batches of a file, of which the one under
        way is cut short for it, and work that can be left off is left off for it and begun anew.
Rule 2: nor are the facts, for good: what was left off again and again for a quarter of an hour is come through with.
Rule 3: the recorder is told whom to leave out before anything else is done with the packets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from daemon.ingest.heed import Ear, stamps
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.levels import Teller
from daemon.ingest.settle import judge_due
from daemon.ingest.standing import Said
from daemon.ingest.wishes import Wishes
from daemon.store.errors import StoreError

_LONGEST_S = (
    900.0  # after the first time that work was left off for the owner; then it is not, as nobody edits for ever
)
_AGAIN_S = 10.0  # so often it is seen to that the recorder still knows whom to leave out


class Moment(Protocol):
    """What has to be known of the world."""

    def monotonic(self) -> float:
        """Seconds on the clock that nobody sets."""

    def stopping(self) -> bool:
        """Whether the service should end."""


class Attention:
    """The owner of one site, heard while work goes on."""

    def __init__(self, folder: Path, database: Path, site: str, knowledge: Knowledge, world: Moment) -> None:
        """`folder`: of the captures, where the recorder looks for what it is told."""
        self._database, self._site, self._knowledge, self._world = database, site, knowledge, world
        self._ear = Ear(database, site, knowledge, world.monotonic)
        self._teller = Teller(folder, database, site)
        self._wishes = Wishes(database, site, knowledge)
        self._directed: tuple[object, ...] = ()
        self._passes = 0  # over facts; each may tell another device that is not to be recorded
        self._yielding = False  # in work that may be left off
        self._spoken = False  # and the owner has said something in the midst of it
        self._left_off: dict[str, float] = {}  # work that has not come to its end since it was left off: when that was
        self._said: list[Said] = []

    def speaks(self) -> bool:
        """Whether there are words that were not acted on. Raises StoreError."""
        return self._ear.news()

    def heed(self, db: sqlite3.Connection) -> None:
        """Act on them. Raises StoreError."""
        self._ear.heed(db)

    def between(self, db: sqlite3.Connection) -> None:
        """What does not wait until a file is read. Raises StoreError."""
        self.heed(db)
        self.direct(db)

    def leaves_off(self) -> bool:
        """Asked in the midst of work: whether it should be left off."""
        self._spoken = self._yielding and self.speaks()
        return self._spoken

    @contextmanager
    def before(self, work: str, *, once: bool = False) -> Iterator[list[bool]]:
        """Work that is left off when the owner says something; at its end it adds to the list, which is empty then."""
        done: list[bool] = []
        now = self._world.monotonic()
        patient = now - self._left_off.get(work, now) < _LONGEST_S
        self._yielding, self._spoken = patient and not once, False
        try:
            yield done
        except (
            StoreError
        ):  # of whatever kind: SQLite has undone all, what tidies up behind the work finds nothing to tidy
            if not self._spoken or self._world.stopping():
                raise
        finally:
            self._yielding = False
        if done:
            self._left_off.pop(work, None)
        else:
            self._left_off.setdefault(work, now)

    def settled(self) -> None:
        """A pass over facts has come to its end."""
        self._passes += 1

    def catch_up(self, db: sqlite3.Connection) -> bool:
        """Do one thing of what was put off for the owner; whether there is more. Raises StoreError."""
        more = True
        with self.before("what was put off") as done:
            more = judge_due(db, self._database, self._site, self._knowledge)
            done.append(True)
        return more

    def direct(self, db: sqlite3.Connection) -> None:
        """Tell the recorder whom to leave out. Without the owner's file what it was told last stays as it is."""
        path = self._knowledge.owner
        if path is None or not path.exists():
            return
        now = self._world.monotonic() // _AGAIN_S
        state = (now, self._passes, stamps(path))
        if state != self._directed:
            self._directed = state
            self._teller.tell(db, self._knowledge.words(self._site))

    def forget(self, db: sqlite3.Connection, sign: Callable[[str], None]) -> None:
        """Act on the wish that a device be forgotten, file by file, with a sentence at each. Raises StoreError."""
        if not self._ear.wished:
            return

        def heard(path: str, done: int, every: int) -> None:
            sign(f"Forgetting a device: {done} of {every} captures, {Path(path).name}.")
            self.heed(db)

        done = self._wishes.fulfil(heard)
        self._said += [Said(each.sentence, "", loud=bool(each.left)) for each in done]

    def say(self) -> tuple[Said, ...]:
        """What happened since this was asked last."""
        said, self._said = (*self._said, *self._teller.say()), []
        return said
