"""Where a request that changes something comes from: from a page of ours, from a stranger's, or nobody says.

Rule: a browser says it in Sec-Fetch-Site (where the connection is trustworthy to it) or in Origin (on every POST). A
      program says nothing; it needs the token of a session, or one of its own.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.security.refusal import Refuse

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS, STRANGE, UNSAID = "ours", "strange", "unsaid"
_PORTS = {"http": 80, "https": 443}


def came_from(headers: Headers) -> str:
    """OURS, STRANGE or UNSAID."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return STRANGE
    if origin is not None:
        return OURS if _same(origin, headers.get("host", "")) else STRANGE
    return UNSAID if site is None else OURS


class SameOrigin:
    """Refuses what a stranger's page sends: every method that may change something."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["method"] not in SAFE and came_from(Headers(scope=scope)) == STRANGE
        ):
            answer = self._refuse(
                scope["path"], 403, "Not from there",
                "Another page has sent this to Homeport, so nothing was changed. Open Homeport itself and try again there.",
            )  # fmt: skip
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _same(origin: str, host: str) -> bool:
    try:
        theirs = urlsplit(origin)
        default = _PORTS[theirs.scheme]
        ours = urlsplit(f"//{host}")
        ends = [(each.hostname, each.port or default) for each in (theirs, ours)]
    except (KeyError, ValueError):
        return False  # "null", extensions, things that are no origin
    return ends[0] == ends[1]
