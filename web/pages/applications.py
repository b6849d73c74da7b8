"""Applications over time, and how often devices ask and connect: the two pages of the network that look at behaviour."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from starlette.responses import Response

from daemon.report import applications, requests
from daemon.report.applications import Used, begin_us
from daemon.report.requests import Rates
from daemon.report.scope import Scope
from daemon.store.named import MONTH, QUARTER
from daemon.store.rates import MINUTE_US
from web.charts import Line, series
from web.charts.series import Series
from web.once import once
from web.routing import Page
from web.visit import NotHereError, Visit

_MOST_DEVICES = 40
_MINUTES = 30  # in one step of a small line


class Shown(NamedTuple):
    """An application: bytes, bytes by device, and its line over the steps of the span."""

    name: str
    bytes: int
    devices: dict[int, int]
    line: list[int]


class Busy(NamedTuple):
    """A device with its row of the report and lines of questions and connections, half an hour a step."""

    device_id: int
    row: dict[str, object]
    queries: list[float]
    connections: list[float]


def show(visit: Visit) -> Response:
    """Applications; `application` in the address picks one."""
    scope = visit.scope()
    step, used = applications.step_of(scope), once(visit, scope, "used", lambda: applications.find_used(scope))
    found = _shown(scope, step, used)
    picked = visit.query("application")
    chosen = next((each for each in found if each.name == picked), None)
    if picked is not None and chosen is None and picked not in scope.applications:
        raise NotHereError(f"There is no application called {picked}.")
    report = once(visit, scope, "applications", lambda: applications.report_of(scope, step, used))
    return visit.page(
        "network_applications.html",
        applications=found, chosen=chosen, picked=picked, report=report, asked=scope,
        chart=None if chosen is None else _chart(scope, step, chosen), by_month=step == MONTH,
    )  # fmt: skip


def rates(visit: Visit) -> Response:
    """Questions and connections, minute by minute."""
    scope = visit.scope()
    day = requests.last_day(scope)
    found = once(visit, day, "rates", lambda: requests.find_rates(day))
    report = requests.report_of(scope, day, found)
    first = day.span.since_us // MINUTE_US
    length = max(-(-day.span.until_us // MINUTE_US) - first, 1)
    rows = {row[0]: dict(zip(report.keys, row, strict=True)) for row in report.rows[:_MOST_DEVICES]}
    return visit.page(
        "network_rates.html",
        report=report, chart=_house(found, first, length, scope.zone), asked=scope,
        devices=[_busy(int(str(device)), row, found[int(str(device))], length) for device, row in rows.items()],
    )  # fmt: skip


def _shown(scope: Scope, step: str, used: list[Used]) -> list[Shown]:
    places = {at: number for number, at in enumerate(applications.steps(scope, step))}
    lines: dict[str, list[int]] = defaultdict(lambda: [0] * len(places))
    devices: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for each in used:
        if each.at in places:
            lines[each.application][places[each.at]] += each.bytes
        devices[each.application][each.device_id] += each.bytes
    found = [Shown(name, sum(who.values()), dict(who), lines[name]) for name, who in devices.items()]
    return sorted(found, key=lambda each: (-each.bytes, each.name))


def _chart(scope: Scope, step: str, chosen: Shown) -> Series | None:
    """One application over time; months are no equal steps, and are read from the small line and the table."""
    if step == MONTH:
        return None
    first = applications.steps(scope, step)[0]
    quarters = step == QUARTER
    start_s = begin_us(scope, step, first) // 1_000_000 if quarters else first * 86_400
    lines = [Line("accent", chosen.name, chosen.line)]
    zone = scope.zone if quarters else "UTC"
    return series(start_s, 900 if quarters else 86_400, lines, f"{chosen.name} over time", zone=zone)


def _house(found: dict[int, Rates], first: int, length: int, zone: str) -> Series | None:
    """All devices together, by the minute."""
    whole = np.zeros((2, length))
    for each in found.values():
        whole += each.queries[:length], each.connections[:length]
    drawn = [[round(value, 1) if value % 1 else int(value) for value in values] for values in whole.tolist()]
    lines = [Line("down", "questions for names", drawn[0]), Line("up", "connections", drawn[1])]
    return series(first * 60, 60, lines, "Questions and connections a minute", zone=zone, scale="count", adds_up=False)


def _busy(device: int, row: dict[str, object], found: Rates, length: int) -> Busy:
    begins = np.arange(0, length, _MINUTES)
    queries, connections = (
        np.add.reduceat(each[:length], begins).tolist() for each in (found.queries, found.connections)
    )
    return Busy(device, row, queries, connections)


PAGES = (
    Page("/network/applications", show),
    Page("/network/rates", rates),
)
