"""Coming in and going out: the password for a session, and the end of it.

Rule 1: a login always begins a new session, whatever cookie came with it.
Rule 2: what is wrong is said without saying more: there is one account, so there is no name to find out.
"""

from __future__ import annotations

import sqlite3

from starlette.responses import Response

from daemon.store import accounts, audit, sessions
from web.routing import Page
from web.security.attempts import TooOftenError
from web.security.cookies import give, onward, take
from web.security.gate import address_of
from web.security.password import is_password, too_often
from web.visit import Visit

_WRONG = "That is not the password."


def show(visit: Visit) -> Response:
    """The form; for who needs none, the way on."""
    if visit.session.is_somebody:
        return visit.go(onward(visit.query("next")))
    if not accounts.is_claimed(visit.owner):
        return visit.go("/setup")
    return _form(visit, visit.query("next"), None)


def log_in(visit: Visit) -> Response:
    """A password was said."""
    if visit.session.who == "everybody":
        return visit.go("/")
    if not accounts.is_claimed(visit.owner):
        return visit.go("/setup")
    wanted = visit.form.get("next")
    try:
        if not is_password(visit, visit.form.get("password", "")):
            return _form(visit, wanted, _WRONG, 403)
    except TooOftenError as error:
        return too_often(_form(visit, wanted, str(error), 429), error)
    return begin(visit, audit.LOGIN, onward(wanted))


def log_out(visit: Visit) -> Response:
    """This browser, or all of them."""
    everywhere = "everywhere" in visit.form
    number = visit.session.number
    if everywhere:
        visit.keep(lambda db, _now: sessions.end_all(db))
    elif number is not None:
        visit.keep(lambda db, _now: sessions.end(db, number))
    return take(visit.go("/login"))


def begin(visit: Visit, what: str, address: str) -> Response:
    """A new session for whoever has just proved to be the owner; the one that it had ends."""
    came = address_of(visit.request)
    agent = visit.request.headers.get("user-agent", "")

    def write(db: sqlite3.Connection, now_us: int) -> str:
        if visit.session.number is not None:
            sessions.end(db, visit.session.number)
        token = sessions.begin(db, now_us, came, agent)
        audit.note(db, audit.Line(now_us, "owner", came, what, ""))
        return token

    return give(visit.go(address), visit.request, visit.keep(write))


def _form(visit: Visit, wanted: str | None, complaint: str | None, status: int = 200) -> Response:
    return visit.page("login.html", status, wanted=onward(wanted), complaint=complaint)


PAGES = (
    Page("/login", show, public=True),
    Page("/login", log_in, "POST", public=True),
    Page("/logout", log_out, "POST"),
)
