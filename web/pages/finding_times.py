"""When a finding's connections began: day by day as a table, and all of them as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.responses import Response

from daemon.report.spreadsheet import csv_pieces
from daemon.report.table import TEXT, TIME, Column, Report

_TIMES = (Column("time_us", "Time", TIME), Column("time", "In words", TEXT))


class Day(NamedTuple):
    """The connections of one day of the home: how many, the first and the last as people read clocks."""

    day: str
    connections: int
    first: str
    last: str


def days_of(times_us: Sequence[int], zone: str) -> list[Day]:
    """What the picture of moments shows, a row a day."""
    here = ZoneInfo(zone)
    days: dict[date, list[datetime]] = {}
    for time_us in sorted(times_us):
        at = datetime.fromtimestamp(time_us / 1_000_000, UTC).astimezone(here)
        days.setdefault(at.date(), []).append(at)
    return [Day(f"{day:%-d %b}", len(at), f"{at[0]:%H:%M}", f"{at[-1]:%H:%M}") for day, at in days.items()]


def times_file(name: str, times_us: Sequence[int]) -> Response:
    """One row a connection: when it began, in microseconds since the epoch, UTC, and in words."""
    rows = [
        (time_us, datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat(timespec="milliseconds"))
        for time_us in times_us
    ]
    text = "".join(csv_pieces(Report(name, _TIMES, rows)))
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
