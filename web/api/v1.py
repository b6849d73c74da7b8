"""The API's routes: every report, and what the pages list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel

from daemon.report.registry import KINDS, REPORTS
from daemon.store.errors import StoreError
from web.security.gate import Session
from web.visit import NotHereError, NothingYetError, Visit, visiting

_T = TypeVar("_T")

RangeText = Annotated[str | None, Query(alias="range", description="24h, 7d, 2026-05, 2026-05-01..2026-05-09")]
SiteText = Annotated[str | None, Query(description="name of the home")]
DeviceText = Annotated[str | None, Query(description="MAC, or address where a device has none")]


class ReportKind(BaseModel):
    """A report that can be asked for."""

    name: str
    title: str
    question: str


class ReportAnswer(BaseModel):
    """A report: rows by column key; sizes in bytes, shares as fractions, times in microseconds UTC."""

    title: str
    since_us: int
    until_us: int
    sentences: list[str]
    notes: list[str]
    rows: list[dict[str, Any]]


def routes(admit: Callable[[bool], Callable[..., Awaitable[Session]]]) -> APIRouter:
    """The router, with everything behind the gate."""
    router = APIRouter(prefix="/api/v1")
    admitted = Depends(admit(False))  # noqa: FBT003  what `admit` takes is one word: public or not

    @router.get("/reports", dependencies=[admitted])
    def list_reports() -> list[ReportKind]:
        """Every report and the question it answers."""
        return [ReportKind(name=kind.name, title=kind.title, question=kind.question) for kind in KINDS]

    @router.get("/reports/{name}", dependencies=[admitted])
    def read_report(
        request: Request, name: str, span: RangeText = None, site: SiteText = None, device: DeviceText = None
    ) -> ReportAnswer:
        """One report about a home, a time and perhaps one device."""
        del span, site, device  # declared for the documentation; a visit reads them from the address
        if name not in REPORTS:
            raise HTTPException(404, f"there is no report {name!r}")
        return asked(request, lambda visit: _report(visit, name))

    return router


def asked(request: Request, answer: Callable[[Visit], _T]) -> _T:
    """What `answer` says of a visit. Raises HTTPException with the sentence that a page would show."""
    try:
        with visiting(request, Session("program"), {}) as visit:
            return answer(visit)
    except NothingYetError:
        raise HTTPException(404, "nothing was captured yet") from None
    except NotHereError as error:
        raise HTTPException(404, str(error)) from error
    except StoreError as error:
        raise HTTPException(503, str(error)) from error


def _report(visit: Visit, name: str) -> ReportAnswer:
    report = REPORTS[name].make(visit.scope())
    keys = [column.key for column in report.columns]
    span = visit.range.span
    return ReportAnswer(
        title=report.title, since_us=span.since_us, until_us=span.until_us, sentences=list(report.sentences),
        notes=list(report.notes), rows=[dict(zip(keys, row, strict=True)) for row in report.rows],
    )  # fmt: skip
