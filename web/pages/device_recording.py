"""How much of a device is recorded: the form on its page, and on the page of captures who is not recorded in full.

Rule 1: the page says what a level costs before it is chosen; nothing of the past is touched by it, and both are said.
Rule 2: who was forgotten is no device any more, and is still not recorded: the page of captures can take that back.
"""

from __future__ import annotations

from starlette.responses import Response

from daemon.report.recording import MEANINGS, Unrecorded, words_to_record
from daemon.store import audit, owner
from daemon.store.recording import gateways_of
from daemon.store.words import FULL, RECORD, BadWordError, mac_key
from web.routing import Page
from web.security.gate import address_of
from web.visit import Visit


def say_level(visit: Visit) -> Response:
    """Record a device in full, without names, or not at all."""
    resident = visit.resident(visit.param("key"))
    level = _level(visit)
    words = words_to_record(resident, level, visit.words, gateways_of(visit.db, visit.site))
    if words:
        _keep(visit, words, f"{visit.names[resident.device_id]}: {MEANINGS[level].now}")
    return visit.go(visit.device_link(resident.device_id) + "#recording")


def record_again(visit: Visit) -> Response:
    """Record a station in full again that no device has any more."""
    key = visit.form.get("key", "")
    if mac_key(key) != key or key not in visit.words.levels:
        raise BadWordError("Nothing was changed: nobody said anything about how that is recorded.")
    _keep(visit, [(key, RECORD, FULL)], f"{key}: {MEANINGS[FULL].now}")
    return visit.go(visit.link("/captures") + "#recording")


def everybody_unrecorded(visit: Visit) -> list[Unrecorded]:
    """Who is not recorded in full, for a number beside totals."""
    return visit.unrecorded()


def _level(visit: Visit) -> str:
    level = visit.form.get("level", "")
    if level not in MEANINGS:
        raise BadWordError(f"Nothing was changed: a device is recorded {', '.join(MEANINGS)}.")
    return level


def _keep(visit: Visit, words: list[tuple[str, str, str | None]], about: str) -> None:
    visit.speak(lambda db, by, now_us: owner.say_each(db, visit.site, words, by, now_us))
    came = address_of(visit.request)
    visit.keep(lambda db, now_us: audit.note(db, audit.Line(now_us, visit.session.who, came, audit.RECORDED, about)))


PAGES = (
    Page("/devices/{key}/record", say_level, "POST"),
    Page("/captures/record", record_again, "POST"),
)
