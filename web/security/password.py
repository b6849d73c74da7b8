"""The owner's password, tried as often as `attempts` lets an address try."""

from __future__ import annotations

import logging

from starlette.responses import Response

from daemon.store import accounts
from web.security.attempts import Attempts, TooOftenError
from web.security.gate import address_of
from web.visit import Visit

_log = logging.getLogger("homeport.web")


def is_password(visit: Visit, said: str) -> bool:
    """Whether this is the owner's password. Raises TooOftenError."""
    attempts: Attempts = visit.request.app.state.attempts
    came = address_of(visit.request)
    db = visit.owner
    right = (
        db is not None and accounts.is_claimed(db) and attempts.try_it(came, lambda: accounts.password_fits(db, said))
    )
    if not right:
        _log.warning("a wrong password from %s", came)
    return right


def too_often(page: Response, error: TooOftenError) -> Response:
    """The page, with the time that a program is to wait."""
    page.headers["retry-after"] = str(error.wait_s)
    return page
