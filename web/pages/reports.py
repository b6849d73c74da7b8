"""Every report on a page of its own, as a table and as CSV: what the curated pages show is in full here."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice

from starlette.responses import Response, StreamingResponse

from daemon.report.registry import KINDS, REPORTS, Kind
from daemon.report.table import MOST_SHOWN, Report, csv_cell
from web.routing import Page
from web.tables import rows_of
from web.visit import NotHereError, Visit

_PIECE = 2000  # rows of a file that are written at a time
_ZIPPED, _GZIP = 4, 31  # how hard; a gzip header and trailer around it


def listed(visit: Visit) -> Response:
    """All reports and the questions they answer."""
    return visit.page("reports.html", kinds=KINDS)


def show(visit: Visit) -> Response:
    """One report."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    return visit.page("report.html", kind=kind, report=report, rows=rows_of(visit, report), most=MOST_SHOWN)


def as_csv(visit: Visit) -> Response:
    """The same for a spreadsheet: shares are fractions, times microseconds, as the columns are called in the API."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    name = f"{kind.name}-{visit.range.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "vary": "Accept-Encoding"}
    pieces = _pieces(report)
    if "gzip" in visit.request.headers.get("accept-encoding", ""):
        pieces = _zipped(pieces)
        headers["content-encoding"] = "gzip"
    # Made while the facts are open, and sent piece by piece.
    return StreamingResponse(list(pieces), media_type="text/csv; charset=utf-8", headers=headers)


def _zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same as gzip has it, a tenth as long: what waits to be sent is all there is of it."""
    packer = zlib.compressobj(_ZIPPED, wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _pieces(report: Report) -> Iterator[bytes]:
    """The file in pieces: its text is never there twice."""
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\r\n")
    lines.writerow(report.keys)
    rows = iter(report.rows)
    while piece := list(islice(rows, _PIECE)):
        lines.writerows([[csv_cell(value) if type(value) is str else value for value in row] for row in piece])
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    if rest := target.getvalue():
        yield rest.encode()


def _kind(visit: Visit) -> Kind:
    name = visit.param("name")
    if name not in REPORTS:
        raise NotHereError(f"There is no report called {name}.")
    return REPORTS[name]


PAGES = (
    Page("/reports", listed),
    Page("/reports/{name}.csv", as_csv),
    Page("/reports/{name}", show),
)
