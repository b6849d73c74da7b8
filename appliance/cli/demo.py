"""`homeport demo`: a sample home from nothing to tables, so that the first look needs no capture of one's own.

Rule: a folder that a demo did not make is not touched; one that it made is made anew, so that a demo always shows what
this version of Homeport does.
"""

from __future__ import annotations

import errno
import shutil
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from appliance.bulk import prepare
from appliance.config import load_config
from appliance.console import CannotDoError, note, plural, printable, say, size
from appliance.progress import BarProgress, LineProgress

if TYPE_CHECKING:
    from daemon.ingest.knowledge import Knowledge

SITE = "home"
_HOST = "127.0.0.1"
_MARK = "made-by-homeport-demo"  # file that says: this folder may be made anew
_DATABASE = "homeport.db"
_DATA = "data"
_OWNER = "owner.db"  # made by whoever names a device, and kept when the demo is made anew


@click.command("demo", short_help="Make a sample home, import it and show it.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default="demo", show_default=True, help="Where the sample home goes."
)
@click.option("--no-serve", is_flag=True, help="Show tables here and do not start the dashboard.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="TCP port of the dashboard."
)
def command(folder: Path, no_serve: bool, port: int) -> None:
    """Make a sample home, import it and show what was found: here, and on the dashboard until it is interrupted."""
    captures = _fresh(folder)
    prepare()
    from appliance.overview import show
    from appliance.sample import write_home
    from appliance.sample.atlas import write_atlas
    from daemon.ingest import import_captures
    from daemon.ingest.knowledge import Knowledge

    note(f"Making a sample home in {printable(captures)} ...")
    paths = write_home(captures)
    write_atlas(folder / _DATA)
    _speak_for_the_household(folder / _OWNER)
    total = sum(path.stat().st_size for path in paths)
    note(f"Made {plural(len(paths), 'capture')} ({size(total)}); importing ...")
    database = folder / _DATABASE
    knowledge = Knowledge(owner=folder / _OWNER, data=folder / _DATA, zone="UTC")
    with BarProgress() if sys.stderr.isatty() else LineProgress() as progress:
        summary = import_captures(
            [str(captures)], database, jobs=load_config().imports.jobs, knowledge=knowledge, progress=progress
        )
    _look(database, knowledge)
    packets, devices, flows = (
        plural(summary.packets, "packet"),
        plural(summary.devices, "device"),
        plural(summary.flows, "conversation"),
    )
    say(f"Found {devices} and {flows} in {packets}.\n")
    show(database)
    _hints(database)
    if not no_serve:
        _serve(folder, port)


def _look(database: Path, knowledge: Knowledge) -> None:
    """Look for findings at once, as the service that follows captures does: the first page is to have them."""
    from daemon.ingest.hunting import Hunter
    from daemon.store.database import open_database

    with closing(open_database(database)) as db:
        Hunter(database, SITE, knowledge, monotonic).step(db)


def _fresh(folder: Path) -> Path:
    """The folder for captures, empty, in a demo folder that is ours."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / _MARK).is_file())):
        raise click.UsageError(
            f"{printable(folder)} exists and no demo made it; it was not touched. Add --folder OTHER"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    for name in (_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm"):
        (folder / name).unlink(missing_ok=True)
    captures = folder / "captures"
    if captures.exists():
        shutil.rmtree(captures)
    captures.mkdir()
    return captures


def _speak_for_the_household(owner: Path) -> None:
    """Say what the sample household has said of its devices, unless somebody said something before."""
    from appliance.sample.words import SAID_BY, SAID_US, owners_words
    from daemon.store.owner import open_owner, say_each

    if owner.exists():
        return
    with closing(open_owner(owner)) as db:
        say_each(db, SITE, owners_words(), SAID_BY, SAID_US)


def _serve(folder: Path, port: int) -> None:
    """The dashboard of the sample home, for whoever sits at this machine; at another port where this one is taken."""
    from appliance.dashboard import serve

    config = load_config(
        {
            "store.database": folder / _DATABASE,
            "store.owner": folder / _OWNER,
            "data.folder": folder / _DATA,
            "capture.folder": folder / "captures",
            "site.name": SITE,
        }
    )

    def ready(address: str) -> None:
        say(f"\nThe dashboard of the sample home is at {address}\nCtrl-C ends it.")

    try:
        serve(config, _HOST, port, is_open=True, ready=ready)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise CannotDoError(f"the dashboard cannot listen at {_HOST}:{port}: {error.strerror}") from error
        note(f"Port {port} is taken, so another one is used; --port chooses.")
        serve(config, _HOST, 0, is_open=True, ready=ready)


def _hints(database: Path) -> None:
    called = Path(sys.argv[0])  # `.venv/bin/homeport` for somebody who has only run `make demo`
    homeport = printable(called) if called.name == "homeport" and not shutil.which("homeport") else "homeport"
    say("Next:")
    for line, why in (
        (
            f"export destinations --db {printable(database)} --format csv",
            "every row of a view; docs/schema.md lists them",
        ),
        ("import YOUR.pcap --db home.db", "the same for captures of your own home"),
        ("--help", "every verb"),
    ):
        say(f"  {homeport} {line}\n      {why}")
