"""Packets and bytes over time, in steps that fit the span: quarters of an hour, hours or days.

Rule 1: steps begin at full quarters, hours and days of the house's own clock, so that a day that the clocks change has 23
        or 25 hours.
Rule 2: a step in which nothing was recorded is a row of zeros, and never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.store.calendar import Calendar, date_of, midnight_us
from daemon.store.steps import Step, read_steps
from daemon.store.totals import DAYS, HOURS, SLOTS, first_slot, read_totals

_COLUMNS = (
    Column("time_us", "Time", TIME),
    Column("packets_up", "Packets up", COUNT),
    Column("packets_down", "Packets down", COUNT),
    Column("bytes_up", "Data up", SIZE),
    Column("bytes_down", "Data down", SIZE),
    Column("dns_queries", "Questions for names", COUNT),
)
_MOST_STEPS = 800  # more than that nobody can tell apart on a screen
QUARTER, HOUR, DAY = "slot", "hour", "day"
_TIERS = {QUARTER: SLOTS, HOUR: HOURS, DAY: DAYS}
_WORDS = {QUARTER: "15 minutes", HOUR: "an hour", DAY: "a day"}


def report(scope: Scope) -> Report:
    """One row a step, in order. Up is what devices of the house sent; questions are DNS packets that they sent."""
    step = step_of(scope)
    moved = read_moved(scope, step)
    rows = tuple(_row(time_us, moved.get(at)) for at, time_us in steps_of(scope, step))
    if not moved:
        return Report("Traffic over time", _COLUMNS, (), ("Nothing was recorded in this time.",))
    packets = sum(each.packets_up + each.packets_down for each in moved.values())
    sentence = f"{packets:,} packets, in steps of {_WORDS[step]}."
    return Report("Traffic over time", _COLUMNS, rows, (sentence,), _NOTES)


_NOTES = ("Questions for names are packets to DNS servers in the open, also from devices to the house's own.",)


def read_moved(scope: Scope, step: str) -> dict[int, Step]:
    """What the house, or the scope's device, moved: by the number of the step in its tier."""
    if scope.device_id is None:
        return {each.at: each for each in read_steps(scope.db, scope.window, _TIERS[step])}
    sums: dict[int, Step] = {}
    for at, service, *counts in read_totals(scope.db, scope.window, (step, "service")):
        known = sums.get(at, Step(at, 0, 0, 0, 0, 0))
        asked = known.dns_packets_up + (counts[0] if service == "dns" else 0)
        up, down, bytes_up, bytes_down = (a + b for a, b in zip(known[1:5], counts, strict=True))
        sums[at] = Step(at, up, down, bytes_up, bytes_down, asked)
    return sums


def _row(time_us: int, moved: Step | None) -> tuple[int, ...]:
    return (time_us, *moved[1:]) if moved else (time_us, 0, 0, 0, 0, 0)


def step_of(scope: Scope) -> str:
    """The finest step that is kept for the whole span and gives a number of rows that can be drawn."""
    slots = (scope.span.until_us - scope.span.since_us) // SLOT_US
    kept = first_slot(scope.db)
    recent = kept is not None and kept * SLOT_US <= max(scope.span.since_us, _first_us(scope))
    return QUARTER if slots <= _MOST_STEPS and recent else HOUR if slots <= 4 * _MOST_STEPS else DAY


def _first_us(scope: Scope) -> int:
    """When the house's first packet was recorded: before it there are no slots to miss."""
    row = scope.db.execute("SELECT min(first_us) FROM capture WHERE site_id = ?", (scope.site_id,)).fetchone()
    return int(row[0]) // SLOT_US * SLOT_US if row[0] is not None else 0


def steps_of(scope: Scope, step: str) -> Iterator[tuple[int, int]]:
    """(number of each step of the span in its tier, when it begins)."""
    if step == DAY:
        first, last = scope.days
        zone = ZoneInfo(scope.zone)
        for day in range(first, last + 1):
            yield day, midnight_us(date_of(day), zone)
        return
    calendar = Calendar(scope.zone)  # hours of some zones begin at half past
    slot = scope.span.since_us // SLOT_US
    if step == HOUR:
        slot = calendar.place([slot])[0].hour
    while slot * SLOT_US < scope.span.until_us:
        yield slot, slot * SLOT_US
        slot = calendar.next_hour(slot) if step == HOUR else slot + 1
