"""Content in the open: what a device sends so that everybody on the way can read and change it.

Rule 1: what matters is what the device tells, again and again. A check whether there is internet, a list of revoked
        certificates, the time and an update's download are in the open by design.
Rule 2: people's devices and those that play what others make are left out: pages and streams in the open are their daily
        bread, and browsers warn by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from daemon.report.findings.beaconing import HOUR_US, QUIET_PURPOSES
from daemon.report.findings.vocabulary import HIGH, LOW, MEDIUM, UNENCRYPTED, Fact, Finding, Stream, View
from daemon.report.findings.wording import service_of, whose
from daemon.report.table import COUNT, SIZE

# Services that tell what a device says or does -> how serious, and what can be read.
_OPEN: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "telnet": (HIGH, "passwords, and every word"),
        "ftp": (MEDIUM, "passwords, and the files"),
        "mqtt": (MEDIUM, "its password, what it measures and what it is told to do"),
        "coap": (MEDIUM, "what it measures and what it is told to do"),
        "rtsp": (HIGH, "where the camera's picture is, mostly with the password"),
        "rtmp": (HIGH, "the camera's picture and sound"),
        "sip": (MEDIUM, "who calls whom"),
        "tftp": (LOW, "the files"),
        "syslog": (LOW, "its log messages"),
        "irc": (MEDIUM, "every word"),
    }
)
_BY_DESIGN = QUIET_PURPOSES | {"updates", "content delivery"}
_LEAST_UP = 300  # bytes; less says nothing
_LEAST_REQUESTS, _HTTP_UP, _A_REQUEST = (
    4,
    3000,
    250,
)  # bytes up in all, and in each: more than asking whether one is online
_ADVICE = (
    "See whether the device or its app offers an encrypted connection, or an update does. If not, do not use a password with"
    " it that you use elsewhere."
)


def find(view: View) -> Iterator[Finding]:
    """Findings of content in the open."""
    for stream in view.streams:
        if stream.subject.personal or not stream.packets_down or stream.purpose in _BY_DESIGN:
            continue
        row = stream.first
        if row.service in _OPEN and row.encrypted != "yes" and stream.bytes_up >= _LEAST_UP:
            severity, what = _OPEN[row.service]
            yield _finding(stream, severity, what)
        elif row.service == "http" and row.encrypted == "no" and _tells(stream):
            yield _finding(
                stream, LOW if stream.party == "platform" else MEDIUM, "what the device reports and is answered"
            )


def _tells(stream: Stream) -> bool:
    connections, up = stream.connections, stream.bytes_up
    if stream.subject.media or connections < _LEAST_REQUESTS or up < max(_HTTP_UP, _A_REQUEST * connections):
        return False
    return stream.last_us - stream.first_us >= HOUR_US


def _finding(stream: Stream, severity: int, what: str) -> Finding:
    row, up, down = stream.first, stream.bytes_up, stream.bytes_down
    facts = (
        Fact("Sent in the open", up, SIZE),
        Fact("Received in the open", down, SIZE),
        Fact("Connections", stream.connections, COUNT),
        Fact("Service", service_of(stream)),
    )
    return Finding(
        UNENCRYPTED, severity, stream.subject, stream.place, row.service,
        f"talks to {whose(stream)} in the open: {service_of(stream)}, without encryption.",
        f"Ordinary for old or simple devices. Worth a look because everybody between your home and there can read {what},"
        " and change it.",
        _ADVICE, facts, stream.trace, stream.first_us, stream.last_us, stream.connections, up + down,
    )  # fmt: skip
