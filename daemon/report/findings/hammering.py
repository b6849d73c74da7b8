"""One destination, far more often than makes sense: requests by the thousand, small packets by the million, or a door that
nobody opens.

Rule 1: what counts is how long it lasts. A page full of pictures opens a hundred connections in a minute; a forgotten
        display asks once a second for years.
Rule 2: streams of sound and picture, calls and tunnels are many packets by nature; small ones in one long row are not.
Rule 3: where nothing at all is answered the recording saw one direction only, and says nothing about doors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from daemon.report.findings.beaconing import HOUR_US
from daemon.report.findings.vocabulary import HAMMERING, HIGH, LOW, MEDIUM, Fact, Finding, Stream, View
from daemon.report.findings.wording import length, often, service_of, whose
from daemon.report.table import COUNT, SHARE, SIZE
from daemon.store.finding_facts import Moment

_REQUESTS_AN_HOUR, _LEAST_REQUESTS = 240, 720  # one every 15 seconds, for three hours
_IN_AN_HOUR = 3000  # so many are enough in any time
_PACKETS_AN_HOUR, _LEAST_PACKETS = 3600, 20_000  # one a second, for more than five hours
_AT_ONCE = 100_000  # so many are enough in any time
_VERY_MANY = 20_000
_SMALL = 500  # bytes a packet
_FAILURES_AN_HOUR, _LEAST_FAILURES, _MOSTLY = 30, 100, 0.8
_PATIENT = {"dns": 15.0, "ntp": 1.0}  # services that are asked so often by nature
_KNOWN, _PERSONAL = 4.0, 6.0  # times as much is ordinary with a maker, and for a device that somebody uses
_FLOWING = frozenset(
    {"rtp", "rtcp", "stun", "turn", "stuns", "rtsp", "rtmp", "wireguard", "openvpn", "ipsec", "l2tp", "pptp", "vxlan",
     "sip", "sips", "dtls", "quic", "ssh", "rdp", "vnc", "bittorrent"}
)  # fmt: skip
_FLOWING_PROTOCOLS = frozenset({"esp", "ah", "gre", "ipip", "6in4"})
_LEAST_HOURS = 2
_ADVICE = (
    "If it is a project of your own, let it ask less often, or wait longer after an error. If it is a product, restart and"
    " update it. Whoever runs the destination may block your home for this."
)


def find(view: View) -> Iterator[Finding]:
    """Destinations that are hammered, each in the way that says most."""
    half = [stream for stream in view.streams if _suspected(stream)]
    blind = _one_way(view.streams)
    timed = view.moments(half)
    for stream in view.streams:
        by_hour = _hours(timed[stream]) if stream in timed else {}
        found = (
            _requests(stream, by_hour)
            or (None if blind else _failures(stream, by_hour))
            or _packets(stream)
        )  # fmt: skip
        if found is not None:
            yield found


def _suspected(stream: Stream) -> bool:
    failed = stream.unanswered + stream.refused
    return failed >= _LEAST_FAILURES or stream.connections >= _LEAST_REQUESTS


def _one_way(streams: Sequence[Stream]) -> bool:
    return not any(stream.packets_down for stream in streams)


def _hours(moments: Sequence[Moment]) -> dict[int, int]:
    """Hour since the epoch -> connections; of crowds, each hour gets its part."""
    hours: dict[int, int] = {}
    for moment in moments:
        first = moment.first_us // HOUR_US
        last = moment.last_us // HOUR_US if moment.connections > 1 else first
        for hour in range(first, last + 1):
            hours[hour] = hours.get(hour, 0) + moment.connections // (last - first + 1)
    return hours


def _patience(stream: Stream) -> float:
    times = _PATIENT.get(stream.first.service, 1.0)
    if stream.known:
        times = max(times, _KNOWN)
    return times * (_PERSONAL if stream.subject.personal else 1.0)


def _requests(stream: Stream, by_hour: dict[int, int]) -> Finding | None:
    patience = _patience(stream)
    if stream.connections < _LEAST_REQUESTS * patience:
        return None
    at_once = stream.connections >= _IN_AN_HOUR * patience
    if len(by_hour) <= _LEAST_HOURS and not at_once:
        return None
    rate = float(np.median(list(by_hour.values())))
    busy = sum(1 for number in by_hour.values() if number >= _REQUESTS_AN_HOUR * patience)
    if rate < _REQUESTS_AN_HOUR * patience or (busy <= _LEAST_HOURS and not at_once):
        return None
    total = stream.connections
    return _finding(
        stream, "requests",
        f"opened {total:,} connections to {whose(stream)} in {_lasted(stream)}: {often(rate)}.",
        "Ordinary for a short while, when something is loaded or repaired. Worth a look because it goes on and on: a program"
        " that asks again at once instead of waiting, or one that somebody forgot.",
        LOW if stream.known else HIGH if rate >= 5 * _REQUESTS_AN_HOUR or total >= _VERY_MANY else MEDIUM,
        (Fact("Connections an hour", rate, COUNT), Fact("Hours like that", busy, COUNT)),
    )  # fmt: skip


def _failures(stream: Stream, by_hour: dict[int, int]) -> Finding | None:
    failed, total = stream.unanswered + stream.refused, stream.connections
    patience = _PERSONAL if stream.subject.personal else 1.0
    if stream.first.protocol != "tcp" or failed < _LEAST_FAILURES * patience or failed < _MOSTLY * total:
        return None
    if (len(by_hour) <= _LEAST_HOURS and failed < _IN_AN_HOUR / 3 * patience) or float(
        np.median(list(by_hour.values()))
    ) < _FAILURES_AN_HOUR * patience:
        return None
    return _finding(
        stream, "failures",
        f"tried to reach {whose(stream)} {total:,} times in {_lasted(stream)}, and"
        f" {'never got' if failed == total else f'{failed:,} times did not get'} through.",
        "Ordinary for an hour or two, while a service is down. Worth a look because it does not stop: the service may be"
        " gone for good, and with it what the device was bought for, or a program looks for its master.",
        MEDIUM,
        (Fact("Refused", stream.refused, COUNT), Fact("Not answered", stream.unanswered, COUNT),
         Fact("Share that failed", failed / total, SHARE)),
    )  # fmt: skip


def _packets(stream: Stream) -> Finding | None:
    packets = stream.packets
    if packets < _LEAST_PACKETS or stream.first.service in _FLOWING or stream.first.protocol in _FLOWING_PROTOCOLS:
        return None
    octets = stream.bytes
    hours = max((stream.last_us - stream.first_us) / HOUR_US, 1.0)
    patience = _patience(stream) * (2 if stream.subject.media else 1)
    if octets / packets >= _SMALL or packets / hours < _PACKETS_AN_HOUR * patience:
        return None
    if hours < 3 * _LEAST_HOURS and packets < _AT_ONCE * patience:
        return None
    return _finding(
        stream, "packets",
        f"exchanged {packets:,} small packets with {whose(stream)} in {_lasted(stream)}:"
        f" {often(packets / hours)}.",
        "Ordinary for games, calls and tunnels while they are used. Worth a look because it never pauses and hardly"
        " anything is said: a program that asks without a break, or one that somebody forgot.",
        LOW if stream.known else HIGH,
        (Fact("Packets an hour", packets / hours, COUNT), Fact("Mean packet", octets / packets, SIZE)),
    )  # fmt: skip


def _lasted(stream: Stream) -> str:
    return length((stream.last_us - stream.first_us) / 1e6)


def _finding(stream: Stream, how: str, sentence: str, why: str, severity: int, facts: tuple[Fact, ...]) -> Finding:
    del how  # one destination is one finding, whichever way it shows
    octets = stream.bytes
    every = (
        *facts,
        Fact("Packets", stream.packets, COUNT),
        Fact("Service", service_of(stream)),
    )
    row = stream.first
    return Finding(
        HAMMERING, severity, stream.subject, stream.place, f"{row.protocol} {row.port}", sentence, why, _ADVICE, every,
        stream.trace, stream.first_us, stream.last_us, stream.connections, octets,
    )  # fmt: skip
