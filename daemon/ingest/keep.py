"""Keeps captures within their budget: looks, plans, gives up what has to go, and says so.

Rule 1: the database lets go of a capture before its file goes, and that is on the disk by then: interrupted between the
        two, the file is still there and goes the next time, or is taken back where it need not go any more.
Rule 2: where the disk is so full that the database cannot be written, the ballast goes first; where that is not enough,
        the file goes and the database is told later.
Rule 3: what was not read and had to go is a gap, and is said loudly.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from daemon.ingest import ballast
from daemon.ingest.budget import AGE, BYTES, FLOOR, Going, Limits, Plan, ballast_of, floor_of, plan
from daemon.ingest.replacement import sync_folder
from daemon.ingest.sidecars import sidecar_of
from daemon.ingest.standing import Said
from daemon.ingest.stored import Recorded, find_stored
from daemon.store.captures import site_number
from daemon.store.database import transaction
from daemon.store.errors import DiskFull, explained
from daemon.store.gaps import write_gaps
from daemon.store.kept import Standing, let_go, read_standings, take_back

LOST = "recorded, and given up before it was read: the disk was full"

_EVERY_S = 60.0
_SOON_S = 3.0  # while the floor is not free
_LEAST = 4 << 20  # bytes with which a database can be opened and written to
_WORTH = 1 << 16  # bytes for which it is worth trying again at once
_MOST_NAMED = 20
_WORDS = {
    AGE: "it is older than captures are kept",
    BYTES: "captures may take no more room",
    FLOOR: "the disk has to have room left",
}


class Room(NamedTuple):
    """Of a disk, bytes; `free` are those that this user may still write."""

    total: int
    free: int


def room_at(place: Path) -> Room:
    """The room of the disk on which a folder lies. Raises OSError."""
    about = os.statvfs(place)
    return Room(about.f_blocks * about.f_frsize, about.f_bavail * about.f_frsize)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is to be kept; floor and ballast as they are wished for, bytes."""

    limits: Limits = field(default_factory=Limits)
    ballast: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """How the budget stands. Bytes; files since the service began."""

    captures: int = 0
    free: int = 0
    floor: int = 0
    ballast: int = 0
    gone: int = 0
    unread: tuple[str, ...] = ()  # files that went unread, the newest of them
    over: int = 0  # more than the budget, of what must not go
    short: int = 0  # less than the floor, and nothing may go
    denied: bool = False  # this user may not remove captures


