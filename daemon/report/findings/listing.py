"""The hunt as a report: one row a finding, for the command line, spreadsheets and programs."""

from __future__ import annotations

from daemon.report.findings.hunt import Hunt
from daemon.report.findings.kept import look
from daemon.report.findings.vocabulary import KIND_WORDS, SEVERITIES, Finding
from daemon.report.findings.wording import length
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report

_COLUMNS = (
    Column("finding", "Finding"),
    Column("severity", "How urgent"),
    Column("kind", "Kind"),
    Column("device", "Device"),
    Column("device_id", "Device number"),
    Column("destination", "Destination"),
    Column("sentence", "What was seen"),
    Column("connections", "Connections", COUNT),
    Column("bytes", "Data", SIZE),
    Column("first_us", "First", TIME),
    Column("last_us", "Last", TIME),
    Column("id", "Name of the finding"),
)


def report(scope: Scope) -> Report:
    """What is worth a look, most serious first; what is usual is counted in a note."""
    found = look(scope)
    return Report("Findings", _COLUMNS, tuple(_row(each) for each in found.serious), sentences(found), notes(found))


def sentences(found: Hunt) -> tuple[str, ...]:
    """The answer in words."""
    serious = found.serious
    if not found.streams:
        return ("No connection of this time is kept one by one, so nothing can be said about it.",)
    if not serious:
        return (f"Nothing odd was found in {length(found.days * 86_400)} of traffic.",)
    devices = len({each.subject.device_id for each in serious})
    first = max(each.severity for each in serious)
    urgent = sum(1 for each in serious if each.severity == first)
    numbered = f"{len(serious)} thing{'s' * (len(serious) != 1)} on {devices} device{'s' * (devices != 1)}"
    return (
        f"{numbered} may be worth a look, {urgent} of them marked “{SEVERITIES[first]}”.",
        serious[0].sentence,
    )


def notes(found: Hunt) -> tuple[str, ...]:
    """What was not looked at, and what was found ordinary."""
    told = []
    if found.usual:
        told.append(
            "1 regular connection is usual for the device that makes it."
            if len(found.usual) == 1
            else f"{len(found.usual)} regular connections are usual for the devices that make them."
        )
    if found.untold:
        told.append(f"{found.untold} more findings are less urgent than these and are not listed.")
    if found.shortened:
        told.append(f"Single connections were looked at for the last {length(found.days * 86_400)} of this time only.")
    return tuple(told)


def _row(each: Finding) -> tuple[object, ...]:
    return (
        KIND_WORDS[each.kind], SEVERITIES[each.severity], each.kind, each.subject.called, each.subject.device_id,
        each.place, each.sentence, each.connections, each.bytes, each.first_us, each.last_us, each.finding_id,
    )  # fmt: skip
