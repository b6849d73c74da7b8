"""The dashboard as one application: pages, API, static files, and what stands before them all."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from web.api import mount_api
from web.options import Options
from web.pages import PAGES
from web.routing import mount
from web.security.gate import RefusedError, admission
from web.security.headers import SecurityHeaders
from web.templating import STATIC, Templates

_SMALLEST_ZIPPED = 1024


def create_app(options: Options) -> FastAPI:
    """The application that serves a home. Opens nothing yet."""
    app = FastAPI(
        title="Homeport", version=options.version or "0", docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    app.state.options = options
    app.state.templates = Templates(options.version)
    admit = admission(options)
    mount(app, PAGES, admit)
    mount_api(app, admit)
    app.add_api_route("/healthz", _healthy, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(RefusedError, _refused)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_ZIPPED)
    app.add_middleware(SecurityHeaders)
    return app


async def _healthy() -> Response:
    return PlainTextResponse("ok\n")


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RefusedError)  # noqa: S101  it is registered for these alone
    return RedirectResponse(error.address, status_code=303)
