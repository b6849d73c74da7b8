"""The second opinion: what tshark reads from a fresh capture, and whether the recipe's word agrees with it.

Rule: an expectation that tshark contradicts is not written: the recorder stops, and the recipe is corrected or says,
      in `Take.missed` or `Take.repeated`, why the two differ.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lab import LabError
from tests.support.record.studio import Conversation, Expectation, Take

OPTIONS = ("-o", "tcp.reassemble_out_of_order:TRUE", "-o", "ip.defragment:TRUE", "-o", "tcp.desegment_tcp_streams:TRUE")


@dataclass(frozen=True, slots=True)
class Probe:
    """How tshark is asked for the rows that a view holds: display filter, fields.

    And the column each field stands for.
    """

    select: str
    fields: tuple[str, ...]
    columns: tuple[str, ...]


_NAME = ("tls.handshake.extensions_server_name",)
_QUESTION = ("dns.qry.name", "dns.qry.type")
PROBES: dict[tuple[str, str], Probe] = {  # by view and the source or transport that an expectation is about ("": all)
    ("hellos", "tls"): Probe("tls.handshake.type==1 && tcp", _NAME, ("name",)),
    ("hellos", "quic"): Probe("tls.handshake.type==1 && quic", _NAME, ("name",)),
    ("hellos", "http"): Probe("http.request && tcp", ("http.host",), ("name",)),
    ("dns_queries", ""): Probe("(dns || mdns || llmnr) && dns.flags.response==0", _QUESTION, ("name", "type")),
    ("dns_queries", "mdns"): Probe("mdns && dns.flags.response==0", _QUESTION, ("name", "type")),
    ("dns_queries", "llmnr"): Probe("llmnr && dns.flags.response==0", _QUESTION, ("name", "type")),
}
TYPES = {"1": "A", "12": "PTR", "15": "MX", "16": "TXT", "28": "AAAA", "33": "SRV", "65": "HTTPS", "255": "ANY"}


def read(path: Path, select: str, fields: tuple[str, ...], options: list[str]) -> list[list[str]]:
    """tshark's values of `fields` in each packet that `select` selects.

    Several values in one packet are joined by `|`.
    """
    wanted = [part for name in fields for part in ("-e", name)]
    command = [
        "tshark",
        "-n",
        "-2",
        "-r",
        str(path),
        *OPTIONS,
        *options,
        "-Y",
        select,
        "-T",
        "fields",
        "-E",
        "aggregator=|",
        *wanted,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"tshark: {done.stderr[-400:]}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def confirm(take: Take) -> list[str]:
    """Compare names with tshark's; what was compared. LabError where the two differ."""
    compared = []
    for (view, about), probe in PROBES.items():
        mine = [
            e
            for e in take.expectations
            if e.view == view and e.match != "none" and set(probe.columns) <= set(e.columns) and _about(e) == about
        ]
        if not mine:
            continue
        told = Counter(
            tuple(_plain(value) for value in values)
            for row in read(take.path, f"({probe.select}) && !icmp && !icmpv6", probe.fields, take.tshark_options)
            for values in zip(*(field.split("|") for field in row), strict=True)
        )
        said = Counter(tuple(_plain(row[e.columns.index(c)]) for c in probe.columns) for e in mine for row in e.rows)
        said.update((_plain(name),) for name in take.repeated.get(about, []))
        said.subtract((_plain(name),) for name in take.missed.get(about, []))
        more = told - said if all(e.match == "all" for e in mine) else Counter()
        if more or said - told:
            raise LabError(
                f"{take.path.name}: {view} {about}: tshark has more {more}, the recipe has more {said - told}"
            )
        compared.append(f"{view} {about}".strip())
    return compared


def _about(expectation: Expectation) -> str | None:
    """The one source or transport that an expectation is about; None: something that tshark is not asked about."""
    where = expectation.where
    if not where:
        return ""
    return str(where.get("source") or where.get("transport")) if set(where) <= {"source", "transport"} else None


