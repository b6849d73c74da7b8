"""The tables of a finding's page, each of them also a file: days of connections, numbers over time, distances, requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.responses import Response

from daemon.report.findings.evidence import Evidence
from daemon.report.spreadsheet import csv_pieces
from daemon.report.table import COUNT, TEXT, TIME, Column, Report, Row
from web.visit import NotHereError

_TIME = Column("time_us", "Time", TIME)
_TABLES: dict[str, tuple[Column, ...]] = {
    "times": (_TIME, Column("time", "In words", TEXT)),
    "hours": (_TIME, Column("time", "In words", TEXT), Column("connections", "Connections", COUNT)),
    "packets": (_TIME, Column("time", "In words", TEXT), Column("packets", "Packets", COUNT)),
    "distances": (
        Column("from_seconds", "From", COUNT), Column("to_seconds", "To", COUNT), Column("times", "How often", COUNT),
    ),
    "requests": (
        Column("host", "Host"), Column("request", "Request"), Column("program", "Program"),
        Column("times", "How often", COUNT),
    ),
}  # fmt: skip


class Day(NamedTuple):
    """The connections of one day of the home: how many, the first and the last as people read clocks."""

    day: str
    connections: int
    first: str
    last: str
    date: str  # as addresses have it


def days_of(times_us: Sequence[int], zone: str) -> list[Day]:
    """What the picture of moments shows, a row a day."""
    here = ZoneInfo(zone)
    days: dict[date, list[datetime]] = {}
    for time_us in sorted(times_us):
        at = datetime.fromtimestamp(time_us / 1_000_000, UTC).astimezone(here)
        days.setdefault(at.date(), []).append(at)
    return [
        Day(f"{day:%-d %b}", len(at), f"{at[0]:%H:%M}", f"{at[-1]:%H:%M}", f"{day:%Y-%m-%d}")
        for day, at in days.items()
    ]


def file_of(name: str, table: str, evidence: Evidence) -> Response:
    """One of the tables. Times are microseconds since the epoch, UTC, and in words; distances seconds, without an end
    where the field is empty.
    """
    if table not in _TABLES:
        raise NotHereError(f"A finding has no table called {table}.")
    rows: Sequence[Row]
    if table == "requests":
        rows = [(host, method, agent, number) for method, host, agent, number in evidence.requests]
    elif table == "distances":
        rows = [(low, None if high == float("inf") else high, number) for low, high, number in evidence.distances]
    elif table == "times":
        rows = [(time_us, _words(time_us)) for time_us in evidence.times]
    else:
        hours = evidence.by_hour if table == "hours" else evidence.packets_by_hour
        rows = [(begin, _words(begin), number) for begin, number in hours]
    text = "".join(csv_pieces(Report(name, _TABLES[table], rows)))
    called = name if table == "times" else f"{name}-{table}"
    headers = {"content-disposition": f'attachment; filename="{called}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _words(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
