"""Who asks: nobody in particular on an open demo, the owner after a login, a program with a token.

Rule 1: whoever is nobody gets the set-up page of an unclaimed box, or the login; never data.
Rule 2: a token opens what its scope says (BY_TOKEN), and nothing that changes anything.
Rule 3: what changes something carries the session's token, in the form or in a header; where no session is needed
        (login, set-up) the browser must say that the form was ours.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from daemon.store import access_tokens, accounts, sessions
from daemon.store.access_tokens import PACKETS, READ
from daemon.store.owner import open_owner, read_owner
from web.options import Options
from web.security.origin import OURS, SAFE, came_from

COOKIE = "homeport"
HEADER = "x-csrf-token"
FIELDS = 64  # most of a form
BY_TOKEN = {  # what a program may ask for -> the scope that it needs
    "/api/v1/": READ,
    "/metrics": READ,
    "/captures/files/": PACKETS,
    "/captures/packets": PACKETS,
}
EVERYTHING = frozenset({READ, PACKETS})


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who may read. `csrf` stands in every form of this session; "" where there is no session."""

    who: str
    csrf: str = ""
    number: int | None = None  # of the session in owner.db
    scopes: frozenset[str] = frozenset()
    confirmed: bool = False  # the password was said (again) within the last minutes, or a token says as much

    @property
    def is_somebody(self) -> bool:
        """Whether a password or a token was shown."""
        return bool(self.scopes)


NOBODY = Session("nobody")


class RefusedError(Exception):
    """Not without a login; `address` is where to go first, `sentence` what programs are told."""

    def __init__(
        self,
        address: str,
        sentence: str = "This needs a login, or a token in the Authorization header.",
        *,
        by_program: bool = False,
    ) -> None:
        super().__init__(address)
        self.address = address
        self.sentence = sentence
        self.by_program = by_program


class ForgedError(Exception):
    """Something was to be changed without the session's token."""


Admit = Callable[[bool], Callable[..., Awaitable[Session]]]


def admission(options: Options) -> Admit:
    """What lets requests in: given whether a page is public, the dependency that knows the session."""
    everybody = Session("everybody", secrets.token_urlsafe(16), None, EVERYTHING, confirmed=True)

    def admit(public: bool) -> Callable[..., Awaitable[Session]]:
        async def session_of(request: Request) -> Session:
            session = everybody if options.open else await run_in_threadpool(_known, request, options, public=public)
            if request.method not in SAFE:
                await _check_token(request, session, public=public)
            return session

        return session_of

    return admit


def csrf_of(token: str) -> str:
    """What stands in the forms of a session: it tells nothing of the token in the cookie."""
    return hmac.new(token.encode(), b"forms of this session", sha256).hexdigest()


def address_of(request: Request) -> str:
    """From where it was asked."""
    return request.client.host if request.client else ""


def _known(request: Request, options: Options, *, public: bool) -> Session:
    db = read_owner(options.owner)
    if db is not None:
        with closing(db):
            if accounts.is_claimed(db):
                session = _by_token(request, options, db) or _by_cookie(request, options, db)
                if session is None and not public:
                    raise RefusedError(_login(request))
                return session or NOBODY
    if not public:
        raise RefusedError("/setup", "This box has no owner yet; its page /setup makes one.")
    return NOBODY


def _by_token(request: Request, options: Options, db: sqlite3.Connection) -> Session | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    wanted = next((scope for path, scope in BY_TOKEN.items() if request.url.path.startswith(path)), None)
    if kind.lower() != "bearer" or wanted is None or request.method not in SAFE:
        return None
    found = access_tokens.find(db, token.strip())
    if found is None or wanted not in found.scopes:
        raise RefusedError("/login", "There is no such token (any more), or it is not for this.", by_program=True)
    now_us = options.now_us()
    if access_tokens.is_stale(found, now_us):
        with closing(open_owner(options.owner)) as writer:
            access_tokens.touch(writer, found.token_id, now_us)
    return Session(f"token {found.name}", "", None, found.scopes, confirmed=PACKETS in found.scopes)


def _by_cookie(request: Request, options: Options, db: sqlite3.Connection) -> Session | None:
    token = request.cookies.get(COOKIE, "")
    now_us = options.now_us()
    found = sessions.find(db, token, now_us) if token else None
    if found is None:
        return None
    if abs(now_us - found.used_us) >= sessions.TOUCH_US:
        with closing(open_owner(options.owner)) as writer:
            sessions.touch(writer, found.session_id, now_us, address_of(request))
    return Session("owner", csrf_of(token), found.session_id, EVERYTHING, confirmed=found.confirmed(now_us))


async def _check_token(request: Request, session: Session, *, public: bool) -> None:
    if public:  # the login's page may be older than the session that another tab has begun
        if came_from(request.headers) != OURS:
            raise ForgedError
        return
    said: object = request.headers.get(HEADER)
    if said is None:
        said = (await request.form(max_files=0, max_fields=FIELDS)).get("csrf")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), session.csrf.encode()):
        raise ForgedError


def _login(request: Request) -> str:
    if request.method not in SAFE or request.url.path == "/":
        return "/login"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(asked, safe='/')}"
