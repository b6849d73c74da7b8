"""Findings as they are kept: one look at the newest days of a home, which every question about them reads.

Rule 1: whoever asks about a time that ends now is told of what still went on in it, as the look at the newest days has it:
        a finding says the same whichever stretch of time it is shown for. What is past is looked at for itself.
Rule 2: rows that do not hold are as good as none: another night than the owner's, or newest packets long after the look.
Rule 3: rows and a look taken now give the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from daemon.report.findings.gather import DAY_US, WINDOWS
from daemon.report.findings.hunt import Hunt, Reached, hunt
from daemon.report.findings.vocabulary import Fact, Finding, Part, Trace, Who
from daemon.report.scope import Scope, Span
from daemon.store import finding_rows
from daemon.store.finding_rows import FindingRow, Looked, words_of_night
from daemon.store.roster import station_key

OLDEST_US = DAY_US // 8  # packets after a look: until then it tells of now, also on a slow box that looks seldom
_LONGEST_US = WINDOWS[0] * DAY_US


def look(scope: Scope) -> Hunt:
    """What there is to find in the scope's span: as it is kept, else looked for."""
    kept = read_kept(scope)
    if kept is not None:
        return kept
    return narrowed(hunt(newest_days(scope)), scope) if ends_now(scope) else hunt(scope)


def ends_now(scope: Scope) -> bool:
    """Whether the newest packet lies in what is asked about."""
    return scope.span.until_us > scope.newest_us


def newest_days(scope: Scope) -> Scope:
    """The question whose answer is kept: the whole house, as far back as anything is looked at."""
    return scope.over(Span(scope.newest_us + 1 - _LONGEST_US, scope.newest_us + 1)).of(None)


def narrowed(found: Hunt, scope: Scope) -> Hunt:
    """Of a look at the newest days, what is about the scope's time and device."""
    since = max(found.since_us, scope.span.since_us)
    told = tuple(
        each
        for each in found.findings
        if each.last_us >= scope.span.since_us and scope.device_id in (None, each.subject.device_id)
    )
    return replace(
        found,
        findings=told,
        since_us=since,
        days=(found.until_us - since) / DAY_US,
        shortened=found.since_us > scope.span.since_us,
    )


def keep(scope: Scope) -> Hunt:
    """Look at the newest days, and keep what is found. Within a transaction of the caller, or one of its own."""
    found = hunt(newest_days(scope))
    looked = Looked(found.since_us, found.until_us, found.streams, found.untold, words_of_night(scope.night))
    rows = [_row(each, found.reached.get(each.trace.domain, ())) for each in found.findings]
    finding_rows.keep_findings(scope.db, scope.site_id, looked, rows)
    return found


def read_kept(scope: Scope) -> Hunt | None:
    """The answer as it is kept; None where nothing is that holds."""
    looked = finding_rows.read_look(scope.db, scope.site_id)
    if looked is None or not ends_now(scope):
        return None
    if looked.night != words_of_night(scope.night) or not 0 <= scope.newest_us - (looked.until_us - 1) <= OLDEST_US:
        return None
    keys = finding_rows.read_keys(scope.db, scope.site_id)
    rows = finding_rows.read_findings(scope.db, scope.site_id, scope.span.since_us)
    reached: dict[str, tuple[Reached, ...]] = {}
    findings = []
    for row in rows:
        if row.device_id in keys:
            finding = _finding(scope, row, station_key(*keys[row.device_id]))
            reached[finding.trace.domain] = tuple(Reached(*each) for each in json.loads(row.reached))
            findings.append(finding)
    found = Hunt(
        tuple(findings), looked.since_us, looked.until_us, 0.0, shortened=False, streams=looked.streams,
        untold=looked.untold, reached=reached,
    )  # fmt: skip
    return narrowed(found, scope)


def _row(each: Finding, reached: tuple[Reached, ...]) -> FindingRow:
    trace = each.trace
    return FindingRow(
        each.kind, each.severity, each.subject.device_id, each.place, each.about, each.says, each.why, each.advice,
        json.dumps(each.facts), json.dumps({key: getattr(trace, key) for key in Trace.__slots__}), json.dumps(reached),
        each.first_us, each.last_us, each.connections, each.bytes,
    )  # fmt: skip


def _finding(scope: Scope, row: FindingRow, key: str) -> Finding:
    kept: Mapping[str, object] = json.loads(row.trace)
    parts = tuple(Part(*each) for each in kept["parts"])  # type: ignore[attr-defined]  # as `_row` wrote it
    trace = Trace(**{**kept, "parts": parts})  # type: ignore[arg-type]  # likewise
    return Finding(
        row.kind, row.severity, Who(row.device_id, key, scope.called(row.device_id)), row.place, row.about, row.says,
        row.why, row.advice, tuple(Fact(*each) for each in json.loads(row.facts)), trace, row.first_us, row.last_us,
        row.connections, row.bytes,
    )  # fmt: skip
