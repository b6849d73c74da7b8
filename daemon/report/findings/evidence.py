"""What stands behind one finding, moment by moment: for a chart, and for whoever does not believe a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from daemon.report.findings.vocabulary import Finding
from daemon.report.scope import Scope
from daemon.store.finding_facts import Between, read_moments, read_requests, read_slices

HOUR_US = 3_600_000_000
MOST_MOMENTS = 60_000
# Ends of the classes of distances between two connections, seconds: usual periods lie in the middle of one.
BOUNDS = (
    0.7, 1.5, 3, 7, 15, 22, 45, 75, 105, 150, 210, 270, 390, 540, 720, 1080, 1500, 2700, 4500, 6300, 9000, 18_000, 36_000,
    64_800,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """Times of single connections, and connections by hour; times in microseconds, UTC."""

    times: tuple[int, ...]
    by_hour: tuple[tuple[int, int], ...]  # begin of the hour, connections
    packets_by_hour: tuple[tuple[int, int], ...]  # where it is few connections with many packets
    distances: tuple[tuple[float, float, int], ...]  # from, up to seconds, how many
    requests: tuple[tuple[str | None, str | None, str | None, int], ...]  # method, host, user agent, how often
    cut: bool  # the newest are shown


def evidence_of(scope: Scope, finding: Finding, since_us: int, until_us: int) -> Evidence:
    """The moments of a finding's connections in a stretch of time."""
    parts = set(finding.trace.parts)
    clients, servers = {part.client_id for part in parts}, {part.server_id for part in parts}
    between = Between(scope.site_id, since_us, until_us, clients, servers)
    moments = [moment for moment in read_moments(scope.db, between) if moment[:5] in parts]
    newest = moments[-MOST_MOMENTS:]
    times = tuple(moment.first_us for moment in newest if moment.connections == 1)
    hours: Counter[int] = Counter()
    packets: Counter[int] = Counter()
    for moment in moments:
        first, last = moment.first_us // HOUR_US, moment.last_us // HOUR_US if moment.connections > 1 else 0
        spread = range(first, max(first, last) + 1)
        for hour in spread:
            hours[hour * HOUR_US] += moment.connections // len(spread)
        packets[first * HOUR_US] += moment.packets
    slices = [each for each in read_slices(scope.db, between) if each[:5] in parts]
    if slices:
        packets = Counter()
        for each in slices:
            packets[each.slot_us // HOUR_US * HOUR_US] += each.packets
    requests = read_requests(scope.db, between) if finding.trace.service == "http" else []
    return Evidence(
        times, _steady(hours), _steady(packets), _classes(times), tuple(requests), len(moments) > MOST_MOMENTS
    )


def _steady(hours: Counter[int]) -> tuple[tuple[int, int], ...]:
    """Every hour from the first to the last, the empty ones too."""
    if not hours:
        return ()
    return tuple((hour, hours[hour]) for hour in range(min(hours), max(hours) + 1, HOUR_US))


def _classes(times: Sequence[int]) -> tuple[tuple[float, float, int], ...]:
    """How many distances fall between two bounds; the classes from the first to the last that has any."""
    counted: Counter[int] = Counter()
    for before, after in pairwise(times):
        seconds = (after - before) / 1e6
        counted[sum(seconds >= bound for bound in BOUNDS)] += 1
    if not counted:
        return ()
    edges = (0.0, *map(float, BOUNDS), float("inf"))
    return tuple((edges[at], edges[at + 1], counted[at]) for at in range(min(counted), max(counted) + 1))
