"""The dashboard as one application: pages, API, static files, and what stands before them all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from web.api import mount_api
from web.hunting import Looking
from web.memory import Memory
from web.options import Options
from web.pages import PAGES
from web.routing import mount
from web.security.attempts import Attempts
from web.security.gate import ForgedError, RefusedError, admission
from web.security.headers import HEADERS, SecurityHeaders
from web.security.hosts import KnownHosts
from web.security.limits import BodyLimit
from web.security.origin import SameOrigin
from web.security.refusal import PROGRAMS, Refuse, explaining, refusing
from web.templating import STATIC, Templates
from web.turns import Turns

_SMALLEST_ZIPPED = 1024
_ZIPPED = 4  # a quarter of the time of the usual 9, for 6 % more bytes
_THREADS = 8  # each answers one request: more only wait for the same two to four cores, and take memory meanwhile


def create_app(options: Options) -> FastAPI:
    """The application that serves a home. Opens nothing yet."""
    app = FastAPI(
        title="Homeport", version=options.version or "0", docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", lifespan=_living,
    )  # fmt: skip
    app.state.options = options
    app.state.templates = Templates(options.version)
    app.state.memory = Memory(options.database, options.relieve)
    app.state.turns = Turns()
    app.state.looking = Looking()
    app.state.attempts = Attempts(options.monotonic)
    admit = admission(options)
    mount(app, PAGES, admit)
    mount_api(app, admit)
    app.add_api_route("/healthz", _healthy, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _defend(app, options, refusing(app.state.templates))
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = _THREADS
    yield
    app.state.looking.wait()
    app.state.memory.close()


def _defend(app: FastAPI, options: Options, refuse: Refuse) -> None:
    """What answers in place of pages. The middleware added last sees a request first."""

    async def forged(request: Request, _error: Exception) -> Response:
        return refuse(
            request.url.path, 403, "Please try again",
            "This form was not sent from the page as it is now, so nothing was changed. Go back, load the page again and "
            "repeat it.",
        )  # fmt: skip

    async def broken(request: Request, _error: Exception) -> Response:
        sentence = "Homeport has a fault here. The journal has its traces; nothing that was recorded is lost by it."
        answer = refuse(request.url.path, 500, "Something went wrong", sentence)
        answer.headers.update(HEADERS)  # what stands before all pages does not see this one
        return answer

    app.add_exception_handler(Exception, broken)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(ForgedError, forged)
    app.add_exception_handler(HTTPException, explaining(refuse))
    app.add_middleware(SameOrigin, refuse=refuse)
    app.add_middleware(BodyLimit, refuse=refuse)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_ZIPPED, compresslevel=_ZIPPED)
    app.add_middleware(KnownHosts, names=options.hosts)
    app.add_middleware(SecurityHeaders)


def _healthy() -> Response:  # in a thread, as pages are: where none is left to answer, this does not either
    return PlainTextResponse("ok\n")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  it is registered for these alone
    if error.by_program or request.url.path.startswith(PROGRAMS):
        return JSONResponse({"detail": error.sentence}, 401, {"www-authenticate": "Bearer"})
    if "hx-request" in request.headers:  # a part of a page was asked for: the whole page is to go there
        return Response(status_code=401, headers={"hx-redirect": error.address})
    return RedirectResponse(error.address, status_code=303)
