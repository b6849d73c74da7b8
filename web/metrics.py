"""What Prometheus is told: how recording does, and what the homes sent today, with few labels and no names of anybody.

Rule 1: a label is a home, a service, a party, a direction or a kind of traffic: a new device or destination adds no series.
Rule 2: what is counted of a day begins anew at its midnight, as a counter that is restarted does.
Rule 3: every answer is made from what there is at that moment; nothing is kept between two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.report.scope import Scope
from daemon.store.health import Captured
from daemon.store.reached import read_reached
from daemon.store.totals import read_totals
from web.options import ServiceState

MOST_SITES = 20

# name -> what it is, and where it stands in what is captured
_OF_HOME: Mapping[str, tuple[str, Callable[[Captured], float]]] = {
    "homeport_captured_packets": ("Packets in all captures.", lambda home: home.packets),
    "homeport_captured_bytes": ("Bytes in all captures, as they were on the wire.", lambda home: home.bytes),
    "homeport_undecoded_packets": ("Packets that were not understood.", lambda home: home.undecoded_packets),
    "homeport_kernel_drops": (
        "Packets that the kernel lost before they were recorded.",
        lambda home: home.kernel_drops,
    ),
    "homeport_interface_drops": ("Packets that the interface lost.", lambda home: home.interface_drops),
    "homeport_gaps": ("Stretches of time without a recording.", lambda home: home.gaps),
    "homeport_gap_seconds": ("How long they were, all together.", lambda home: home.gaps_us / 1e6),
}
# Numbers of a service's status -> what they are; capture's count since it was started.
_OF_SERVICE: Mapping[str, str] = {
    "received": "Packets that reached the recording.",
    "written": "Packets that it wrote.",
    "kernel_drops": "Packets that the kernel lost since the recording was started.",
    "interface_drops": "Packets that the interface lost since the recording was started.",
    "lost_in_pause": "Packets that came while recording was paused.",
    "lag_s": "For how long captures have waited to be read, in seconds.",
    "unread_bytes": "Bytes of captures that are still to be read.",
    "captures_bytes": "What captures take of the disk.",
    "free_bytes": "What is free on the disk of the captures.",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to tell: homes with a question about their newest day, and services."""

    version: str
    now_us: int
    homes: Sequence[tuple[Captured, Scope | None]]
    services: Sequence[ServiceState]


def exposition(seen: Seen) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Moment(seen))
    return generate_latest(registry)


class _Moment(Collector):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        """Every number, as of now."""
        seen = self._seen
        yield _gauge("homeport_info", "Homeport is there.", ("version",), [((seen.version,), 1)])
        yield from _homes(seen)
        yield from _services(seen.services)


def _homes(seen: Seen) -> Iterator[Metric]:
    for name, (about, number) in _OF_HOME.items():
        family = CounterMetricFamily(name, about, labels=("site",))
        for home, _ in seen.homes:
            family.add_metric((home.site,), number(home))
        yield family
    yield _gauge(
        "homeport_devices",
        "Devices that were ever seen.",
        ("site",),
        [((home.site,), home.devices) for home, _ in seen.homes],
    )
    ages = [
        ((home.site,), (seen.now_us - home.newest_us) / 1e6) for home, _ in seen.homes if home.newest_us is not None
    ]
    yield _gauge("homeport_newest_packet_age_seconds", "How long ago the newest packet was recorded.", ("site",), ages)
    scopes = [scope for _, scope in seen.homes if scope is not None]
    yield from _today(scopes)


def _today(scopes: Sequence[Scope]) -> Iterator[Metric]:
    labels = ("site", "scope", "direction")
    packets = GaugeMetricFamily(
        "homeport_today_packets", "Packets of the newest day, by kind of traffic.", labels=labels
    )
    octets = GaugeMetricFamily("homeport_today_bytes", "Bytes of the newest day, by kind of traffic.", labels=labels)
    parties = GaugeMetricFamily(
        "homeport_today_party_bytes", "Bytes of the newest day to and from the internet, by party.",
        labels=("site", "party", "direction"),
    )  # fmt: skip
    active = GaugeMetricFamily(
        "homeport_today_devices", "Devices that sent or received on the newest day.", labels=("site",)
    )
    for scope in scopes:
        for kind, *counts in read_totals(scope.db, scope.window, ("scope",)):
            for family, (up, down) in ((packets, counts[:2]), (octets, counts[2:])):
                family.add_metric((scope.site, kind, "up"), up)
                family.add_metric((scope.site, kind, "down"), down)
        for (party, direction), number in sorted(_by_party(scope).items()):
            parties.add_metric((scope.site, party, direction), number)
        there = {row[0] for row in read_totals(scope.db, scope.window, ("device",), both_ends=True)} - {0}
        active.add_metric((scope.site,), len(there))
    yield from (packets, octets, parties, active)


def _by_party(scope: Scope) -> Mapping[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for each in read_reached(scope.db, scope.window):
        sums[each.party or "unknown", "up"] += each.bytes_up
        sums[each.party or "unknown", "down"] += each.bytes_down
    return sums


def _services(services: Sequence[ServiceState]) -> Iterator[Metric]:
    yield _gauge(
        "homeport_service_running",
        "Whether a service spoke lately.",
        ("service",),
        [((each.name,), each.running) for each in services],
    )
    yield _gauge(
        "homeport_service_silent_seconds",
        "How long ago it spoke.",
        ("service",),
        [((each.name,), each.silent_seconds) for each in services],
    )
    for number, about in _OF_SERVICE.items():
        rows = [
            ((each.name,), value) for each in services if isinstance(value := each.numbers.get(number), (int, float))
        ]
        yield _gauge(f"homeport_service_{number}", about, ("service",), rows)


def _gauge(name: str, about: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family
