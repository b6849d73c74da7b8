"""Which name servers the devices ask, and whether that is what the house told them to ask.

Rule 1: told is what DHCP, DHCPv6 or a router's advertisements announced in this house, at any time; a router itself is
        as good as told. A device that asks anybody else has that server built in (`hard-coded`), unless no announcement
        was ever recorded: then nobody can tell.
Rule 2: DNS over TLS, HTTPS and QUIC is known by protocol or by the server's name; what is asked there stays hidden, so
        conversations are counted in the place of questions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from daemon.classify.resolvers import RESOLVERS
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, Column, Report
from daemon.report.words import listed
from daemon.store.asked import Asked, Hidden, Resolver, read_announced, read_asked, read_hidden, read_routers

ANNOUNCED, ROUTER, HOUSE, HARD_CODED, UNTOLD = "announced", "router", "house", "hard-coded", "untold"
WORDS = {
    ANNOUNCED: "given by the network",
    ROUTER: "the home's router",
    HOUSE: "another device of the house",
    HARD_CODED: "its own choice (hard-coded)",
    UNTOLD: "nobody knows whether it was given",
}
OPEN = "dns"
_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("resolver", "DNS server"),
    Column("run_by", "Run by"),
    Column("how", "How it came to it"),
    Column("transport", "Over"),
    Column("queries", "Questions", COUNT),
    Column("bytes", "Data", SIZE),
)
_MOST_NAMED = 4


class Server(NamedTuple):
    """A name server of one device. `queries` None where they are hidden: then `flows` conversations moved `bytes`."""

    device_id: int
    resolver: str  # address, or name where it is known by that
    run_by: str | None  # company or device; None: nobody knows
    how: str  # ANNOUNCED, ROUTER, HOUSE, HARD_CODED, UNTOLD
    transport: str  # udp, tcp, doh, dot, doq
    queries: int | None
    bytes: int | None


def report(scope: Scope) -> Report:
    """One row a (device, name server, transport), by device and those asked most first."""
    return servers_report(scope, read_asked(scope.db, scope.window))


def servers_report(scope: Scope, asked: Asked) -> Report:
    """The same of questions that were read before."""
    servers = find_servers(scope, asked)
    rows = tuple(
        (
            each.device_id, scope.called(each.device_id), each.resolver, each.run_by, WORDS[each.how], each.transport,
            each.queries, each.bytes,
        )
        for each in servers
    )  # fmt: skip
    return Report("DNS servers", _COLUMNS, rows, tuple(_sentences(scope, servers)), counting_notes(scope, asked))


def find_servers(scope: Scope, asked: Asked) -> list[Server]:
    """All name servers, by device; of one device those asked most first, the hidden ones last."""
    told, routers = read_announced(scope.db, scope.site_id), read_routers(scope.db, scope.site_id)
    sums: Counter[tuple[int, str, str]] = Counter()
    ends = {end.address: end for end in asked.resolvers.values()}
    kinds, of = np.unique(np.stack([asked.device, asked.resolver, asked.tcp]), axis=1, return_inverse=True)
    numbers = np.bincount(of.reshape(-1), asked.queries, kinds.shape[1]).astype(np.int64)
    for (device, resolver, tcp), number in zip(kinds.T.tolist(), numbers.tolist(), strict=True):
        sums[device, asked.resolvers[resolver].address, "tcp" if tcp else "udp"] += number
    how = {address: _how(address, ends[address], told, routers) for address in ends}
    found = [
        Server(device, resolver, _run_by(scope, ends[resolver], how[resolver]), how[resolver], transport, number, None)
        for (device, resolver, transport), number in sums.items()
    ]
    found += [_hidden(each) for each in read_hidden(scope.db, scope.window)]
    return sorted(
        found, key=lambda each: (scope.called(each.device_id), -(each.queries or 0), each.resolver, each.transport)
    )


def _how(address: str, end: Resolver, told: Mapping[str, str], routers: frozenset[str]) -> str:
    if address in told:
        return ANNOUNCED
    if address in routers:
        return ROUTER
    if end.local:
        return HOUSE
    alike = any((":" in each) == (":" in address) for each in told)
    return HARD_CODED if alike else UNTOLD


def _run_by(scope: Scope, end: Resolver, how: str) -> str | None:
    if end.device_id:
        return scope.called(end.device_id)
    return "this home" if end.local or how == ROUTER else RESOLVERS.get(end.address)


def _hidden(each: Hidden) -> Server:
    run_by = RESOLVERS.get(each.resolver) or each.run_by
    return Server(each.device_id, each.resolver, run_by, HARD_CODED, each.service, None, each.bytes)


def _sentences(scope: Scope, servers: Sequence[Server]) -> list[str]:
    if not servers:
        return ["No device asked a name server in this time."]
    own: dict[int, set[str]] = defaultdict(set)
    unknown, untold, hiding = set(), set(), set()
    for each in servers:
        if each.queries is None:
            hiding.add(each.device_id)
        elif each.how == HARD_CODED:
            own[each.device_id].add(each.run_by or each.resolver)
            if each.run_by is None:
                unknown.add(each.device_id)
        elif each.how == UNTOLD:
            untold.add(each.device_id)
    devices = {each.device_id for each in servers}
    said = []
    if own:
        names = listed(
            [f"{scope.called(device)} ({listed(sorted(own[device]), 2)})" for device in sorted(own)], _MOST_NAMED
        )
        asks = "asks a DNS server of its own choice" if len(own) == 1 else "ask DNS servers of their own choice"
        said.append(f"{names} {asks}.")
    for ids, one, many in (
        (hiding, "hides what it asks (DoH, DoT or DoQ)", "hide what they ask (DoH, DoT or DoQ)"),
        (unknown, "asks a server that nobody here knows", "ask servers that nobody here knows"),
    ):
        if ids:
            names = listed([scope.called(device) for device in sorted(ids)], _MOST_NAMED)
            said.append(f"{names} {one if len(ids) == 1 else many}.")
    if untold:
        said.append("No announcement by DHCP or the router was recorded, so nobody can tell which servers were given.")
    if not said:
        said.append(f"All {len(devices)} devices that asked for names asked the DNS servers that the home gave them.")
    return said


def counting_notes(scope: Scope, asked: Asked) -> tuple[str, ...]:
    """From when on questions are counted, where that is later than the span begins."""
    if asked.since_us is None:
        return ()
    return (f"Single questions are kept for some weeks and counted here since {scope.moment(asked.since_us)}.",)
