"""From a table of pages to the application's routes: one thread, one visit, one answer each.

Rule 1: a page is a function of its visit; what it raises becomes a page that says what happened and what to do.
Rule 2: a page answers GET or POST, never both ways by accident: what changes something is POST, and carries the
        session's token.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from daemon.store.errors import StoreError
from daemon.store.words import BadWordError
from web.health import troubles_at_first
from web.piecemeal import Piecemeal, on_its_way
from web.reading import TooLongError
from web.security.gate import Session
from web.visit import NotHereError, NothingYetError, Visit, visiting

_log = logging.getLogger("homeport.web")
_LONGEST_FIELDS = 64
_TOO_LONG = 503
_AGAIN_S = 20  # after which a page without data looks again


@dataclass(frozen=True, slots=True)
class Page:
    """One address and what answers it. `public`: also for somebody who has not logged in. `piecemeal`: with a file that
    is sent while it is made.
    """

    path: str
    answer: Callable[[Visit], Response]
    method: str = "GET"
    public: bool = False
    piecemeal: bool = False


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form; of two with one name the last. Files are refused."""
    if request.method != "POST":
        return {}
    async with request.form(max_files=0, max_fields=_LONGEST_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def mount(app: FastAPI, pages: Iterable[Page], admit: Callable[[bool], Callable[..., Awaitable[Session]]]) -> None:
    """Make routes of pages. `admit(public)` gives the dependency that lets somebody in, or raises."""
    for page in pages:
        app.add_api_route(
            page.path, _endpoint(page, admit(page.public)), methods=[page.method], include_in_schema=False,
            response_class=Response,
        )  # fmt: skip


def _endpoint(page: Page, admitted: Callable[..., Awaitable[Session]]) -> Callable[..., object]:
    def made(request: Request, session: Session, form: Mapping[str, str]) -> Iterator[Response | bytes]:
        with visiting(request, session, form) as visit:
            answer = answered(visit, page.answer)
            yield answer
            if isinstance(answer, Piecemeal):
                yield from answer.pieces

    def whole(request: Request, session: Session, form: Mapping[str, str]) -> Response:
        with visiting(request, session, form) as visit:
            return answered(visit, page.answer)

    async def piecemeal(request: Request, session: Session, form: Mapping[str, str]) -> Response:
        return await on_its_way(lambda: made(request, session, form))

    endpoint: Callable[..., object] = piecemeal if page.piecemeal else whole
    # `from __future__ import annotations` leaves names that FastAPI would look for in this module's globals.
    endpoint.__annotations__ = {
        "request": Request,
        "session": Annotated[Session, Depends(admitted)],
        "form": Annotated[Mapping[str, str], Depends(read_form)],
        "return": Response,
    }
    return endpoint


def answered(visit: Visit, answer: Callable[[Visit], Response]) -> Response:
    """The page, or the page that says why there is none."""
    try:
        return answer(visit)
    except NothingYetError:
        page = visit.page("nothing_yet.html", troubles=troubles_at_first(visit.options.services()), again=_AGAIN_S)
        if visit.request.method == "GET":
            page.headers["refresh"] = str(_AGAIN_S)  # also without script: the first packet is what one waits for
        return page
    except NotHereError as error:
        return _problem(visit, 404, "Not here", str(error))
    except TooLongError as error:
        return _problem(visit, _TOO_LONG, "That took too long", str(error))
    except BadWordError as error:
        return _problem(visit, 400, "That does not work", str(error))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        sentence = "This question takes too long to answer here; choose a shorter time."
        return _problem(visit, _TOO_LONG, "That took too long", sentence)
    except StoreError as error:
        _log.warning("%s: %s", visit.request.url.path, error)
        return _problem(visit, 500, "The database does not answer", str(error))


def _problem(visit: Visit, status: int, heading: str, sentence: str) -> Response:
    """The page that says what is wrong, and leads on: back to where one was, or to a shorter time."""
    asked = visit.request.url
    came = urlsplit(visit.request.headers.get("referer", ""))
    here = came.netloc == asked.netloc and (came.path, came.query) != (asked.path, asked.query)
    back = f"{came.path}?{came.query}".rstrip("?") if here else None
    long = status == _TOO_LONG and visit.query("range") != "24h"
    shorter = visit.link(quote(asked.path), range="24h") if long else None
    return visit.page("problem.html", status, heading=heading, sentence=sentence, back=back, shorter=shorter)
