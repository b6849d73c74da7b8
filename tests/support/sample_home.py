"""The sample home that a demo shows, imported once for all tests that need a home worth looking at.

Rule 1: it is made as `homeport demo` makes it (captures, databases of addresses, what the household said), with fewer
        days.
Rule 2: it is made once a run, however many processes test; each module takes a copy, and may write to that.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.sample import write_home
from appliance.sample.atlas import write_atlas
from appliance.sample.words import SAID_BY, SAID_US, owners_words
from daemon.ingest import import_captures
from daemon.ingest.knowledge import Knowledge
from daemon.store.owner import open_owner, say_each

SITE = "home"
DAYS = 14  # this week, and the one before
_WORKER = "PYTEST_XDIST_WORKER"


@dataclass(frozen=True, slots=True)
class SampleHome:
    """Where its files are."""

    folder: Path

    @property
    def database(self) -> Path:
        """The facts; owner.db lies beside them."""
        return self.folder / "homeport.db"

    @property
    def captures(self) -> Path:
        """The folder of daily captures."""
        return self.folder / "captures"

    @property
    def settings(self) -> Path:
        """A configuration file in which the folders stand."""
        return self.folder / "homeport.toml"


def shared_home(factory: pytest.TempPathFactory) -> SampleHome:
    """A copy of the run's home, the caller's own but for the captures."""
    base = factory.getbasetemp()
    whole = SampleHome((base.parent if _WORKER in os.environ else base) / "sample-home")
    with whole.folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.settings.exists():  # it is written last
            shutil.rmtree(whole.folder, ignore_errors=True)
            sample_home(whole.folder)
    mine = SampleHome(factory.mktemp("home"))
    for file in whole.folder.iterdir():
        if file.is_file():
            shutil.copy(file, mine.folder)
    (mine.folder / "captures").symlink_to(whole.captures)
    return mine


def sample_home(folder: Path, newest: int = DAYS) -> SampleHome:
    """Make and import the newest days of the sample home."""
    home = SampleHome(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_home(home.captures, newest=newest)
    write_atlas(folder / "data")
    with closing(open_owner(folder / "owner.db")) as db:
        say_each(db, SITE, owners_words(), SAID_BY, SAID_US)
    import_captures(
        [str(home.captures)],
        home.database,
        site=SITE,
        knowledge=Knowledge(owner=folder / "owner.db", data=folder / "data", zone="UTC"),
    )
    home.settings.write_text(
        f'[data]\nfolder = "{folder / "data"}"\n[capture]\nfolder = "{home.captures}"\n', encoding="utf-8"
    )
    return home
