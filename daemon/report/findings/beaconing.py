"""Calls by the clock: connections that come at a period, or a connection that is kept alive by one.

Rule 1: a maker's or a platform's heartbeat is how things work; it is told as usual and not as a finding. So are what
        tells the time and names, and on devices that play what others make, these others.
Rule 2: on a phone or a computer nearly everything polls something; there only a destination that nobody knows, called
        for a day and a night, is worth a look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from daemon.classify.purposes import WATCHING
from daemon.decode.slots import SLOT_US
from daemon.report.findings.regularity import LEAST_EVENTS, Rhythm, find_rhythms, may_have_rhythm
from daemon.report.findings.vocabulary import BEACONING, HIGH, LOW, MEDIUM, USUAL, Fact, Finding, Stream, View
from daemon.report.findings.wording import every, length, service_of, whose
from daemon.report.table import COUNT, SHARE

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
QUIET_SERVICES = frozenset({"ntp", "dns", "dot", "doq", "doh", "stun", "turn", "icmp", "icmpv6"})
QUIET_PURPOSES = frozenset({"time", "name service", "connectivity", "certificates"})
_MAIL = frozenset({"imap", "imaps", "pop3", "pop3s", "smtp", "smtps", "xmpp", "xmpps", "fcm", "mqtts", "ircs", "ipsec"})
_CROWDED = 0.5  # of the connections have no times of their own: others count these
MOST_ASKED = 150  # streams whose times are read, those that would be findings first
_MOST_USUAL = 50
_LEAST_SECONDS = 3600
_MANY_EVENTS, _LEAST_SECONDS_OF_MANY = 20, 1200
_DAILY, _TO_THE_MINUTE = 0.4 * 86_400, 300  # seconds
_LEAST_SLOTS, _SLOTS_THERE, _SLOTS_ALIKE = 24, 0.9, 0.25
_LEAST_PACKETS = 2  # in a quarter of an hour

_ADVICE = (
    "Find out whether you or someone at home set this device up to report somewhere: an app, a feature, a project. If"
    " nobody knows, update the device, and block the destination in your router for a day to see what stops working."
)


def find(view: View) -> Iterator[Finding]:
    """Findings of regular connections, usual ones among them."""
    suspected = [stream for stream in view.streams if _may(stream)]
    suspected.sort(key=lambda stream: (stream.known, -stream.connections))
    doubtful = [stream for stream in suspected if not stream.known][:MOST_ASKED]
    usual = [stream for stream in suspected if stream.known][:_MOST_USUAL]
    for stream, moments in view.moments([*doubtful, *usual]).items():
        single = np.array([moment.first_us for moment in moments if moment.connections == 1]) / 1e6
        if len(single) < max(LEAST_EVENTS, _CROWDED * stream.connections) or not may_have_rhythm(single):
            continue
        rhythms = [rhythm for rhythm in find_rhythms(single) if _is_a_clock(rhythm)]
        if rhythms:
            yield _finding(stream, rhythms)
    lines = [stream for stream in view.streams if _may_be_kept_alive(stream) and _opened(stream, view)]
    for stream, slots in view.slices(lines).items():
        found = _kept_alive(stream, slots)
        if found is not None:
            yield found


def _is_a_clock(rhythm: Rhythm) -> bool:
    """Long enough to tell; and what comes about once a day is people's own rhythm, unless it comes to the minute."""
    lasted = rhythm.events * rhythm.period
    if lasted < _LEAST_SECONDS and (rhythm.events < _MANY_EVENTS or lasted < _LEAST_SECONDS_OF_MANY):
        return False
    return rhythm.period < _DAILY or rhythm.jitter * rhythm.period <= _TO_THE_MINUTE


def _quiet(stream: Stream) -> bool:
    return stream.first.service in QUIET_SERVICES or stream.purpose in QUIET_PURPOSES


def _may(stream: Stream) -> bool:
    lasted = stream.last_us - stream.first_us
    if stream.connections < LEAST_EVENTS or lasted < HOUR_US / 3 or _quiet(stream):
        return False
    if stream.subject.personal:
        long_enough = lasted >= (DAY_US if stream.named else 3 * HOUR_US)
        return stream.party == "unknown" and long_enough and stream.first.service not in _MAIL
    return True


