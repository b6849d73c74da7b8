"""The first visit: whoever has the code that the box shows becomes its owner."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from starlette.responses import Response

from daemon.store import accounts, audit
from daemon.store.settings import HOME_NAME, TIME_ZONE, set_each
from daemon.store.words import BadWordError
from web.pages.login import begin
from web.routing import Page
from web.security.attempts import Attempts, TooOftenError
from web.security.gate import address_of
from web.security.password import too_often
from web.visit import BY, Visit

_WRONG_CODE = "That is not the code that the box showed last. The command homeport claim, on the box, shows a new one."


@dataclass(frozen=True, slots=True)
class _Wanted:
    code: str
    password: str
    again: str
    settings: Mapping[str, str | None]


def show(visit: Visit) -> Response:
    """The form, as long as the box has no owner."""
    if visit.session.is_somebody or accounts.is_claimed(visit.owner):
        return visit.go("/login")
    return _form(visit, None)


def claim(visit: Visit) -> Response:
    """Somebody says the code."""
    if visit.session.is_somebody or accounts.is_claimed(visit.owner):
        return visit.go("/login")
    said = visit.form
    wanted = _Wanted(
        said.get("code", ""), said.get("password", ""), said.get("again", ""),
        {HOME_NAME: said.get("home") or None, TIME_ZONE: said.get("zone") or None},
    )  # fmt: skip
    attempts: Attempts = visit.request.app.state.attempts
    try:
        if not attempts.try_it(address_of(visit.request), lambda: _code_fits(visit, wanted.code)):
            return _form(visit, _WRONG_CODE, 403)
        if wanted.password != wanted.again:
            return _form(visit, "The two passwords are not the same.", 400)
        visit.keep(lambda db, now_us: _claim(db, wanted, now_us))
    except TooOftenError as error:
        return too_often(_form(visit, str(error), 429), error)
    except BadWordError as error:
        return _form(visit, str(error), 400)
    visit.options.follow(visit.options.site)
    return begin(visit, audit.CLAIMED, "/")


def zones() -> list[str]:
    """Time zones that a person would choose from."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))


def _code_fits(visit: Visit, code: str) -> bool:
    return visit.owner is not None and accounts.knows_people(visit.owner) and accounts.code_fits(visit.owner, code)


def _claim(db: sqlite3.Connection, wanted: _Wanted, now_us: int) -> None:
    set_each(db, wanted.settings, BY, now_us)  # checked first: a misspelt zone must not leave half a set-up
    accounts.claim(db, wanted.code, wanted.password, now_us)


def _form(visit: Visit, complaint: str | None, status: int = 200) -> Response:
    return visit.page("setup.html", status, complaint=complaint, zones=zones())


PAGES = (
    Page("/setup", show, public=True),
    Page("/setup", claim, "POST", public=True),
)
