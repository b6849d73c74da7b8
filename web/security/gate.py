"""Who asks: nobody in particular on an open demo, the owner after a login, a program with a token.

Rule: whoever is nobody gets the set-up page of an unclaimed box, or the login; never data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from web.options import Options


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who may read. `csrf` stands in every form of this session; "" where there is no session."""

    who: str
    csrf: str = ""


class RefusedError(Exception):
    """Not without a login; `address` is where to go first."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def admission(options: Options) -> Callable[[bool], Callable[..., Awaitable[Session]]]:
    """What lets requests in: given whether a page is public, the dependency that knows the session."""

    def admit(public: bool) -> Callable[..., Awaitable[Session]]:
        async def session_of(request: Request) -> Session:
            del request
            if options.open or public:
                return Session("everybody")
            raise RefusedError("/login")

        return session_of

    return admit
