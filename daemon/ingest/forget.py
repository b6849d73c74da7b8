"""Forgetting a device: packets, facts, sums and words, capture by capture.

Rule 1: a capture all of whose detail is there is read anew from its rewritten file, so that database and file agree as
        after a first import. Of one that is kept as sums in part, or whose file was thinned, the device's share is taken
        off, and it is closed.
Rule 2: each capture is one transaction, and its file takes its place right behind it (`replacement`): interrupted
        anywhere, what was done holds, and the same command goes on.
Rule 3: what could not be forgotten is in the answer, with the reason.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from daemon.decode.cursor import DecodeError
from daemon.ingest.capture_file import Task, identify, read_anew
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.redact import Redacted, Unwanted, redact
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.settle import judge_anew
from daemon.ingest.source import Source
from daemon.store import forget as store
from daemon.store import replacements
from daemon.store.captures import site_number
from daemon.store.database import open_database, transaction
from daemon.store.errors import explained
from daemon.store.finding_rows import drop_findings
from daemon.store.forget import Forgettable
from daemon.store.kept import thin_captures
from daemon.store.prune import prune
from daemon.store.rollup import roll

Heard = Callable[[str, int, int], None]  # path, captures done, captures to do

_UNFINISHED = {
    "live": "it is being written or has not been read to its end",
    "unsynced": "it was begun before the clock was set, and waits to be read",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be forgotten. Stations are (MAC or -1, address where there is no MAC)."""

    site: str
    stations: tuple[tuple[int, str], ...]
    since_us: int | None = None  # the first instant of a day of the site
    pcaps: bool = True


@dataclass(slots=True)
class Forgotten:
    """What was done, and what was not."""

    packets: int = 0  # that the database no longer counts
    files: int = 0  # rewritten
    frames: int = 0  # that these no longer hold
    skipped: int = 0  # bytes of these that could not be read, and are not copied
    sums: int = 0  # rows
    untouched: int = 0  # files left as they are because that was asked for
    whole: tuple[
        tuple[str, int], ...
    ] = ()  # months whose sums could not be divided, with how many destinations went whole
    left: list[tuple[str, str]] = field(default_factory=list)  # what could not be removed, and why


def forget_device(
    database: Path, request: Request, knowledge: Knowledge, heard: Heard = lambda _path, _done, _all: None
) -> Forgotten:
    """Forget stations of a site. Raises StoreError; what was done until then holds."""
    with closing(open_database(database)) as db, explained(database):
        db.execute("PRAGMA secure_delete = ON")  # gone from the file, not only unlinked
        db.execute("PRAGMA synchronous = FULL")  # a file must not be moved before what it belongs to is on the disk
        complete_replacements(db, database)
        with store.stations(db, site_number(db, request.site), request.stations):
            done = _Forgetting(db, database, request).run(heard)
        judge_anew(db, database, request.site, knowledge)
        with transaction(db):
            prune(db)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log has copies; with a reader it is done later
        return done


def undivided(database: Path, request: Request) -> tuple[tuple[str, int], ...]:
    """(month, destinations) of which only the month's sum is left, so that all of it would go. Raises StoreError."""
    with (
        closing(open_database(database)) as db,
        explained(database),
        store.stations(db, site_number(db, request.site), request.stations),
    ):
        return store.undivided(db, request.since_us)