class Keeper:
    """The budget of one folder of captures and the database that they are read into."""

    def __init__(
        self, folder: Path, database: Path, site: str, policy: Policy, room: Callable[[Path], Room] = room_at
    ) -> None:
        self.held = Held()
        self._folder, self._database, self._site, self._policy = folder, database, site, policy
        self._room = room
        self._ballast = ballast.ballast_beside(database)
        self._kept_s = self._looked_s = float("-inf")
        self._owed: dict[Path, Recorded | None] = {}  # what the database is to be told; not None: it went unread
        self._said: list[Said] = []
        self._recorded: list[Recorded] = []  # what lay there the last time
        self._complained = ""

    def prepare(self) -> None:
        """Before a database is opened: it takes a little room."""
        with suppress(OSError):  # whatever is wrong with the folder, opening the database says it better
            if self._room(self._database.parent).free < _LEAST:
                self._give_up_ballast()

    def due(self, now_s: float) -> bool:
        """Whether it is time for a pass: each minute, and every few seconds while something about the room is amiss."""
        if now_s - self._kept_s >= _EVERY_S:
            return True
        if now_s - self._looked_s < _SOON_S:
            return False
        self._looked_s = now_s
        room = self._room(self._folder)
        return (
            room.free < floor_of(self._policy.limits.floor, room.total) or self.held.short > 0 or self._wants_ballast()
        )

    def keep(self, db: sqlite3.Connection, now_s: float) -> Plan:
        """One pass. Raises StoreError, OSError; what went until then is gone."""
        self._kept_s = self._looked_s = now_s
        with explained(self._database):
            found = find_stored(db, self._folder, self._recorded)
        self._recorded = [recorded for _, recorded in found]
        room = self._room(self._folder)
        limits = self._limits(room)
        planned = plan((file for file, _ in found), limits, room.free)
        denied = bool(planned.going) and not os.access(self._folder, os.W_OK | os.X_OK)
        if denied:
            planned = Plan(over=planned.over, short=planned.short)
        self._carry_out(db, planned, {file.path: recorded for file, recorded in found})
        gone = {each.file.path for each in planned.going}
        self._take_back(db, [recorded for file, recorded in found if file.let_go and file.path not in gone])
        self._tend_ballast()
        after = self._room(self._folder).free
        self.held = Held(
            captures=sum(file.size for file, _ in found if file.path not in gone),
            free=after,
            floor=limits.floor,
            ballast=ballast.held(self._ballast),
            gone=self.held.gone + len(gone),
            unread=(*self.held.unread, *(each.file.path.name for each in planned.going if each.unread))[-_MOST_NAMED:],
            over=planned.over,
            short=max(0, limits.floor - after) if planned.short else 0,
            denied=denied,
        )
        self._complain()
        return planned

    def preview(self, db: sqlite3.Connection) -> Plan:
        """What a pass would do."""
        with explained(self._database):
            found = find_stored(db, self._folder)
        room = self._room(self._folder)
        return plan((file for file, _ in found), self._limits(room), room.free)

    def relieve(self, db: sqlite3.Connection, now_s: float) -> bool:
        """The database could not be written: make room; whether there is more than before. Raises StoreError, OSError."""
        before = self._room(self._database.parent).free
        self._give_up_ballast()
        self.keep(db, now_s)
        return self._room(self._database.parent).free >= before + _WORTH

    def say(self) -> tuple[Said, ...]:
        """What happened since this was asked last."""
        said, self._said = tuple(self._said), []
        return said

    def _limits(self, room: Room) -> Limits:
        wanted = self._policy.limits
        return Limits(
            wanted.most_bytes,
            wanted.age_us,
            floor_of(wanted.floor, room.total),
            wanted.gives_up,
            wanted.thin_age_us,
        )

    def _carry_out(self, db: sqlite3.Connection, planned: Plan, recorded: dict[Path, Recorded]) -> None:
        self._owed |= {each.file.path: recorded[each.file.path] if each.unread else None for each in planned.going}
        self._tell_database(db)
        for each in planned.going:
            self._remove(each)
        if planned.going:
            sync_folder(self._folder)
            with suppress(DiskFull):  # it is told the next time
                self._let_go(db)

    def _tell_database(self, db: sqlite3.Connection) -> None:
        """Let the database let go, with the ballast's help; where even that is too little, it remains to be told."""
        try:
            self._let_go(db)
        except DiskFull:
            if not self._give_up_ballast():
                return
            with suppress(DiskFull):
                self._let_go(db)

    def _let_go(self, db: sqlite3.Connection) -> None:
        if not self._owed:
            return
        with explained(self._database):
            db.execute("PRAGMA synchronous = FULL")  # Rule 1
            try:
                with transaction(db):
                    site_id = site_number(db, self._site)
                    known = read_standings(db, [str(path.absolute()) for path in self._owed])
                    for path, file in self._owed.items():
                        standing = known.get(str(path.absolute()))
                        if standing is not None:
                            let_go(db, standing.capture_id)
                        if file is not None:
                            write_gaps(
                                db,
                                site_id if standing is None else standing.site_id,
                                file.series,
                                [_gap(file, standing)],
                            )
            finally:
                db.execute("PRAGMA synchronous = NORMAL")
        self._owed = {}

    def _take_back(self, db: sqlite3.Connection, files: list[Recorded]) -> None:
        if files:
            with explained(self._database), transaction(db):
                for file in files:
                    take_back(db, str(file.path.absolute()), file.length)

    def _remove(self, going: Going) -> None:
        path = going.file.path
        try:
            path.unlink(missing_ok=True)
            sidecar_of(path).unlink(missing_ok=True)
        except OSError as error:
            self._warn(f"{path.name} could not be removed: {(error.strerror or '').lower()}.", path)
            return
        went = f"{path.name} was given up, {going.file.size:,} bytes: {_WORDS[going.why]}."
        if going.unread:
            self._warn(f"{went} It was never read, and nothing that was read was left to go.", path)
        else:
            self._said.append(Said(f"{went} What was read of it stays.", path.name))

    def _warn(self, sentence: str, path: Path | None = None) -> None:
        self._said.append(Said(sentence, path.name if path else "", loud=True))

    def _give_up_ballast(self) -> int:
        won = ballast.give_up(self._ballast)
        if won:
            self._warn(f"The disk is full: the ballast was given up, {won:,} bytes, to go on.", self._ballast)
        return won

    def _wants_ballast(self) -> bool:
        """Whether it is smaller than wished for, and there is room for it above the floor."""
        room = self._room(self._database.parent)
        missing = ballast_of(self._policy.ballast, room.total) - ballast.held(self._ballast)
        return missing > 0 and room.free - missing >= floor_of(self._policy.limits.floor, room.total)

    def _tend_ballast(self) -> None:
        wanted = ballast_of(self._policy.ballast, self._room(self._database.parent).total)
        if not wanted:
            ballast.give_up(self._ballast)
        elif wanted < ballast.held(self._ballast) or self._wants_ballast():
            ballast.make(self._ballast, wanted)

    def _complain(self) -> None:
        """Say once what cannot be kept."""
        words = sentence_of(self.held)
        if words and words != self._complained:
            self._warn(words)
        self._complained = words


def sentence_of(held: Held) -> str:
    """What is wrong with the room, for people; "" where nothing is."""
    if held.denied:
        return "Captures are over their budget, and this user may not remove them."
    if held.short:
        return "The disk has less room than is to stay free, and no capture may go for it."
    if held.over:
        return "Captures take more than they may: what is left of them was not read yet."
    return ""


def _gap(file: Recorded, known: Standing | None) -> tuple[int, int, str]:
    """What nobody will know any more of a file."""
    begin = file.begun_us if known is None or known.last_us is None else known.last_us
    return begin, max(begin, file.ended_us), LOST
