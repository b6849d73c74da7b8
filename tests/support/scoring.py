"""How well the hunt finds what was planted, and how often it cries wolf.

Rule 1: what was planted is found by a finding of its kind about its device and destination, of any severity but "usual".
Rule 2: every finding about anything else is a false alarm, whatever may be said for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.report.findings.hunt import Hunt, hunt
from daemon.report.findings.vocabulary import Finding
from daemon.report.scope import Scope, Span
from daemon.store.database import read_database
from daemon.store.roster import read_residents
from tests.daemon.ingest.scenes import DAY
from tests.support.atlas import countries
from tests.support.importing import imported
from tests.support.planted import Home, Planted
from tests.support.planted_home import COUNTRIES

_LOOKED_AT = 30 * DAY


class Score(NamedTuple):
    """Planted things that were found and that were missed, and false alarms."""

    found: tuple[Planted, ...]
    missed: tuple[Planted, ...]
    false: tuple[Finding, ...]


def database_of(home: Home, folder: Path) -> Path:
    """A database with the home's packets, judged with a database of countries."""
    captures = folder / "captures"
    captures.mkdir()
    database = imported(folder / "homeport.db", *home.write(captures))
    (folder / "country.mmdb").write_bytes(countries(**COUNTRIES))
    relabel_site(database, None, "home", Knowledge(data=folder))
    return database


def scope_of(db: sqlite3.Connection, site: str = "home", days_us: int = _LOOKED_AT) -> Scope:
    """The question about the newest days of a site."""
    number, zone = db.execute("SELECT id, zone FROM site WHERE name = ?", (site,)).fetchone()
    (newest,) = db.execute("SELECT max(last_us) FROM capture WHERE site_id = ?", (number,)).fetchone()
    names = {each.device_id: each.name or each.said_of for each in read_residents(db, site)}
    return Scope(db, number, site, zone, Span(newest + 1 - days_us, newest + 1), newest, None, names)


def hunted(database: Path, site: str = "home", days_us: int = _LOOKED_AT) -> Hunt:
    """What the hunt finds in the newest days of a site."""
    with closing(read_database(database)) as db:
        return hunt(scope_of(db, site, days_us))


def score(planted: Sequence[Planted], hunt: Hunt) -> Score:
    """Compare what was planted with what was found."""
    found = tuple(
        thing for thing in planted if any(each.kind == thing.kind and _is(thing, each) for each in hunt.serious)
    )
    false = tuple(each for each in hunt.serious if not any(_is(thing, each) for thing in planted))
    return Score(found, tuple(thing for thing in planted if thing not in found), false)


def _is(thing: Planted, finding: Finding) -> bool:
    if finding.subject.key != thing.key:
        return False
    return finding.trace.place == thing.place or (not thing.place and finding.place.endswith("addresses"))
