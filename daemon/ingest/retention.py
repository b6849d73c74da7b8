"""Keeping no longer than promised: one pass over one site, in one transaction."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daemon.identify.kinds import PEOPLE
from daemon.ingest.judge import judge_months
from daemon.ingest.knowledge import Knowledge
from daemon.store.database import open_database, transaction
from daemon.store.errors import explained
from daemon.store.retain import Limits, Retained, retain


@dataclass(frozen=True, slots=True)
class SiteRetained:
    """What a pass did to one site."""

    site: str
    done: Retained


def retain_all(database: Path, limits: Limits, knowledge: Knowledge) -> list[SiteRetained]:
    """Drop what is past its time in every site of a database. Raises StoreError; the sites before are done then."""
    with closing(open_database(database)) as db, explained(database):
        sites = db.execute("SELECT id, name FROM site ORDER BY name").fetchall()
        return [SiteRetained(site, _retain_site(db, number, site, limits, knowledge)) for number, site in sites]


def _retain_site(db: sqlite3.Connection, site_id: int, site: str, limits: Limits, knowledge: Knowledge) -> Retained:
    with transaction(db):
        done = retain(db, site_id, limits, _people(db, site_id, site, knowledge))
        if done.months:
            judge_months(db, site_id, done.months, knowledge)
    return done


def _people(db: sqlite3.Connection, site_id: int, site: str, knowledge: Knowledge) -> list[int]:
    """Devices that show what a person does, whose owner has not said that their names may be kept."""
    kept = knowledge.words(site).keeps_names
    marks = ",".join("?" * len(PEOPLE))
    rows = db.execute(
        "SELECT d.id, s.mac, s.address FROM device d JOIN station s ON s.device_id = d.id"
        f" WHERE d.site_id = ? AND d.kind IN ({marks})",
        (site_id, *sorted(PEOPLE)),
    ).fetchall()
    spoken = {number for number, mac, address in rows if (mac.to_bytes(6, "big").hex(":") if mac >= 0 else address) in kept}
    return sorted({row[0] for row in rows} - spoken)
