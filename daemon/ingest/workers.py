"""Several processes that read captures into one database, each its own captures, in short transactions.

Rule: a worker never outlives the process that asked for its work, however that ended; what it had committed is kept.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from queue import Empty
from threading import Thread
from typing import Any

from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.outcome import FileOutcome
from daemon.store.database import open_database

_POLL_S = 0.2


def run_workers(
    database: Path, groups: list[list[Task]], jobs: int, heard: Callable[[Path, int, int], None]
) -> Iterator[FileOutcome]:
    """Read groups of files, each group in one process and in order; outcomes come as they are ready."""
    context = get_context("spawn")  # a forked SQLite connection or thread would be undefined behaviour
    reports: Any = context.Queue()
    with ProcessPoolExecutor(min(jobs, len(groups)), context, _begin, (database, reports)) as pool:
        waiting = [pool.submit(_work, group) for group in groups]
        try:
            while waiting:
                for path, size, packets in _collect(reports):
                    heard(path, size, packets)
                for future in [future for future in waiting if future.done()]:
                    waiting.remove(future)
                    yield from future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _collect(reports: Any) -> Iterable[tuple[Path, int, int]]:  # noqa: ANN401  multiprocessing's queue has no public type
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


def _begin(database: Path, reports: Any) -> None:  # noqa: ANN401  see _collect
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches every process; what it means the first one says
    Thread(target=_end_with_parent, daemon=True).start()
    _Worker.db = open_database(database)
    _Worker.database, _Worker.reports = database, reports


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # at any instant: a transaction that is open is undone by whoever opens the database next


def _work(group: list[Task]) -> list[FileOutcome]:
    return [_import(task) for task in group]


def _import(task: Task) -> FileOutcome:
    def heard(size: int, packets: int) -> None:
        _Worker.reports.put((task.path, size, packets))

    return import_file(_Worker.db, _Worker.database, task, heard)