def totals(path: Path) -> tuple[int, int]:
    """Packets and bytes (original lengths)."""
    rows = read(path, "frame", ("frame.len",), [])
    return len(rows), sum(int(row[0]) for row in rows)


COLUMNS = (
    "protocol ip_version client_address client_port server_address server_port "
    "packets_up packets_down bytes_up bytes_down"
)


def counted(path: Path, conversations: list[Conversation], options: list[str]) -> list[Expectation]:
    """The recipe's conversations with tshark's counts; one 5-tuple may be several streams, in order of time.

    Addresses and ports are those of the innermost packet, as the flow is the innermost one.
    """
    if not conversations:
        return []
    streams = _streams(path, options)
    rows: list[list[Any]] = []
    taken: Counter[tuple[Any, ...]] = Counter()
    for talk in conversations:
        client, server = (talk.client, talk.client_port), (talk.server, talk.server_port)
        key = (talk.protocol, frozenset((client, server)))
        found = streams.get(key, [])
        if taken[key] >= len(found):
            raise LabError(f"{path.name}: tshark knows {len(found)} streams of {talk}")
        stream = found[taken[key]]
        taken[key] += 1
        up, down = stream.get(client, (0, 0)), stream.get(server, (0, 0))
        rows.append([talk.protocol, talk.ip_version, *client, *server, up[0], down[0], up[1], down[1]])
    columns = COLUMNS.split()
    made = [Expectation("flows", columns, rows, "some", source="recipe, counted by tshark")]
    for column in ("service", "end", "tunnel", "server_name"):
        known = [[*row[:6], getattr(talk, column)] for row, talk in zip(rows, conversations, strict=True)]
        known = [row for row in known if row[6] is not None]
        if known:
            made.append(Expectation("flows", [*columns[:6], column], known, "some"))
    return made


_End = tuple[str, int]


def _streams(path: Path, options: list[str]) -> dict[tuple[Any, ...], list[dict[_End, tuple[int, int]]]]:
    """Conversations by protocol and ends.

    For each stream (in order of time) the packets and bytes that each end sent.
    """
    size = {int(row[0]): int(row[1]) for row in read(path, "frame", ("frame.number", "frame.len"), options)}
    made: dict[tuple[Any, ...], dict[str, dict[_End, tuple[int, int]]]] = defaultdict(dict)
    for protocol in ("tcp", "udp"):
        fields = (
            "frame.number",
            "frame.protocols",
            f"{protocol}.stream",
            f"{protocol}.srcport",
            f"{protocol}.dstport",
            *_ADDRESSES,
        )
        for row in read(path, f"{protocol} && !icmp && !icmpv6", fields, options):
            layers, stream, sport, dport = row[1].split(":"), _last(row[2]), int(_last(row[3])), int(_last(row[4]))
            inner = int([layer for layer in layers if layer in ("ip", "ipv6")][-1] == "ipv6")
            source, target = (_last(row[5 + inner]), sport), (_last(row[7 + inner]), dport)
            frames = {int(row[0]), *(int(n) for field in row[9:11] for n in field.split("|") if n)}
            ends = made[protocol, frozenset((source, target))].setdefault(stream, {})
            packets, volume = ends.get(source, (0, 0))
            ends[source] = (packets + len(frames), volume + sum(size[n] for n in frames))
    return {key: list(streams.values()) for key, streams in made.items()}


# the last two: the frames that a reassembled datagram came in, all of which belong to its flow
_ADDRESSES = ("ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "ip.fragment", "ipv6.fragment")


def _last(values: str) -> str:
    return values.rpartition("|")[2]


def _plain(value: object) -> str:
    """Names as they compare: lower case, without final dot or port; types by name."""
    text = str(value or "").rstrip(".")
    return TYPES.get(text, text.partition(":")[0].lower() if not text.isupper() else text)
