"""What the owner wishes of devices, told to the recorder: the list of MACs in the folder of the captures.

Rule 1: the recorder asks nobody; the list is how it learns. It is written whole beside its place, brought to the disk and
        renamed, so that neither a kill nor a power cut leaves half of one.
Rule 2: it is written when it would say something else than it says, also where somebody took it away or damaged it; where
        nobody wished anything and there is none, none is made.
Rule 3: what cannot be done is told once.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from daemon.decode.levels import MOST_BYTES, NAME, Levels, format_levels
from daemon.identify.vocabulary import OwnerWords
from daemon.ingest.replacement import sync_folder
from daemon.ingest.standing import Said
from daemon.store.errors import explained
from daemon.store.recording import wanted_levels

_MODE = 0o640  # the recorder is of the group


class Teller:
    """Keeps the list of one folder as the owner's words and the joined devices of one site say."""

    def __init__(self, folder: Path, database: Path, site: str) -> None:
        self._path, self._database, self._site = folder / NAME, database, site
        self._complaint = ""
        self._said: list[Said] = []

    def tell(self, db: sqlite3.Connection, words: OwnerWords) -> Levels:
        """Write the list if it does not say so already; what it says. Raises StoreError; trouble with the file is told."""
        with explained(self._database):
            wanted = wanted_levels(db, self._site, words)
        complaint = "; ".join(
            f"{each.key} cannot be left out of the recording: {each.why}" for each in wanted.impossible
        )
        try:
            if self._differs(wanted.levels):
                self._write(wanted.levels)
                self._say(wanted.levels)
        except OSError as error:
            complaint = f"The recorder cannot be told who is not to be recorded: {error.strerror}: {self._path}"
        if complaint and complaint != self._complaint:
            self._said.append(Said(f"{complaint}.", self._path.name, loud=True))
        self._complaint = complaint
        return wanted.levels

    def say(self) -> tuple[Said, ...]:
        """What happened since this was asked last."""
        said, self._said = tuple(self._said), []
        return said

    def _differs(self, levels: Levels) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return bool(levels)
        except OSError:
            return True  # a link, a folder, somebody else's: what stands there is not ours
        with os.fdopen(descriptor, "rb") as file:
            return (file.read(MOST_BYTES + 1) or b"") != format_levels(levels)

    def _write(self, levels: Levels) -> None:
        fresh = self._path.with_name(f"{NAME}.new")
        fresh.unlink(missing_ok=True)  # of one who was killed; nobody else writes here
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(format_levels(levels))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    def _say(self, levels: Levels) -> None:
        off, no_names = len(levels.off), len(levels.no_names)
        self._said.append(
            Said(f"The recorder is told: MACs not to be recorded {off}, without names {no_names}.", self._path.name)
        )
