"""`homeport import` as tests run it: in this process where that is all the same, else as a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from appliance.config import VARIABLE
from appliance.main import run
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.outcome import FileOutcome
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from appliance.main import main; main()")
NO_SETTINGS = {VARIABLE: os.devnull}  # whatever this machine's configuration says


def homeport(*arguments: str | Path) -> int:
    """Run a command line in this process; its exit code."""
    with mock.patch.dict(os.environ, NO_SETTINGS):
        return run([str(argument) for argument in arguments])


def told(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command line in this process; what it said and its exit code, as `process` tells them."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = homeport(*arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def imported(database: Path, *paths: Path, codes: Iterable[int] = (0,), jobs: int = 1, **flags: str) -> Path:
    """Import captures in this process, which must end with one of `codes`; the database."""
    options = [word for flag, value in flags.items() for word in (f"--{flag}", value)]
    code = homeport("import", *paths, "--db", database, "--jobs", str(jobs), *options)
    assert code in codes, f"exit code {code}"
    return database


def process(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a command line in a process of its own."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options are subprocess.run's own
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT, env={**os.environ, **NO_SETTINGS, **(environment or {})}, capture_output=True, text=True, check=False,
        timeout=300, **options,
    )  # fmt: skip


def import_live(
    database: Path, path: Path, limit: int | None, *, final: bool = False, site: str = "home"
) -> FileOutcome:
    """Follow a file that is being written, up to `limit` bytes of it (what is known to be on disk)."""
    db = open_database(database)
    try:
        outcome = import_file(db, database, Task(path, site, limit=limit, final=final))
        settle_site(db, database, site)
    finally:
        db.close()
    return outcome
