"""Tokens for programs: a name, a scope, and the token itself once."""

from __future__ import annotations

import sqlite3

from starlette.responses import Response

from daemon.store import access_tokens, audit
from daemon.store.accounts import knows_people
from daemon.store.words import BadWordError
from web.routing import Page
from web.security.gate import address_of
from web.visit import Visit


def show(visit: Visit) -> Response:
    """All tokens, and the form for another."""
    return _page(visit)


def make(visit: Visit) -> Response:
    """A new token, shown in the answer and never again; the answer is no redirect for that reason."""
    name, scopes, came = visit.form.get("name", ""), visit.form.get("scopes", ""), address_of(visit.request)

    def write(db: sqlite3.Connection, now_us: int) -> str:
        token = access_tokens.issue(db, name, scopes, now_us)
        audit.note(db, audit.Line(now_us, visit.session.who, came, audit.TOKEN_MADE, f"{name.strip()} ({scopes})"))
        return token

    try:
        return _page(visit, fresh=visit.keep(write))
    except BadWordError as error:
        return _page(visit, complaint=str(error), status=400)


def revoke(visit: Visit) -> Response:
    """Take one back."""
    number, came = visit.form.get("token", ""), address_of(visit.request)
    if not (number.isascii() and number.isdecimal()):
        raise BadWordError("Which token? Nothing was changed.")

    def write(db: sqlite3.Connection, now_us: int) -> None:
        name = access_tokens.revoke(db, int(number[:18]))
        audit.note(db, audit.Line(now_us, visit.session.who, came, audit.TOKEN_GONE, name))

    visit.keep(write)
    return visit.go("/settings/tokens")


def _page(visit: Visit, *, fresh: str | None = None, complaint: str | None = None, status: int = 200) -> Response:
    owner = visit.owner
    tokens = access_tokens.standing_tokens(owner) if owner is not None and knows_people(owner) else []
    return visit.page(
        "tokens.html", status, fresh=fresh, complaint=complaint, tokens=tokens, scopes=access_tokens.SCOPES,
        host=visit.request.headers["host"],
    )  # fmt: skip


PAGES = (
    Page("/settings/tokens", show),
    Page("/settings/tokens", make, "POST"),
    Page("/settings/tokens/revoke", revoke, "POST"),
)
