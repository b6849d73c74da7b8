"""`homeport ingest`: the service that follows a folder of captures and keeps the database up to date.

Rule 1: what is new is read in pieces, the oldest file first, every file in turn; each commit leaves the database whole,
        so that the service may be killed at any instant.
Rule 2: it is kind to the disk: a file that grows is read once a minute, or when some 2,000 facts have come together;
        while somebody looks, every few seconds. Behind, it reads without a pause.
Rule 3: what goes wrong with one file is that file's (`reading`); what goes wrong with the database is said and tried again.
Rule 4: the owner is not kept waiting (`attention`): a pass over facts and a hunt are left off for what they say, and begun
        anew.
Rule 5: between two looks it takes no more memory than it must, so that what it takes does not grow with the day.
Rule 6: clocks and sleep are passed in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from daemon.ingest.attention import Attention
from daemon.ingest.follow import Folder, Followed
from daemon.ingest.hunting import Hunter
from daemon.ingest.keep import Held, Keeper, sentence_of
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.reading import PIECE, Reader
from daemon.ingest.recordings import Recordings, set_clocks
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.settle import settle_site
from daemon.ingest.standing import CATCHING_UP, FOLLOWING, WAITING, Said, Standing, is_looked_at, look_folder
from daemon.store.database import open_database
from daemon.store.errors import Busy, DiskFull, StoreError

COMMIT_S = 60.0
HURRY_S = 2.0
FACTS = 2_000  # that come together before a minute is over
SETTLE_S = 60.0  # while behind: how often labels follow
_POLL_S = 1.0
_INSTRUCTIONS = 200_000  # of SQLite's machine, some milliseconds, after which it asks whether to stop
_REST = 4  # while somebody looks, the service rests four times as long as it worked
_SELDOM = 60  # while nobody looks, labels take no more than a sixtieth of the time
_RETRY_S = 10.0
SIGN_S = 5.0  # so often there is a sign of life, at least
_FACTS_A_MB = 60.0  # before anything is known of this house


class World(Protocol):
    """What the service knows of the world besides files."""

    def monotonic(self) -> float:
        """Seconds on the clock that nobody sets."""

    def wall(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait, or less if there is a reason to go on."""

    def stopping(self) -> bool:
        """Whether the service should end."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What to follow, and where it goes."""

    folder: Path
    database: Path
    site: str = "home"
    networks: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    run_folder: Path | None = None  # where `look` lies


