"""Every report on a page of its own, as a table and as CSV: what the curated pages show is in full here."""

from __future__ import annotations

import csv
import io

from starlette.responses import Response

from daemon.report.registry import KINDS, REPORTS, Kind
from daemon.report.table import csv_cell
from web.routing import Page
from web.tables import MOST, rows_of
from web.visit import NotHereError, Visit


def listed(visit: Visit) -> Response:
    """All reports and the questions they answer."""
    return visit.page("reports.html", kinds=KINDS)


def show(visit: Visit) -> Response:
    """One report."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    return visit.page("report.html", kind=kind, report=report, rows=rows_of(visit, report), most=MOST)


def as_csv(visit: Visit) -> Response:
    """The same for a spreadsheet: shares are fractions, times microseconds, as the columns are called in the API."""
    kind = _kind(visit)
    report = kind.make(visit.scope())
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\r\n")
    lines.writerow([column.key for column in report.columns])
    lines.writerows([[csv_cell(value) for value in row] for row in report.rows])
    name = f"{kind.name}-{visit.range.key}.csv"
    return Response(
        target.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


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
