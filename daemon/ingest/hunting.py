"""When the hunt for findings is on: after whatever makes kept ones wrong, and while captures grow as often as is cheap.

Rule 1: a look is at the newest days as a whole; it takes seconds in a busy home on a slow box, so it comes the more seldom
        the longer it takes: findings are about days, and no minute's labels wait for them.
Rule 2: an import does not look: whoever asks next does, or the service that follows the captures.
Rule 3: with a look goes what reports about nights, addresses and years add up, and what came and went in months that are
        over: some each time, until all have it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from daemon.ingest.knowledge import Knowledge
from daemon.store.database import transaction
from daemon.store.errors import explained
from daemon.store.finding_rows import read_look, words_of_night
from daemon.store.settings import night_of, settings_at

_LEAST_S, _MOST_S = 300.0, 7200.0  # between two looks, with findings that are only older than the newest packets
_LEAST_NONE_S = 5.0  # and where none are kept
_SELDOM, _SELDOM_NONE = 1500.0, 30.0  # times as long as the last look took
_ASK_S = 15.0  # between two questions whether a look is due
_NIGHTS_AT_ONCE = 31  # that are added up with a look: somebody may wait for it
ALL_NIGHTS = 100
_NIGHTS_US = ALL_NIGHTS * 86_400_000_000


def look_at_newest(db: sqlite3.Connection, site_id: int, knowledge: Knowledge, nights: int = _NIGHTS_AT_ONCE) -> None:
    """Look at the newest days of a site, and keep what is found. Within the caller's transaction, or one of its own.

    `nights`: how many of the past are added up at most, of those that are not yet; and so many months.
    """
    from daemon.report import turnover_kept  # noqa: PLC0415  numpy's medians and sums, which no import needs
    from daemon.report.findings.kept import keep  # noqa: PLC0415  likewise
    from daemon.report.hours import night_slots  # noqa: PLC0415  likewise
    from daemon.report.scope import Scope, Span  # noqa: PLC0415  likewise
    from daemon.store import address_days, day_runs, night_sums  # noqa: PLC0415  likewise

    with transaction(db):
        site, zone, newest = db.execute(
            "SELECT s.name, s.zone, (SELECT max(last_us) FROM capture WHERE site_id = s.id) FROM site s WHERE s.id = ?",
            (site_id,),
        ).fetchone()
        if newest is not None:
            span = Span(max(newest - _NIGHTS_US, 0), newest + 1)
            scope = Scope(db, site_id, site, zone, span, newest, night=night_of(settings_at(knowledge.owner)))
            keep(scope)
            night_sums.follow(db, site_id, night_slots(scope), newest, nights)
            address_days.follow(db, site_id, newest, nights)
            day_runs.follow(db, nights)
            turnover_kept.follow(scope, nights)


class Hunter:
    """Looks while captures grow. `step` does what is due."""

    def __init__(self, database: Path, site: str, knowledge: Knowledge, monotonic: Callable[[], float]) -> None:
        """`monotonic`: seconds on the clock that nobody sets."""
        self._database, self._site, self._knowledge, self._monotonic = database, site, knowledge, monotonic
        self._asked_s = self._looked_s = float("-inf")
        self._took_s = 0.0

    def step(self, db: sqlite3.Connection) -> bool:
        """Look, if it is time to; whether it did. Raises StoreError."""
        now = self._monotonic()
        if now - self._asked_s < _ASK_S:
            return False
        self._asked_s = now
        with explained(self._database):
            site_id = self._wants(db, now)
            if site_id is None:
                return False
            look_at_newest(db, site_id, self._knowledge)
        self._looked_s = self._monotonic()
        self._took_s = self._looked_s - now
        return True

    def _wants(self, db: sqlite3.Connection, now: float) -> int | None:
        """The site, if there is something to look at and the last look is long enough ago."""
        row = db.execute(
            "SELECT s.id, max(k.last_us) FROM site s JOIN capture k ON k.site_id = s.id WHERE s.name = ?", (self._site,)
        ).fetchone()
        if row[1] is None:
            return None
        looked = read_look(db, row[0])
        night = words_of_night(night_of(settings_at(self._knowledge.owner)))
        if looked is not None and looked.night == night and looked.until_us > row[1]:
            return None
        pause = max(_LEAST_NONE_S, _SELDOM_NONE * self._took_s)
        if looked is not None and looked.night == night:
            pause = min(max(_LEAST_S, _SELDOM * self._took_s), _MOST_S)
        return int(row[0]) if now - self._looked_s >= pause else None
