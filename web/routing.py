"""From a table of pages to the application's routes: one thread, one visit, one answer each.

Rule 1: a page is a function of its visit; what it raises becomes a page that says what happened and what to do.
Rule 2: a page answers GET or POST, never both ways by accident: what changes something is POST, and carries the
        session's token.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from daemon.store.errors import StoreError
from daemon.store.words import BadWordError
from web.reading import TooLongError
from web.security.gate import Session
from web.visit import NotHereError, NothingYetError, Visit, visiting

_log = logging.getLogger("homeport.web")
_LONGEST_FIELDS = 64


@dataclass(frozen=True, slots=True)
class Page:
    """One address and what answers it. `public`: also for somebody who has not logged in."""

    path: str
    answer: Callable[[Visit], Response]
    method: str = "GET"
    public: bool = False


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
            page.path, _endpoint(page.answer, admit(page.public)), methods=[page.method], include_in_schema=False,
            response_class=Response,
        )  # fmt: skip


def _endpoint(
    answer: Callable[[Visit], Response], admitted: Callable[..., Awaitable[Session]]
) -> Callable[..., Response]:
    def endpoint(
        request: Request,
        session: Annotated[Session, Depends(admitted)],
        form: Annotated[Mapping[str, str], Depends(read_form)],
    ) -> Response:
        with visiting(request, session, form) as visit:
            return answered(visit, answer)

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
        return visit.page("nothing_yet.html")
    except NotHereError as error:
        return visit.page("problem.html", 404, heading="Not here", sentence=str(error))
    except TooLongError as error:
        return visit.page("problem.html", 503, heading="That took too long", sentence=str(error))
    except BadWordError as error:
        return visit.page("problem.html", 400, heading="That cannot be", sentence=str(error))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        sentence = "This question takes too long to answer here; choose a shorter time."
        return visit.page("problem.html", 503, heading="That took too long", sentence=sentence)
    except StoreError as error:
        _log.warning("%s: %s", visit.request.url.path, error)
        return visit.page("problem.html", 500, heading="The database does not answer", sentence=str(error))
