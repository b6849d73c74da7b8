"""What our own recorder says beside its files, into the database: clocks, drops, gaps."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from pathlib import Path

from daemon.ingest.clocks import anchors, offset_of
from daemon.ingest.follow import Folder, Followed
from daemon.ingest.gaps import Gap, between
from daemon.store.captures import site_number
from daemon.store.database import transaction
from daemon.store.errors import explained
from daemon.store.gaps import write_drops, write_gaps
from daemon.store.kept import spans_let_go

_LAST_US = (1 << 32) * 1_000_000  # the seconds of a packet record end here
_MOST_LOST = 1 << 40  # packets of one file; more is no number that anybody counted


class Recordings:
    """Tells each thing once, as long as it lives; what was told before it lived is told again, which changes nothing."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._told: dict[Path, tuple[object, ...]] = {}

    def tell(
        self, db: sqlite3.Connection, database: Path, folder: Folder, *, only: Container[Path] | None = None
    ) -> None:
        """Write what is new about drops and gaps, of all files or `only` some. Raises StoreError."""
        news: list[tuple[Followed, list[Gap]]] = []
        for files in folder.of_series():
            before: Followed | None = None
            for file in files:
                if file.clock_offset_us is None:
                    continue  # its gaps wait with it
                found = self._news(file, before) if only is None or file.path in only else None
                if found is not None:
                    news.append((file, found))
                before = file
        if not news:
            return
        with explained(database), transaction(db):
            site_id = site_number(db, self._site)
            let_go = spans_let_go(db, self._site) if any(gaps for _, gaps in news) else []
            for file, gaps in news:
                there = [gap for gap in gaps if _can_be(gap) and not _covered(gap, file.series, let_go)]
                write_gaps(db, site_id, file.series, [(gap.from_us, gap.to_us, gap.reason) for gap in there])
                if file.capture_id is not None and file.sidecar is not None:
                    drops = file.sidecar.kernel_drops, file.sidecar.interface_drops
                    write_drops(db, file.capture_id, *(max(0, min(lost, _MOST_LOST)) for lost in drops))
        self._told.update((file.path, _state(file)) for file, _ in news)

    def _news(self, file: Followed, before: Followed | None) -> list[Gap] | None:
        """The gaps of a file and before it, if there is anything about it that was not told."""
        if self._told.get(file.path) == _state(file) or file.sidecar is None or file.sidecar.opened is None:
            return None
        gaps = file.sidecar.gaps(file.clock_offset_us or 0)
        if before is not None and before.sidecar is not None and before.sidecar.last is not None:
            last = before.sidecar.last
            if before.clock_offset_us and last.boot_id != file.sidecar.opened.boot_id:
                gap = between(last, file.sidecar.opened, file.clock_offset_us or 0)
                gap = None if gap is None else Gap(gap.from_us + before.clock_offset_us, gap.to_us, gap.reason)
            else:
                gap = between(last, file.sidecar.opened, file.clock_offset_us or 0)
            gaps += [gap] if gap is not None else []
        return gaps


def _can_be(gap: Gap) -> bool:
    """Whether it lies in times that a capture can tell; a sidecar that somebody made up may say anything."""
    return 0 <= gap.from_us < gap.to_us < _LAST_US


def _covered(gap: Gap, series: str, let_go: list[tuple[str, int, int]]) -> bool:
    """Whether what looks like a time in which nobody recorded is that of a capture whose file was given up."""
    return any(gap.from_us < last and first < gap.to_us for of, first, last in let_go if of == series)


def _state(file: Followed) -> tuple[object, ...]:
    """What of a file is told; as long as it stays the same there is no news."""
    sidecar = file.sidecar
    if sidecar is None:
        return ()
    drops = sidecar.kernel_drops, sidecar.interface_drops
    return *drops, len(sidecar.book.gaps), sidecar.book.gaps[-1:], file.capture_id, file.clock_offset_us


def set_clocks(folder: Folder) -> None:
    """Decide the offsets of files that began before their clock was set, as soon as somebody can tell."""
    sidecars = [file.sidecar for file in folder.files.values() if file.sidecar is not None]
    known: dict[str, int] | None = None
    for file in folder.files.values():
        sidecar = file.sidecar
        if sidecar is None or not sidecar.unsynced or file.clock_offset_us not in (0, None):
            continue
        if file.read and not file.waits:  # Rule 2 of `clocks`
            continue
        if known is None:
            known = anchors([each.last for each in sidecars if each.last is not None])
        file.clock_offset_us = offset_of(sidecar, known)
        if file.waits and file.clock_offset_us is not None:
            file.waits, file.read = False, 0
