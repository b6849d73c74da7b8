"""The hunt for findings, made for pages: once for a quarter of an hour, or for what a busy minute brings.

Rule 1: what is odd by days is not odd by the second, and looking takes a moment: an answer holds until the time that is
        asked about is another one, or much was captured since.
Rule 2: a page that has no answer yet says so at once, and asks again for it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from daemon.report.findings.hunt import Hunt, hunt
from daemon.report.findings.vocabulary import Finding
from daemon.store.finding_facts import is_crowded
from daemon.store.mutes import standing_remarks
from web.reading import reading
from web.visit import Visit

SECONDS = 20.0  # for a look at the busiest of homes on the smallest of boxes
_QUICK = 75_000  # connections
NOW = "look"  # the parameter of an address that says: look, however long it takes
_CAPTURED = "SELECT count(*), sum(packets) / 50000 FROM capture WHERE site_id = ?"  # by which a look is out of date


def found(visit: Visit) -> Hunt:
    """What the hunt gives for the visit's home and time, over all devices. Raises StoreError."""
    scope = visit.scope().of(None)

    def look() -> Hunt:
        with reading(visit.options.database, SECONDS) as db:
            return hunt(replace(scope, db=db))

    return visit.remember(_key(visit), look, lasting=True)


def found_already(visit: Visit) -> Hunt | None:
    """The same where it is known, quickly found, or where the address says that it is worth the wait; else None."""
    span = visit.range.span
    if (
        visit.query(NOW) is None
        and not visit.remembers(_key(visit))
        and is_crowded(visit.db, visit.site_id, span.since_us, span.until_us, _QUICK)
    ):
        return None
    return found(visit)


def loud(visit: Visit) -> list[Finding]:
    """What is worth a look and not muted, most serious first."""
    remarks = standing_remarks(visit.owner, visit.site)
    return [
        each for each in found(visit).serious if each.finding_id not in remarks or not remarks[each.finding_id].mute
    ]


def _key(visit: Visit) -> Hashable:
    span = visit.range.span
    captured = visit.db.execute(_CAPTURED, (visit.site_id,)).fetchone()
    return "hunt", span.since_us, span.until_us, captured, tuple(sorted(visit.names.items()))
