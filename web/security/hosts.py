"""Names by which the box may be called: whoever calls it otherwise was led here by somebody else's name server.

Against DNS rebinding: a page of a stranger can make its own name point at this box, and would then read it as its own
site. The browser tells the name in the Host header; a stranger's name is answered with nothing.

Rule: an address always passes, because a name server cannot make an address mean another one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ALWAYS = ("localhost",)
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:@/\\\s]+)(?::\d{1,5})?")
_WRONG = (
    "This is a Homeport box, but it is not called {}. Open it by its address, or let its owner add this name to"
    " web.hosts in the configuration.\n"
)
_LONGEST = 253


class KnownHosts:
    """Lets pass what calls the box by an address or by one of its names; the rest gets 421 (RFC 9110, 15.5.20)."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower().rstrip(".") for name in (*ALWAYS, *names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] in ("http", "websocket"):
            said = Headers(scope=scope).getlist("host")
            if len(said) != 1 or not self.knows(said[0]):
                called = "".join(sign for sign in (said[0] if said else "nothing")[:_LONGEST] if sign.isprintable())
                await PlainTextResponse(_WRONG.format(called), 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def knows(self, host: str) -> bool:
        """Whether this value of a Host header is one of ours."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1]
        if name.startswith("["):
            return _address(name[1:-1], 6)
        return name.lower().removesuffix(".") in self._names or _address(name, 4)


def _address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
