"""Settings: what this home is called, how long what is kept, and who may look.

Rule 1: the page needs no capture: it is where somebody looks who has just claimed a box.
Rule 2: what was not accepted is said above the forms, and nothing was changed by it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from starlette.responses import Response

from daemon.store import accounts, audit, sessions
from daemon.store.access_tokens import standing_tokens
from daemon.store.settings import HOME_NAME, NIGHT_FROM, NIGHT_UNTIL, SETTINGS, TIME_ZONE, night_of, set_each
from daemon.store.words import BadWordError
from web.agents import agent_name
from web.pages.setup import zones
from web.routing import Page
from web.security.attempts import TooOftenError
from web.security.gate import address_of
from web.security.password import is_password, too_often
from web.visit import BY, NothingYetError, Visit

_HOME = (HOME_NAME, TIME_ZONE, NIGHT_FROM, NIGHT_UNTIL)
_KEPT = tuple(key for key in SETTINGS if key not in _HOME)
_DONE: Mapping[str, str] = {
    "home": "Saved. Another time zone counts the days of the past anew, which can take a minute.",
    "kept": "Saved. It is acted on within a day, when the box cleans up.",
    "password": "The password is changed; all other browsers are logged out.",
    "session": "That browser is logged out.",
}
_LINES = 12  # of what was done lately


def show(visit: Visit) -> Response:
    """Everything that can be set."""
    return _page(visit)


def save_home(visit: Visit) -> Response:
    """Name, zone and night."""
    return _save(visit, _HOME, "home")


def save_kept(visit: Visit) -> Response:
    """How long what is kept."""
    return _save(visit, _KEPT, "kept")


def change_password(visit: Visit) -> Response:
    """Another password, for who knows the one before; everybody else is logged out."""
    form, came = visit.form, address_of(visit.request)

    def write(db: sqlite3.Connection, now_us: int) -> None:
        accounts.change_password(db, form.get("password", ""), now_us)
        sessions.end_all(db, but=visit.session.number)
        audit.note(db, audit.Line(now_us, visit.session.who, came, audit.PASSWORD, ""))

    try:
        if form.get("password") != form.get("again"):
            return _page(visit, "The two new passwords are not the same; nothing was changed.", 400)
        if not is_password(visit, form.get("old", "")):
            return _page(visit, "That is not the password that holds now; nothing was changed.", 403)
        visit.keep(write)
    except TooOftenError as error:
        return too_often(_page(visit, str(error), 429), error)
    except BadWordError as error:
        return _page(visit, str(error), 400)
    return visit.go("/settings?done=password#access")


def end_session(visit: Visit) -> Response:
    """Log one browser out."""
    number = visit.form.get("session", "")
    if not (number.isascii() and number.isdecimal()):
        raise BadWordError("Which browser? Nothing was changed.")
    visit.keep(lambda db, _now: sessions.end(db, int(number[:18])))
    return visit.go("/settings?done=session#access")


def _save(visit: Visit, keys: tuple[str, ...], done: str) -> Response:
    said: dict[str, str | None] = {key: visit.form[key] for key in keys if key in visit.form}
    before = visit.settings.get(TIME_ZONE)
    try:
        visit.keep(lambda db, now_us: set_each(db, said, BY, now_us))
    except BadWordError as error:
        return _page(visit, str(error), 400)
    if TIME_ZONE in said and (said[TIME_ZONE] or None) != before and visit.options.database.exists():
        visit.options.follow(_site(visit))
    return visit.go(f"/settings?done={done}")


def _site(visit: Visit) -> str:
    try:
        return visit.site
    except NothingYetError:
        return visit.options.site


def _page(visit: Visit, complaint: str | None = None, status: int = 200) -> Response:
    now_us, owner = visit.options.now_us(), visit.owner
    known = owner is not None and accounts.knows_people(owner)
    browsers = sessions.standing_sessions(owner, now_us) if owner is not None and known else []
    return visit.page(
        "settings.html", status, complaint=complaint, done=_DONE.get(visit.query("done") or ""), settings=SETTINGS,
        kept=_KEPT, zones=zones(), night=night_of(visit.settings), data_files=visit.options.data_files(),
        claimed=accounts.is_claimed(owner), browsers=[(each, agent_name(each.agent)) for each in browsers],
        tokens=standing_tokens(owner) if owner is not None and known else [],
        lines=audit.latest(owner, _LINES) if owner is not None and known else [],
    )  # fmt: skip


PAGES = (
    Page("/settings", show),
    Page("/settings/home", save_home, "POST"),
    Page("/settings/kept", save_kept, "POST"),
    Page("/settings/password", change_password, "POST"),
    Page("/settings/session", end_session, "POST"),
)
