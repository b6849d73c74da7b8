"""Rows of `daemon.store.longitudinal` -> the facts of one device in one month.

Rule 1: a name counts if the device asked for it, said it in a handshake with somebody elsewhere, or if a conversation of
        its own is known by it. Questions about addresses (`*.arpa`) and names that are addresses are none.
Rule 2: record types come from questions. A name that was never asked for has `TLS`, `QUIC` or `HTTP` from its handshakes;
        one known from elsewhere (an answer in an earlier capture or to another device) the type of its addresses.
Rule 3: no name wins over another: an address keeps all, the most used first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from daemon.classify.names import is_address
from daemon.flow.conversation import host_part
from daemon.identify.answers import hinted_addresses
from daemon.report.longitudinal.home import Home
from daemon.report.longitudinal.unnamed import Ends, explain
from daemon.report.longitudinal.vocabulary import Contact, MonthFacts
from daemon.store.longitudinal import Asked, Greeting, Talk, Told

_ADDRESS_TYPES = ("A", "AAAA")
_MOST_ALIASES = 32  # a chain in real answers has a handful; a loop must end


@dataclass(slots=True)
class _Use:
    """What is known so far of one name."""

    types: set[str] = field(default_factory=set)
    handshakes: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    count: int = 0
    conversations: int = 0  # known by this name
    first_us: int = 1 << 62
    last_us: int = -1

    def seen(self, first_us: int, last_us: int) -> None:
        self.first_us, self.last_us = min(self.first_us, first_us), max(self.last_us, last_us)

    def contact(self) -> Contact:
        known = {"AAAA" if ":" in address else "A" for address in self.addresses}
        types = self.types or self.handshakes or known
        count = self.count or self.conversations
        return Contact(tuple(sorted(types)), tuple(sorted(self.addresses)), count, self.first_us, self.last_us)


def gather(
    home: Home, asked: Iterable[Asked], told: Iterable[Told], greetings: Iterable[Greeting], talks: Iterable[Talk]
) -> MonthFacts:
    """All facts of one part, from its rows."""
    uses: dict[str, _Use] = defaultdict(_Use)
    votes: dict[str, Counter[str]] = defaultdict(Counter)  # address -> name -> times told
    _take_asked(uses, asked)
    aliases = _take_told(home, uses, votes, told)
    greetings = list(greetings)
    _take_greetings(home, uses, greetings)
    ends = Ends()
    spoken = _take_talks(home, uses, ends, talks)
    for address, names in spoken.items():
        votes[address].update(dict.fromkeys(names, 0))
    named = {
        address: tuple(sorted(names, key=lambda name: (-spoken[address][name], -names[name], name)))
        for address, names in sorted(votes.items())
    }
    resolves = any(use.types for use in uses.values())
    return MonthFacts(
        contacts={name: use.contact() for name, use in sorted(uses.items())},
        aliases=aliases,
        addresses=tuple(sorted({*named, *ends.bytes})),
        names=named,
        unnamed=explain(ends, {*named}, [each for each in greetings if each.name is None], resolves=resolves),
        contacted=len(ends.bytes),
        bytes=sum(ends.bytes.values()),
    )


def is_name(text: str) -> bool:
    """Whether a text names a destination: no question about an address, no address, not nothing."""
    return (
        text not in ("", ".") and not text.endswith((".in-addr.arpa", ".ip6.arpa")) and not is_address(text.strip("[]"))
    )


def _take_asked(uses: dict[str, _Use], asked: Iterable[Asked]) -> None:
    for row in asked:
        if is_name(row.name):
            use = uses[row.name]
            use.types.add(row.type)
            use.count += max(row.questions, row.responses)  # a question and its answer are one lookup
            use.seen(row.first_us, row.last_us)


def _take_told(
    home: Home, uses: dict[str, _Use], votes: dict[str, Counter[str]], told: Iterable[Told]
) -> dict[str, str]:
    """Addresses for names; the answer are the ends of chains of aliases."""
    links: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for row in told:
        if not is_name(row.query_name):
            continue
        if row.type == "CNAME":
            known = links[row.query_name].get(row.name, (-1, ""))
            links[row.query_name][row.name] = max(known, (row.last_us, row.value))
            continue
        uses[row.query_name].seen(row.last_us, row.last_us)
        said = [row.value] if row.type in _ADDRESS_TYPES else hinted_addresses(row.value)
        for address in filter(is_address, said):
            uses[row.query_name].addresses.add(address)
            if home.is_elsewhere(address):
                votes[address][row.query_name] += row.times
    return {name: end for name, chain in sorted(links.items()) if (end := _end(name, chain)) != name}


def _end(name: str, chain: dict[str, tuple[int, str]]) -> str:
    """Where the newest aliases lead."""
    for _ in range(_MOST_ALIASES):
        if name not in chain:
            break
        name = chain[name][1]
    return name


def _take_greetings(home: Home, uses: dict[str, _Use], greetings: Iterable[Greeting]) -> None:
    for row in greetings:
        name = host_part(row.name) if row.source == "http" else row.name  # a Host field may have a port
        if name is not None and is_name(name) and home.is_elsewhere(row.server_address):
            use = uses[name]
            use.handshakes.add(row.source.upper())
            use.addresses.add(row.server_address)
            use.count += row.times
            use.seen(row.first_us, row.last_us)


def _take_talks(home: Home, uses: dict[str, _Use], ends: Ends, talks: Iterable[Talk]) -> dict[str, Counter[str]]:
    """Conversations by far end and name; those of no interest here, with both ends at home, are passed over."""
    spoken: dict[str, Counter[str]] = defaultdict(Counter)
    for row in talks:
        remote = home.remote(row.client_address, row.server_address)
        if remote is None:
            continue
        ends.add(remote, row, incoming=remote != row.server_address)
        if row.name is None or remote != row.server_address or not is_name(row.name):
            continue
        spoken[remote][row.name] += row.times
        use = uses[row.name]
        use.addresses.add(remote)
        use.conversations += row.times
        if row.name_source == "certificate":
            use.handshakes.add("TLS")
        use.seen(row.first_us, row.last_us)
    return spoken