def severity_of(stream: Stream) -> int:
    """How much a call by the clock to this destination deserves to be looked at."""
    if stream.known:
        return USUAL
    if stream.party == "third" and stream.purpose not in WATCHING and (stream.subject.media or stream.subject.personal):
        return USUAL
    if not stream.named and stream.party == "unknown" and stream.last_us - stream.first_us >= DAY_US:
        return HIGH
    return MEDIUM


def _finding(stream: Stream, rhythms: Sequence[Rhythm]) -> Finding:
    best = rhythms[0]
    subject, periods = stream.subject, " and ".join(every(rhythm.period) for rhythm in rhythms)
    facts = [
        Fact("Period", periods),
        Fact("Comes when expected", best.regularity, SHARE),
        Fact("Strays from the period by up to", best.jitter, SHARE),
        Fact("Connections asked", best.events, COUNT),
        Fact("Service", service_of(stream)),
    ]
    return Finding(
        BEACONING, severity_of(stream), subject, stream.place, _about(stream),
        f"connects to {whose(stream)} {periods}, for {_lasted(stream)} now.",
        _why(stream), _ADVICE, tuple(facts), stream.trace, stream.first_us, stream.last_us, stream.connections,
        stream.bytes,
    )  # fmt: skip


def _about(stream: Stream) -> str:
    row = stream.first
    return f"{row.protocol} {row.port}"


def _lasted(stream: Stream) -> str:
    return length((stream.last_us - stream.first_us) / 1e6)


def _why(stream: Stream) -> str:
    if stream.known:
        return (
            "Ordinary: devices call their maker, or the platform that they are built on, at regular times to say that they"
            " are there and to ask for orders."
        )
    who = "nobody asked for this address by name" if not stream.named else "it is not known to belong to its maker"
    if stream.party == "third":
        who = f"it is {stream.company or 'another company'}, which is not its maker"
    return (
        "Ordinary for devices that report to their maker, and for sensors that somebody set up to report a value. Worth a"
        f" look because {who}, and because software that waits for somebody's orders calls in just this way."
    )


def _may_be_kept_alive(stream: Stream) -> bool:
    if stream.known or stream.subject.personal or _quiet(stream) or stream.last_us - stream.first_us < 6 * HOUR_US:
        return False
    if stream.subject.media and stream.party == "third":
        return False
    hours = (stream.last_us - stream.first_us) / HOUR_US
    return stream.packets_up >= 100 and stream.stored <= hours


def _opened(stream: Stream, view: View) -> bool:
    """Whether it began while somebody watched. Else a name may have been asked for before."""
    if stream.named:
        return True
    if stream.first.protocol == "tcp":
        return stream.begun > 0
    return stream.first_us - max(view.begun_us, stream.subject.first_us) >= HOUR_US


def _kept_alive(stream: Stream, by_slot: Mapping[int, int]) -> Finding | None:
    slots = sorted(by_slot)
    if len(slots) < _LEAST_SLOTS + 2:
        return None
    packets = np.array([by_slot[slot] for slot in slots[1:-1]])  # the first and the last are not whole
    there = len(slots) / ((slots[-1] - slots[0]) / SLOT_US + 1)
    usual = float(np.median(packets))
    alike = float(np.median(np.abs(packets - usual))) / usual if usual else 1.0
    if there < _SLOTS_THERE or usual < _LEAST_PACKETS or alike > _SLOTS_ALIKE:
        return None
    subject, an_hour = stream.subject, usual * 4
    facts = (
        Fact("Packets in a quarter of an hour", usual, COUNT),
        Fact("Quarters of an hour with packets", there, SHARE),
        Fact("Strays from quarter to quarter by", alike, SHARE),
        Fact("Service", service_of(stream)),
    )
    return Finding(
        BEACONING, LOW if stream.named else MEDIUM, subject, stream.place, f"{_about(stream)} kept alive",
        f"keeps a line to {whose(stream)} open day and night, always with about {an_hour:,.0f} packets an"
        " hour.",
        "Ordinary for what has to be reached from outside, such as a doorbell or a camera: it holds a line open. Worth a"
        " look because the line goes to somebody who is not known to be its maker.",
        _ADVICE, facts, stream.trace, stream.first_us, stream.last_us, stream.connections,
        stream.bytes,
    )  # fmt: skip
