"""How often each device asks for names and connects: its rates, and its busiest minute.

Rule 1: rates are told for the last 24 hours of a span, minute by minute: what a person wants to see in a plot, and no more
        than a home's box can add up at once.
Rule 2: a connection is an exchange of its own (TCP, UDP, ...) of whoever began it, without discovery, control and
        questions for names; like short ones that are kept as one are spread over the time that they took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.report.scope import Scope, Span
from daemon.report.table import COUNT, TIME, Column, Report
from daemon.report.words import counted
from daemon.store.columns import Ints
from daemon.store.rates import MINUTE_US, Minutes, detail_since, read_connections, read_questions

_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("queries", "Questions for names", COUNT),
    Column("connections", "Connections", COUNT),
    Column("queries_per_hour", "Questions an hour"),
    Column("connections_per_hour", "Connections an hour"),
    Column("most", "Most in a minute", COUNT),
    Column("most_us", "Busiest minute", TIME),
)
_DAY_US = 86_400_000_000
Numbers = npt.NDArray[np.float64]


class Busiest(NamedTuple):
    """The minute in which a device asked and connected most."""

    number: int
    time_us: int


class Rates(NamedTuple):
    """Of one device, a number each minute from `first` on, minutes since the epoch. Spread rows make fractions."""

    first: int
    queries: Numbers
    connections: Numbers

    @property
    def total(self) -> float:
        """Of both."""
        return float(self.queries.sum() + self.connections.sum())

    def busiest(self) -> Busiest:
        """The minute with most of both, the first of several."""
        both = self.queries + self.connections
        minute = int(both.argmax())
        return Busiest(round(float(both[minute])), (self.first + minute) * MINUTE_US)


def report(scope: Scope) -> Report:
    """One row a device, the busiest first."""
    asked = last_day(scope)
    return report_of(scope, asked, find_rates(asked))


def report_of(scope: Scope, asked: Scope, rates: Mapping[int, Rates]) -> Report:
    """The same of rates of the span of `asked` that were found before."""
    hours = max(asked.span.seconds / 3600, 1)
    totals = {device: each.total for device, each in rates.items()}
    rows = tuple(
        _row(scope, device, rates[device], hours)
        for device in sorted(rates, key=lambda device: (-totals[device], device))
    )
    sentences = _sentences(scope, rows)
    return Report("Request rates", _COLUMNS, rows, sentences, tuple(_notes(scope, asked)))


def _row(scope: Scope, device: int, rates: Rates, hours: float) -> tuple[object, ...]:
    queries, connections = float(rates.queries.sum()), float(rates.connections.sum())
    busiest = rates.busiest()
    return (
        device, scope.called(device), round(queries), round(connections), f"{queries / hours:.1f}",
        f"{connections / hours:.1f}", busiest.number, busiest.time_us,
    )  # fmt: skip


def last_day(scope: Scope) -> Scope:
    """The last 24 hours of a question, up to the newest packet."""
    until = min(scope.span.until_us, (scope.newest_us // MINUTE_US + 1) * MINUTE_US)
    since = max(scope.span.since_us, until - _DAY_US)
    return scope.over(Span(min(since, until), until))


def find_rates(scope: Scope) -> dict[int, Rates]:
    """Device -> its rates. The scope's span must be short: a day or two."""
    questions, connections = read_questions(scope.db, scope.window), read_connections(scope.db, scope.window)
    devices = np.union1d(questions.device, connections.device)
    first = scope.span.since_us // MINUTE_US
    ends = [int(each.last.max()) for each in (questions, connections) if len(each.last)]
    length = max([scope.span.until_us // MINUTE_US, *ends]) + 1 - first
    grids = [_spread(each, devices, first, length) for each in (questions, connections)]
    return {device: Rates(first, *numbers) for device, *numbers in zip(devices.tolist(), *grids, strict=True)}


def _spread(minutes: Minutes, devices: Ints, first: int, length: int) -> Numbers:
    """A row each device, a column each minute."""
    grid = np.zeros(len(devices) * length)
    many = minutes.last - minutes.first + 1
    begins = np.searchsorted(devices, minutes.device) * length + minutes.first - first
    rows = np.repeat(np.arange(len(many)), many)
    offsets = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many)
    np.add.at(grid, begins[rows] + offsets, (minutes.number / many)[rows])
    return grid.reshape(len(devices), length)


def _sentences(scope: Scope, rows: Iterable[tuple[object, ...]]) -> tuple[str, ...]:
    rows = list(rows)
    if not rows:
        return ("No device asked or connected in this time, as far as it is kept in detail.",)
    top, burst = rows[0], max(rows, key=lambda row: int(str(row[6])))
    queries, connections = float(str(top[4])), float(str(top[5]))
    asked, opened = counted(round(queries), "question"), counted(round(connections), "connection")
    said = [f"{top[1]} is the busiest: {asked} for names and {opened} an hour."]
    number = counted(int(str(burst[6])), "question or connection", "questions and connections")
    said.append(f"The most in one minute: {number} by {burst[1]}, on {scope.moment(int(str(burst[7])))}.")
    return tuple(said)


def _notes(scope: Scope, asked: Scope) -> Iterable[str]:
    if asked.span.since_us > scope.span.since_us:
        yield f"Minutes are told for the last day of the time asked for, from {scope.moment(asked.span.since_us)}."
    kept = detail_since(scope.db)
    if kept is None or kept > asked.span.since_us:
        yield "Single connections and questions are kept for some weeks; of earlier ones only sums are left."
