"""How much may be sent: forms are small, so a large body is refused before it is read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.security.refusal import Refuse

MOST_BYTES = 65_536


class BodyLimit:
    """Refuses bodies that are too long (413), or whose length is not told beforehand (411)."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. The server itself ends one that sends more than it told."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers:
                await self._refuse(scope["path"], 411, "How long?", "Homeport wants to be told how much is sent.")(
                    scope, receive, send
                )
                return
            if not length.isdecimal() or int(length[:18]) > MOST_BYTES:
                sentence = f"Homeport takes at most {MOST_BYTES // 1024} KiB at once; nothing was changed."
                await self._refuse(scope["path"], 413, "Too much", sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)
