"""`homeport import`: many files, one database, any number of workers, the same result.

Every worker writes its own captures in short transactions; SQLite lets one in at a time. Labels are settled once, when
all files are in, so that neither the order of the files nor the number of workers shows in the database.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.decode.cursor import DecodeError
from daemon.ingest.capture_file import Task, identify, import_file
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.outcome import FileOutcome, Progress, Silent, Summary
from daemon.ingest.replacement import complete_replacements
from daemon.ingest.settle import settle_site
from daemon.ingest.source import SIDECAR, Source, find_captures
from daemon.store.captures import site_number
from daemon.store.database import open_database
from daemon.store.errors import explained
from daemon.store.finding_rows import drop_findings

if TYPE_CHECKING:
    from daemon.ingest.noted import Notes


def import_captures(
    paths: Sequence[str],
    database: Path,
    *,
    site: str = "home",
    device: str | None = None,
    jobs: int = 1,
    networks: Sequence[str] = (),
    knowledge: Knowledge | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Read all captures that `paths` name (files, folders, patterns) into `database`. Raises StoreError.

    `networks` are the site's configured local prefixes, `knowledge` what labels come from besides facts. Files that
    cannot be read are set aside and said.
    """
    listener = progress or Silent()
    files, problems = find_captures(paths)
    if not files:  # no database is made for nothing
        return Summary((), 0, 0, 0, 0, 0, 0, (), tuple(problems))
    db = open_database(database)
    try:
        complete_replacements(db, database)
        listener.started(len(files), sum(path.stat().st_size for path in files if path.exists()))
        notes = _notes(files)
        tasks = [Task(path, site, device, clock_offset_us=notes.offset(path) if notes else 0) for path in files]
        outcomes = []
        for outcome in _run(db, database, tasks, jobs, listener):
            listener.finished(outcome)
            outcomes.append(outcome)
        order = {path: place for place, path in enumerate(files)}
        outcomes.sort(key=lambda outcome: order[outcome.path])
        if notes:
            notes.tell(db, database, site, outcomes)
        if outcomes:
            settle_site(db, database, site, networks, knowledge)
        if any(outcome.facts for outcome in outcomes):
            drop_findings(db, site_number(db, site))  # who asks for them looks again
        return _summary(db, database, site, outcomes, problems)
    finally:
        db.close()


def _notes(files: Sequence[Path]) -> Notes | None:
    """What our recorder noted beside the files; None where it noted nothing there."""
    folders = {path.parent for path in files}
    if not any(not os.access(folder, os.R_OK) or any(folder.glob(f"*{SIDECAR}")) for folder in folders):
        return None
    from daemon.ingest.noted import Notes  # noqa: PLC0415  with all that follows files: slow to import

    return Notes(files)


def _run(
    db: sqlite3.Connection, database: Path, tasks: list[Task], jobs: int, listener: Progress
) -> Iterator[FileOutcome]:
    if jobs <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield import_file(db, database, task, partial(listener.advanced, task.path))
        return
    from daemon.ingest.workers import run_workers  # noqa: PLC0415  slow to import, and needed for several jobs only

    yield from run_workers(database, _by_head(tasks), jobs, listener.advanced)


def _by_head(tasks: list[Task]) -> list[list[Task]]:
    """Files that begin alike may be copies of one capture, one longer than the other: they go to one worker, in order."""
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        try:
            with Source.open(task.path) as source:
                head = identify(source) or ""
        except (OSError, DecodeError):
            head = ""  # said when its turn comes
        groups.setdefault(head or str(task.path), []).append(task)
    return list(groups.values())


def _summary(
    db: sqlite3.Connection, database: Path, site: str, outcomes: list[FileOutcome], problems: list[tuple[str, str]]
) -> Summary:
    with explained(database):
        devices, flows, names = db.execute(
            "SELECT (SELECT count(*) FROM device d WHERE d.site_id = s.id),"
            " (SELECT coalesce(sum(f.count), 0) FROM capture k"
            " CROSS JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id + 1 << 40) - 1 WHERE k.site_id = s.id),"
            " (SELECT count(*) FROM name WHERE text <> '') FROM site s WHERE s.name = ?",
            (site,),
        ).fetchone() or (0, 0, 0)
        undecoded = db.execute(
            "SELECT u.reason, sum(u.packets) FROM undecoded u JOIN capture k ON k.id = u.capture_id"
            " JOIN site s ON s.id = k.site_id WHERE s.name = ? AND k.path IN (SELECT value FROM json_each(?))"
            " GROUP BY u.reason ORDER BY 2 DESC",
            (site, _paths(outcomes)),
        ).fetchall()
    aside = [*problems]
    aside += [
        (str(each.path), each.message) for each in outcomes if each.status not in ("done", "known", "live", "empty")
    ]
    return Summary(
        files=tuple(outcomes),
        packets=sum(each.packets for each in outcomes),
        bytes=sum(each.bytes for each in outcomes),
        devices=devices,
        flows=flows,
        names=names,
        undecoded_packets=sum(each.undecoded_packets for each in outcomes),
        undecoded=tuple(undecoded),
        set_aside=tuple(aside),
    )


def _paths(outcomes: list[FileOutcome]) -> str:

    return json.dumps([str(each.path.absolute()) for each in outcomes])
