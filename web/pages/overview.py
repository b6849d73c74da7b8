"""The first page: what is happening, and what is new."""

from __future__ import annotations

from starlette.responses import Response

from web.routing import Page
from web.visit import Visit


def show(visit: Visit) -> Response:
    """The overview."""
    return visit.page("overview.html", residents=visit.residents)


PAGES = (Page("/", show),)
