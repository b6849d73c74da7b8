"""Kills imports at random instants: a program of its own, since only a process without threads may fork.

usage: python -m tests.support.killing FOLDER KILLS SEED

Imports the captures of FOLDER in children that get SIGKILL, again and again into one database until one child comes to
its end; then the next database, until KILLS were dealt. Prints one JSON object: the databases that were finished, and
how many captures were whole, begun and unknown at each kill.

Rule 1: batches are made small, so that many commits lie within an import; all else is the command as people run it.
Rule 2: every other kill waits until a capture is begun and not whole: which part of the time an import spends there
        depends on the machine, and a kill between two files proves little.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path

from appliance.main import run
from daemon.ingest import decoder
from tests.support.importing import NO_SETTINGS
from tests.support.once import read_once

SMALL = {"_BATCH": 400, "_LEAST": 1 << 15, "_ROWS": 400}


def begin(folder: Path, database: Path) -> int:
    """A child that imports; its process id."""
    child = os.fork()
    if child:
        return child
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    os._exit(run(["import", str(folder), "--db", str(database), "--jobs", "1"]))


def finished(child: int) -> bool:
    """Wait for a child; whether it came to its end. Any other end but a kill is an error."""
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise SystemExit(f"an import ended with exit code {os.WEXITSTATUS(status)}")
    return True


def standing(database: Path) -> list[str]:
    """The states of the captures that the database knows."""
    try:
        with closing(sqlite3.connect(database)) as db:
            return [row[0] for row in db.execute("SELECT status FROM captures ORDER BY 1")]
    except sqlite3.OperationalError:
        return []  # killed before its tables were made


def wait_for_a_commit(database: Path, longest: float) -> None:
    """Until the import is within a capture; not longer than a whole import takes."""
    limit = time.monotonic() + longest
    while "live" not in standing(database) and time.monotonic() < limit:
        time.sleep(0.002)


def main() -> None:
    """See the module's docstring."""
    folder, kills, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    os.environ.update(NO_SETTINGS)
    for name, value in SMALL.items():
        if not hasattr(decoder, name):
            raise SystemExit(f"daemon.ingest.decoder has no {name} any more: make its batches small in another way")
        setattr(decoder, name, value)
    clean = folder.parent / "clean.db"
    finished(begin(folder, clean))  # the first also fills caches; its time is not taken
    started = time.monotonic()
    finished(begin(folder, folder.parent / "timed.db"))
    longest = time.monotonic() - started
    done: list[str] = []
    met: list[list[str]] = []
    while len(met) < kills:
        database = folder.parent / f"killed-{len(done)}.db"
        while True:
            child = begin(folder, database)
            if len(met) < kills:
                if len(met) % 2:
                    wait_for_a_commit(database, longest)
                    time.sleep(rng.uniform(0, longest / 20))
                else:
                    time.sleep(rng.uniform(0, longest))
                os.kill(child, signal.SIGKILL)
            if finished(child):
                break
            met.append(standing(database))
        done.append(str(database))
    print(json.dumps({"clean": str(clean), "finished": done, "met": met, "seconds": longest}))  # noqa: T201  its result


if __name__ == "__main__":
    import_module("daemon.ingest.importer")  # before the first fork, so that children start at once
    import_module("daemon.classify.classifier")
    with read_once():
        import_module("daemon.ingest.knowledge").Knowledge().organisations_table  # noqa: B018  likewise
        import_module("daemon.classify.names").public_suffixes()
        main()
