"""Help: how one does what one came for, what the words on the pages mean, and what programs can ask.

Rule: what programs can ask stands in the application's own description; nothing of it is written a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from starlette.responses import Response

from web.routing import Page
from web.visit import Visit
from web.words import TASKS, WORDS


class Question(NamedTuple):
    """Something that a program can ask: where, what is answered, and by what words it is narrowed."""

    address: str
    answer: str
    words: tuple[tuple[str, str], ...]  # name, what it means


def show(visit: Visit) -> Response:
    """Tasks and words."""
    return visit.page("help.html", tasks=TASKS, words=WORDS)


def programs(visit: Visit) -> Response:
    """What the API can be asked, for people."""
    host = visit.request.headers.get("host", "homeport.local:8080")
    return visit.page("help_api.html", questions=list(_questions(visit)), host=host)


def _questions(visit: Visit) -> Iterator[Question]:
    for address, methods in visit.request.app.openapi()["paths"].items():
        for described in methods.values():
            asked = described.get("parameters", ())
            words = ((each["name"], each.get("description", "").replace("`", "")) for each in asked)
            yield Question(address, described.get("description", ""), tuple(words))


PAGES = (Page("/help", show), Page("/help/api", programs))
