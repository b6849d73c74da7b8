"""What our recorder noted beside files that are imported: their clocks, what they lost, when nobody recorded.

Rule 1: the notes count as they do for who follows a folder, so that a database made anew from its captures knows the
        same gaps; neither the order of the files nor that of their reading shows.
Rule 2: neighbours that are not imported tell clocks, and when the file before an imported one ended; for that their
        first and last lines are enough. Nothing is told of what they themselves lack.
Rule 3: notes help, and are never needed: without them, or where nobody can read them, the capture is what counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from daemon.decode.sidecar import SUFFIX
from daemon.ingest.capture_file import series_of
from daemon.ingest.follow import Folder, Followed, Shape
from daemon.ingest.outcome import FileOutcome
from daemon.ingest.recordings import Recordings, set_clocks
from daemon.ingest.sidecars import Sidecar, read_ends, read_sidecar

_NO_SHAPE = Shape(0, 0, 0, 0)  # nobody follows these files


class Notes:
    """The notes beside some captures, read once."""

    def __init__(self, files: Iterable[Path]) -> None:
        asked = list(files)
        self._folder = Folder(Path())
        for path in asked:
            self._add(path, read_sidecar(path))
        for folder in sorted({path.parent for path in self._folder.files}):
            for path in _recorded(folder):
                if path not in self._folder.files:
                    self._add(path, read_ends(path))
        self._asked = {path for path in asked if path in self._folder.files}
        set_clocks(self._folder)

    def offset(self, path: Path) -> int | None:
        """What to add to the packet times of a file, microseconds; None while nobody can tell."""
        noted = self._folder.files.get(path)
        return 0 if noted is None else noted.clock_offset_us

    def tell(self, db: sqlite3.Connection, database: Path, site: str, outcomes: Iterable[FileOutcome]) -> None:
        """Write what the imported files lack. Raises StoreError."""
        told = set()
        for outcome in outcomes:
            noted = self._folder.files.get(outcome.path)
            if noted is not None and outcome.status != "unreadable":
                noted.capture_id = outcome.capture_id
                told.add(outcome.path)
        self._without_copies(told)
        if told:
            Recordings(site).tell(db, database, self._folder, only=told)

    def _add(self, path: Path, sidecar: Sidecar | None) -> None:
        if sidecar is not None:
            self._folder.files[path] = Followed(path, _NO_SHAPE, series_of(path), 0.0, 0.0, sidecar)

    def _without_copies(self, told: set[Path]) -> None:
        """Of files that began as one, leave the one that says most; a copy that ends earlier is no gap."""
        kept: dict[object, Followed] = {}
        for file in sorted(self._folder.files.values(), key=_says):
            opened = None if file.sidecar is None else file.sidecar.opened
            if opened is None:
                continue
            begun = file.series, opened.boot_id, opened.monotonic_us, opened.time_us
            best = kept.setdefault(begun, file)
            if best is not file:
                del self._folder.files[file.path]
                if file.path in told:
                    told.add(best.path)
                    best.capture_id = best.capture_id or file.capture_id


def _says(file: Followed) -> tuple[int, int, int, str]:
    """Order of copies: first the one that was read whole and goes furthest."""
    last = None if file.sidecar is None else file.sidecar.last
    written, time_us = (0, 0) if last is None else (last.on_disk, last.time_us)
    return int(file.capture_id is None), -written, -time_us, str(file.path)


def _recorded(folder: Path) -> list[Path]:
    """The captures of a folder beside which notes lie."""
    try:
        return sorted(path.with_name(path.name.removesuffix(SUFFIX)) for path in folder.glob(f"*{SUFFIX}"))
    except OSError:
        return []  # Rule 3
