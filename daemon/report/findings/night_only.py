"""Devices that work while people sleep: silent by day, and a burst in most of their nights.

Rule 1: the night is the owner's (`Scope.night`). A day with its night counts if all of it was recorded, and if the device
        was there before; nights count since the first burst, so that what began last week is seen this week.
Rule 2: what a device does at night with its maker or its platform is an update or a backup, and told as usual. What
        somebody watches, hears or uses at night is people's business: players and people's devices are left out.
Rule 3: the destination is the one with most of what moved in those hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from statistics import median

from daemon.decode.slots import SLOT_US
from daemon.report.findings.beaconing import QUIET_PURPOSES
from daemon.report.findings.vocabulary import LOW, MEDIUM, NIGHT_ONLY, USUAL, Fact, Finding, Night, Stream, View
from daemon.report.findings.wording import service_of, whose
from daemon.report.hours import night_words
from daemon.report.table import COUNT, SIZE
from daemon.report.words import size_words

HOUR_US = 3_600_000_000
_LEAST_BYTES = 50_000  # in a night: more than a night of heartbeats
_OUT_OF_PROPORTION = 5.0  # times as much in an hour of the night as in one of the day
_LEAST_NIGHTS, _MOST_NIGHTS = 4, 0.6  # bursts, and the share of the nights since the first that have one
_OWN, _BY_DESIGN = frozenset({"first", "platform", "local"}), QUIET_PURPOSES | {"updates"}
_ADVICE = (
    "See whether something is set to run at these hours: an update, a backup, a schedule in the app. If not, update the"
    " device, and block the destination in your router for a few nights to see what stops working."
)


def find(view: View) -> Iterator[Finding]:
    """One finding for each device that wakes at night."""
    if not 0 < view.night_hours < 24:
        return
    by_device: dict[int, list[Stream]] = {}
    for stream in view.streams:
        if not stream.subject.personal and not stream.subject.media:
            by_device.setdefault(stream.subject.device_id, []).append(stream)
    nights = view.nights() if by_device else {}
    for device, streams in by_device.items():
        since = list(dropwhile(lambda night: not _is_burst(night, view), nights.get(device, ())))
        bursts = [night for night in since if _is_burst(night, view)]
        if len(bursts) >= _LEAST_NIGHTS and len(bursts) >= _MOST_NIGHTS * len(since) and _quiet_days(since, view):
            found = _finding(view, streams, bursts, since)
            if found is not None:
                yield found


def _is_burst(night: Night, view: View) -> bool:
    return night.at_night >= _LEAST_BYTES and _out_of_proportion(night.at_night, night.by_day, view)


def _out_of_proportion(at_night: int, by_day: int, view: View) -> bool:
    return at_night * (24 - view.night_hours) >= _OUT_OF_PROPORTION * by_day * view.night_hours


def _quiet_days(nights: Sequence[Night], view: View) -> bool:
    return _out_of_proportion(sum(each.at_night for each in nights), sum(each.by_day for each in nights), view)


def _finding(view: View, streams: Sequence[Stream], bursts: Sequence[Night], since: Sequence[Night]) -> Finding | None:
    moved = _moved_at_night(view, streams)
    if not moved:
        return None  # its connections are no longer kept one by one, or did not begin here
    stream = max(moved, key=lambda each: (moved[each][0], each.place, each.first.protocol, each.first.port or 0))
    usual, by_day = median(night.at_night for night in bursts), median(night.by_day for night in since)
    facts = (
        Fact("Nights with a burst", len(bursts), COUNT),
        Fact("Nights since the first of them", len(since), COUNT),
        Fact("Data in such a night", usual, SIZE),
        Fact("Data on a day", by_day, SIZE),
        Fact("Service", service_of(stream)),
    )
    hours = night_words(view.night)
    return Finding(
        NIGHT_ONLY, _severity(stream), stream.subject, stream.place, "",
        f"wakes at night: in {len(bursts)} of the last {len(since)} nights it exchanged about {size_words(round(usual))}"
        f" with the internet {hours}, most of it with {whose(stream)}, and on a day about {size_words(round(by_day))}.",
        "Ordinary for updates and backups, and for what somebody told to work at night. Worth a look because nobody is there"
        " to see it, and because whoever does not want to be noticed prefers these hours.",
        _ADVICE, facts, stream.trace, bursts[0].first_us, min(bursts[-1].last_us, view.until_us),
        sum(number for _, number in moved.values()), sum(night.at_night for night in bursts),
    )  # fmt: skip


def _severity(stream: Stream) -> int:
    """Updates come in; what goes out to a rented computer may be anybody's."""
    if stream.party in _OWN or stream.purpose in _BY_DESIGN:
        return USUAL
    return MEDIUM if stream.party != "support" or stream.bytes_up > stream.bytes_down else LOW


def _moved_at_night(view: View, streams: Sequence[Stream]) -> dict[Stream, tuple[float, int]]:
    """Bytes and connections of each stream at night; of long connections the share of their packets that came then."""
    moved: dict[Stream, tuple[float, int]] = {}
    long = view.slices(streams)
    for stream, moments in view.moments(streams).items():
        short = [each for each in moments if each.last_us - each.first_us < SLOT_US]
        begun = [each for each in short if view.is_night(each.first_us)]
        octets = float(sum(each.bytes_up + each.bytes_down for each in begun))
        packets = sum(number for slot, number in long.get(stream, {}).items() if view.is_night(slot))
        octets += packets * stream.bytes / max(stream.packets, 1)
        if octets:
            moved[stream] = octets, sum(each.connections for each in begun) + bool(packets)
    return moved
