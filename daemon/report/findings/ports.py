"""Services and ports that such a device has no business with.

Rule 1: some services have no place between a thing in a home and the internet: remote shells, shared folders, chat rooms,
        mail. One answered connection is enough.
Rule 2: a port that no service is known for says little by itself: many makers have their own. It counts where the
        destination is not known to be theirs, and the device has been watched for some hours.
Rule 3: one service tried at many addresses is a search for victims, whoever does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from daemon.report.findings.beaconing import DAY_US
from daemon.report.findings.vocabulary import HIGH, LOW, MEDIUM, PORT, Fact, Finding, Stream, View
from daemon.report.findings.wording import service_of, whose
from daemon.report.table import COUNT, SIZE

# Service -> how serious, and what it is for; for things alone, unless it is tried at many addresses.
_OUT_OF_PLACE: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "telnet": (HIGH, "a remote shell in the open, by which devices are taken over"),
        "irc": (HIGH, "a chat room, which is how programs that took over a device were led for decades"),
        "ircs": (HIGH, "a chat room, which is how programs that took over a device were led for decades"),
        "smb": (HIGH, "shared folders of Windows"),
        "rdp": (HIGH, "a remote desktop"),
        "vnc": (HIGH, "a remote desktop"),
        "ssh": (MEDIUM, "a remote shell; some makers use it for repairs"),
        "smtp": (MEDIUM, "sending mail"),
        "socks": (MEDIUM, "a proxy: others may use your home's address"),
        "bittorrent": (MEDIUM, "files shared among many"),
        "ftp": (MEDIUM, "files, mostly in the open"),
        "tftp": (MEDIUM, "small files, in the open"),
        "nfs": (MEDIUM, "shared folders"),
        "ldap": (MEDIUM, "directories of companies"),
        "radius": (MEDIUM, "sign-on to networks of companies"),
        "snmp": (MEDIUM, "management of networks"),
        "pptp": (MEDIUM, "an outdated private network"),
        "l2tp": (MEDIUM, "a tunnel"),
        "vxlan": (MEDIUM, "a tunnel of data centres"),
        "syslog": (LOW, "its log messages, in the open"),
    }
)
_MAIL_KINDS = frozenset({"camera", "doorbell", "printer", "nas"})  # may send mail themselves
_PROTOCOLS = frozenset({"tcp", "udp", "icmp", "icmpv6", "udplite", "igmp"})
_MANY, _MANY_PERSONAL = 15, 40  # addresses
_LEAST_CONNECTIONS = 3
_WATCHED_US = DAY_US // 8
_TALKING_KINDS = frozenset({"camera", "doorbell"})  # speak to phones outside, on ports of the moment
_OF_THE_MOMENT = 1024
_ADVICE = (
    "If this is nothing that you set up, take the device off the network, update it or reset it to how it came, and give it"
    " a new password."
)


def find(view: View) -> Iterator[Finding]:
    """Findings about services and ports."""
    searched: dict[tuple[int, str, str, int | None], list[Stream]] = defaultdict(list)
    for stream in view.streams:
        row = stream.first
        searched[stream.subject.device_id, row.protocol, row.service, row.port].append(stream)
    for streams in searched.values():
        found = _search(streams)
        if found is not None:
            yield found
            continue
        for stream in streams:
            single = _one(stream, view)
            if single is not None:
                yield single


def _search(streams: list[Stream]) -> Finding | None:
    subject, row = streams[0].subject, streams[0].first
    failed = [stream for stream in streams if (not stream.named and not stream.packets_down) or _refused(stream)]
    if row.protocol != "tcp" or len(failed) < (_MANY_PERSONAL if subject.personal else _MANY):
        return None
    first, last = min(stream.first_us for stream in streams), max(stream.last_us for stream in streams)
    answered = len(streams) - len(failed)
    facts = (
        Fact("Addresses tried", len(streams), COUNT),
        Fact("Of them answered", answered, COUNT),
        Fact("Service", service_of(streams[0])),
    )
    return Finding(
        PORT, HIGH, subject, "many addresses", f"search {row.protocol} {row.port}",
        f"tried {service_of(streams[0])} at {len(streams)} addresses, of which {answered} answered.",
        "Ordinary for programs that share files. Worth a look because this is how a device that was taken over looks for"
        " others.",
        _ADVICE, facts, streams[0].trace, first, last, sum(stream.connections for stream in streams),
        sum(stream.bytes for stream in streams),
    )  # fmt: skip


def _refused(stream: Stream) -> bool:
    return not stream.named and stream.refused == stream.connections


def _one(stream: Stream, view: View) -> Finding | None:
    row = stream.first
    if stream.subject.personal or not stream.packets_down or not stream.packets_up:
        return None
    if row.service in _OUT_OF_PLACE:
        return _out_of_place(stream)
    if row.protocol not in _PROTOCOLS:
        return _finding(
            stream, MEDIUM, f"speaks {row.protocol} with {whose(stream)}.",
            "Ordinary for routers and private networks. Worth a look because a thing has hardly a reason to: it hides what"
            " is inside.",
        )  # fmt: skip
    if row.service == "" and row.port is not None and _unknown_port(stream, view):
        return _finding(
            stream, MEDIUM if not stream.subject.media else LOW,
            f"uses {service_of(stream)} at {whose(stream)}, which no service is known for.",
            "Ordinary for makers that invented a protocol of their own, and for games. Worth a look because the destination"
            " is not known to be its maker's.",
        )  # fmt: skip
    return None


def _out_of_place(stream: Stream) -> Finding | None:
    severity, about = _OUT_OF_PLACE[stream.first.service]
    if stream.first.service == "smtp" and stream.subject.kind in _MAIL_KINDS:
        return None
    if stream.party == "first":
        severity = LOW
    return _finding(
        stream, severity, f"uses {service_of(stream)} at {whose(stream)}: {about}.",
        "Ordinary for computers of people who work with it. Worth a look because such a device has hardly a reason to.",
    )  # fmt: skip


def _unknown_port(stream: Stream, view: View) -> bool:
    row = stream.first
    if stream.known or stream.connections < _LEAST_CONNECTIONS:
        return False
    if stream.last_us - max(stream.subject.first_us, view.begun_us) < _WATCHED_US:
        return False
    p2p = row.protocol == "udp" and stream.subject.kind in _TALKING_KINDS and (row.port or 0) >= _OF_THE_MOMENT
    return not p2p


def _finding(stream: Stream, severity: int, sentence: str, why: str) -> Finding:
    row, up, down = stream.first, stream.bytes_up, stream.bytes_down
    facts = (
        Fact("Service", service_of(stream)),
        Fact("Sent", up, SIZE),
        Fact("Received", down, SIZE),
        Fact("Connections", stream.connections, COUNT),
    )
    return Finding(
        PORT, severity, stream.subject, stream.place, f"{row.protocol} {row.port}", sentence, why, _ADVICE, facts,
        stream.trace, stream.first_us, stream.last_us, stream.connections, up + down,
    )  # fmt: skip
