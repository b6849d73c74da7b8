"""Addresses that a thing reaches though nobody told it where they are: written into it, or heard by another way.

Rule 1: that nobody asked is known only where questions could be read, and where the recording had begun long before: names
        are remembered for hours.
Rule 2: time and name servers are often written in, as are a maker's own; what belongs to a known service is no finding.
        Cameras and doorbells are told addresses by their maker when a phone wants to see: many of these are one finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from daemon.classify.resolvers import RESOLVERS
from daemon.report.findings.beaconing import DAY_US, QUIET_PURPOSES, QUIET_SERVICES
from daemon.report.findings.vocabulary import LOW, MEDIUM, UNNAMED, Fact, Finding, Stream, View
from daemon.report.findings.wording import service_of
from daemon.report.table import COUNT, SIZE

_WATCHED_US = DAY_US // 8  # before the first connection: names are asked for again after an hour or two
_LEAST_CONNECTIONS, _LEAST_BYTES = 3, 20_000
_MANY = 6
_ADVICE = (
    "Ask the maker what the address is for, or look it up. If the device works without it, block it in your router."
)


def find(view: View) -> Iterator[Finding]:
    """One finding for each (device, address); of many addresses one for all."""
    suspected: dict[int, list[Stream]] = defaultdict(list)
    for stream in view.streams:
        if _may(stream, view):
            suspected[stream.subject.device_id].append(stream)
    if not suspected:
        return
    askers = view.askers()
    for device, streams in suspected.items():
        if device not in askers:
            continue  # it asks in secret, or not at all: then every address has no name
        if len({stream.place for stream in streams}) >= _MANY:
            yield _all(streams)
        else:
            by_place: dict[str, list[Stream]] = defaultdict(list)
            for stream in streams:
                by_place[stream.place].append(stream)
            for same in by_place.values():
                yield _one(same)


def _may(stream: Stream, view: View) -> bool:
    row = stream.first
    if stream.named or stream.subject.personal or stream.known or row.protocol not in ("tcp", "udp"):
        return False
    if row.service in QUIET_SERVICES or stream.purpose in QUIET_PURPOSES or stream.place in RESOLVERS:
        return False
    if stream.party == "support":
        return False  # a rented computer: as likely a camera's relay as anything else
    if not stream.packets_down or (row.protocol == "tcp" and not stream.begun):
        return False
    if stream.first_us - max(stream.subject.first_us, view.begun_us) < _WATCHED_US and not _lasting(stream, view):
        return False
    octets = stream.bytes
    return stream.connections >= _LEAST_CONNECTIONS or octets >= _LEAST_BYTES


def _lasting(stream: Stream, view: View) -> bool:
    """Still reached days after the recording began: by then a name would have been asked for again."""
    return stream.last_us - max(stream.subject.first_us, view.begun_us) >= 3 * DAY_US


def _facts(streams: list[Stream]) -> tuple[Fact, ...]:
    return (
        Fact("Sent", sum(stream.bytes_up for stream in streams), SIZE),
        Fact("Received", sum(stream.bytes_down for stream in streams), SIZE),
        Fact("Connections", sum(stream.connections for stream in streams), COUNT),
        Fact("Service", ", ".join(sorted({service_of(stream) for stream in streams})[:5])),
    )


_WHY = (
    "Ordinary for time servers, and for cameras that a phone wants to see from outside. Worth a look because a device that"
    " knows an address by heart goes around whatever you block by name, and few makers build so."
)


def _one(streams: list[Stream]) -> Finding:
    first = streams[0]
    return _finding(
        streams, first.place, MEDIUM,
        f"reaches {first.place} though no name was ever asked for that leads there.",
    )  # fmt: skip


def _all(streams: list[Stream]) -> Finding:
    places = {stream.place for stream in streams}
    return _finding(
        streams, "many addresses", LOW if streams[0].subject.kind in ("camera", "doorbell") else MEDIUM,
        f"reaches {len(places)} addresses though no name was ever asked for that leads there.",
    )  # fmt: skip


def _finding(streams: list[Stream], place: str, severity: int, sentence: str) -> Finding:
    most = max(streams, key=lambda stream: stream.bytes)
    return Finding(
        UNNAMED, severity, most.subject, place, "", sentence, _WHY, _ADVICE, _facts(streams), most.trace,
        min(stream.first_us for stream in streams), max(stream.last_us for stream in streams),
        sum(stream.connections for stream in streams),
        sum(stream.bytes for stream in streams),
    )  # fmt: skip
