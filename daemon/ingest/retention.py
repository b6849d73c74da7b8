"""Keeping no longer than promised: detail becomes sums, day by day, and what nothing refers to any more goes.

Rule 1: every day that is folded is a transaction of its own, so that an import or a live capture waits for seconds only,
        and the owner not even that (`turns`); interrupted after any of them, the database is whole, and the next pass
        goes on from there.
Rule 2: what goes is overwritten in the file (`secure_delete`), not only unlinked.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from daemon.identify.kinds import PEOPLE
from daemon.ingest.heed import Ear
from daemon.ingest.hunting import look_at_newest
from daemon.ingest.judge import judge_months
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.turns import Turns
from daemon.store import retain, whose_days
from daemon.store.database import open_database, read_database
from daemon.store.errors import explained
from daemon.store.prune import prune
from daemon.store.retain import Kept, Limits, Plan
from daemon.store.roster import station_key

Heard = Callable[[str, int, int], None]  # site, days folded, days to fold


@dataclass(frozen=True, slots=True)
class SiteRetained:
    """What a pass did to one site (or, of a preview, would do); `plan` is None where the site has no packets."""

    site: str
    plan: Plan | None
    flows: int  # rows that went
    slots: int
    kept: Kept


def retain_all(
    database: Path,
    limits: Limits,
    knowledge: Knowledge,
    heard: Heard = lambda _site, _done, _all: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[SiteRetained]:
    """Drop what is past its time in every site of a database. Raises StoreError; the days before are done then."""
    with closing(open_database(database)) as db, explained(database):
        db.execute("PRAGMA secure_delete = ON")
        surplus = _surplus(db, limits)
        done = []
        for number, site in _sites(db):
            turns = Turns(db, Ear(database, site, knowledge, time.monotonic), sleep)
            done.append(_Site(db, number, site, knowledge).retain(limits, surplus, turns, heard))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log has copies; with a reader it is done later
        return done


def preview(database: Path, limits: Limits) -> list[SiteRetained]:
    """What `retain_all` would do. Raises StoreError."""
    with closing(read_database(database)) as db, explained(database):
        surplus = _surplus(db, limits)
        out = []
        for number, site in _sites(db):
            plan = retain.plan(db, number, limits, surplus)
            flows = retain.doomed_flows(db, number, plan.before_us) if plan else 0
            slots = retain.old_slots(db, number, plan.oldest_slot) if plan else 0
            out.append(SiteRetained(site, plan, flows, slots, retain.kept(db, number)))
        return out


def _sites(db: sqlite3.Connection) -> list[tuple[int, str]]:
    return db.execute("SELECT id, name FROM site ORDER BY name").fetchall()


def _surplus(db: sqlite3.Connection, limits: Limits) -> float:
    """The share of the detail that there is no room for; every site gives up as much of its own."""
    size = retain.detail_bytes(db)
    return max(0.0, 1 - limits.detail_bytes / size) if size else 0.0


class _Site:
    """One site; each method but `retain` within a transaction of the caller's."""

    def __init__(self, db: sqlite3.Connection, site_id: int, site: str, knowledge: Knowledge) -> None:
        self._db, self._site_id, self._site, self._knowledge = db, site_id, site, knowledge

    def retain(self, limits: Limits, surplus: float, turns: Turns, heard: Heard) -> SiteRetained:
        db, site_id, site = self._db, self._site_id, self._site
        plan = retain.plan(db, site_id, limits, surplus)
        if plan is None:
            return SiteRetained(site, None, 0, 0, retain.kept(db, site_id))
        flows = 0
        for place, before_us in enumerate(plan.steps):
            heard(site, place, len(plan.steps))
            flows += turns.take(partial(self._fold, before_us))
        slots = turns.take(partial(self._drop, plan.oldest_slot))
        turns.take(partial(prune, db))
        turns.take(partial(look_at_newest, db, site_id, self._knowledge))
        heard(site, len(plan.steps), len(plan.steps))
        return SiteRetained(site, plan, flows, slots, retain.kept(db, site_id))

    def _fold(self, before_us: int) -> int:
        count, months = retain.fold(self._db, self._site_id, before_us, self._people())
        if months:
            judge_months(self._db, self._site_id, months, self._knowledge)
        whose_days.follow(self._db)
        return count

    def _drop(self, oldest_slot: int) -> int:
        retain.hide_names(self._db, self._people())
        slots = retain.drop_slots(self._db, self._site_id, oldest_slot)
        whose_days.follow(self._db)
        return slots

    def _people(self) -> list[int]:
        """Devices that show what a person does, whose owner has not said that their names may be kept."""
        spoken = self._knowledge.words(self._site).keeps_names
        marks = ",".join("?" * len(PEOPLE))
        rows = self._db.execute(
            f"SELECT d.id, s.mac, s.address FROM device d JOIN station s ON s.device_id = d.id"  # noqa: S608  marks only
            f" WHERE d.site_id = ? AND d.kind IN ({marks})",
            (self._site_id, *sorted(PEOPLE)),
        ).fetchall()
        kept = {number for number, mac, address in rows if station_key(mac, address) in spoken}
        return sorted({row[0] for row in rows} - kept)