class _Forgetting:
    def __init__(self, db: sqlite3.Connection, database: Path, request: Request) -> None:
        self._db, self._database, self._request = db, database, request
        self._site_id = site_number(db, request.site)
        self._done = Forgotten()
        self._summed: set[int] = set()
        self._unwanted = Unwanted(frozenset(mac for mac, _ in request.stations if mac >= 0), store.addresses(db))

    def run(self, heard: Heard) -> Forgotten:
        db, since_us = self._db, self._request.since_us
        captures = store.captures(db, self._site_id, since_us)
        # Asked before: of a capture that was the device's alone nothing would be left to tell it by.
        self._summed = {each.capture_id for each in captures if store.summed(db, each.capture_id) != (0, 0)}
        self._summed |= thin_captures(db)  # their files have less than the facts that were read of them
        with transaction(db):
            drop_findings(db, self._site_id)
            sums = store.forget_sums(db, self._site_id, since_us)
            if since_us is None:
                store.forget_folders(db, self._site_id)
        self._done.sums, self._done.whole = sums.rows, sums.whole
        for place, capture in enumerate(captures):
            heard(capture.path, place, len(captures))
            self._forget(capture)
        heard("", len(captures), len(captures))
        with transaction(db):
            store.forget_words_of(db, self._site_id, since_us)
            store.forget_ends(db, since_us)
        return self._done

    def _leave(self, what: str, why: str) -> None:
        self._done.left.append((what, why))

    def _forget(self, capture: Forgettable) -> None:
        if capture.status in _UNFINISHED:
            self._leave(capture.path, f"{_UNFINISHED[capture.status]}; forget again when that is over")
            return
        partial = Path(capture.path).with_name(f".{Path(capture.path).name}.forgetting")
        found = self._rewrite(capture, partial)
        if found is None or not found.dropped:
            partial.unlink(missing_ok=True)
            self._cut(capture)
            return
        try:
            with transaction(self._db):
                self._replace(capture, partial, found)
                replacements.add_replacement(self._db, capture.capture_id, capture.path, str(partial))
        except BaseException:
            if all(number != capture.capture_id for number, _, _ in replacements.read_replacements(self._db)):
                partial.unlink(missing_ok=True)
            raise
        complete_replacements(self._db, self._database)
        self._done.files += 1
        self._done.frames += found.dropped
        self._done.skipped += found.skipped

    def _rewrite(self, capture: Forgettable, partial: Path) -> Redacted | None:
        """The capture's file without the device's frames; None where it stays as it is."""
        path = Path(capture.path)
        if not self._request.pcaps:
            self._done.untouched += path.exists()
            return None
        if capture.status == "deleted":
            return None
        since_us = self._request.since_us
        unwanted = replace(
            self._unwanted,
            since_us=None if since_us is None else since_us - capture.clock_offset_us,
            everything=capture.whole,
        )
        partial.unlink(missing_ok=True)  # of an interrupted run, and never put to use
        try:
            found = redact(path, partial, unwanted, capture.cursor)
        except FileNotFoundError:
            self._leave(capture.path, "the file is not there any more; a copy elsewhere would still have the packets")
            return None
        except (OSError, DecodeError) as error:
            reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
            self._leave(capture.path, f"it cannot be rewritten ({reason}), so it keeps the packets")
            return None
        if found.before.get(capture.cursor) != capture.digest:
            partial.unlink()
            self._leave(capture.path, "another file than the one that was imported lies there; it was not touched")
            return None
        return found

    def _cut(self, capture: Forgettable) -> None:
        """The device's facts go from the database alone."""
        with transaction(self._db):
            packets = store.cut_capture(self._db, capture.capture_id, self._request.since_us)
            if packets:
                roll(self._db, self._site_id, [(capture.first_us, capture.last_us)])
        self._done.packets += packets

    def _replace(self, capture: Forgettable, partial: Path, found: Redacted) -> None:
        """The facts of the rewritten file, in place of those of the old one."""
        db, number = self._db, capture.capture_id
        if number in self._summed:
            self._done.packets += store.cut_capture(db, number, self._request.since_us)
            with Source.open(partial) as source:
                head = identify(source)
            if head is None and store.summed(db, number) == (0, 0):
                store.drop_capture(db, number)
            else:  # sums of what others said about the device may be left, though no packet is
                store.rewritten(db, number, head or "", found.digest, found.cursor, partial.stat().st_size)
        else:
            store.clear_capture(db, number)
            outcome = read_anew(db, self._database, Task(partial, self._request.site), number)
            if outcome is None:
                store.drop_capture(db, number)
            self._done.packets += found.dropped
        roll(db, self._site_id, [(capture.first_us, capture.last_us)])
