"""Which applications were used when: named sets of domains, step by step.

Rule 1: a domain of a set stands for itself and all below it, on label boundaries; where two sets fit, the longer domain
        decides.
Rule 2: steps are quarters of an hour for two days, days for as long as these are kept, then months.
Rule 3: traffic without a name belongs to no application, and neither does what a person's device did in months whose
        names were forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.report.sums import read_total
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import listed, share_words, size_words
from daemon.store.applications import BROUGHT
from daemon.store.calendar import date_of, midnight_us
from daemon.store.named import DAY, MONTH, QUARTER, Named, names_below, names_forgotten, oldest_day, read_named

_COLUMNS = (
    Column("time_us", "Time", TIME),
    Column("application", "Application"),
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("bytes", "Data", SIZE),
    Column("packets", "Packets", COUNT),
)
_QUARTERS_FOR_S = 50 * 3600
_MOST_NAMED = 3


class Used(NamedTuple):
    """What one device moved for one application in one step."""

    at: int  # number of the step: quarter of an hour or day since the epoch, or month
    application: str
    device_id: int
    packets: int
    bytes: int


def report(scope: Scope) -> Report:
    """One row a (step, application, device), in order of time."""
    return report_of(scope, step_of(scope), find_used(scope))


def report_of(scope: Scope, step: str, used: Sequence[Used]) -> Report:
    """The same of what was found before."""
    rows = tuple(
        (begin_us(scope, step, each.at), each.application, each.device_id, scope.called(each.device_id), each.bytes,
         each.packets)
        for each in used
    )  # fmt: skip
    return Report("Applications", _COLUMNS, rows, tuple(_sentences(scope, used)), _notes(scope, step))


def find_used(scope: Scope) -> list[Used]:
    """Applications by step and device, in order of time."""
    sets = scope.applications or BROUGHT
    wanted = {domain: name for name, domains in sets.items() for domain in domains}
    found = {number: application_of(text, wanted) for number, text in names_below(scope.db, wanted).items()}
    names = {number: name for number, name in found.items() if name is not None}
    rows = read_named(scope.db, scope.window, step_of(scope), names)
    return _grouped(rows, names)


def application_of(name: str, wanted: Mapping[str, str]) -> str | None:
    """The application of a name; `wanted` is domain -> application."""
    labels = name.split(".")
    return next((wanted[end] for at in range(len(labels)) if (end := ".".join(labels[at:])) in wanted), None)


def _grouped(rows: Iterable[Named], names: Mapping[int, str]) -> list[Used]:
    sums: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        cell = sums[row.at, names[row.name_id], row.device_id]
        cell[0] += row.packets
        cell[1] += row.bytes
    return [Used(*key, *cell) for key, cell in sorted(sums.items())]


def step_of(scope: Scope) -> str:
    """The finest step in which names of the whole span are known."""
    if scope.span.seconds <= _QUARTERS_FOR_S:
        return QUARTER
    oldest = oldest_day(scope.db)
    return (
        DAY if oldest is not None and oldest <= scope.days[0] else MONTH if scope.months[0] < scope.months[1] else DAY
    )


def steps(scope: Scope, step: str) -> Sequence[int]:
    """Numbers of all steps of the span, in order."""
    if step == QUARTER:
        return range(scope.span.since_us // SLOT_US, -(-scope.span.until_us // SLOT_US))
    first, last = scope.days if step == DAY else scope.months
    return range(first, last + 1)


def begin_us(scope: Scope, step: str, at: int) -> int:
    """When a step begins, microseconds UTC."""
    if step == QUARTER:
        return at * SLOT_US
    first = date_of(at) if step == DAY else date(at // 12, at % 12 + 1, 1)
    return midnight_us(first, ZoneInfo(scope.zone))


def _sentences(scope: Scope, used: Sequence[Used]) -> list[str]:
    sums: dict[str, int] = defaultdict(int)
    for each in used:
        sums[each.application] += each.bytes
    if not sums:
        return ["None of the known applications was used in this time."]
    whole = read_total(scope, only="internet").bytes or 1
    order = sorted(sums, key=lambda name: (-sums[name], name))
    most = listed([f"{name} ({size_words(sums[name])})" for name in order[:_MOST_NAMED]], _MOST_NAMED)
    share = sum(sums.values()) / whole
    rest = f" Together the known applications moved {share_words(min(share, 1))} of the data to and from the internet."
    number = "One known application was used" if len(sums) == 1 else f"{len(sums)} known applications were used"
    return [f"{number}; most data went to {most}.{rest}"]


def _notes(scope: Scope, step: str) -> tuple[str, ...]:
    notes = [
        "An application is a set of domains, which can be changed in the settings; what shares its servers is in it."
    ]
    if step == MONTH:
        notes.append("Days are kept for some weeks; so long a time is told by whole months.")
    if scope.months[0] < scope.months[1] and names_forgotten(scope.db, scope.window):
        notes.append(
            "Names of older months of phones, tablets and computers are not kept, so their use is missing there."
        )
    return tuple(notes)
