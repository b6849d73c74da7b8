"""The password once more, before packets leave the box: whoever finds an open browser gets pages, not recordings.

In the page that hands packets out, and only after what is asked for was found to exist:

    asked = again(visit)
    if asked is not None:
        return asked
    taken(visit, "the captures of 3 May 2026")

Rule: what was confirmed holds for this session, for a few minutes, and is kept with it; a token of scope read+packets
      needs no password, because it was made for that.
"""

from __future__ import annotations

import sqlite3

from starlette.responses import Response

from daemon.store import audit, sessions
from web.security.attempts import TooOftenError
from web.security.cookies import onward
from web.security.gate import address_of
from web.security.password import is_password, too_often
from web.visit import Visit


def again(visit: Visit) -> Response | None:
    """The page that asks for the password and then leads back here; None where it was said lately."""
    if visit.session.confirmed:
        return None
    url = visit.request.url
    return _page(visit, url.path + (f"?{url.query}" if url.query else ""), None, 403)


def taken(visit: Visit, about: str) -> None:
    """Keep that packets left the box: who took them, from where, when, and which. Raises StoreError."""
    came = address_of(visit.request)

    def write(db: sqlite3.Connection, now_us: int) -> None:
        audit.note(db, audit.Line(now_us, visit.session.who, came, audit.PACKETS, about))

    visit.keep(write)


def confirm(visit: Visit) -> Response:
    """The answer to the question: on to what was asked for, or the question again."""
    wanted, number = onward(visit.form.get("next")), visit.session.number
    try:
        if not is_password(visit, visit.form.get("password", "")):
            return _page(visit, wanted, "That is not the password.", 403)
    except TooOftenError as error:
        return too_often(_page(visit, wanted, str(error), 429), error)
    if number is not None:
        visit.keep(lambda db, now_us: sessions.confirm(db, number, now_us))
    return visit.page("confirmed.html", wanted=wanted)


def _page(visit: Visit, wanted: str, complaint: str | None, status: int) -> Response:
    return visit.page("again.html", status, wanted=wanted, complaint=complaint)
