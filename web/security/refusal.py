"""How a request is refused: as a page for people, as JSON for programs; in one sentence either way."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from web.templating import Templates

Refuse = Callable[[str, int, str, str], Response]  # path, status, heading, sentence
PROGRAMS = ("/api/", "/metrics", "/healthz")  # paths at which programs ask
_SENTENCES = {
    400: "Homeport does not understand what was sent; nothing was changed.",
    404: "There is no such page.",
    405: "This address does not answer that way.",
}


def refusing(templates: Templates) -> Refuse:
    """What makes refusals in the look of the pages."""

    def refuse(path: str, status: int, heading: str, sentence: str) -> Response:
        if path.startswith(PROGRAMS):
            return JSONResponse({"detail": sentence}, status)
        return HTMLResponse(templates.render("problem.html", heading=heading, sentence=sentence), status)

    return refuse


def explaining(refuse: Refuse) -> Callable[[Request, Exception], Response]:
    """The handler of what the framework itself refuses: an unknown address, a form that is none."""

    def explain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
        path = request.url.path
        said = error.detail if path.startswith(PROGRAMS) else _SENTENCES.get(error.status_code, error.detail)
        answer = refuse(path, error.status_code, HTTPStatus(error.status_code).phrase, said)
        answer.headers.update(error.headers or {})
        return answer

    return explain
