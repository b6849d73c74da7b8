"""All kinds over one view, in the order in which they deserve a look, and no destination told twice without need.

Rule: of one device and destination the kinds that only say "unknown" give way to those that say what is done, and what is
said keeps the other's numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from daemon.report.findings import beaconing, hammering, new_country, night_only, ports, rare, unencrypted, unnamed
from daemon.report.findings.gather import gather
from daemon.report.findings.vocabulary import (
    BEACONING,
    COUNTRY,
    HAMMERING,
    NIGHT_ONLY,
    PORT,
    RARE,
    UNENCRYPTED,
    UNNAMED,
    USUAL,
    Finding,
    View,
)
from daemon.report.scope import Scope

MOST_TOLD, MOST_USUAL = 200, 50  # findings; a list of thousands would help nobody

KINDS: Mapping[str, Callable[[View], Iterator[Finding]]] = {
    HAMMERING: hammering.find,
    BEACONING: beaconing.find,
    PORT: ports.find,
    UNENCRYPTED: unencrypted.find,
    NIGHT_ONLY: night_only.find,
    COUNTRY: new_country.find,
    UNNAMED: unnamed.find,
    RARE: rare.find,
}
# What gives way to what, about the same device and destination.
_GIVES_WAY: Mapping[str, frozenset[str]] = {
    RARE: frozenset({HAMMERING, BEACONING, PORT, UNENCRYPTED, COUNTRY, NIGHT_ONLY}),
    UNNAMED: frozenset({HAMMERING, BEACONING, PORT}),
    NIGHT_ONLY: frozenset({HAMMERING}),
    UNENCRYPTED: frozenset({PORT}),
    BEACONING: frozenset({HAMMERING}),
}


class Reached(NamedTuple):
    """What one device moved with a domain."""

    device_id: int
    connections: int
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class Hunt:
    """What was found, most serious first; `days` that were looked at, `shortened` where that is less than asked."""

    findings: tuple[Finding, ...]
    since_us: int
    until_us: int
    days: float
    shortened: bool
    streams: int
    untold: int  # findings that are less serious than those, and are left out
    reached: Mapping[str, tuple[Reached, ...]]  # domain -> devices that reach it, those with most first

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Without what is usual."""
        return tuple(each for each in self.findings if each.severity > USUAL)

    @property
    def usual(self) -> tuple[Finding, ...]:
        """What is regular and ordinary."""
        return tuple(each for each in self.findings if each.severity == USUAL)


def hunt(scope: Scope) -> Hunt:
    """Look at the newest part of the scope's span."""
    gathered = gather(scope)
    view = gathered.view
    found = [finding for find in KINDS.values() for finding in find(view)]
    kept = _once(found)
    kept = [each for each in kept if scope.device_id in (None, each.subject.device_id)]
    kept.sort(key=lambda each: (-each.severity, -each.last_us, each.finding_id))
    serious = [each for each in kept if each.severity > USUAL]
    usual = [each for each in kept if each.severity == USUAL]
    told = (*serious[:MOST_TOLD], *usual[:MOST_USUAL])
    return Hunt(
        told,
        view.since_us,
        view.until_us,
        gathered.days,
        gathered.shortened,
        len(view.streams),
        max(len(serious) - MOST_TOLD, 0),
        _reached(view, {each.trace.domain for each in told}),
    )


def _once(found: Sequence[Finding]) -> list[Finding]:
    by_place: dict[tuple[int, str], list[Finding]] = defaultdict(list)
    for each in found:
        by_place[each.subject.device_id, each.trace.place].append(each)
    kept: list[Finding] = []
    for same in by_place.values():
        kinds = {each.kind for each in same if each.severity > USUAL}
        gone = [each for each in same if kinds & _stronger(each)]
        facts = tuple(fact for each in gone if each.kind == BEACONING for fact in each.facts[:3])
        kept += [
            replace(each, facts=(*each.facts, *facts)) if each.kind == HAMMERING else each
            for each in same
            if each not in gone
        ]
    return kept


def _stronger(each: Finding) -> frozenset[str]:
    """Kinds that a finding gives way to. A port without a known service is in the evidence of what is done at it."""
    if each.kind == PORT and each.trace.service == "":
        return frozenset({HAMMERING, BEACONING, UNENCRYPTED})
    return _GIVES_WAY.get(each.kind, frozenset())


def _reached(view: View, domains: set[str]) -> dict[str, tuple[Reached, ...]]:
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for stream in view.streams:
        if stream.domain in domains:
            moved = sums[stream.domain, stream.subject.device_id]
            for at, number in enumerate((stream.connections, stream.bytes_up, stream.bytes_down)):
                moved[at] += number
    by_domain: dict[str, list[Reached]] = defaultdict(list)
    for (domain, device), counted in sums.items():
        by_domain[domain].append(Reached(device, *counted))
    return {
        domain: tuple(sorted(rows, key=lambda row: (-row.bytes_up - row.bytes_down, row.device_id)))
        for domain, rows in by_domain.items()
    }
