"""Every report on a page of its own, as a table and as CSV: what the curated pages show is in full here."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from starlette.responses import Response

from daemon.report.meanings import meaning
from daemon.report.registry import KINDS, REPORTS, Kind
from daemon.report.spreadsheet import csv_pieces
from daemon.report.table import MOST_SHOWN, Report
from web.piecemeal import Piecemeal
from web.reading import allow
from web.routing import Page
from web.tables import is_number, rows_of
from web.visit import NotHereError, Visit

_ZIPPED, _GZIP = 1, 31  # how hard: half of the time of 4, for 8 % more bytes; a gzip header and trailer around it


def listed(visit: Visit) -> Response:
    """All reports and the questions they answer."""
    return visit.page("reports.html", kinds=KINDS)


def show(visit: Visit) -> Response:
    """One report."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    told = {key: text for key in report.keys if key != "device_id" and (text := meaning(kind.name, key)) is not None}
    return visit.page(
        "report.html", kind=kind, report=report, rows=rows_of(visit, kind.name, report), most=MOST_SHOWN, told=told,
        is_number=is_number, packets=visit.packets(**{word: visit.query(word) for word in kind.only}),
    )  # fmt: skip


def as_csv(visit: Visit) -> Response:
    """The same for a spreadsheet: shares are fractions, times microseconds, as the columns are called in the API."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    name = f"{kind.name}-{visit.range.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "vary": "Accept-Encoding"}
    pieces = _pieces(visit, report)
    if "gzip" in visit.request.headers.get("accept-encoding", ""):
        pieces = _zipped(pieces)
        headers["content-encoding"] = "gzip"
    return Piecemeal(pieces, headers, "text/csv; charset=utf-8")


def _pieces(visit: Visit, report: Report) -> Iterator[bytes]:
    """Each has the time that a page may take for itself: a home's rows are many, and its file is on its way."""
    for piece in csv_pieces(report):
        yield piece.encode()
        allow(visit.db)


def _zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same as gzip has it, a tenth as long: what waits to be sent is all there is of it."""
    packer = zlib.compressobj(_ZIPPED, wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _kind(visit: Visit) -> Kind:
    name = visit.param("name")
    if name not in REPORTS:
        raise NotHereError(f"There is no report called {name}.")
    return REPORTS[name]


PAGES = (
    Page("/reports", listed),
    Page("/reports/{name}.csv", as_csv, piecemeal=True),
    Page("/reports/{name}", show),
)
