"""`homeport ingest`: the service that follows a folder of captures and keeps the database up to date.

Rule 1: what is new is read in pieces, the oldest file first, every file in turn; each commit leaves the database whole,
        so that the service may be killed at any instant.
Rule 2: it is kind to the disk: a file that grows is read once a minute, or when some 2,000 facts have come together;
        while somebody looks, every few seconds. Behind, it reads without a pause.
Rule 3: what goes wrong with one file is that file's; what goes wrong with the database is said and tried again.
Rule 4: the owner is not kept waiting: what they said is acted on between two batches of a file, and a pass over facts is
        left off for it and begun anew.
Rule 5: clocks and sleep are passed in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from daemon.decode.pcap import FILE_HEADER
from daemon.ingest.capture_file import Task, continue_file, head_of, import_file
from daemon.ingest.follow import Folder, Followed
from daemon.ingest.heed import Ear, stamps
from daemon.ingest.hunting import Hunter
from daemon.ingest.keep import Held, Keeper, sentence_of
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.levels import Teller
from daemon.ingest.outcome import FileOutcome
from daemon.ingest.recordings import Recordings, set_clocks
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.settle import judge_due, settle_site
from daemon.ingest.source import find_captures
from daemon.ingest.standing import CATCHING_UP, FOLLOWING, WAITING, Said, Standing, is_looked_at, look_folder
from daemon.ingest.wishes import Wishes
from daemon.store.captures import find_placed
from daemon.store.database import open_database
from daemon.store.errors import Busy, DiskFull, StoreError, explained

PIECE = 64 << 20  # bytes of a file that are read before others have their turn
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
_OFTEN = 5  # passes in a row that are left off for the owner; the next one is not
_AGAIN_S = 10.0  # so often it is seen to that the recorder still knows whom to leave out
_FACTS_A_MB = 60.0  # before anything is known of this house
_ASIDE = ("unreadable", "closed")
_GZIP = (".gz",)


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
    ) -> None:
        """`keeper`: keeps the captures within their budget; None: nobody does."""
        self._what, self._world, self._heard, self._keeper = assignment, world, heard, keeper
        self._folder = Folder(assignment.folder)
        self._advanced = False
        self._packets = self._facts = self._settled_us = 0
        self._read_s = float("-inf")  # when a file that grows was read last
        self._settle_s = float("-inf")
        self._worked_s = self._settling_s = 0.0
        self._unsettled = True  # whatever a run before this one left
        self._facts_a_byte = _FACTS_A_MB / 1e6
        self._told_s = world.monotonic()  # when somebody was told last that work goes on
        self._settling = False  # in a pass that may be left off
        self._spoken = False  # and the owner has said something in the midst of it
        self._left_off = 0  # passes in a row
        self._ear = Ear(assignment.database, assignment.site, assignment.knowledge, world.monotonic)
        self._recordings = Recordings(assignment.site)
        self._teller = Teller(assignment.folder, assignment.database, assignment.site)
        self._directed: tuple[object, ...] = ()
        self._wishes = Wishes(assignment.database, assignment.site, assignment.knowledge)
        self._hunter = Hunter(assignment.database, assignment.site, assignment.knowledge, world.monotonic)
        self._said: tuple[Said, ...] = ()

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
                self._advanced = False
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
        self._direct(db)
        due = self._due(now, looked_at=looked_at, once=once)
        for file in due:
            if self._world.stopping():
                break
            self._direct(db)
            self._read(db, file, self._world.monotonic(), once=once)
        self._recordings.tell(db, self._what.database, self._folder)
        behind = any(file.pending > 0 for file in due)
        self._ear.heed(db)
        self._settle(db, behind=behind, looked_at=looked_at, once=once)
        self._ear.heed(db)
        later = self._catch_up(db)
        self._direct(db)
        if self._ear.wished:
            self._forget(db)
        if due:
            self._worked_s = self._world.monotonic() - now
        if not (behind or once or self._unsettled):
            self._hunter.step(db)
        if self._keeper is not None and not once and self._keeper.due(now):
            self._keeper.keep(db, now)
        return behind or later

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
        if not file.met and self._meet(db, file):
            return
        over = file.over(now, at_once=once)
        packed = file.path.suffix in _GZIP  # to its end in one go: nobody can begin in the middle of it
        end = file.readable if packed else min(file.readable, file.read + PIECE)
        final = over and end == file.readable
        task = Task(
            file.path, self._what.site, limit=None if final else end, final=final, clock_offset_us=file.clock_offset_us
        )
        try:
            outcome = self._offer(db, file, task)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  a fault that one file brings to light must not stop the others
            outcome = FileOutcome(file.path, "unreadable", message=f"a fault in Homeport: {error!r}; please report it")
        fresh = end - file.read
        file.capture_id = outcome.capture_id or file.capture_id
        file.noticed_s, file.read, file.ended = now, end, final
        file.waits = outcome.status == "unsynced"
        file.aside = outcome.message if outcome.status in _ASIDE else None
        self._advanced = True
        self._packets += outcome.new_packets
        self._facts += outcome.facts
        self._unsettled = self._unsettled or outcome.facts > 0 or final
        if fresh > 0 and outcome.facts:
            self._facts_a_byte += (outcome.facts / fresh - self._facts_a_byte) / 4

    def _meet(self, db: sqlite3.Connection, file: Followed) -> bool:
        """Whether the database has a file already, all of it.

        A file at its old place with its old beginning, and as long as it was, or one that our recorder wrote, is taken for
        what it was: to compare all bytes of all files after each start would take minutes.
        """
        file.met = True
        with explained(self._what.database):
            placed = find_placed(db, self._what.site, str(file.path.absolute()))
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
        database = self._what.database
        if file.capture_id is not None:
            outcome = continue_file(db, database, task, file.capture_id, lambda _size, _packets: self._between(db))
            if outcome is not None:
                return outcome
        if file.sidecar is not None and file.shape.size < FILE_HEADER:  # the power went when it had just been made
            return FileOutcome(file.path, "empty", message="it holds no record")
        if file.sidecar is None:
            _, problems = find_captures([file.path])
            if problems and not (problems[0][1] == "the file is empty" and not file.ended):
                return FileOutcome(file.path, "unreadable", message=problems[0][1])
        return import_file(db, database, task, lambda _size, _packets: self._between(db))

    def _between(self, db: sqlite3.Connection) -> None:
        """What does not wait until a file is read."""
        self._live_on()
        self._ear.heed(db)
        self._direct(db)

    def _live_on(self) -> None:
        """Say once in a while that work goes on, however long a look takes."""
        now = self._world.monotonic()
        if now - self._told_s >= SIGN_S:
            self._told_s = now
            self._heard(replace(self._standing(*self._words_for()), advanced=True))

    def _leaves_off(self) -> int:
        """Asked by SQLite in the midst of its work: not 0 where it should leave off."""
        self._live_on()
        self._spoken = self._settling and self._left_off < _OFTEN and self._ear.news()
        return int(self._spoken or self._world.stopping())

    def _settle(self, db: sqlite3.Connection, *, behind: bool, looked_at: bool, once: bool) -> None:
        now = self._world.monotonic()
        pause = HURRY_S * _REST if looked_at else SETTLE_S
        slow = 0 if looked_at or once else _SELDOM * self._settling_s
        if not self._unsettled or now - self._settle_s < max(pause if behind else 0, slow):
            return
        what = self._what
        with self._owner_first(once=once) as done:
            settle_site(db, what.database, what.site, what.networks, what.knowledge)
            done.append(True)
        if not done:
            return
        self._unsettled, self._left_off = False, 0
        self._settle_s = self._world.monotonic()
        self._settling_s = self._settle_s - now
        self._settled_us = int(self._world.wall() * 1e6)

    @contextmanager
    def _owner_first(self, *, once: bool = False) -> Iterator[list[bool]]:
        """Work that is left off when the owner says something; at its end it adds to the list, which is empty then."""
        done: list[bool] = []
        self._settling, self._spoken = not once, False
        try:
            yield done
        except (
            StoreError
        ):  # of whatever kind: SQLite has undone all, what tidies up behind the work finds nothing to tidy
            if not self._spoken or self._world.stopping():
                raise
        finally:
            self._settling = False
        self._left_off += not done

    def _catch_up(self, db: sqlite3.Connection) -> bool:
        """Do one thing of what was put off for the owner; whether there is more."""
        what, more = self._what, True
        with self._owner_first() as done:
            more = judge_due(db, what.database, what.site, what.knowledge)
            done.append(True)
        return more

    def _direct(self, db: sqlite3.Connection) -> None:
        """Tell the recorder whom to leave out. Without the owner's file what it was told last stays as it is."""
        path = self._what.knowledge.owner
        if path is None or not path.exists():
            return
        now = self._world.monotonic() // _AGAIN_S
        state = (now, self._settle_s, stamps(path))
        if state != self._directed:
            self._directed = state
            self._teller.tell(db, self._what.knowledge.words(self._what.site))

    def _forget(self, db: sqlite3.Connection) -> None:
        """Act on the wish that a device be forgotten, file by file, with a sign of life at each."""

        def heard(path: str, done: int, every: int) -> None:
            sentence = f"Forgetting a device: {done} of {every} captures, {Path(path).name}."
            self._heard(replace(self._standing(FOLLOWING, sentence), advanced=True))
            self._ear.heed(db)

        done = self._wishes.fulfil(heard)
        self._said += tuple(Said(each.sentence, "", loud=bool(each.left)) for each in done)

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
        said, self._said = (*self._said, *self._teller.say()), ()
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
