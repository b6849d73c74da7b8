"""`homeport import`: many files, one database, any number of workers, the same result.

Every worker writes its own captures in short transactions; SQLite lets one in at a time. Labels are settled once, when
all files are in, so that neither the order of the files nor the number of workers shows in the database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.outcome import FileOutcome, Progress, Silent, Summary
from daemon.ingest.settle import settle_site
from daemon.ingest.source import find_captures
from daemon.store.database import open_database
from daemon.store.errors import explained

_POLL_S = 0.2


def import_captures(  # noqa: PLR0913  what the command line offers
    paths: Sequence[str],
    database: Path,
    *,
    site: str = "home",
    device: str | None = None,
    jobs: int = 1,
    networks: Sequence[str] = (),
    progress: Progress | None = None,
) -> Summary:
    """Read all captures that `paths` name (files, folders, patterns) into `database`. Raises StoreError.

    `networks` are the site's configured local prefixes. Files that cannot be read are set aside and said.
    """
    listener = progress or Silent()
    files, problems = find_captures(paths)
    if not files:  # no database is made for nothing
        return Summary((), 0, 0, 0, 0, 0, 0, (), tuple(problems))
    db = open_database(database)
    try:
        listener.started(len(files), sum(path.stat().st_size for path in files if path.exists()))
        tasks = [Task(path, site, device) for path in files]
        outcomes = []
        for outcome in _run(db, database, tasks, jobs, listener):
            listener.finished(outcome)
            outcomes.append(outcome)
        order = {path: place for place, path in enumerate(files)}
        outcomes.sort(key=lambda outcome: order[outcome.path])
        if outcomes:
            settle_site(db, database, site, networks)
        return _summary(db, database, site, outcomes, problems)
    finally:
        db.close()


def _run(
    db: sqlite3.Connection, database: Path, tasks: list[Task], jobs: int, listener: Progress
) -> Iterator[FileOutcome]:
    if jobs <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield import_file(db, database, task, lambda size, packets, path=task.path: listener.advanced(path, size, packets))
        return
    context = get_context("spawn")
    reports: Any = context.Queue()
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin_worker, (database, reports)) as pool:
        waiting = [pool.submit(_work, task) for task in tasks]
        try:
            while waiting:
                for path, size, packets in _heard(reports):
                    listener.advanced(path, size, packets)
                for future in [future for future in waiting if future.done()]:
                    waiting.remove(future)
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _heard(reports: Any) -> Iterable[tuple[Path, int, int]]:  # noqa: ANN401  multiprocessing's queue has no public type
    """Reports that came within a short wait."""
    try:
        yield reports.get(timeout=_POLL_S)
        while True:
            yield reports.get_nowait()
    except Empty:
        return


class _Worker:
    """What a worker process keeps between its tasks."""

    db: sqlite3.Connection
    database: Path
    reports: Any


def _begin_worker(database: Path, reports: Any) -> None:  # noqa: ANN401  see _heard
    _Worker.db = open_database(database)
    _Worker.database, _Worker.reports = database, reports


def _work(task: Task) -> FileOutcome:
    def heard(size: int, packets: int) -> None:
        _Worker.reports.put((task.path, size, packets))

    return import_file(_Worker.db, _Worker.database, task, heard)


def _summary(
    db: sqlite3.Connection, database: Path, site: str, outcomes: list[FileOutcome], problems: list[tuple[str, str]]
) -> Summary:
    with explained(database):
        devices, flows, names = db.execute(
            "SELECT (SELECT count(*) FROM device d WHERE d.site_id = s.id),"
            " (SELECT coalesce(sum(f.count), 0) FROM flow f JOIN capture k ON k.id = f.id >> 40 WHERE k.site_id = s.id),"
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
    aside += [(str(each.path), each.message) for each in outcomes if each.status not in ("done", "known", "live")]
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
