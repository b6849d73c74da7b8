"""The words of this package: what one device did in one month, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contact:
    """A name that a device asked for, or said in a handshake. Times in microseconds since the epoch, UTC."""

    query_types: tuple[str, ...]  # sorted: record types; `TLS`, `QUIC`, `HTTP` of a name that only handshakes told
    addresses: tuple[str, ...]  # sorted; all that it was told for the name or used under it
    count: int  # questions and handshakes; of a name that had neither, conversations
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Unnamed:
    """An address that has no name, and why."""

    address: str
    bytes: int
    flows: int
    reason: str


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """One device in one month. Keys and lists are sorted as they will be written."""

    contacts: Mapping[str, Contact] = field(default_factory=dict)  # by name
    aliases: Mapping[str, str] = field(default_factory=dict)  # name asked for -> end of its chain of aliases
    addresses: tuple[str, ...] = ()  # elsewhere: packets went there, or the device was told of it
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # address -> names, most used first
    unnamed: tuple[Unnamed, ...] = ()  # most bytes first
    contacted: int = 0  # addresses that packets went to or came from
    bytes: int = 0  # to and from them