class Live:
    """The service. `step` does what is due; `run` goes on until it is told to stop."""

    def __init__(
        self,
        assignment: Assignment,
        world: World,
        heard: Callable[[Standing], None],
        keeper: Keeper | None = None,
        relieve: Callable[[], None] = lambda: None,
    ) -> None:
        """`keeper`: keeps the captures within their budget; None: nobody does. `relieve`: gives free memory back."""
        self._what, self._world, self._heard, self._keeper = assignment, world, heard, keeper
        self._relieve = relieve
        self._folder = Folder(assignment.folder)
        self._advanced = False
        self._packets = self._facts = self._settled_us = 0
        self._read_s = float("-inf")  # when a file that grows was read last
        self._settle_s = float("-inf")
        self._worked_s = self._settling_s = 0.0
        self._unsettled = True  # whatever a run before this one left
        self._facts_a_byte = _FACTS_A_MB / 1e6
        self._told_s = world.monotonic()  # when somebody was told last that work goes on
        database, site, knowledge = assignment.database, assignment.site, assignment.knowledge
        self._attention = Attention(assignment.folder, database, site, knowledge, world)
        self._reader = Reader(database, site, self._attention, self._live_on)
        self._recordings = Recordings(site)
        self._hunter = Hunter(database, site, knowledge, world.monotonic)

    def run(self, *, once: bool = False) -> Standing:
        """Follow until it is told to stop, or with `once` until all that is there is read. Raises StoreError, OSError."""
        world = self._world
        if self._keeper is not None:
            self._keeper.prepare()
        with closing(open_database(self._what.database)) as db:
            complete_replacements(db, self._what.database)
            db.set_progress_handler(self._leaves_off, _INSTRUCTIONS)
            standing = Standing(FOLLOWING, "Starts.")
            while not world.stopping():
                try:
                    busy = self.step(db, once=once)
                    standing = self._standing(*self._words_for())
                except StoreError as error:
                    if world.stopping():
                        break  # SQLite was interrupted; what was not committed will be done again
                    if once or not isinstance(error, (Busy, DiskFull)):
                        raise
                    busy, standing = self._relieved(db, error), self._standing(WAITING, str(error))
                self._told_s = world.monotonic()
                self._heard(standing)
                if self._advanced:
                    self._advanced = False
                    self._rest(db)
                if once and not busy:
                    break
                if not busy:
                    world.sleep(_RETRY_S if standing.state == WAITING else _POLL_S)
            return standing

    def step(self, db: sqlite3.Connection, *, once: bool = False) -> bool:
        """One look and what follows from it; whether there is more to do at once. Raises StoreError, OSError."""
        now = self._world.monotonic()
        looked_at = self._looked_at()
        self._folder.look(now)
        set_clocks(self._folder)
        self._attention.direct(db)
        due = self._due(now, looked_at=looked_at, once=once)
        for file in due:
            if self._world.stopping():
                break
            self._attention.direct(db)
            self._read(db, file, self._world.monotonic(), once=once)
        self._recordings.tell(db, self._what.database, self._folder)
        behind = any(file.pending > 0 for file in due)
        self._attention.heed(db)
        self._settle(db, behind=behind, looked_at=looked_at, once=once)
        self._attention.heed(db)
        later = self._attention.catch_up(db)
        self._attention.direct(db)
        self._attention.forget(db, self._sign)
        if due:
            self._worked_s = self._world.monotonic() - now
        if not (behind or once or self._unsettled):
            self._hunt(db)
        if self._keeper is not None and not once and self._keeper.due(now):
            self._keeper.keep(db, now)
        return behind or later

    def _rest(self, db: sqlite3.Connection) -> None:
        """Hold no memory that only the look at hand needed: the next one is a minute away, and pages are read again in
        a few milliseconds."""
        db.execute("PRAGMA shrink_memory")
        self._relieve()

    def _relieved(self, db: sqlite3.Connection, error: StoreError) -> bool:
        """Whether there is more room now than when the database could not be written."""
        if self._keeper is None or not isinstance(error, DiskFull):
            return False
        try:
            return self._keeper.relieve(db, self._world.monotonic())
        except StoreError:
            return False  # as full as before; what did not go goes the next time

    def _due(self, now: float, *, looked_at: bool, once: bool) -> list[Followed]:
        """The files to be read now. Files that grow come together, so that there is one settling for all."""
        waiting = self._folder.waiting()
        ready = [file for file in waiting if file.over(now, at_once=once) or file.pending >= PIECE]
        growing = [file for file in waiting if file.pending and file not in ready]
        pause = max(HURRY_S, _REST * self._worked_s) if looked_at else COMMIT_S
        much = sum(file.pending for file in growing) * self._facts_a_byte >= FACTS
        if growing and (once or much or now - self._read_s >= pause):
            self._read_s = now
            return [file for file in waiting if file in ready or file in growing]
        return ready

    def _read(self, db: sqlite3.Connection, file: Followed, now: float, *, once: bool) -> None:
        """One piece of one file."""
        piece = self._reader.read(db, file, now, at_once=once)
        if piece is None:
            return
        self._advanced = True
        self._packets += piece.packets
        self._facts += piece.facts
        self._unsettled = self._unsettled or piece.facts > 0 or piece.final
        if piece.size > 0 and piece.facts:
            self._facts_a_byte += (piece.facts / piece.size - self._facts_a_byte) / 4

    def _live_on(self) -> None:
        """Say once in a while that work goes on, however long a look takes."""
        now = self._world.monotonic()
        if now - self._told_s >= SIGN_S:
            self._told_s = now
            self._heard(replace(self._standing(*self._words_for()), advanced=True))

    def _sign(self, sentence: str) -> None:
        """Say what it is that takes so long."""
        self._heard(replace(self._standing(FOLLOWING, sentence), advanced=True))

    def _leaves_off(self) -> int:
        """Asked by SQLite in the midst of its work: not 0 where it should leave off."""
        self._live_on()
        return int(self._attention.leaves_off() or self._world.stopping())

    def _settle(self, db: sqlite3.Connection, *, behind: bool, looked_at: bool, once: bool) -> None:
        now = self._world.monotonic()
        pause = HURRY_S * _REST if looked_at else SETTLE_S
        slow = 0 if looked_at or once else _SELDOM * self._settling_s
        if not self._unsettled or now - self._settle_s < max(pause if behind else 0, slow):
            return
        what = self._what
        with self._attention.before("labels", once=once) as done:
            settle_site(db, what.database, what.site, what.networks, what.knowledge)
            done.append(True)
        if not done:
            return
        self._unsettled = False
        self._settle_s = self._world.monotonic()
        self._settling_s = self._settle_s - now
        self._settled_us = int(self._world.wall() * 1e6)
        self._attention.settled()

    def _hunt(self, db: sqlite3.Connection) -> None:
        with self._attention.before("a hunt") as done:
            self._hunter.step(db)
            done.append(True)

    def _looked_at(self) -> bool:
        return is_looked_at(look_folder(self._what.run_folder, self._what.database), self._world.wall())

    def _words_for(self) -> tuple[str, str]:
        unread = sum(file.pending for file in self._folder.files.values())
        if unread >= PIECE:
            return CATCHING_UP, f"Catching up: {unread / 1e6:,.0f} MB of captures are still to be read."
        live = [file for file in self._folder.files.values() if not (file.ended or file.aside or file.waits)]
        if not live:
            return FOLLOWING, f"Waiting for captures in {self._what.folder}."
        return FOLLOWING, f"Following {', '.join(sorted(file.path.name for file in live)[:3])}."

    def _tell(self) -> tuple[Said, ...]:
        said = self._attention.say()
        return said if self._keeper is None else (*said, *self._keeper.say())

    def _standing(self, state: str, sentence: str) -> Standing:
        now = self._world.monotonic()
        files = self._folder.files.values()
        pending = [file for file in files if file.pending]
        aside = tuple((str(file.path), file.aside) for file in files if file.aside is not None)
        if aside:
            sentence += f" Set aside: {len(aside)}."
        held = Held() if self._keeper is None else self._keeper.held
        if words := sentence_of(held):
            sentence += f" {words}"
        left_out = [file.sidecar.levels for file in files if file.sidecar is not None and not file.sidecar.closed]
        return Standing(
            state=state,
            sentence=sentence,
            advanced=self._advanced,
            lag_s=round(max((now - file.noticed_s for file in pending), default=0.0), 1),
            unread_bytes=sum(file.pending for file in pending),
            files_waiting=len(pending),
            files_without_clock=sum(file.waits for file in files),
            set_aside=aside,
            packets=self._packets,
            facts=self._facts,
            settled_us=self._settled_us,
            looked_at=self._looked_at(),
            captures_bytes=held.captures,
            free_bytes=held.free,
            floor_bytes=held.floor,
            ballast_bytes=held.ballast,
            given_up=held.gone,
            given_up_unread=held.unread,
            not_recorded=max((off for off, _ in left_out), default=0),
            without_names=max((bare for _, bare in left_out), default=0),
            said=self._tell(),
        )
