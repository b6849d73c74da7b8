"""Addresses that have no name: how many bytes went there, and the likeliest reason for which nobody knows it.

Rule: a reason is what the captures show, tried in the order of REASONS; the last one claims nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from daemon.report.longitudinal.vocabulary import Unnamed
from daemon.store.longitudinal import Greeting, Talk

INCOMING, HIDDEN, SILENT = "called from outside", "name encrypted in the handshake", "handshake without a name"
EARLY, PRIVATE, NO_DNS = "before the capture began", "names asked over an encrypted channel", "no DNS seen"
UNASKED = "never asked for"

REASONS: Mapping[str, str] = {
    INCOMING: "somebody elsewhere opened the conversation, so the device had no name to ask for",
    HIDDEN: "the handshake hides the name (ECH or ESNI) and no answer of a resolver tells it",
    EARLY: "it was under way within a minute of the capture's begin: the name may have been asked for before",
    PRIVATE: "the device asks for names over TLS, HTTPS or QUIC, which nobody on the way can read",
    NO_DNS: "the captures hold no question for a name by this device",
    SILENT: "the device opened TLS, QUIC or HTTP there and sent no name",
    UNASKED: "the device asked for other names, but for none with this address: it knew it from elsewhere",
}


@dataclass(slots=True)
class Ends:
    """Far ends of conversations, with what was said to each."""

    bytes: Counter[str] = field(default_factory=Counter)
    flows: Counter[str] = field(default_factory=Counter)
    outgoing: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)  # at least one conversation began well within a capture
    private_names: bool = False

    def add(self, address: str, talk: Talk, *, incoming: bool) -> None:
        """One more kind of conversation with this address."""
        self.bytes[address] += talk.bytes
        self.flows[address] += talk.times
        self.private_names |= talk.private_names
        if not incoming:
            self.outgoing.add(address)
        if not talk.early:
            self.late.add(address)


def explain(ends: Ends, named: Collection[str], nameless: Iterable[Greeting], *, resolves: bool) -> tuple[Unnamed, ...]:
    """The ends without a name, most bytes first. `resolves`: the device was seen to ask for names in the open."""
    silent: dict[str, bool] = {}
    for greeting in nameless:
        silent[greeting.server_address] = silent.get(greeting.server_address, False) or greeting.hidden
    found = [
        Unnamed(address, ends.bytes[address], ends.flows[address], _reason(address, ends, silent, resolves=resolves))
        for address in ends.bytes
        if address not in named
    ]
    return tuple(sorted(found, key=lambda each: (-each.bytes, each.address)))


def _reason(address: str, ends: Ends, silent: Mapping[str, bool], *, resolves: bool) -> str:
    signs = {
        INCOMING: address not in ends.outgoing,
        HIDDEN: silent.get(address, False),
        EARLY: address not in ends.late,
        PRIVATE: ends.private_names,
        NO_DNS: not resolves,
        SILENT: address in silent,
        UNASKED: True,
    }
    return next(reason for reason in REASONS if signs[reason])
