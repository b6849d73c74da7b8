"""The cookie of a session, and addresses to which somebody may be sent on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from daemon.store.sessions import WHOLE_US
from web.security.gate import COOKIE


def give(response: Response, request: Request, token: str) -> Response:
    """Script cannot read it, no other site's page sends it; where the page came over TLS it never leaves without TLS."""
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")  # behind a proxy
    response.set_cookie(
        COOKIE, token, max_age=WHOLE_US // 1_000_000, path="/", httponly=True, samesite="strict",
        secure=secure,
    )  # fmt: skip
    return response


def take(response: Response) -> Response:
    """The browser forgets it."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def onward(wanted: str | None) -> str:
    """An address of this box that somebody asked for before; the overview for anything else."""
    said = wanted or "/"
    ours = said.startswith("/") and said[1:2] not in ("/", "\\") and said.isascii() and said.isprintable()
    return said if ours and "\\" not in said else "/"
