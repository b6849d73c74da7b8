"""All captures of a folder that are old enough to be thinned, one after the other.

Rule: a file that cannot be thinned is said, and stays as it is; the others do not wait for it. Where there is no room for a
second form of it beside the first, it waits for another night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daemon.decode.cursor import DecodeError
from daemon.ingest.budget import Limits, floor_of, to_be_thinned
from daemon.ingest.keep import Room, room_at
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.stored import find_stored
from daemon.ingest.thin import thin_capture
from daemon.store.database import open_database
from daemon.store.errors import explained
from daemon.store.kept import read_standings

_FIT = ("done", "torn")  # of a damaged file nobody knows what its bytes are


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: bytes won, or why it stays as it is."""

    path: Path
    won: int = 0
    why: str = ""


def thin_old(
    database: Path, folder: Path, limits: Limits, keep: int, room: Callable[[Path], Room] = room_at
) -> Iterator[Outcome]:
    """Thin every capture that is old enough; `keep` bytes of each flow stay. Raises StoreError, OSError of the folder."""
    if limits.thin_age_us is None:
        return
    with closing(open_database(database)) as db:
        complete_replacements(db, database)
        with explained(database):
            files = to_be_thinned((file for file, _ in find_stored(db, folder)), limits)
            known = read_standings(db, [str(file.path.absolute()) for file in files])
        for file in files:
            capture = known.get(str(file.path.absolute()))
            if capture is None or capture.status not in _FIT:
                continue
            now = room(folder)
            if now.free - file.size < floor_of(limits.floor, now.total):
                yield Outcome(file.path, why="there is no room for a second form of it")
                continue
            try:
                yield Outcome(file.path, thin_capture(db, database, capture, file.path, keep))
            except (OSError, DecodeError) as error:
                yield Outcome(file.path, why=(error.strerror or "") if isinstance(error, OSError) else str(error))
