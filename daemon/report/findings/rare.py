"""A company that only this device knows: a little traffic, to somebody whom nothing else in the house ever reached.

Rule 1: without a past nothing is rare: the device must have been watched for five days before.
Rule 2: things with a few acquaintances are looked at; what people browse and what TVs play changes every day. Of these only
        new trackers count, as good to know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from daemon.classify.purposes import WATCHING
from daemon.report.findings.beaconing import DAY_US, QUIET_SERVICES
from daemon.report.findings.vocabulary import LOW, MEDIUM, RARE, Fact, Finding, Stream, View
from daemon.report.findings.wording import service_of, whose
from daemon.report.table import COUNT, SIZE

_HISTORY_US = 5 * DAY_US
_MOST_BYTES = 2_000_000
_PARTIES = frozenset({"third", "unknown"})
_ADVICE = (
    "Look what else changed on that day: an update, a new app or feature. If nothing did, and the device works without"
    " it, block the destination in your router."
)


def find(view: View) -> Iterator[Finding]:
    """One finding for each (device, company) that is new and nobody else's."""
    suspected: dict[tuple[int, str], list[Stream]] = defaultdict(list)
    reached: dict[str, set[int]] = defaultdict(set)
    for stream in view.streams:
        reached[stream.owner].add(stream.subject.device_id)
        if _may(stream, view):
            suspected[stream.subject.device_id, stream.owner].append(stream)
    if not suspected:
        return
    known = view.known()
    for device, company in known.companies:
        reached[company].add(device)
    for key, streams in suspected.items():
        if key not in known.companies and reached[key[1]] == {key[0]}:
            found = _finding(streams, view)
            if found is not None:
                yield found


def _may(stream: Stream, view: View) -> bool:
    if stream.subject.personal or not stream.named or stream.party not in _PARTIES:
        return False
    if stream.first.service in QUIET_SERVICES or not stream.packets_down:
        return False
    if stream.subject.media and stream.purpose not in WATCHING:
        return False
    return stream.first_us - max(stream.subject.first_us, view.begun_us) >= _HISTORY_US


def _finding(streams: list[Stream], view: View) -> Finding | None:
    streams.sort(key=lambda stream: stream.first_us)
    first, subject = streams[0], streams[0].subject
    up, down = sum(stream.bytes_up for stream in streams), sum(stream.bytes_down for stream in streams)
    if up + down > _MOST_BYTES:
        return None
    watched = (first.first_us - max(subject.first_us, view.begun_us)) // DAY_US
    facts = (
        Fact("Sent", up, SIZE),
        Fact("Received", down, SIZE),
        Fact("Connections", sum(stream.connections for stream in streams), COUNT),
        Fact("Days before that without it", watched, COUNT),
        Fact("Service", service_of(first)),
    )
    return Finding(
        RARE, LOW if subject.media else MEDIUM, subject, first.owner if first.company else first.place, "",
        f"now reaches {whose(first)}, which it did not in the {watched} days before, and nothing else in"
        " the house ever did.",
        "Ordinary after an update, or when somebody switches on a new feature. Worth a look because it is not known to"
        " belong to the device's maker, and a thing that does one job has few reasons for new acquaintances.",
        _ADVICE, facts, first.trace, first.first_us, max(stream.last_us for stream in streams),
        sum(stream.connections for stream in streams), up + down,
    )  # fmt: skip
