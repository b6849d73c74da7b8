"""The API's routes: every report, and what the pages list.

Rule 1: no answer is without an end: rows come in pages, and a cursor leads on.
Rule 2: what a page shows comes from the same function here; the API computes nothing of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request

from daemon.report.registry import KINDS, REPORTS
from daemon.store.files import read_files
from daemon.store.roster import Resident, read_reasons
from web.api import models
from web.api.asking import (
    FEW,
    CursorText,
    DeviceKey,
    DeviceText,
    LimitNumber,
    RangeText,
    ReportName,
    SiteText,
    asked,
    page_of,
    place_of,
    said_narrowing,
)
from web.api.search import read_search
from web.security.gate import Admit
from web.visit import NotHereError, NothingYetError, Visit, label_of


def routes(admit: Admit) -> APIRouter:
    """The router, with everything behind the gate."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(admit(False))])  # noqa: FBT003  public or not: one word
    for path, endpoint, model in (
        ("/sites", list_sites, models.Homes),
        ("/reports", list_reports, models.ReportKinds),
        ("/reports/{name}", read_report, models.ReportAnswer),
        ("/devices", list_devices, models.Devices),
        ("/devices/{key}", read_device, models.DeviceAnswer),
        ("/captures", list_captures, models.Captures),
        ("/search", read_search, models.SearchAnswer),
        ("/status", read_status, models.Status),
    ):
        router.add_api_route(path, endpoint, response_model=model)
    return router


def list_sites(request: Request) -> models.Homes:
    """Every home of this database."""
    return asked(
        request,
        lambda visit: models.Homes(
            sites=[models.Home(name=name, time_zone=zone) for name, (_, zone) in visit.sites.items()]
        ),
    )


def list_reports() -> models.ReportKinds:
    """Every report and the question it answers."""
    kinds = [models.ReportKind(name=kind.name, title=kind.title, question=kind.question) for kind in KINDS]
    return models.ReportKinds(reports=kinds)


def read_report(
    request: Request, name: ReportName, span: RangeText = None, site: SiteText = None, device: DeviceText = None,
    narrowed: Annotated[None, Depends(said_narrowing)] = None, limit: LimitNumber = FEW, cursor: CursorText = None,
) -> models.ReportAnswer:  # fmt: skip
    """One report about a home, a time and perhaps one device; those about companies and places can be narrowed."""
    del span, site, device, narrowed  # said for the documentation; a visit reads them from the address
    if name not in REPORTS:
        raise HTTPException(404, f"there is no report {name!r}; /api/v1/reports lists them")
    return asked(request, lambda visit: _report(visit, name, limit, cursor))


def list_devices(
    request: Request, site: SiteText = None, limit: LimitNumber = FEW, cursor: CursorText = None
) -> models.Devices:
    """Every device that was ever seen."""
    del site

    def answer(visit: Visit) -> models.Devices:
        rows, following = page_of(visit.residents, place_of(cursor, visit.range.span), limit)
        return models.Devices(devices=[models.Device(**_device(each)) for each in rows], next_cursor=following)

    return asked(request, answer)


def read_device(request: Request, key: DeviceKey, site: SiteText = None) -> models.DeviceAnswer:
    """One device, why it is taken for what it is, and its addresses."""
    del site

    def answer(visit: Visit) -> models.DeviceAnswer:
        found = visit.resident(key)
        return models.DeviceAnswer(
            **_device(found),
            stations=found.keys,
            addresses=[models.Address(**each._asdict()) for each in found.addresses],
            evidence=[models.Evidence(**each._asdict()) for each in read_reasons(visit.db, found.device_id)],
        )

    return asked(request, answer)


def list_captures(
    request: Request, span: RangeText = None, site: SiteText = None, limit: LimitNumber = FEW, cursor: CursorText = None
) -> models.Captures:
    """The capture files with packets of a time."""
    del span, site

    def answer(visit: Visit) -> models.Captures:
        place = place_of(cursor, visit.range.span)
        wanted = place.offset + limit + 1
        files = read_files(visit.db, visit.site_id, place.span.since_us, place.span.until_us, wanted)
        rows, following = page_of(files, place, limit)
        return models.Captures(
            captures=[
                models.Capture(file=Path(each.path).name, **_without(each._asdict(), "path", "link_types"))
                for each in rows
            ],
            next_cursor=following,
        )

    return asked(request, answer)


def read_status(request: Request) -> models.Status:
    """How the box is: its services, and when the newest packet came."""

    def answer(visit: Visit) -> models.Status:
        try:
            newest = visit.newest_us
        except (NothingYetError, NotHereError):
            newest = None
        services = [
            models.Service(
                name=each.name, running=each.running, state=each.state, sentence=each.sentence,
                silent_seconds=each.silent_seconds,
            )
            for each in visit.options.services()
        ]  # fmt: skip
        return models.Status(version=visit.options.version, newest_packet_us=newest, services=services)

    return asked(request, answer)


def _report(visit: Visit, name: str, limit: int, cursor: str | None) -> models.ReportAnswer:
    place = place_of(cursor, visit.range.span)
    report = REPORTS[name].make(visit.scope().over(place.span))
    rows, following = page_of(report.rows, place, limit)
    return models.ReportAnswer(
        title=report.title,
        since_us=place.span.since_us,
        until_us=place.span.until_us,
        sentences=list(report.sentences),
        notes=list(report.notes),
        columns=[models.ColumnAbout(key=each.key, heading=each.heading, form=each.form) for each in report.columns],
        total_rows=len(report.rows),
        rows=[dict(zip(report.keys, row, strict=True)) for row in rows],
        next_cursor=following,
    )


def _device(resident: Resident) -> dict[str, Any]:
    random = resident.mac_random
    return {
        **{
            name: getattr(resident, name)
            for name in (
                "name_source",
                "owner",
                "room",
                "mac",
                "vendor",
                "model",
                "kind",
                "system",
                "first_us",
                "last_us",
            )
        },
        "key": resident.said_of,
        "recording": resident.level,
        "recording_since_us": resident.level_since_us,
        "name": label_of(resident),
        "mac_random": None if random is None else bool(random),
    }


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
