"""`/metrics`, for Prometheus: with a token of scope read, or for who is logged in."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from daemon.report.scope import Scope
from daemon.store.errors import StoreError
from daemon.store.health import Captured, read_captured
from web.metrics import MOST_SITES, Seen, exposition
from web.routing import Page
from web.spans import parse_range
from web.visit import NothingYetError, Visit


def show(visit: Visit) -> Response:
    """The numbers as of now; before anything was captured those of the services alone."""
    try:
        homes = [(home, _newest_day(visit, home)) for home in read_captured(visit.db, MOST_SITES)]
    except NothingYetError:
        homes = []
    except StoreError as error:  # a page of HTML would tell Prometheus nothing
        return Response(f"{error}\n", 503, media_type="text/plain; charset=utf-8")
    seen = Seen(visit.options.version, visit.options.now_us(), homes, visit.options.services())
    return Response(exposition(seen), media_type=CONTENT_TYPE_LATEST)


def _newest_day(visit: Visit, home: Captured) -> Scope | None:
    if home.newest_us is None:
        return None
    number, zone = visit.sites[home.site]
    return Scope(visit.db, number, home.site, zone, parse_range("1d", zone, home.newest_us).span, home.newest_us)


PAGES = (Page("/metrics", show),)
