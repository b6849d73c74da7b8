"""A device that suddenly talks to a country it had nothing to do with.

Rule 1: a week without it must have been seen, and some other country in them: a database of countries that was put in
        yesterday makes nothing new.
Rule 2: where addresses are in many places at once, or the database is not sure, a country is no news; nor is it with rented
        computers and content networks, which serve from wherever there is room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from daemon.classify.countries import COUNTRIES
from daemon.report.findings.beaconing import DAY_US, QUIET_SERVICES
from daemon.report.findings.vocabulary import COUNTRY, LOW, MEDIUM, Fact, Finding, Stream, View
from daemon.report.findings.wording import service_of, whose
from daemon.report.table import COUNT, SIZE

_HISTORY_US = 7 * DAY_US
_LEAST_BYTES = 1000
_ADVICE = (
    "Look what else changed on that day. If the device needs nothing there and still works, block the destination in your"
    " router."
)


def find(view: View) -> Iterator[Finding]:
    """One finding for each (device, country) that is new."""
    suspected: dict[tuple[int, str], list[Stream]] = defaultdict(list)
    for stream in view.streams:
        country = stream.verdict.country if stream.verdict else None
        if country and not stream.subject.personal and not stream.subject.media:
            suspected[stream.subject.device_id, country].append(stream)
    late = {key: streams for key, streams in suspected.items() if _late(streams, view)}
    if not late:
        return
    known = view.known()
    before = {device for device, _ in known.countries}
    before |= {device for device, country in suspected if (device, country) not in late}
    for (device, country), streams in late.items():
        counted = [stream for stream in streams if _counts(stream)]
        if counted and device in before and (device, country) not in known.countries:
            found = _finding(country, counted, view)
            if found is not None:
                yield found


def _late(streams: list[Stream], view: View) -> bool:
    begun = max(streams[0].subject.first_us, view.begun_us)
    return min(stream.first_us for stream in streams) - begun >= _HISTORY_US


def _counts(stream: Stream) -> bool:
    if stream.verdict is None or stream.verdict.country_confidence == "low" or stream.party == "support":
        return False
    return stream.first.service not in QUIET_SERVICES and stream.packets_down > 0


def _finding(country: str, streams: list[Stream], view: View) -> Finding | None:
    streams.sort(key=lambda stream: stream.first_us)
    first, subject = streams[0], streams[0].subject
    up, down = sum(stream.bytes_up for stream in streams), sum(stream.bytes_down for stream in streams)
    if up + down < _LEAST_BYTES:
        return None
    known = COUNTRIES.get(country)
    name = known.name if known else country
    days = (first.first_us - max(subject.first_us, view.begun_us)) // DAY_US
    own = all(stream.party in ("first", "platform") for stream in streams)
    facts = (
        Fact("Country", name),
        Fact("Days before that without it", days, COUNT),
        Fact("Sent", up, SIZE),
        Fact("Received", down, SIZE),
        Fact("Service", service_of(first)),
    )
    return Finding(
        COUNTRY, LOW if own else MEDIUM, subject, first.place, country,
        f"now talks to {name}, for the first time in {days} days: {whose(first)}.",
        "Ordinary when a maker moves its servers. Worth a look because other rules hold there for what your device tells,"
        " and because a device that was taken over often reports to a place where it never called before.",
        _ADVICE, facts, first.trace, first.first_us, max(stream.last_us for stream in streams),
        sum(stream.connections for stream in streams), up + down,
    )  # fmt: skip
