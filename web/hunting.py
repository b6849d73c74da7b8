"""Findings for pages: rows where they are kept, else looked for beside the page.

Rule 1: rows are read as they are. They are a few minutes old while captures grow, and what is odd by days is not odd by the
        minute.
Rule 2: where none are kept (after an import, or of a time that is past) looking takes longer than a page may. A thread does
        it, one at a time; a page that has no answer yet says so, and asks for itself again.
Rule 3: what was looked for holds until the time that is asked about is another one, or much was captured since.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import replace

from daemon.report.findings.hunt import Hunt
from daemon.report.findings.kept import ends_now, look, read_kept
from daemon.report.findings.vocabulary import Finding
from daemon.report.scope import Scope
from daemon.store.errors import StoreError
from daemon.store.finding_facts import is_crowded
from daemon.store.mutes import standing_remarks
from web.reading import reading
from web.visit import Visit

SECONDS = 20.0  # for a look at the busiest of homes on the smallest of boxes
_QUICK = 4_000  # connections that a page may look through itself
_CAPTURED = "SELECT count(*), sum(packets) / 50000 FROM capture WHERE site_id = ?"  # by which a look is out of date


class Looking:
    """Looks that pages wait for: one at a time, each question once."""

    def __init__(self) -> None:
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._asked: dict[Hashable, threading.Thread] = {}
        self._failed: dict[Hashable, Exception] = {}

    def begin(self, key: Hashable, look_now: Callable[[], object]) -> None:
        """Let a thread look, unless one does. Raises what hindered the last one that was asked the same."""

        def work() -> None:
            try:
                with self._turn:
                    look_now()
            except (StoreError, OSError) as error:
                with self._guard:
                    self._failed[key] = error
            finally:
                with self._guard:
                    self._asked.pop(key, None)

        with self._guard:
            if key in self._failed:
                raise self._failed.pop(key)
            if key not in self._asked:
                self._asked[key] = threading.Thread(target=work, name="findings", daemon=True)
                self._asked[key].start()

    def wait(self) -> None:
        """Until all that was begun is done."""
        with self._guard:
            threads = list(self._asked.values())
        for thread in threads:
            thread.join()


def found_before(visit: Visit) -> Hunt | None:
    """What is kept of the visit's home and time; nobody looks for what is not."""
    return read_kept(visit.scope().of(None))


def found(visit: Visit) -> Hunt:
    """What there is to find in the visit's home and time, over all devices, however long it takes. Raises StoreError."""
    scope = visit.scope().of(None)
    return read_kept(scope) or visit.remember(_key(visit), _looker(visit, scope), lasting=True)


def found_already(visit: Visit) -> Hunt | None:
    """The same where it is known or quickly found; else None, and somebody looks."""
    scope = visit.scope().of(None)
    kept = read_kept(scope)
    if kept is not None:
        return kept
    key = _key(visit)
    if visit.remembers(key) or _is_quick(visit, scope):
        return visit.remember(key, _looker(visit, scope), lasting=True)
    looking: Looking = visit.request.app.state.looking
    keep = visit.keeper(key, _looker(visit, scope))
    looking.begin(key, keep)
    return None


def loud(visit: Visit, hunted: Hunt | None) -> list[Finding] | None:
    """What is worth a look and not muted, most serious first; None where nobody knows yet."""
    if hunted is None:
        return None
    remarks = standing_remarks(visit.owner, visit.site)
    return [each for each in hunted.serious if each.finding_id not in remarks or not remarks[each.finding_id].mute]


def _looker(visit: Visit, scope: Scope) -> Callable[[], Hunt]:
    """What looks, on a connection of its own: a visit is over before a thread is."""
    database = visit.options.database

    def look_now() -> Hunt:
        with reading(database, SECONDS) as db:
            return look(replace(scope, db=db))

    return look_now


def _is_quick(visit: Visit, scope: Scope) -> bool:
    since = scope.span.since_us if not ends_now(scope) else 0
    return not is_crowded(visit.db, visit.site_id, since, scope.span.until_us, _QUICK)


def _key(visit: Visit) -> Hashable:
    span = visit.range.span
    captured = visit.db.execute(_CAPTURED, (visit.site_id,)).fetchone()
    return "hunt", span.since_us, span.until_us, captured, tuple(sorted(visit.names.items()))
